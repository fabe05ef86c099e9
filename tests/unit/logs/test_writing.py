"""Where the log goes: whole lines, in files that are put aside; and whoever logs never waits and never fails."""

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from claude_openai import logs
from claude_openai.logs.sinks import MOST_WAITING
from tests.log_reading import entries, given_back
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    yield from given_back()


class Moody:
    """A destination that fails as long as it has `trouble`, and waits as long as it is `held`."""

    def __init__(self) -> None:
        self.trouble: OSError | None = None
        self.going = Event()
        self.going.set()
        self.writing = Event()
        self.lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        self.writing.set()
        self.going.wait(PATIENCE_SECONDS)
        if self.trouble:
            raise self.trouble
        self.lines.append(line)

    def told(self) -> list[dict[str, Any]]:
        return entries(b"".join(self.lines).decode())


def tell(*numbers: int) -> None:
    for number in numbers:
        logs.logger("claude_openai.test").info("test.event", number=number)


def numbers(path: Path) -> list[int]:
    """What is in the file and those that were put aside, the oldest first."""
    files = sorted(path.parent.glob(f"{path.name}*"), reverse=True)
    return [entry["number"] for file in files for entry in entries(file.read_text())]


# A file.


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_files_and_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "server.log"
    before = os.umask(0)
    try:
        logs.configure("info", logs.LogFile(path, 200))
        tell(1, 2, 3)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (*path.parent.iterdir(), path.parent, path.parent.parent)]
    assert modes == [0o600, 0o600, 0o700, 0o700]


def test_a_file_that_is_there_already_is_its_owners_only_from_now_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch()
    path.chmod(0o666)
    logs.configure("info", logs.LogFile(path, 1000))
    tell(1)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.proves("logs.file")
def test_rotation_under_load_loses_no_line_and_splits_none(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    logs.configure("info", logs.LogFile(path, 16_000), background=True)
    threads = [Thread(target=tell, args=range(begin, begin + 100)) for begin in range(0, 600, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logs.close()
    assert sorted(numbers(path)) == list(range(600))
    assert len(list(tmp_path.iterdir())) == 4
    assert all(file.stat().st_size <= 16_000 for file in tmp_path.iterdir())


@pytest.mark.proves("logs.file")
def test_only_the_latest_files_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    logs.configure("info", logs.LogFile(path, 1))
    tell(*range(9))
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "server.log",
        "server.log.1",
        "server.log.2",
        "server.log.3",
    ]
    assert numbers(path) == [5, 6, 7, 8]


def test_a_file_that_was_removed_is_made_again_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "server.log"
    logs.configure("info", logs.LogFile(path, 1_000_000))
    tell(1)
    path.unlink()
    path.parent.rmdir()
    tell(2)
    assert numbers(path) == [2]


@pytest.mark.proves("logs.file")
def test_a_file_that_was_moved_away_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    logs.configure("info", logs.LogFile(path, 1_000_000))
    tell(1)
    path.rename(tmp_path / "theirs")
    tell(2)
    assert (numbers(path), numbers(tmp_path / "theirs")) == ([2], [1])


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_line_that_does_not_fit_on_a_full_disk_leaves_nothing_of_itself(tmp_path: Path) -> None:
    """A limit on the size of files is the disk here; what is written within it is written."""
    path = tmp_path / "server.log"
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from claude_openai.logs import LogFile\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "log = LogFile(Path(sys.argv[1]), 10_000)\n"
        "log.write(b'a' * 899 + b'\\n')\n"
        "try:\n"
        "    log.write(b'b' * 899 + b'\\n')\n"
        "except OSError as error:\n"
        "    print(error.errno)\n"
        "log.write(b'c' * 99 + b'\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{errno.EFBIG}\n"
    assert path.read_text() == "a" * 899 + "\n" + "c" * 99 + "\n"


# A stream.


def test_a_closed_pipe_is_lost_lines_and_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        logs.configure("info", logs.Descriptor(writer))
        tell(1, 2)
    finally:
        os.close(writer)


@pytest.mark.parametrize("blocking", [True, False])
def test_a_pipe_that_nobody_reads_holds_nobody_up_and_what_was_lost_is_told_when_it_is_read(blocking: bool) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, blocking)
    many = 5 * MOST_WAITING
    try:
        logs.configure("info", logs.Descriptor(writer), background=True)
        tell(*range(many))  # far more than the pipe and the queue take
        assert threading.active_count() < 10
        read = b""
        with os.fdopen(reader, "rb", buffering=0) as stream:
            while b"log.dropped" not in read.rpartition(b"\n")[0]:
                read += stream.read(65_536)
            logs.close()
    finally:
        os.close(writer)
    told = entries(read.rpartition(b"\n")[0].decode())
    dropped = [entry["events"] for entry in told if entry["event"] == "log.dropped"]
    written = [entry["number"] for entry in told if entry["event"] == "test.event"]
    assert written == sorted(written)
    assert 0 < dropped[0] <= many - MOST_WAITING


# What cannot be written.


def test_what_was_lost_is_counted_and_told_when_it_works_again() -> None:
    moody = Moody()
    logs.configure("info", moody)
    moody.trouble = OSError(errno.ENOSPC, "No space left on device")
    tell(1, 2, 3)
    moody.trouble = None
    tell(4, 5)
    assert [(entry["event"], entry.get("number", entry.get("events"))) for entry in moody.told()] == [
        ("test.event", 4),
        ("log.dropped", 3),
        ("test.event", 5),
    ]
    assert logs.dropped_events() == 3


def test_what_comes_while_too_much_waits_is_lost_and_counted() -> None:
    moody = Moody()
    logs.configure("info", moody, background=True)
    moody.going.clear()
    tell(0)
    assert moody.writing.wait(PATIENCE_SECONDS)
    tell(*range(1, MOST_WAITING + 8))
    moody.going.set()
    logs.close(PATIENCE_SECONDS)
    told = moody.told()
    assert [entry["number"] for entry in told if entry["event"] == "test.event"] == list(range(MOST_WAITING + 1))
    assert [entry["events"] for entry in told if entry["event"] == "log.dropped"] == [7]
    assert logs.dropped_events() == 7


@pytest.mark.proves("logs.never-hurts")
def test_closing_writes_what_waits() -> None:
    moody = Moody()
    logs.configure("info", moody, background=True)
    tell(*range(500))
    logs.close()
    assert [entry["number"] for entry in moody.told()] == list(range(500))


@pytest.mark.proves("logs.never-hurts")
@pytest.mark.parametrize("waiting", [1, 2 * MOST_WAITING])
def test_closing_does_not_wait_for_ever(waiting: int) -> None:
    moody = Moody()
    logs.configure("info", moody, background=True)
    moody.going.clear()
    tell(*range(waiting))
    logs.close(0.05)
    assert moody.lines == []
    moody.going.set()


@pytest.mark.proves("logs.events")
def test_what_changes_after_it_was_logged_is_logged_as_it_was() -> None:
    moody = Moody()
    logs.configure("info", moody, background=True)
    moody.going.clear()
    rows = [1]
    logs.logger("claude_openai.test").info("test.event", rows=rows)
    rows.append(2)
    moody.going.set()
    logs.close()
    assert json.loads(moody.lines[0])["rows"] == [1]
