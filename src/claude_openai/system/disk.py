"""How much room the disk of a folder has."""

import shutil
from pathlib import Path
from typing import Final

LEAST_FREE: Final = 16 * 1024 * 1024
"""Bytes below which a disk counts as full: a server's store, log and temporary files need some."""


def free_bytes(folder: Path) -> int:
    """The free bytes for this user on the disk of `folder`, which need not be there yet."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free


def full_disk(*folders: Path, least: int = LEAST_FREE) -> str | None:
    """A sentence that names the first of `folders` whose disk has less than `least` bytes; None if all have more."""
    for folder in folders:
        if (free := free_bytes(folder)) < least:
            return f"the disk of {folder} is full: {free // 1024} KiB are free"
    return None
