"""The folder and the database file of a store, which only this user can open from the moment they are created."""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from claude_openai.store.sqlite.errors import ELSEWHERE, StoreError, explained
from claude_openai.system.private_files import PRIVATE_FILE, PRIVATE_FOLDER, is_open_to_others

NAME = "runs.sqlite3"

SUFFIXES = ("", "-wal", "-shm")
"""The database, its write-ahead log and the shared-memory index. SQLite gives the latter two the database's mode."""


def private_file(folder: Path) -> Path:
    """The database file in `folder`. Both are created if missing, and get a private mode if other users have access.

    Raises:
        StoreError: the folder belongs to another user, is shared by all users, or cannot be created.
    """
    file = folder.absolute() / NAME
    with explained(file):
        folder = file.parent
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
        if folder.stat().st_mode & stat.S_ISVTX or folder == folder.parent:
            raise StoreError(f"the folder {folder} is shared by all users", "name one of your own with --data-dir")
        _restrict(folder, PRIVATE_FOLDER)
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE_FILE))
        for name in SUFFIXES:
            with suppress(FileNotFoundError):
                _restrict(file.with_name(NAME + name), PRIVATE_FILE)
    return file


def _restrict(path: Path, mode: int) -> None:
    if sys.platform == "win32":
        return  # a user's folders are private there by the permissions they inherit
    found = path.stat()
    if found.st_uid != os.getuid():
        raise StoreError(f"{path} belongs to another user", f"take it over with chown, or {ELSEWHERE}")
    if is_open_to_others(found):
        path.chmod(mode)
