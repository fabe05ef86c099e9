"""`claude-openai --background`: it returns when the server is ready, or says why there is none."""

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from claude_openai.system.instances import Instance, running
from tests.log_reading import entries_so_far
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import Machine, Typed, is_gone, until

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="sessions and signals are POSIX's"),
]

KEY = "open-sesame-1001"


@pytest.fixture(scope="module")
def started(machine: Machine) -> Typed:
    return machine.types("--background", "--simulate", "--port", "0", CLAUDE_OPENAI_API_KEY=KEY)


@pytest.fixture(scope="module")
def server(machine: Machine, started: Typed) -> Iterator[Instance]:
    assert started.code == 0, started
    (server,) = running([machine.known])
    yield server
    assert machine.types("stop").code == 0


@pytest.mark.proves("background.ready")
def test_it_returns_when_the_server_is_ready_and_tells_what_one_needs(started: Typed, server: Instance) -> None:
    assert started.err == ""
    assert started.out.startswith(f"{server.url}/v1  running\n")
    for told in (
        f"PID        {server.pid}\n",
        f"Log        {server.log_file}\n",
        f"claude-openai status --port {server.port}\n",
        f"claude-openai stop --port {server.port}\n",
    ):
        assert told in started.out
    with urlopen(f"{server.url}/health", timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 -- our own URL
        assert json.load(answer)["ready"]


@pytest.mark.proves("background.ready")
def test_the_server_has_a_session_of_its_own_and_no_terminal(server: Instance) -> None:
    process = psutil.Process(server.pid)
    assert os.getsid(server.pid) == server.pid
    assert process.terminal() is None
    assert Path(f"/proc/{server.pid}/fd/0").resolve() == Path(os.devnull) or sys.platform != "linux"


@pytest.mark.proves("background.log")
def test_a_key_in_the_environment_stays_out_of_the_list_of_processes(server: Instance) -> None:
    assert not any(KEY in word for word in psutil.Process(server.pid).cmdline())
    with pytest.raises(HTTPError, match="401"):
        urlopen(f"{server.url}/v1/models", timeout=PATIENCE_SECONDS)  # noqa: S310 -- our own URL
    request = Request(f"{server.url}/v1/models", headers={"authorization": f"Bearer {KEY}"})  # noqa: S310 -- the same
    with urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 -- the same
        assert json.load(answer)["data"]


@pytest.mark.proves("background.log")
def test_its_log_is_a_private_file_in_the_data_folder(machine: Machine, server: Instance) -> None:
    assert server.log_file is not None
    assert server.log_file.parent == machine.home / ".claude-openai" / "logs"
    log = server.log_file
    until(lambda: "server.start" in {entry["event"] for entry in entries_so_far(log)})
    for path in (machine.home / ".claude-openai", server.log_file.parent, *server.log_file.parent.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.proves("background.fails")
@pytest.mark.parametrize("start", [["--background"], ["--log", "false"]], ids=["background", "foreground"])
def test_a_second_server_on_its_port_is_refused_by_the_commands_that_help(
    machine: Machine, server: Instance, start: list[str]
) -> None:
    ran = machine.types(*start, "--simulate", "--port", str(server.port))
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == (
        f"claude-openai: a server of yours already runs on port {server.port} (process {server.pid}) "
        f"(see it with claude-openai status --port {server.port}, end it with claude-openai stop --port {server.port}, "
        "or name another port with --port)\n"
    )


@pytest.mark.proves("background.fails")
def test_a_server_that_cannot_start_says_why_in_its_own_words(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        log = tmp_path / "its.log"
        ran = machine.types("--background", "--simulate", "--port", str(port), "--log-file", str(log))
    *_, sentence = ran.err.splitlines()
    assert (ran.code, ran.out) == (3, "")
    assert sentence.startswith(f"claude-openai: cannot listen on 127.0.0.1, port {port}: Address already in use (")
    assert running([machine.known]) == []


@pytest.mark.proves("background.fails")
def test_of_a_server_that_ends_without_a_word_the_last_lines_of_its_log_are_shown(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    fatal = tmp_path / "claude"
    fatal.write_text("#!/bin/sh\nkill -9 $PPID\n")
    fatal.chmod(0o700)
    log = tmp_path / "its.log"
    log.write_text('{"event": "of an earlier server"}\n')
    ran = machine.types("--background", "--port", "0", "--claude-command", str(fatal), "--log-file", str(log))
    *shown, sentence = ran.err.splitlines()
    assert (ran.code, ran.out) == (3, "")
    assert sentence == "claude-openai: the server ended with code -9 before it was ready"
    assert shown
    assert all(json.loads(line)["event"] != "of an earlier server" for line in shown)


@pytest.mark.proves("background.fails")
def test_a_wrong_setting_is_told_before_anything_is_started(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    ran = machine.types("--background", "--port", "http")
    assert (ran.code, ran.err) == (2, "claude-openai: --port: 'http' is not a port from 0 to 65535\n")
    assert list(machine.home.iterdir()) == []


@pytest.mark.proves("background.ready")
def test_ctrl_c_while_it_starts_ends_it(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    silent = tmp_path / "claude"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o700)
    with machine.begins("--background", "--port", "0", "--claude-command", str(silent)) as command:
        until(psutil.Process(command.pid).children)
        family = psutil.Process(command.pid).children(recursive=True)
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=PATIENCE_SECONDS)
    assert (command.returncode, out, re.sub(r"\s", "", err)) == (130, "", "")
    until(lambda: all(map(is_gone, family)))
    assert list(machine.temporary.iterdir()) == []
