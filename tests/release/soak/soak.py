"""A soak: many conversations with one server, a warm-up of them first, and what the server holds before and after."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

import anyio
import httpx2
import openai

from tests.release.soak.chaos import Chaos
from tests.release.soak.footprint import Footprint, Watched
from tests.release.soak.ledger import Figure, Ledger
from tests.release.soak.plan import Plan, plan
from tests.release.soak.player import Player, Stage
from tests.release.soak.upstream import Upstream

WARM_UP = 10
"""One conversation in so many belongs to the warm-up: afterwards all code is loaded and every pool is filled."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of a soak."""

    conversations: int = 200
    turns: int = 5
    at_once: int = 8


@dataclass(frozen=True, slots=True)
class Course:
    """What the server held at rest: at the start, after the warm-up, at the end; and the seconds of it all.

    `ways` is how requests reached Claude Code, and why some had to be rebuilt, as the server counts them.
    """

    start: Footprint
    warm: Footprint
    end: Footprint
    seconds: float
    ways: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Soak:
    """So many conversations with `server`, which has `upstream` behind it; `ledger` has what became of them."""

    server: Watched
    upstream: Upstream
    ledger: Ledger
    seed: int
    size: Size

    async def run(self, show: Callable[[str], None]) -> Course:
        """Play all of them; `show` is told how far they are."""
        begin = time.monotonic()
        chaos = Chaos(self.server.process, Random(self.seed), self.ledger)
        plans = [plan(self.seed, number, self.size.turns) for number in range(self.size.conversations)]
        warm_up = max(1, len(plans) // WARM_UP)
        await self._ways()  # once asked, a server starts what it keeps ready
        start = await self.server.rested()
        await self._played(plans[:warm_up], chaos, show)
        warm = await self.server.settled(start)
        await self._played(plans[warm_up:], chaos, show)
        end = await self.server.settled(start)
        return Course(start, warm, end, time.monotonic() - begin, await self._ways())

    async def _played(self, plans: Sequence[Plan], chaos: Chaos, show: Callable[[str], None]) -> None:
        """Each of these to its end, some at once, and every connection closed after them."""
        waiting = iter(plans)

        async def play() -> None:
            for each in waiting:
                await Player(each, stage).play()
                show(self._progress())

        async with openai.AsyncOpenAI(base_url=f"{self.server.url}/v1", api_key="any", max_retries=0) as client:
            stage = Stage(client, self.upstream, chaos, self.ledger)
            async with anyio.create_task_group() as group:
                for _ in range(self.size.at_once):
                    group.start_soon(play)

    async def _ways(self) -> Mapping[str, int]:
        async with httpx2.AsyncClient(base_url=self.server.url) as http:
            health = (await http.get("/health")).json()
        if not health["ready"]:  # every request is answered in the end, so whatever upstream refused is over
            self.ledger.breaks(f"the server is not ready at rest: {health['reason']}")
        rebuilt = {f"rebuilt: {reason}": count for reason, count in health["rebuilt_because"].items()}
        return {**health["turns"], **rebuilt}

    def _progress(self) -> str:
        turns, broken = self.ledger.counts[Figure.TURNS], len(self.ledger.broken)
        return f"{turns} of {self.size.conversations * self.size.turns} turns, {broken} promises broken"
