"""A server's temporary folders: one for the server, and in it one for each child process.

A process has an empty working directory and a folder for its temporary files. Only this user can read the folders; each
is removed at the end of its block. A server that is killed leaves its folder, but the kernel releases the lock in it:
`stale_folders` finds such folders by that.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from claude_openai.system.locks import try_lock
from claude_openai.system.private_files import make_private_folder
from claude_openai.system.process_identity import identity_of

if sys.platform != "win32":
    import fcntl

FOLDER_PREFIX: Final = "s-"
"""The prefix of a server's folder, which is not that of a port's folder beside it (`instances`). All names are short,
since paths of sockets begin with them (`runtime.LONGEST`)."""

LOCK = "server.lock"
"""The lock file in a server's folder. A folder without this file is not a server's."""

LONG_OUTPUT: Final = re.compile(r"projects/[^/]+/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/tool-results")
"""Where Claude Code stores long output of tools, below its configuration folder, with a random name per process."""

SUB_AGENTS: Final = re.compile(LONG_OUTPUT.pattern.replace("tool-results", "subagents"))
"""Where it stores the prompts of sub-agents, in the same way."""

_TRIES = 50
"""Another server may remove the parent folder at the same moment; the folder is needed for less than a millisecond."""


HISTORY: Final = "history.jsonl"
"""The transcript that a conversation is resumed from. Claude Code takes a path with this ending only (measured)."""

INSTRUCTIONS: Final = "system.txt"
"""The client's system prompt: it has no length limit this way, and does not show in `ps`."""

SETTINGS: Final = "settings.json"
"""The settings that restrict an agent."""


@dataclass(frozen=True, slots=True)
class Scratch:
    """The folder of one process, and the files that the process reads at its start."""

    root: Path
    _handed: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    _memory: list[int] = field(default_factory=list, repr=False, compare=False)

    @property
    def work(self) -> Path:
        """The working directory. It is empty, so that a note about it gives the model no information."""
        return self.root / "work"

    @property
    def temporary(self) -> Path:
        """The folder for the child's temporary files."""
        return self.root / "t"

    def hand_over(self, name: str, content: bytes | bytearray) -> None:
        """Provide `content` to the process under `name`.

        On Linux the content is in sealed memory, which the process inherits and nothing can change. Elsewhere it is a
        file of the folder.

        Raises:
            OSError: there is no room for the content.
        """
        place = self.root / name
        self._handed[name] = str(place)
        if sys.platform != "linux":
            place.write_bytes(content)
            return
        memory = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self._memory.append(memory)
        with open(memory, "wb", closefd=False) as file:
            file.write(content)
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, seals)
        if name == HISTORY:
            place.symlink_to(f"/proc/self/fd/{memory}")
        else:
            self._handed[name] = f"/proc/self/fd/{memory}"

    def handed_over(self, name: str) -> str | None:
        """Return the path at which the process reads the content handed over as `name`; None where there is none."""
        return self._handed.get(name)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The file descriptors that the process must inherit to read the contents handed over."""
        return tuple(self._memory)

    def close(self) -> None:
        """Close the descriptors, after the process has inherited them or has failed to start."""
        while self._memory:
            os.close(self._memory.pop())

    @property
    def long_output(self) -> Path:
        """The file that lists the folders elsewhere with long output and notes on sub-agents, one per line."""
        return self.root / "long-output"

    def remove_long_output(self) -> None:
        """Remove the listed folders, and the parent of each where it is empty then. No other folder is touched."""
        with suppress(OSError, ValueError):
            for folder in map(Path, self.long_output.read_text().splitlines()):
                place = "/".join(folder.parts[-4:])
                if (LONG_OUTPUT.fullmatch(place) or SUB_AGENTS.fullmatch(place)) and folder.resolve() == folder:
                    shutil.rmtree(folder, ignore_errors=True)
                    with suppress(OSError):
                        folder.parent.rmdir()

    @property
    def stderr(self) -> Path:
        """The child's stderr."""
        return self.root / "stderr.log"

    @property
    def process(self) -> Path:
        """The file with the process's id and its identity (`system.process_identity`)."""
        return self.root / "process"

    def record(self, pid: int) -> None:
        """Record the process, for the sweep after a server that was killed without the process."""
        if identity := identity_of(pid):
            self.process.write_text(f"{pid} {identity}")

    def recorded(self) -> tuple[int, str] | None:
        """Return the id and identity of the process; None where they were not written completely."""
        with suppress(OSError, ValueError):
            pid, identity = self.process.read_text().split()
            if ":" not in identity:
                float(identity)  # a create time; anything else is not whole
            return int(pid), identity
        return None


class ServerFolder:
    """The folder of one running server, in `parent`. Use it inside the block of `server_folder` only."""

    def __init__(self, parent: Path, held: ExitStack) -> None:
        self._parent = parent
        self._held = held
        self._lock = held.enter_context(_held_folder(parent))

    def root(self) -> Path:
        """Return its path. The folder is made again if it was removed: systems remove old temporary files."""
        if not self._lock.exists():
            self._lock = self._held.enter_context(_held_folder(self._parent))
        return self._lock.parent

    def scratch(self) -> AbstractContextManager[Scratch]:
        """Return a block with a new `Scratch` in this folder."""
        return scratch_folder(self.root())


@contextmanager
def server_folder(parent: Path) -> Iterator[ServerFolder]:
    """Make a server's folder (mode 0700) in `parent` (see `runtime`) and lock it until the block or this program ends.

    Raises:
        OSError: the folder cannot be made, or other users can write in `parent`.
    """
    with ExitStack() as held:
        yield ServerFolder(parent, held)


@contextmanager
def scratch_folder(parent: Path | None = None) -> Iterator[Scratch]:
    """Make a new `Scratch` (mode 0700) in `parent`, or in the system's temporary folder; the block's end removes it."""
    root = Path(tempfile.mkdtemp(prefix="" if parent else "claude-openai-", dir=parent)).resolve()
    scratch = Scratch(root)
    try:
        scratch.work.mkdir()
        scratch.temporary.mkdir()
        yield scratch
    finally:
        scratch.close()
        shutil.rmtree(root, ignore_errors=True)


def remove(folder: Path) -> None:
    """Remove a server's folder as far as possible, the lock file last: the next sweep removes what remains."""
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
def _held_folder(parent: Path) -> Iterator[Path]:
    """Make a new folder; the value is the path of its lock file, which is locked until the block ends."""
    for _ in range(_TRIES):
        make_private_folder(parent)
        with suppress(FileNotFoundError):  # the last server to end has removed `parent`
            root = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=parent)).resolve()
            break
    else:
        raise FileNotFoundError(f"{parent} is removed again and again")
    try:
        lock = root / "new"
        with lock.open("x") as file:
            if try_lock(file.fileno()):
                lock = lock.rename(root / LOCK)  # a sweep never sees the file without the lock
            yield lock
    finally:
        remove(root)
        with suppress(OSError):
            parent.rmdir()
