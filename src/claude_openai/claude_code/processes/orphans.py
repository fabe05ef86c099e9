"""Processes that outlived the server that started them: where the kernel does not end them with it, and what they
started themselves.

A process is one if its temporary files go into the folder of that server or, where its environment does not tell, if
it was created at the very time that the folder has on record for its id. No other is ever signalled.
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
"""A killed process is dead after some ms. That it is reaped is not waited for: in a container perhaps nobody does."""


def end_orphans(folders: Collection[Path]) -> int:
    """End what servers started whose `folders` nobody holds any more; how many were found."""
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
    spared = {os.getpid(), os.getpgrp()}  # somebody may start a server from within such a process
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
    """None where it is not told: of other users' processes, and on macOS of the system's own programs."""
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
