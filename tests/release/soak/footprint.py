"""What a server holds of the machine: counted before a soak and after it, and waited for until it is given back."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import anyio
import psutil

from tests.release.soak.marks import SECRET

SETTLE_SECONDS = 60
"""Until all that was kept for later has been given up: the longest of those times, and some for slow machines."""

POLL_SECONDS = 1.0
"""Between two looks. What is the same in both is at rest: a Claude Code starts in half of that."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """`processes` are those below the server, `files` those in its temporary folder, folders included, without the FIFO
    at which a process waits for a history: one that waits for a new conversation has none. `tasks` of its
    event loop can be seen from within only, resident `memory` in bytes only where nothing else lives in its process.
    """

    processes: int
    descriptors: int
    threads: int
    files: int
    tasks: int | None
    memory: int | None

    @property
    def counts(self) -> dict[str, int | None]:
        """All but the memory, by name."""
        return {name: count for name, count in asdict(self).items() if name != "memory"}

    def beyond(self, other: "Footprint") -> list[str]:
        """What there is more of than in `other`, of all that is counted."""
        pairs = ((name, other.counts[name] or 0, here or 0) for name, here in self.counts.items())
        return [f"{name}: {there} before, {here} after" for name, there, here in pairs if here > there]


@dataclass(frozen=True, slots=True)
class Watched:
    """A server under observation: where it can be reached, its process, its temporary folder, how many processes it has
    below it at rest, and whether its process is this one, in which client and model live too.
    """

    url: str
    process: psutil.Process
    temporary: Path
    resting: int
    is_within: bool = False

    def footprint(self) -> Footprint:
        with self.process.oneshot():
            return Footprint(
                processes=len(self.process.children(recursive=True)),
                descriptors=self.process.num_fds(),
                threads=_lasting_threads() if self.is_within else self.process.num_threads(),
                files=sum(not path.is_fifo() for path in self.temporary.rglob("*")),
                tasks=len(asyncio.all_tasks()) if self.is_within else None,
                memory=None if self.is_within else self.process.memory_info().rss,
            )

    async def rested(self) -> Footprint:
        """Its footprint when it has started whatever it keeps ready, or after `SETTLE_SECONDS`."""
        return await self._once(lambda now: now.processes == self.resting)

    async def settled(self, start: Footprint) -> Footprint:
        """Its footprint when it holds no more than at the start, or after `SETTLE_SECONDS`."""
        return await self._once(lambda now: now.processes == self.resting and not now.beyond(start))

    async def _once(self, over: Callable[[Footprint], bool]) -> Footprint:
        last, now = None, self.footprint()
        with anyio.move_on_after(SETTLE_SECONDS):
            while not (over(now) and last and last.counts == now.counts):
                await anyio.sleep(POLL_SECONDS)
                last, now = now, self.footprint()
        return now


def secrets_left_in(folder: Path) -> Iterator[str]:
    """Each file below `folder` that holds a conversation's secret."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and SECRET.search(path.read_bytes().decode(errors="replace")):
            yield path.relative_to(folder).as_posix()


POOLED_THREADS = ("asyncio_", "AnyIO worker thread")
"""How the threads of the two pools are named: of the event loop, in which clients look up addresses, and of AnyIO."""


def _lasting_threads() -> int:
    """Those of this process without its two pools, whose size is bounded. An idle thread of AnyIO's ends only when the
    next piece of work comes, so how many are left at rest depends on what happened to run side by side.
    """
    return sum(not thread.name.startswith(POOLED_THREADS) for thread in threading.enumerate())
