"""Reads and makes files where somebody else may have made some: an agent's command, for example.

A plain `open` waits for ever where a named pipe lies in the place of the file, and takes the thread that called it.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_FOLDER: Final = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def read_regular_file(path: str | Path, limit: int) -> bytes:
    """Return at most the first `limit` bytes of a file, without waiting for anybody.

    Raises:
        OSError: it cannot be read, or is no regular file.
        ValueError: the path has a NUL.
    """
    descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is no regular file", str(path))
        return file.read(limit)


@contextmanager
def folder_to_start_in(path: str | Path) -> Iterator[Path]:
    """A context manager with the name of the folder at the absolute `path` for the start of a process there. On Linux
    it stays that folder's name, whatever is put in the place of `path` meanwhile; elsewhere it is `path`.

    Raises:
        OSError: there is no such folder, or a part of the path is a link.
    """
    if not os.path.isdir("/proc/self/fd"):  # noqa: PTH112 -- another system
        yield Path(path)
        return
    with folder_without_links(path) as descriptor:
        yield Path(f"/proc/self/fd/{descriptor}")  # the child resolves it, with its copy of the descriptor


@contextmanager
def folder_without_links(path: str | Path) -> Iterator[int]:
    """A context manager with a descriptor of the folder at the absolute `path`, for `dir_fd`. No part of the path is a
    symbolic link, and none can become one afterwards: the descriptor stays with the folder. Not on Windows.

    Raises:
        OSError: there is no such folder, or a part of the path is a link (`ENOTDIR`, `ELOOP`).
    """
    root, *names = Path(path).parts
    descriptor = os.open(root, _FOLDER)
    try:
        for name in names:
            below = os.open(name, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)
