"""A model that says its tokens at a real pace, and knows when it said each."""

import time
from dataclasses import dataclass, field
from typing import Final

import anyio
from anyio.abc import TaskGroup

from benchmarks.model import PIECES
from claude_openai.simulator import Gate, RecordedRequest, Reply, Text

TOKENS_A_SECOND: Final = 50
PACED: Final = PIECES[:100]
"""An answer of two seconds."""


@dataclass(slots=True)
class PacedModel:
    """A `Simulator`'s model, which remembers when each token of the newest answer in a conversation left."""

    group: TaskGroup
    said: dict[str, list[float]] = field(default_factory=dict)

    def __call__(self, request: RecordedRequest) -> Reply:
        gates, times = [Gate() for _ in PACED], list[float]()
        self.said[request.system] = times
        self.group.start_soon(_paced, gates, times)
        return Reply((Text(tuple(step for pair in zip(gates, PACED, strict=True) for step in pair)),))

    def said_to(self, instructions: str) -> list[float]:
        """When each token left (monotonic). Claude Code puts words of its own before and after the instructions."""
        return next(times for system, times in self.said.items() if instructions in system)


async def _paced(gates: list[Gate], times: list[float]) -> None:
    """The first at once, each further one at its time, however long the others took."""
    begun = time.monotonic()
    for number, gate in enumerate(gates):
        await anyio.sleep(max(0.0, begun + number / TOKENS_A_SECOND - time.monotonic()))
        times.append(time.monotonic())
        gate.open()
