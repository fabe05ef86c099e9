"""Removes stale folders: those of servers that were killed, with the processes that outlived them (`orphans`).

A folder is stale if it has our name, belongs to this user alone as does the folder it is in (`runtime_folders`), and
has a server's lock file that is not locked; the kernel releases a lock with the process that took it. Everything else
stays untouched.
"""

import os
import sys
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from claude_openai.claude_code.processes.placeholders import remove_placeholders
from claude_openai.claude_code.processes.scratch import FOLDER_PREFIX, LOCK, Scratch, remove
from claude_openai.system.locks import try_lock
from claude_openai.system.private_files import is_private


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The number of folders that a sweep removed, and of processes that it ended."""

    folders: int = 0
    processes: int = 0


def sweep(places: Iterable[Path]) -> SweepResult:
    """Remove the folders of this user's dead servers in `places`, not on Windows. It blocks: call it in a thread."""
    if sys.platform == "win32":
        return SweepResult()
    with ExitStack() as locks:
        folders: list[Path] = []
        for place in places:
            with suppress(FileNotFoundError):  # another sweep can remove it meanwhile, when it was the last one's
                if is_private(place):
                    named = place.resolve().glob(f"{FOLDER_PREFIX}*")
                    folders += [folder for folder in named if _is_stale(folder, locks)]
        processes = 0
        if folders:
            from claude_openai.claude_code.processes.orphans import end_orphans  # noqa: PLC0415 -- 27 ms of a start

            processes = end_orphans(folders)
        scratches = [Scratch(root) for folder in folders for root in folder.glob("*/")]
        for scratch in scratches:
            scratch.remove_long_output()
        if scratches:
            remove_placeholders(*scratches)
        for folder in folders:
            remove(folder)
            with suppress(OSError):
                folder.parent.rmdir()
    return SweepResult(sum(not folder.exists() for folder in folders), processes)


def _is_stale(folder: Path, locks: ExitStack) -> bool:
    """Whether `folder` is a dead server's. It is locked until `locks` ends, so no other sweep removes it."""
    try:
        if not is_private(folder):
            return False
        descriptor = os.open(folder / LOCK, os.O_RDWR)
        locks.callback(os.close, descriptor)
        # Another sweep may have removed the file between the two calls, and a server's lock file is not a link.
        return try_lock(descriptor) and os.path.samestat(os.fstat(descriptor), (folder / LOCK).lstat())
    except OSError:
        return False
