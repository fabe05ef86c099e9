"""Files and folders that only this user can read or write.

`logs.destinations` has its own version: it lies below this package, and an open log file may be shared on purpose.
"""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700

OTHER_USERS: Final = 0o077
"""The permission bits of the group and of all other users."""


def make_folder(folder: Path) -> None:
    """Make `folder` and its parent with mode 0700 where they are missing; existing folders keep their mode.

    Raises:
        OSError: it cannot be made.
    """
    folder.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def make_private_folder(folder: Path) -> None:
    """Make `folder` as `make_folder` does, and check that it is this user's alone.

    Raises:
        OSError: it cannot be made, or `fault_of` has found a fault.
    """
    make_folder(folder)
    if fault := fault_of(folder):
        raise PermissionError(f"{folder} {fault}")


def fault_of(folder: Path) -> str | None:
    """Why the contents of `folder` cannot be trusted, as part of a sentence; None if it is this user's alone.

    Another user who can write there could make us signal processes, and read and remove files, of their choice.

    Raises:
        OSError: it does not exist.
    """
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return "is not a folder"
    if sys.platform != "win32" and found.st_uid != os.geteuid():
        return "belongs to another user"
    if is_open_to_others(found):
        return "is open to other users"
    return None


def is_private(folder: Path) -> bool:
    """Whether `folder` exists, is a folder, and is this user's alone."""
    with suppress(OSError):
        return fault_of(folder) is None
    return False


def is_open_to_others(found: os.stat_result) -> bool:
    """Whether the mode grants other users anything. On Windows, where files inherit permissions, always False."""
    return sys.platform != "win32" and bool(stat.S_IMODE(found.st_mode) & OTHER_USERS)


def private_opener(path: str, flags: int) -> int:
    """The `opener` for `open` that creates files with mode 0600."""
    return os.open(path, flags, PRIVATE_FILE)
