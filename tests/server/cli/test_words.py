"""Commands as people type them: words of other programs, Claude Code itself, and hints that can be copied."""

import subprocess
import sys
from pathlib import Path

import pytest

from claude_openai import __version__
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import COMMAND, Machine


@pytest.mark.proves("commands.words")
@pytest.mark.parametrize("words", [["version"], ["-v"], ["-V"], ["--version"]])
def test_the_version_has_every_usual_word(tmp_path: Path, words: list[str]) -> None:
    ran = Machine.at(tmp_path).types(*words)
    assert (ran.code, ran.out) == (0, f"claude-openai {__version__}\n")


@pytest.mark.proves("commands.words")
@pytest.mark.parametrize("words", [["help", "runs"], ["runs", "--help"], ["runs", "-h"]])
def test_help_comes_before_or_after_the_command(tmp_path: Path, words: list[str]) -> None:
    ran = Machine.at(tmp_path).types(*words)
    assert ran.code == 0
    assert ran.out.startswith("Usage: claude-openai runs ")


@pytest.mark.proves("commands.words")
@pytest.mark.parametrize("word", ["serve", "start"])
def test_serve_and_start_take_the_servers_options(tmp_path: Path, word: str) -> None:
    ran = Machine.at(tmp_path).types(word, "--port", "70000")
    assert ran.code == 2
    assert "--port" in ran.err


@pytest.mark.proves("commands.words")
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["sevre"], "serve"),
        (["verison"], "version"),
        (["dcotor"], "doctor"),
        (["--simulat"], "--simulate"),
        (["runs", "--jsn"], "--json"),
    ],
)
def test_a_mistyped_word_gets_the_one_that_was_meant(tmp_path: Path, typed: list[str], meant: str) -> None:
    ran = Machine.at(tmp_path).types(*typed)
    assert ran.code == 2
    assert f"'{meant}'" in ran.err.partition("Did you mean")[2]


@pytest.mark.proves("commands.claude")
def test_claude_runs_the_bundled_claude_code_with_every_argument(tmp_path: Path) -> None:
    ran = Machine.at(tmp_path).types("claude", "--version")
    assert ran.code == 0
    assert ran.out.endswith(" (Claude Code)\n")


@pytest.mark.proves("commands.claude")
def test_claude_runs_the_command_of_the_settings_and_its_exit_code_is_its_own(tmp_path: Path) -> None:
    program = tmp_path / "my claude"
    program.write_text('#!/bin/sh\nprintf "%s;" "$@"\nexit 7\n')
    program.chmod(0o755)
    ran = Machine.at(tmp_path).types("claude", "auth", "--help", "a b", CLAUDE_OPENAI_CLAUDE_COMMAND=str(program))
    assert (ran.code, ran.out) == (7, "auth;--help;a b;")


@pytest.mark.proves("commands.claude")
def test_a_wrong_claude_command_gets_the_remedy_that_helps(tmp_path: Path) -> None:
    ran = Machine.at(tmp_path).types("claude", "--version", CLAUDE_OPENAI_CLAUDE_COMMAND="/none")
    assert ran.code == 3
    assert "name another with --claude-command, or leave it out" in ran.err


@pytest.mark.proves("commands.help")
def test_a_hint_names_the_command_as_it_was_called(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    assert f"start one with: {COMMAND} --background" in machine.types("status", PATH="/usr/bin:/bin").out
    assert "start one with: claude-openai --background" in machine.types("status").out
    assert f"\n    {COMMAND}\n    {COMMAND} --background\n" in machine.types("--help", PATH="/usr/bin:/bin").out
    ran = subprocess.run(
        [sys.executable, "-m", "claude_openai", "help", "runs"],
        env=machine.environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    assert ran.stdout.startswith(f"Usage: {sys.executable} -m claude_openai runs [OPTIONS] [QUERY]...\n")
    assert f"\n    {sys.executable} -m claude_openai runs --state running\n" in ran.stdout
