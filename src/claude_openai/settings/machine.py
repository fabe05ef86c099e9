"""Defaults that depend on this machine's memory."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

PROCESS_BYTES: Final = 200_000_000
"""Memory of one Claude Code process: 126 MB private, some 210 MB resident while it answers (measured)."""

MOST_PROCESSES: Final = 16
FEWEST_PROCESSES: Final = 3
MOST_PLACES: Final = 10
"""Concurrent requests: three agents with their side requests do not have to queue (docs/explain/reliability.md). Cores
do not matter: ten answers at a model's pace take half a core to one (docs/explain/performance.md)."""

_NO_LIMIT: Final = 1 << 50
"""Version 1 of cgroups writes a number near 2**63 for no limit."""


def default_processes(root: Path = Path("/")) -> int:
    """The default maximum of Claude Code processes: by a quarter of the machine's memory, or by three quarters of a
    container's limit, which is for this server alone; whichever is less.
    """
    memory = 0
    with suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if not memory:
        import psutil  # noqa: PLC0415 -- 27 ms

        memory = int(psutil.virtual_memory().total)
    bounds = [memory // 4, *(limit * 3 // 4 for limit in limits(root))]
    return max(FEWEST_PROCESSES, min(MOST_PROCESSES, min(bounds) // PROCESS_BYTES))


def default_places(most_processes: int, warm_processes: int) -> int:
    """The default number of concurrent requests: each needs a process, beside the `warm_processes` at least."""
    return max(1, min(MOST_PLACES, most_processes - warm_processes))


def available_memory(root: Path = Path("/")) -> float:
    """The bytes that programs can get now, of the machine or of what a container's limits leave, whichever is less."""
    available = _number(root / "proc/meminfo", "MemAvailable:") * 1024
    if not available:
        import psutil  # noqa: PLC0415 -- 27 ms

        available = int(psutil.virtual_memory().available)
    return min((available, *(limit - used for limit, used in _limits_and_use(root))))


def limits(root: Path) -> Iterator[int]:
    """The memory limits of this process's cgroups, in bytes; none if there are no cgroups."""
    return (limit for limit, _ in _limits_and_use(root))


def _limits_and_use(root: Path) -> Iterator[tuple[int, int]]:
    """The memory limits of this process's cgroups and what is used of each, without the cache of files that the kernel
    gives up first, in bytes.

    It reads both versions (the kernel's admin-guide/cgroup-v2 and cgroup-v1/memory). In a container the own cgroup is
    mounted at the top, whatever path /proc/self/cgroup has, so every level is tried.
    """
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers not in {"", "memory"}:
            continue
        base, name, use, cache = (
            ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            if controllers
            else ("", "memory.max", "memory.current", "inactive_file")
        )
        group = Path(path.lstrip("/"))
        for level in dict.fromkeys((group, *group.parents, Path())):
            folder = root / "sys/fs/cgroup" / base / level
            for text in _lines(folder / name):
                if text.isdecimal() and int(text) < _NO_LIMIT:
                    used = sum(int(line) for line in _lines(folder / use) if line.isdecimal())
                    yield int(text), max(0, used - _number(folder / "memory.stat", cache))


def _number(path: Path, name: str) -> int:
    """The number behind `name` in a file with a name and a number in each line; 0 if it is not there."""
    for line in _lines(path):
        key, *values = line.split()
        if key == name and values and values[0].isdecimal():
            return int(values[0])
    return 0


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text("ascii").splitlines()
    return []
