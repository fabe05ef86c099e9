"""Ends orphans: processes that outlived the server that started them, since the kernel does not kill them with it, and
the processes that those started.

A process is an orphan if its temporary folder is in that server's folder or, where its environment cannot be read, if
its id and identity are on record in the folder. No other process is ever signalled.
"""

import os
import signal
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import psutil

from claude_openai.claude_code.processes.scratch import Scratch
from claude_openai.system.process_identity import is_running

KILL_GRACE_SECONDS = 2.0
"""From SIGKILL until this program gives up processes that the kernel does not end."""

POLL_SECONDS = 0.01
"""A killed process is dead after some ms. No code waits until it is reaped: a container may have no init."""


def end_orphans(folders: Collection[Path]) -> int:
    """End the processes of servers whose `folders` have no owner any more. Returns how many were found."""
    scratches = [Scratch(scratch) for folder in folders for scratch in folder.glob("*/")]
    recorded = [record for scratch in scratches if (record := scratch.recorded())]
    ended: set[psutil.Process] = set()
    deadline = time.monotonic() + KILL_GRACE_SECONDS
    while time.monotonic() < deadline:  # again and again: an orphan may just have started another process
        found = {process for process in psutil.process_iter() if _is_orphan(process, folders, recorded)}
        if not found:
            break
        for process in found:
            with suppress(psutil.Error, OSError):
                if os.getpgid(process.pid) == process.pid:
                    os.killpg(process.pid, signal.SIGKILL)
                else:  # the leader of its group may be no orphan
                    process.kill()
        ended |= found
        time.sleep(POLL_SECONDS)
    return len(ended)


def _is_orphan(process: psutil.Process, folders: Collection[Path], recorded: Collection[tuple[int, str]]) -> bool:
    if process.pid in (os.getpid(), os.getpgrp()):
        return False  # this server may have been started from within such a process
    with suppress(psutil.Error, OSError):
        try:
            temporary = process.environ().get("TMPDIR")
        except (psutil.Error, OSError):  # other users' processes, and on macOS the system's own programs
            temporary = None
        if temporary:
            is_ours = any(Path(temporary).is_relative_to(folder) for folder in folders)
        else:
            is_ours = any(pid == process.pid and is_running(pid, identity) for pid, identity in recorded)
        return is_ours and process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
