"""`claude-openai completion`: what the scripts are, and that bash completes with them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from claude_openai.cli import COMMANDS
from claude_openai.cli.commands.completion import INSTALL
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import COMMAND, Machine

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="these shells are POSIX's"),
]


@pytest.mark.proves("commands.completion")
@pytest.mark.parametrize("shell", list(INSTALL))
def test_each_shell_has_a_script_that_ends_with_how_to_install_it(tmp_path: Path, shell: str) -> None:
    ran = Machine.at(tmp_path).types("completion", shell)
    assert (ran.code, ran.err) == (0, "")
    assert f"_CLAUDE_OPENAI_COMPLETE={shell}_complete" in ran.out
    assert ran.out.splitlines()[-1] == f"# To install it: {INSTALL[shell]}"


@pytest.mark.proves("commands.completion")
def test_without_a_name_it_is_the_persons_own_shell(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    assert "_CLAUDE_OPENAI_COMPLETE=zsh_complete" in machine.types("completion", SHELL="/bin/zsh").out
    unknown = machine.types("completion", SHELL="/bin/dash")
    assert unknown.code == 2
    assert "name the shell: bash, zsh, fish" in unknown.err


@pytest.mark.proves("commands.completion")
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    script = tmp_path / "completion.bash"
    script.write_text(machine.types("completion", "bash").out)

    def completed(*words: str) -> list[str]:
        line = " ".join(("claude-openai", *words))
        asked = f"COMP_WORDS=({line} ''); COMP_CWORD={len(words)}; _claude_openai_completion {COMMAND}"
        shell = f'source {script}; {asked}; printf "%s\\n" "${{COMPREPLY[@]}}"'
        done = subprocess.run(
            ["bash", "--norc", "-c", shell],
            env=machine.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.split()

    assert completed("") == list(COMMANDS)
    assert completed("comp") == ["completion"]
    assert completed("runs", "--li") == ["--limit"]
    assert completed("completion", "f") == ["fish"]
