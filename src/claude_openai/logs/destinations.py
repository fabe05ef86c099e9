"""The destinations of log lines: a standard stream, a file with rotation, memory.

A line is written completely or not at all, as far as the system allows: a partial line is truncated, or ended before
the next one. Only the owner can read the files.
"""

import os
import select
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

BACKUPS: Final = 3
"""Rotated files that are kept: the latest is `.1`."""

_PRIVATE_FILE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)
"""Non-blocking, so that opening a named pipe without a reader fails at once instead of blocking the start."""


class Destination(Protocol):
    """Takes lines, each with its line break."""

    def write(self, line: bytes) -> None:
        """Write `line`; blocks until it is written.

        Raises:
            OSError: it could not be written.
        """
        ...


class Memory:
    """Keeps the lines in memory, for tests."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        """See `Destination.write`."""
        self._lines.append(line)

    @property
    def text(self) -> str:
        """All lines."""
        return b"".join(self._lines).decode()


class Descriptor:
    """An open file descriptor, written without buffers, since flushing a buffer could raise when Python exits."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._torn = False

    def write(self, line: bytes) -> None:
        """See `Destination.write`."""
        line = b"\n" + line if self._torn else line
        left = len(line)
        try:
            for written in _writing(self._descriptor, line):
                left -= written
        finally:
            self._torn = left > 0 and (left < len(line) or self._torn)


class LogFile:
    """A file of at most `max_bytes`, with `BACKUPS` rotated files beside it. A moved or removed file is recreated.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file: int | None = _opened(path)

    def write(self, line: bytes) -> None:
        """See `Destination.write`."""
        file = self._file_for(len(line))
        begin = os.fstat(file).st_size
        written = 0
        try:
            for more in _writing(file, line):
                written += more
        except OSError:
            if written and os.fstat(file).st_size == begin + written:
                os.ftruncate(file, begin)
            raise

    def _file_for(self, size: int) -> int:
        """The descriptor of the file for a line of `size` bytes; rotates a full file, and reopens a moved one.

        If a rotation cannot rename the files, the file grows, which is better than losing lines.
        """
        moved = True
        with suppress(OSError):  # the file may be gone from its path
            if self._file is not None and os.path.samestat(self._path.stat(), os.fstat(self._file)):
                moved = False
        if moved:
            self._close()
        if self._file is None:
            self._file = _opened(self._path)
        found = os.fstat(self._file)
        if stat.S_ISREG(found.st_mode) and found.st_size > 0 and found.st_size + size > self._max_bytes:
            self._close()
            paths = [self._path, *(Path(f"{self._path}.{number}") for number in range(1, BACKUPS + 1))]
            for older, newer in zip(reversed(paths[1:]), reversed(paths[:-1]), strict=True):
                with suppress(OSError):
                    newer.replace(older)
            self._file = _opened(self._path)
        return self._file

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _writing(descriptor: int, line: bytes) -> Iterator[int]:
    """Write all of `line`, and yield the length of each written piece. Waits for a full pipe."""
    rest = memoryview(line)
    while rest:
        try:
            written = os.write(descriptor, rest)
        except BlockingIOError:
            select.select([], [descriptor], [])
            continue
        yield written
        rest = rest[written:]


def _opened(path: Path) -> int:
    for folder in reversed([each for each in path.parents if not each.exists()]):
        folder.mkdir(_PRIVATE_FOLDER, exist_ok=True)
    file = os.open(path, _FLAGS, _PRIVATE_FILE)
    found = os.fstat(file)
    if stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) & ~_PRIVATE_FILE and hasattr(os, "fchmod"):
        with suppress(OSError):  # another user's file, shared on purpose
            os.fchmod(file, _PRIVATE_FILE)
    return file
