"""The folder and the file of a store: of this user, for this user only, from the moment they exist."""

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from claude_openai.store.sqlite.errors import ELSEWHERE, StoreError, explained
from claude_openai.system.private_files import PRIVATE_FILE, PRIVATE_FOLDER, is_open_to_others

NAME = "runs.sqlite3"

BESIDE = ("", "-wal", "-shm")
"""What SQLite has: the file, and beside it what was written last and an index of that. It makes both like the file."""


def private_file(folder: Path) -> Path:
    """The file in `folder`; both are made where they are not there, and closed to others where they are open.

    Raises:
        StoreError: the folder is somebody else's, or cannot be made.
    """
    file = folder.absolute() / NAME
    with explained(file):
        _private_folder(file.parent)
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE_FILE))
        for name in BESIDE:
            with suppress(FileNotFoundError):
                _close_to_others(file.with_name(NAME + name), PRIVATE_FILE)
    return file


def _private_folder(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    if folder.stat().st_mode & stat.S_ISVTX or folder == folder.parent:
        raise StoreError(f"the folder {folder} is shared by all users", "name one of your own with --data-dir")
    _close_to_others(folder, PRIVATE_FOLDER)


def _close_to_others(path: Path, mode: int) -> None:
    if sys.platform == "win32":
        return  # its folders of a user are closed by what they inherit
    found = path.stat()
    if found.st_uid != os.getuid():
        raise StoreError(f"{path} belongs to another user", f"take it over with chown, or {ELSEWHERE}")
    if is_open_to_others(found):
        path.chmod(mode)
