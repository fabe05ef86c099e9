"""Whether a process id still belongs to the process that was recorded: an id is reused, a create time is not."""

from contextlib import suppress
from typing import Final

SAME_TIME_SECONDS: Final = 2.0
"""Tolerance between two readings of one create time: Linux counts it from a boot time in whole seconds, which moves
with the clock. No process id is reused within that time."""


def is_same_time(created_at: float, recorded_at: float) -> bool:
    """Whether two create times, in Unix seconds, can be of the same process."""
    return abs(created_at - recorded_at) < SAME_TIME_SECONDS


def create_time(pid: int) -> float | None:
    """When the process was created, in Unix seconds; None if there is no such process, or it has ended and its parent
    has not reaped it yet.
    """
    import psutil  # noqa: PLC0415 -- 27 ms, which most commands need not spend

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    return None


def is_running(pid: int, recorded_at: float) -> bool:
    """Whether the process that was created at `recorded_at` runs under `pid`."""
    created_at = create_time(pid)
    return created_at is not None and is_same_time(created_at, recorded_at)
