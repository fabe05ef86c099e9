"""Ends orphans: processes that outlived the server that started them, where the kernel does not end them with it, and
the processes that those started.

A process is an orphan if its temporary folder is in that server's folder or, where its environment cannot be read, if
its id and creation time are on record in the folder. No other process is ever signalled.
"""

import os
import signal
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import psutil

from claude_openai.claude_code.processes.scratch import Scratch
from claude_openai.system.process_identity import is_same_time

KILL_GRACE_SECONDS = 2.0
"""From SIGKILL until processes that the kernel will not let go are given up."""

POLL_SECONDS = 0.01
"""A killed process is dead after some ms. This does not wait until it is reaped: a container may have no init."""


def end_orphans(folders: Collection[Path]) -> int:
    """End the processes of servers whose `folders` have no owner any more. Returns how many were found."""
    scratches = [Scratch(scratch) for folder in folders for scratch in folder.glob("*/")]
    recorded = [record for scratch in scratches if (record := scratch.recorded())]
    ended: set[psutil.Process] = set()
    deadline = time.monotonic() + KILL_GRACE_SECONDS
    while (found := _orphans(folders, recorded)) and time.monotonic() < deadline:
        for process in found:
            _kill(process)
        ended |= found
        time.sleep(POLL_SECONDS)  # then again: one may just have started another
    return len(ended)


def _orphans(folders: Collection[Path], recorded: Collection[tuple[int, float]]) -> set[psutil.Process]:
    spared = {os.getpid(), os.getpgrp()}  # this server may have been started from within such a process
    return {
        process
        for process in psutil.process_iter()
        if process.pid not in spared and _is_of(process, folders, recorded) and _runs(process)
    }


def _is_of(process: psutil.Process, folders: Collection[Path], recorded: Collection[tuple[int, float]]) -> bool:
    temporary = _temporary_folder(process)
    if temporary is not None:
        return any(temporary.is_relative_to(folder) for folder in folders)
    return any(pid == process.pid and _created_at(process, then) for pid, then in recorded)


def _temporary_folder(process: psutil.Process) -> Path | None:
    """None where it cannot be read: of other users' processes, and on macOS of the system's own programs."""
    with suppress(psutil.Error, OSError):
        if folder := process.environ().get("TMPDIR"):
            return Path(folder)
    return None


def _created_at(process: psutil.Process, then: float) -> bool:
    with suppress(psutil.Error):
        return is_same_time(process.create_time(), then)
    return False


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _kill(process: psutil.Process) -> None:
    """With its whole group, if it leads one: any other's group may be led by what is not ours."""
    with suppress(psutil.Error, OSError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
