"""Whether a process id still belongs to the process that was recorded: an id is reused, an identity is not.

On Linux an identity is `BOOT:TICKS`: the kernel's boot id, and when the process started in clock ticks since that boot
(proc(5), `/proc/PID/stat`, field 22). Neither moves with the clock. A create time does: Linux counts it from a boot
time that is the clock's time less the uptime. Elsewhere an identity is the create time in Unix seconds, as are the
records of earlier versions.
"""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

SAME_TIME_SECONDS: Final = 2.0
"""Tolerance between two readings of one create time. No process id is reused within that time."""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

_STATE, _START_TICKS = 0, 19
"""Places in `/proc/PID/stat` behind the name of the program, which may have spaces and brackets."""


def identity_of(pid: int) -> str | None:
    """The identity of a process; None if there is no such process, or it has ended and its parent has not reaped it
    yet.
    """
    if sys.platform == "linux":
        with suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            ticks = int(fields[_START_TICKS])
            return None if fields[_STATE] in {b"Z", b"X"} else f"{_BOOT_ID.read_text().strip()}:{ticks}"
    created_at = _create_time(pid)
    return None if created_at is None else str(created_at)


def is_running(pid: int, recorded: str | float) -> bool:
    """Whether the process with the `recorded` identity, or create time in Unix seconds, runs under `pid`."""
    if isinstance(recorded, str) and ":" in recorded:
        return identity_of(pid) == recorded
    created_at = _create_time(pid)
    try:
        return created_at is not None and abs(created_at - float(recorded)) < SAME_TIME_SECONDS
    except ValueError:
        return False


def _create_time(pid: int) -> float | None:
    import psutil  # noqa: PLC0415 -- 27 ms, which most commands need not spend

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    return None
