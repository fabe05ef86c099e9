"""What a server keeps on disk: one folder for itself, and in it one for each child process.

A process has an empty place to work in, a place for its temporary files, its history. Every folder is readable by this
user only and gone after its block. A server that is killed outright leaves its own, but not the lock it held there: by
that `leftovers` tells it from the folder of one that runs.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

FOLDER_PREFIX = "claude-openai-"

LOCK = "server.lock"
"""The file in a server's folder that it holds the lock of. Without it no folder is taken for a server's."""

LONG_OUTPUT: Final = re.compile(r"projects/[^/]+/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/tool-results")
"""Where Claude Code keeps what a process's tools put out, below its configuration folder, each under a random name."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """The folder of one process."""

    root: Path

    @property
    def work(self) -> Path:
        """The working directory: empty, so that a note about it tells the model nothing."""
        return self.root / "work"

    @property
    def temporary(self) -> Path:
        """Where the child's temporary files go."""
        return self.root / "tmp"

    @property
    def history(self) -> Path:
        """The transcript a conversation is resumed from."""
        return self.root / "history.jsonl"

    @property
    def instructions(self) -> Path:
        """The client's system prompt."""
        return self.root / "system.txt"

    @property
    def long_output(self) -> Path:
        """Which folders elsewhere Claude Code has kept output in that was too long for the model, a line for each."""
        return self.root / "long-output"

    def remove_long_output(self) -> None:
        """Remove them, and the folder around each where nothing else is in it. No other folder is touched."""
        with suppress(OSError, ValueError):
            for folder in map(Path, self.long_output.read_text().splitlines()):
                if LONG_OUTPUT.fullmatch("/".join(folder.parts[-4:])) and folder.resolve() == folder:
                    shutil.rmtree(folder, ignore_errors=True)
                    with suppress(OSError):
                        folder.parent.rmdir()

    @property
    def stderr(self) -> Path:
        """What the child complains about."""
        return self.root / "stderr.log"

    @property
    def process(self) -> Path:
        """Which process it is: its id and when it was created."""
        return self.root / "process"

    def record(self, pid: int) -> None:
        """Note whose folder this is, for the sweep after a server that was killed while the process was not."""
        import psutil  # noqa: PLC0415 -- 27 ms, spent while the process starts

        with suppress(psutil.NoSuchProcess):
            self.process.write_text(f"{pid} {psutil.Process(pid).create_time()}")

    def recorded(self) -> tuple[int, float] | None:
        """Id and create time of the process, as far as they were noted whole."""
        with suppress(OSError, ValueError):
            pid, created = self.process.read_text().split()
            return int(pid), float(created)
        return None


class ServerFolder:
    """The folder of one running server. Use it inside the block of `server_folder` only."""

    def __init__(self, held: ExitStack) -> None:
        self._held = held
        self._lock = held.enter_context(_held_folder())

    def root(self) -> Path:
        """Where it is. Made anew if it is gone: what is old in a temporary folder may be cleaned away."""
        if not self._lock.exists():
            self._lock = self._held.enter_context(_held_folder())
        return self._lock.parent

    def scratch(self) -> AbstractContextManager[Scratch]:
        """A fresh `Scratch` in it."""
        return scratch_folder(self.root())


@contextmanager
def server_folder() -> Iterator[ServerFolder]:
    """A folder (mode 0700) under the system's temporary folder, held until the block ends or this program does."""
    with ExitStack() as held:
        yield ServerFolder(held)


@contextmanager
def scratch_folder(parent: Path | None = None) -> Iterator[Scratch]:
    """A fresh `Scratch` (mode 0700) in `parent`, or the system's temporary folder, removed with the block."""
    # Its path is the beginning of those of the child's sockets, which may have 104 bytes on macOS.
    root = Path(tempfile.mkdtemp(prefix="" if parent else FOLDER_PREFIX, dir=parent)).resolve()
    try:
        scratch = Scratch(root)
        scratch.work.mkdir()
        scratch.temporary.mkdir()
        yield scratch
    finally:
        shutil.rmtree(root, ignore_errors=True)


def locked(descriptor: int) -> bool:
    """Take the lock of an open file, if nobody has it. Where there are no such locks (Windows) it is never taken.

    It belongs to this open file alone: neither a child nor another open of the same file, in this program or in a
    container that shares the folder, has it.
    """
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remove(folder: Path) -> None:
    """Remove a server's folder as far as possible, the lock file last: the next sweep goes on with what stays."""
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != LOCK:
                entry.unlink()
        if {entry.name for entry in folder.iterdir()} <= {LOCK}:
            (folder / LOCK).unlink(missing_ok=True)
            folder.rmdir()


@contextmanager
def _held_folder() -> Iterator[Path]:
    """A fresh folder, by the path of the file in it that is held."""
    root = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX)).resolve()
    try:
        lock = root / "new"
        with lock.open("x") as file:
            if locked(file.fileno()):
                lock = lock.rename(root / LOCK)  # so no sweep ever sees it free
            yield lock
    finally:
        remove(root)
