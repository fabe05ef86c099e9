"""A backend that plays a script: the fake behind the port, for tests of the layers above it. It has no process and no
clock.

A script is the events of one turn, in order. A `Gate` among them holds the turn until the test opens it; an exception
among them is raised there, like a defect of a backend. A `Performance` records each turn.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from claude_openai.core.events import Event, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, RequestFailed
from claude_openai.core.models import Model, ModelFacts
from claude_openai.core.ports import BackendStatus, Description, Login, Session, SessionStart
from claude_openai.core.turn import Turn
from claude_openai.simulator.script import Gate

Step = Event | Gate | Exception
"""One step of a script."""

_FACTS = ModelFacts(efforts=("none",), most_output=64_000, thinks_by_budget=True, takes=frozenset({"temperature"}))

DESCRIPTION = Description(
    name="Scripted",
    version="1.0",
    login=Login("a script"),
    models=(
        Model("sonnet", "claude-sonnet-4-5", facts=_FACTS),
        Model("haiku", "claude-haiku-4-5", facts=_FACTS),
    ),
)


@dataclass(eq=False)
class Performance:
    """The record of one turn: the request, and the events that were played."""

    turn: Turn
    played: list[Event] = field(default_factory=list)
    resumed: list[Turn] = field(default_factory=list)
    """The further turns of this session."""
    dies: anyio.Event = field(default_factory=anyio.Event)
    """Set it to end the session: it cannot be resumed any more."""
    unable: bool = False
    """Whether `resume` refuses the next turn."""
    worn: bool = False
    """Whether the session asks to be recycled."""
    ended: anyio.Event = field(default_factory=anyio.Event)
    """Set when the block has ended, for any reason."""

    @property
    def completed(self) -> bool:
        """Whether the consumer received the last event of the turn."""
        return bool(self.played) and isinstance(self.played[-1], TurnFinished | TurnFailed)


class ScriptedBackend:
    """Plays one script per turn, in their order; further turns play the last one."""

    def __init__(self, *scripts: Iterable[Step], description: Description | Failure = DESCRIPTION) -> None:
        self._scripts = [tuple(script) for script in scripts] or [()]
        self._description = description
        self.performances: list[Performance] = []

    async def describe(self) -> Description:
        if isinstance(self._description, Failure):
            raise RequestFailed(self._description)
        return self._description

    def status(self) -> BackendStatus:
        return BackendStatus()

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[Session]:
        script = self._scripts[min(len(self.performances), len(self._scripts) - 1)]
        performance = Performance(turn)
        self.performances.append(performance)
        try:
            yield ScriptedSession(script, performance)
        finally:
            performance.ended.set()


class ScriptedSession:
    """Plays a script up to a last event of a turn, and the rest after `resume`."""

    start: SessionStart = "cold"

    def __init__(self, script: Iterable[Step], performance: Performance) -> None:
        self._steps = list(script)
        self._performance = performance

    async def events(self) -> AsyncGenerator[Sequence[Event], None]:
        while self._steps:
            match self._steps.pop(0):
                case Gate() as gate:
                    await gate.wait()
                case Exception() as defect:
                    raise defect
                case event:
                    self._performance.played.append(event)
                    yield [event]
                    if isinstance(event, TurnFinished | TurnFailed):
                        return

    async def resume(self, turn: Turn) -> bool:
        if self._performance.unable or not self.is_resumable():
            return False
        self._performance.resumed.append(turn)
        return True

    def is_resumable(self) -> bool:
        """Whether the script has further events."""
        over = self._performance.dies.is_set() or self._performance.ended.is_set()
        return bool(self._steps) and not over

    def should_recycle(self) -> bool:
        return self._performance.worn

    async def wait_closed(self) -> None:
        await self._performance.dies.wait()
