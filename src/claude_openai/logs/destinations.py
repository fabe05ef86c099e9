"""Where lines go: a standard stream, a file that is put aside when it is full, memory.

A line is written whole or not at all, as far as the system lets us: what is left of one that failed is taken back, or
ended before the next. Files are for their owner only.
"""

import os
import select
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

BACKUPS: Final = 3
"""Files that were put aside and are kept: the latest is `.1`."""

_PRIVATE_FILE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700

_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NONBLOCK", 0)
"""Not blocking, so that a named pipe that nobody reads is an error at the start and no start that never ends."""


class Destination(Protocol):
    """Takes lines, each with its end."""

    def write(self, line: bytes) -> None:
        """Write `line`, waiting for as long as that takes.

        Raises:
            OSError: it could not be written.
        """
        ...


class Memory:
    """Keeps what is written."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        """See `Destination.write`."""
        self._lines.append(line)

    @property
    def text(self) -> str:
        """All of it."""
        return b"".join(self._lines).decode()


class Descriptor:
    """A stream that is open already and stays so, written past all buffers: those would raise when Python ends."""

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
    """A file of `max_bytes` at most, and `BACKUPS` older ones beside it. One that was moved or removed is made again.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file: int | None = _opened(path)

    def write(self, line: bytes) -> None:
        """See `Destination.write`."""
        file = self._with_room(len(line))
        begin = os.fstat(file).st_size
        written = 0
        try:
            for more in _writing(file, line):
                written += more
        except OSError:
            if written and os.fstat(file).st_size == begin + written:
                os.ftruncate(file, begin)
            raise

    def _with_room(self, size: int) -> int:
        """The file that the next line belongs in."""
        if self._file is not None and not _is_at(self._path, self._file):
            self._let_go()
        if self._file is None:
            self._file = _opened(self._path)
        found = os.fstat(self._file)
        if stat.S_ISREG(found.st_mode) and found.st_size > 0 and found.st_size + size > self._max_bytes:
            self._let_go()
            _put_aside(self._path)
            self._file = _opened(self._path)
        return self._file

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _writing(descriptor: int, line: bytes) -> Iterator[int]:
    """Writes all of `line`, telling after each piece how long it was. A full pipe is waited for."""
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
        with suppress(OSError):  # it is another's, who shares it on purpose
            os.fchmod(file, _PRIVATE_FILE)
    return file


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except OSError:
        return False


def _put_aside(path: Path) -> None:
    """Where that fails the file grows: better than a line that is lost."""
    names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, BACKUPS + 1))]
    for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
        with suppress(OSError):
            newer.replace(older)
