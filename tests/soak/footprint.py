"""What a server holds of the machine: counted before a soak and after it, and waited for until it is given back."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import psutil

from tests.soak.marks import SECRET

SETTLE_SECONDS = 60
"""Until all that was kept for later has been given up: the longest of those times, and some for slow machines."""

POLL_SECONDS = 0.2


COUNTED: Final = ("processes", "descriptors", "threads", "files", "tasks")


@dataclass(frozen=True, slots=True)
class Footprint:
    """`processes` are those below the server, `files` those in its temporary folder, folders included. `tasks` of its
    event loop can be seen from within only, resident `memory` in bytes only where nothing else lives in its process.
    """

    processes: int
    descriptors: int
    threads: int
    files: int
    tasks: int | None
    memory: int | None

    def beyond(self, other: "Footprint") -> list[str]:
        """What there is more of than in `other`, of all that can be counted."""
        pairs = ((name, getattr(other, name) or 0, getattr(self, name) or 0) for name in COUNTED)
        return [f"{name}: {there} before, {here} after" for name, there, here in pairs if here > there]


@dataclass(frozen=True, slots=True)
class Watched:
    """A server under observation: where it can be reached, its process, its temporary folder, and how many processes it
    has below it at rest. `tasks` counts those of its event loop, if it lives in this very process.
    """

    url: str
    process: psutil.Process
    temporary: Path
    resting: int
    tasks: Callable[[], int] | None = None

    def footprint(self) -> Footprint:
        with self.process.oneshot():
            return Footprint(
                processes=len(self.process.children(recursive=True)),
                descriptors=self.process.num_fds(),
                threads=self.process.num_threads(),
                files=sum(len(folders) + len(files) for _, folders, files in os.walk(self.temporary)),
                tasks=self.tasks() if self.tasks else None,
                memory=None if self.tasks else self.process.memory_info().rss,
            )

    async def rested(self) -> Footprint:
        """Its footprint when it has started whatever it keeps ready."""
        return await self._once(lambda now: now.processes == self.resting)

    async def settled(self, start: Footprint) -> Footprint:
        """Its footprint when it holds no more than at the start, or after `SETTLE_SECONDS`."""
        return await self._once(lambda now: now.processes == self.resting and not now.beyond(start))

    async def _once(self, over: Callable[[Footprint], bool]) -> Footprint:
        with anyio.move_on_after(SETTLE_SECONDS):
            while not over(self.footprint()):  # noqa: ASYNC110 -- another process has no event to wait for
                await anyio.sleep(POLL_SECONDS)
        return self.footprint()


def secrets_left_in(folder: Path) -> Iterator[str]:
    """Each file below `folder` that holds a conversation's secret."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and SECRET.search(path.read_bytes().decode(errors="replace")):
            yield path.relative_to(folder).as_posix()
