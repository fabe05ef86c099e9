"""`claude-openai stop`, and how the servers it may stop are known."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from claude_openai.errors import LaunchError
from claude_openai.settings import Settings
from claude_openai.system import instances
from claude_openai.system.instances import PID_FILE, PORT_FILE, Instance, registry, running
from claude_openai.system.places import choose_folders
from claude_openai.system.runtime_folders import in_temporary
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import Machine, is_gone, until

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="folders' modes and signals are POSIX's"),
]

SERVE = ("--simulate", "--port", "0", "--warm-processes", "0")


# Stopping.


@pytest.fixture
def servers(machine: Machine) -> list[Instance]:
    """Two at least: those that an earlier test has left, and further ones."""
    while len(running([machine.known])) < 2:
        assert machine.types("--background", *SERVE).code == 0
    return running([machine.known])


@pytest.mark.proves("instances.private")
def test_a_command_in_another_home_neither_sees_nor_stops_a_server(
    machine: Machine, servers: list[Instance], tmp_path: Path
) -> None:
    other = replace(machine, more={**machine.more, "HOME": str(tmp_path)})
    assert other.types("status").code == 1
    assert "no server of yours runs" in other.types("stop", "--all").err
    assert running([machine.known]) == servers


@pytest.mark.proves("stop.graceful", "commands.client")
def test_of_several_servers_the_one_on_the_usual_port_is_meant(machine: Machine, servers: list[Instance]) -> None:
    usual, other = (server.port for server in servers)
    listed = machine.types("runs", "--json", CLAUDE_OPENAI_PORT=str(usual))
    assert (listed.code, listed.out.strip()) == (0, "[]")
    assert machine.types("stop", CLAUDE_OPENAI_PORT=str(usual)).code == 0
    assert [server.port for server in running([machine.known])] == [other]


@pytest.mark.proves("stop.graceful", "background.ready")
def test_of_several_servers_one_must_be_named_or_all(machine: Machine, servers: list[Instance]) -> None:
    processes = [process for server in servers for process in _family(server)]
    ports = ", ".join(str(server.port) for server in servers)
    unclear = machine.types("stop")
    assert (unclear.code, unclear.out) == (2, "")
    assert f"several servers run, on ports {ports}: name one with --port, or all with --all" in unclear.err
    assert not any(map(is_gone, processes))
    ran = machine.types("stop", "--all")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "".join(f"stopped {server.url} (process {server.pid})\n" for server in servers)
    until(lambda: all(map(is_gone, processes)))
    assert list(machine.temporary.iterdir()) == []


@pytest.mark.proves("stop.graceful")
def test_where_there_is_nothing_to_stop_that_is_exit_code_1(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    assert machine.types("stop").err == "claude-openai: no server of yours runs\n"
    ran = machine.types("stop", "--port", "8000")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "claude-openai: no server of yours runs on port 8000 (see which do with: claude-openai status)\n"
    )


@pytest.mark.proves("stop.graceful", "stop.force", "terminal.colours")
def test_a_server_that_does_not_stop_in_time_is_told_and_ended_by_force(machine: Machine) -> None:
    assert machine.types("--background", *SERVE).code == 0
    (server,) = running([machine.known])
    pid_file = machine.known / str(server.port) / PID_FILE
    pid_file.write_text(f"{server.pid}\n{server.started_at}\n2.5\n")  # what it says itself takes too long for a test
    processes = _family(server)
    os.kill(server.pid, signal.SIGSTOP)
    ran = machine.sees("stop")
    assert ran.code == 1
    assert re.search(r"\rWaiting until it has stopped \.\.\. [1-9] s", ran.out)
    assert "still runs 2.5 seconds after it was told to stop" in ran.out
    assert f"(end it at once with: claude-openai stop --port {server.port} --force)\n" in ran.out
    assert len(processes) > 1
    forced = machine.types("stop", "--force")
    assert (forced.code, forced.out) == (0, f"stopped {server.url} (process {server.pid})\n")
    assert all(map(is_gone, processes))
    assert running([machine.known]) == []
    assert machine.types("--background", *SERVE).code == 0  # which removes what the killed one left
    assert machine.types("stop").code == 0


@pytest.mark.proves("instances.files")
def test_a_server_in_the_foreground_is_known_until_ctrl_c_ends_it(machine: Machine) -> None:
    with machine.begins(*SERVE) as command:
        until(lambda: running([machine.known]))
        (server,) = running([machine.known])
        place = machine.known / str(server.port)
        assert server.pid == command.pid
        assert [_mode(path) for path in (machine.known, place, place / PID_FILE, place / PORT_FILE)] == [
            0o700,
            0o700,
            0o600,
            0o600,
        ]
        assert (place / PID_FILE).read_text().split("\n")[0] == str(server.pid)
        assert (place / PORT_FILE).read_text().split("\n")[0] == str(server.port)
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=PATIENCE_SECONDS)
    assert list(machine.temporary.iterdir()) == []


# What is not signalled.


@pytest.fixture
def bystander() -> Iterator[psutil.Process]:
    """A process of this user's that has nothing to do with us."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield psutil.Process(process.pid)
        process.kill()


@pytest.mark.proves("instances.files")
@pytest.mark.parametrize(
    "left",
    [
        pytest.param(lambda process: (process.pid, process.create_time()), id="another-command"),
        pytest.param(lambda process: (process.pid, process.create_time() - 60), id="another-time"),
        pytest.param(lambda _: (2**22 + 1, 1.0), id="no-process"),
        pytest.param(lambda _: ("all", "now"), id="not-numbers"),
    ],
)
def test_a_stale_file_is_neither_listed_nor_signalled_and_the_next_start_removes_it(
    tmp_path: Path, bystander: psutil.Process, left: Callable[[psutil.Process], tuple[object, object]]
) -> None:
    machine = Machine.at(tmp_path)
    place = machine.known / "8000"
    place.mkdir(mode=0o700, parents=True)
    machine.known.chmod(0o700)
    pid, created = left(bystander)
    (place / PID_FILE).write_text(f"{pid}\n{created}\n30.0\n")
    (place / PORT_FILE).write_text("8000\n127.0.0.1\nhttp://127.0.0.1:8000\n\n")
    assert machine.types("status").code == 1
    assert [machine.types("stop", *force).code for force in ((), ("--force",))] == [1, 1]
    assert not is_gone(bystander)
    with registry(machine.known):
        assert not place.exists()
    assert not is_gone(bystander)


# Whose servers they are.


@contextmanager
def _link(folder: Path) -> Iterator[None]:
    folder.symlink_to(folder.parent)
    yield
    folder.unlink()


@contextmanager
def _file(folder: Path) -> Iterator[None]:
    folder.touch()
    yield
    folder.unlink()


@contextmanager
def _open_folder(folder: Path) -> Iterator[None]:
    folder.mkdir()
    folder.chmod(0o750)
    yield
    folder.rmdir()


@contextmanager
def _foreign_folder(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700)
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    os.chown(folder, 65534, -1)
    yield
    folder.rmdir()


@pytest.mark.proves("instances.private")
@pytest.mark.parametrize("planted", [_link, _file, _open_folder, _foreign_folder])
def test_a_folder_that_is_not_this_users_alone_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: Callable[[Path], AbstractContextManager[None]]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    known = in_temporary(tmp_path)
    with planted(known):
        assert running([known]) == []
        assert choose_folders(Settings()).runtime == tmp_path / ".claude-openai" / "run"
        assert not known.is_dir() or known.is_symlink() or not list(known.iterdir())


@pytest.mark.proves("instances.private")
def test_such_a_folder_blocks_no_start(machine: Machine) -> None:
    elsewhere = machine.home / ".claude-openai" / "run"
    with _open_folder(machine.known):
        assert machine.types("status").code == 1
        assert machine.types("--background", *SERVE).code == 0
        (server,) = running([elsewhere])
        assert machine.types("status", "--port", str(server.port)).code == 0
        assert machine.types("stop").code == 0
        assert not list(machine.known.iterdir())
    assert not elsewhere.exists()


@pytest.mark.proves("instances.private")
def test_two_users_have_two_folders_and_do_not_see_each_others_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instances, "_is_ours", lambda _: True)  # the tests' own command is not ours
    mine = in_temporary(tmp_path)
    with registry(mine) as register:
        register(_this(8000))
        assert [server.port for server in running([mine])] == [8000]
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        theirs = in_temporary(tmp_path)
        assert theirs != mine
        shutil.copytree(mine, theirs)
        assert running([mine, theirs]) == []
        with pytest.raises(LaunchError, match=f"{theirs} belongs to another user"), registry(theirs):
            pass
        monkeypatch.undo()
        shutil.rmtree(theirs)


@pytest.mark.proves("instances.files")
def test_two_servers_cannot_be_known_by_one_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instances, "TRIES", 2)
    folder = in_temporary(tmp_path)
    with registry(folder) as register:
        register(_this(8000))
        with registry(folder) as other:  # which takes the first one's files for stale but for its lock
            with pytest.raises(LaunchError, match="another server of yours is known by port 8000"):
                other(_this(8000))
            other(_this(8001))
            assert sorted(path.name for path in folder.iterdir()) == ["8000", "8001"]
    assert list(tmp_path.iterdir()) == []


def _this(port: int) -> Instance:
    return Instance.of_this_process(
        port=port, hosts=("127.0.0.1",), url=f"http://127.0.0.1:{port}", stop_seconds=30, log_file=None
    )


def _family(server: Instance) -> list[psutil.Process]:
    process = psutil.Process(server.pid)
    return [process, *process.children(recursive=True)]


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
