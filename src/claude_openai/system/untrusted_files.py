"""Reads files that somebody else may have made: an agent's command, for example.

A plain `open` waits for ever where a named pipe lies in the place of the file, and takes the thread that called it.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Final

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
