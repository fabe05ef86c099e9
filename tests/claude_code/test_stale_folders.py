"""The sweep ends and removes what a killed server has left, and nothing else. Real locks, folders and processes."""

import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil
import pytest

from claude_openai.claude_code.processes.scratch import FOLDER_PREFIX, LOCK, Scratch, server_folder
from claude_openai.claude_code.processes.stale_folders import SweepResult, sweep
from claude_openai.system.private_files import make_private_folder
from claude_openai.system.runtime_folders import runtime_folders
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is nothing to tell a dead server by")

SERVER = """
import time
from claude_openai.claude_code.processes.scratch import server_folder
from claude_openai.system.runtime_folders import runtime_folders
with server_folder(runtime_folders()[0]) as folder, folder.scratch() as scratch:
    (scratch.root / "left").write_text("a secret")
    print(scratch.root, flush=True)
    time.sleep(600)
"""

SWEEP = """
import sys
from pathlib import Path
from claude_openai.claude_code.processes.stale_folders import sweep
print(sweep([Path(sys.argv[1])]))
"""

MEMBER = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"

LEADER = f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-S', '-c', {MEMBER!r}])"

LONG_AGO = 60.0
"""Seconds; more than a clock moves."""


@dataclass(frozen=True)
class RunningServer:
    """Another server of this user, with a process folder `scratch`."""

    process: subprocess.Popen[str]
    scratch: Scratch

    @property
    def folder(self) -> Path:
        return self.scratch.root.parent

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)


@dataclass(frozen=True)
class Group:
    """A process that leads a group, one that it started in it, and the pipe that both write to."""

    leader: psutil.Process
    member: psutil.Process
    output: IO[str]

    def ended(self) -> bool:
        """The pipe ends with the last of them."""
        readable, _, _ = select.select([self.output], [], [], PATIENCE_SECONDS)
        return bool(readable) and self.output.read() == ""

    def both_run(self) -> bool:
        return psutil.STATUS_ZOMBIE not in {self.leader.status(), self.member.status()}


@pytest.fixture(autouse=True)
def own_temporary_folder(sandbox: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The runtime folder is removed here, and must not be the one of the server that other tests share."""
    with tempfile.TemporaryDirectory(prefix="", dir=sandbox) as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        running = RunningServer(process, Scratch(Path(process.stdout.readline().strip())))
        try:
            yield running
        finally:
            running.kill()
            shutil.rmtree(place(), ignore_errors=True)


def place() -> Path:
    """Where servers keep their folders here."""
    return runtime_folders()[0]


def sweep_here() -> SweepResult:
    return sweep(runtime_folders())


def as_left() -> Path:
    """A folder as a killed server has left it."""
    make_private_folder(place())
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=place())).resolve()
    (folder / LOCK).touch()
    return folder


@pytest.fixture
def left() -> Iterator[Scratch]:
    """A process folder in one that looks as a killed server has left it."""
    scratch = Scratch(as_left() / "process")
    scratch.root.mkdir()
    yield scratch
    shutil.rmtree(place(), ignore_errors=True)


@contextmanager
def group(**environment: str) -> Iterator[Group]:
    """Both have this environment and no other."""
    argv = (sys.executable, "-I", "-S", "-c", LEADER)  # no shell: macOS tells no environment of its own programs
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment) as leader:
        assert leader.stdout is not None
        member = psutil.Process(int(leader.stdout.readline()))
        both = Group(psutil.Process(leader.pid), member, leader.stdout)
        try:
            yield both
        finally:
            for process in (both.leader, both.member):
                with suppress(psutil.NoSuchProcess):
                    process.kill()


@pytest.mark.proves("lifetime.killed-server.sweep")
def test_what_a_killed_server_has_left_is_removed_by_the_next_sweep(server: RunningServer) -> None:
    server.kill()
    assert (server.scratch.root / "left").read_text() == "a secret"
    assert sweep_here() == SweepResult(folders=1)
    assert not server.folder.exists()
    assert sweep_here() == SweepResult()


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_a_running_servers_folder_and_processes_are_left_alone(server: RunningServer) -> None:
    with group(TMPDIR=str(server.scratch.temporary)) as processes:
        server.scratch.record(processes.leader.pid)
        assert sweep_here() == SweepResult()
        assert processes.both_run()
    assert (server.scratch.root / "left").read_text() == "a secret"


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_a_servers_own_folder_is_left_alone() -> None:
    with server_folder(place()) as folder, folder.scratch() as scratch:
        assert sweep_here() == SweepResult()
        assert scratch.work.is_dir()


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_a_folder_without_a_lock_file_is_left_alone(left: Scratch) -> None:
    (left.root.parent / LOCK).unlink()
    assert sweep_here() == SweepResult()
    assert left.root.exists()


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_a_folder_whose_lock_file_is_a_link_is_left_alone(left: Scratch, tmp_path: Path) -> None:
    (left.root.parent / LOCK).unlink()
    (tmp_path / "file").touch()
    (left.root.parent / LOCK).symlink_to(tmp_path / "file")
    assert sweep_here() == SweepResult()
    assert left.root.exists()


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_a_folder_that_others_may_enter_is_left_alone(left: Scratch) -> None:
    left.root.parent.chmod(0o750)
    assert sweep_here() == SweepResult()
    assert left.root.exists()


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_another_users_folder_is_left_alone(left: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    assert sweep_here() == SweepResult()
    assert left.root.exists()


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_a_folder_of_another_name_is_left_alone(left: Scratch) -> None:
    other = left.root.parent.rename(left.root.parent.with_name("claude-of-somebody"))
    assert sweep_here() == SweepResult()
    assert (other / left.root.name).exists()
    shutil.rmtree(other)


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_a_link_with_our_name_and_its_target_are_left_alone(left: Scratch, tmp_path: Path) -> None:
    link = left.root.parent
    target = link.rename(tmp_path / "target")
    link.symlink_to(target, target_is_directory=True)
    assert sweep_here() == SweepResult()
    assert link.is_symlink()
    assert (target / left.root.name).exists()
    link.unlink()


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_a_link_in_a_removed_folder_leaves_its_target_alone(left: Scratch, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    for where in (left.root, left.root.parent):
        (where / "out").symlink_to(tmp_path, target_is_directory=True)
    assert sweep_here() == SweepResult(folders=1)
    assert not left.root.parent.exists()
    assert (tmp_path / "kept").exists()


@pytest.mark.proves("lifetime.killed-server.sweep")
def test_what_cannot_be_removed_is_left_to_the_next_sweep(left: Scratch) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_args, **_options: None)
        assert sweep_here() == SweepResult()
    assert left.root.exists()
    assert sweep_here() == SweepResult(folders=1)


@pytest.mark.proves("lifetime.killed-server.sweep")
def test_two_sweeps_at_once_remove_each_folder_once() -> None:
    for _ in range(20):
        as_left()
    together = threading.Barrier(2)
    swept: list[SweepResult] = []

    def one() -> None:
        together.wait(PATIENCE_SECONDS)
        swept.append(sweep_here())

    sweeps = [threading.Thread(target=one) for _ in range(2)]
    for thread in sweeps:
        thread.start()
    for thread in sweeps:
        thread.join(PATIENCE_SECONDS)
    assert sum(each.folders for each in swept) == 20


@pytest.mark.proves("lifetime.killed-server.sweep")
def test_a_left_process_is_known_by_its_record_and_ended_with_its_group(left: Scratch) -> None:
    with group() as processes:
        left.record(processes.leader.pid)
        assert sweep_here() == SweepResult(folders=1, processes=1)
        assert processes.ended()


@pytest.mark.proves("lifetime.killed-server.sweep")
def test_a_left_process_is_known_by_its_temporary_files_though_nobody_recorded_it(left: Scratch) -> None:
    with group(TMPDIR=str(left.temporary)) as processes:
        assert sweep_here() == SweepResult(folders=1, processes=2)
        assert processes.ended()


@pytest.mark.proves("lifetime.killed-server.sweep")
def test_what_a_dead_process_has_left_running_is_ended_too(left: Scratch) -> None:
    with group(TMPDIR=str(left.temporary)) as processes:
        left.record(processes.leader.pid)
        processes.leader.kill()
        processes.leader.wait(PATIENCE_SECONDS)
        assert sweep_here() == SweepResult(folders=1, processes=1)
        assert processes.ended()


@pytest.mark.proves("lifetime.killed-server.sweep")
def test_a_left_process_that_is_dead_but_not_reaped_is_not_waited_for(left: Scratch) -> None:
    with group() as processes:
        left.record(processes.leader.pid)
        processes.leader.kill()
        os.waitid(os.P_PID, processes.leader.pid, os.WEXITED | os.WNOWAIT)
        assert sweep_here() == SweepResult(folders=1)


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
@pytest.mark.parametrize("seconds", [-LONG_AGO, LONG_AGO])
def test_a_process_that_was_created_at_another_time_than_recorded_is_left_alone(left: Scratch, seconds: float) -> None:
    with group() as processes:
        left.process.write_text(f"{processes.leader.pid} {processes.leader.create_time() + seconds}")
        assert sweep_here() == SweepResult(folders=1)
        assert processes.both_run()


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_a_recorded_id_that_is_anothers_in_this_container_is_left_alone(left: Scratch) -> None:
    with group(TMPDIR="/elsewhere") as processes:
        left.record(processes.leader.pid)
        assert sweep_here() == SweepResult(folders=1)
        assert processes.both_run()


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_a_server_that_is_started_from_a_left_process_does_not_end_itself(left: Scratch) -> None:
    argv = [sys.executable, "-c", SWEEP, str(place())]
    environment = {**os.environ, "TMPDIR": str(left.temporary)}
    assert (
        subprocess.check_output(argv, env=environment, text=True, timeout=PATIENCE_SECONDS)
        == "SweepResult(folders=1, processes=0)\n"
    )


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_nothing_is_swept_where_there_are_no_locks(left: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert sweep_here() == SweepResult()
    assert left.root.exists()
