"""`claude-openai doctor`: what it looks at, what it says, and that it says no secret."""

import json
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from inline_snapshot import snapshot

from claude_openai.cli.commands.doctor import line, verdict
from claude_openai.server.doctor import Check, of_folder, of_port, of_python
from claude_openai.system.instances import Instance
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import Machine, is_gone, until

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="modes of files are POSIX's"),
]

CHECKS = [
    Check("Python", "ok", "3.11.7"),
    Check("Data folder", "warn", "other users can read /home/a/.claude-openai", "chmod -R go= /home/a/.claude-openai"),
    Check("Login", "fail", "not signed\nin \x1b[2J", "sign in with `claude-openai claude auth login`"),
]

SECRET = "sk-ant-open-sesame-1004"


# What is printed.


@pytest.mark.proves("commands.doctor", "terminal.harmless")
def test_each_check_is_a_line_with_the_remedy_under_it() -> None:
    assert "".join(f"{line(check)}\n" for check in CHECKS) == snapshot("""\
ok    Python        3.11.7
warn  Data folder   other users can read /home/a/.claude-openai
                    chmod -R go= /home/a/.claude-openai
fail  Login         not signed in \\x1b[2J
                    sign in with `claude-openai claude auth login`
""")
    assert line(CHECKS[2], colours=True).startswith("\x1b[31mfail\x1b[0m  Login")
    assert [verdict(CHECKS), verdict(CHECKS[:1])] == ["1 failed, 1 warning.", "All is well."]


# What is looked at.


@pytest.mark.proves("commands.doctor")
def test_an_old_python_fails() -> None:
    assert of_python((3, 10, 14)).status == "fail"
    assert of_python((3, 14, 0)) == Check("Python", "ok", "3.14.0")


@pytest.mark.proves("commands.doctor")
def test_a_port_is_free_or_ours_or_somebodys() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        ours = Instance(7, port, ("127.0.0.1",), f"http://127.0.0.1:{port}", time.time(), 1.0)
        assert of_port(["127.0.0.1"], port, [ours]) == Check("Port", "ok", f"your server has {port} (process 7)")
        check = of_port(["127.0.0.1"], port, [])
        assert (check.status, check.remedy) == ("fail", "name another with --port")
        assert check.told.startswith(f"{port} is taken by ")
    assert of_port(["127.0.0.1"], port, []) == Check("Port", "ok", f"{port} is free")
    assert of_port(["127.0.0.1"], 0, []) == Check("Port", "ok", "any free one")
    assert of_port(["127.0.0.1", "203.0.113.1"], port, []).status == "fail"


@pytest.mark.proves("commands.doctor")
def test_a_folder_is_private_or_can_be_made_so(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "here"
    assert of_folder("Data folder", folder) == Check("Data folder", "ok", f"{folder} is made by the first start")
    folder.mkdir(mode=0o700, parents=True)
    assert of_folder("Data folder", folder) == Check("Data folder", "ok", str(folder))
    file = folder / "runs.sqlite3"
    file.touch(0o644)
    assert of_folder("Data folder", folder) == Check(
        "Data folder", "warn", f"other users can read {file}", f"chmod -R go= {folder}"
    )
    assert of_folder("Data folder", file).told == f"{file} is not a folder"


# The command.


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for that of a socket, however long that of the temporary folder is."""
    with tempfile.TemporaryDirectory(prefix="", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.proves("commands.doctor.self-test", "commands.doctor")
def test_where_all_is_well_the_real_claude_code_answers_twice_and_no_secret_is_told(short: Path) -> None:
    machine = Machine.at(short)
    with machine.begins("simulator", "--port", "0", "--api-key", SECRET) as upstream:
        assert upstream.stdout is not None
        url = upstream.stdout.readline().strip()
        ran = machine.types(
            "doctor",
            "--live",
            "--json",
            "--port",
            "0",
            ANTHROPIC_BASE_URL=url,
            ANTHROPIC_API_KEY=SECRET,
            CLAUDE_OPENAI_API_KEY=SECRET,
        )
    told = json.loads(ran.out)
    checks = {check["name"]: check for check in told["checks"]}
    assert (ran.code, ran.err, told["ok"]) == (0, "", True), ran
    assert list(checks) == [
        "Python",
        "Agent SDK",
        "Settings",
        "Temporary",
        "Port",
        "Data folder",
        "Disk",
        "Claude Code",
        "Login",
        "Live turn",
        "Self-test",
    ]
    assert checks["Login"]["told"] == "API key (ANTHROPIC_API_KEY)"
    assert "said 'hello' after " in checks["Live turn"]["told"]
    assert "a simulated sonnet said 'hello' after " in checks["Self-test"]["told"]
    assert SECRET not in ran.out
    assert not (machine.home / ".claude-openai").exists()


@pytest.mark.proves("commands.doctor", "terminal.colours")
def test_what_fails_is_told_with_its_remedy_and_exit_code_1(short: Path) -> None:
    machine = Machine.at(short)
    ran = machine.sees("doctor", "--port", "0", "--claude-command", "/none", CLAUDE_OPENAI_PROT="1")
    assert ran.code == 1
    assert "\x1b[32mok  \x1b[0m  Python" in ran.out
    assert "Settings      CLAUDE_OPENAI_PROT is not a setting" in ran.out
    assert "did you mean CLAUDE_OPENAI_PORT?" in ran.out
    assert "\x1b[31mfail\x1b[0m  Claude Code   there is no Claude Code at /none" in ran.out
    assert "\x1b[31mfail\x1b[0m  Self-test     there is no Claude Code at /none" in ran.out
    assert ran.out.endswith("2 failed, 1 warning.\n")


@pytest.mark.proves("commands.doctor")
def test_the_remedy_of_a_wrong_claude_code_names_the_variable_that_it_is_from(short: Path) -> None:
    machine = Machine.at(short)
    ran = machine.types("doctor", "--port", "0", CLAUDE_OPENAI_CLAUDE_COMMAND="/none")
    assert ran.code == 1
    assert "name another with CLAUDE_OPENAI_CLAUDE_COMMAND, or leave it out" in ran.out
    assert "--claude-command" not in ran.out


@pytest.mark.proves("commands.doctor")
def test_a_claude_code_that_is_not_signed_in_fails(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    ran = machine.types("doctor", "--port", "0", ANTHROPIC_API_KEY="", CLAUDE_CONFIG_DIR=str(tmp_path / "claude"))
    assert ran.code == 1
    assert "fail  Login         not signed in\n" in ran.out
    assert "claude-openai claude auth login" in ran.out
    assert "ok    Self-test" in ran.out


@pytest.mark.proves("commands.doctor")
def test_settings_that_are_wrong_are_told_and_nothing_is_started_with_them(tmp_path: Path) -> None:
    ran = Machine.at(tmp_path).types("doctor", "--port", "http")
    assert ran.code == 1
    assert "fail  Settings      --port: 'http' is not a port from 0 to 65535\n" in ran.out
    assert "Self-test" not in ran.out


@pytest.mark.proves("commands.doctor")
def test_ctrl_c_while_the_model_is_awaited_ends_it_and_all_it_started(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE_SECONDS)
        upstream = replace(machine, more={"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"})
        with (
            upstream.begins("doctor", "--live", "--port", "0") as command,
            silent.accept()[0],  # a model that never answers
        ):
            family = psutil.Process(command.pid).children(recursive=True)
            command.send_signal(signal.SIGINT)
            out, err = command.communicate(timeout=PATIENCE_SECONDS)
    assert (command.returncode, err.strip()) == (130, "")
    assert "Live turn" not in out
    until(lambda: all(map(is_gone, family)))
    assert list(machine.temporary.iterdir()) == []
