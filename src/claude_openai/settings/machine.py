"""What this machine has room for: defaults that depend on its memory."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

PROCESS_BYTES: Final = 200_000_000
"""Memory of one Claude Code: 126 MB without what others share, some 210 MB resident while it answers (measured)."""

MOST_PROCESSES: Final = 16
FEWEST_PROCESSES: Final = 3
MOST_PLACES: Final = 10
"""Requests that are answered at once: three agents with their side requests do not meet a queue (docs/reliability.md).
Cores are not counted: ten answers at a model's pace take half a core to one (docs/performance.md)."""

_NO_LIMIT: Final = 1 << 50
"""Version 1 of cgroups writes a number near 2**63 for no limit."""


def default_processes(root: Path = Path("/")) -> int:
    """How many Claude Code processes there may be: a quarter of the machine's memory, or three quarters of a
    container's limit, which is there for this server alone; whichever is less.
    """
    bounds = [_memory() // 4, *(limit * 3 // 4 for limit in limits(root))]
    return max(FEWEST_PROCESSES, min(MOST_PROCESSES, min(bounds) // PROCESS_BYTES))


def default_places(most_processes: int, warm_processes: int) -> int:
    """How many requests are answered at once: each needs a process."""
    return max(1, min(MOST_PLACES, most_processes - warm_processes))


def limits(root: Path) -> Iterator[int]:
    """Limits on the memory of this process in bytes, from the cgroups that it is in; none where there are no cgroups.

    Both versions, as the kernel's documentation (admin-guide/cgroup-v2, cgroup-v1/memory) has them. In a container the
    own cgroup is mounted at the top, whatever /proc/self/cgroup says, so every level is tried.
    """
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if controllers not in {"", "memory"}:
            continue
        base, name = ("memory", "memory.limit_in_bytes") if controllers else ("", "memory.max")
        group = Path(path.lstrip("/"))
        for level in dict.fromkeys((group, *group.parents, Path())):
            for text in _lines(root / "sys/fs/cgroup" / base / level / name):
                if text.isdecimal() and int(text) < _NO_LIMIT:
                    yield int(text)


def _memory() -> int:
    """Of the machine, in bytes."""
    with suppress(AttributeError, ValueError, OSError):  # there is no sysconf on Windows
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    import psutil  # noqa: PLC0415 -- 27 ms

    return int(psutil.virtual_memory().total)


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text("ascii").splitlines()
    return []
