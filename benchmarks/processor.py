"""Processor time, process by process: one that ends in between takes nothing away from the others."""

from collections.abc import Iterable, Mapping

import psutil


def processor_seconds(processes: Iterable[psutil.Process]) -> dict[int, float]:
    """What each has used so far, by its id; those that have ended are left out."""
    seconds = {}
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds[process.pid] = times.user + times.system
    return seconds


def used_between(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """What those have used that are there in the end."""
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())
