"""A backend that plays a script: the fake at the port, for tests of all that stands above it. No process, no clock.

A script is the events of one turn, in order. A `Gate` among them holds the turn until the test opens it; an exception
is raised where it stands, as the defect of a backend would be. What happened to each turn is a `Performance`.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from claude_openai.core.events import Event, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, RequestFailed
from claude_openai.core.models import Model
from claude_openai.core.ports import BackendStatus, Description, Login, Session, SessionStart
from claude_openai.core.turn import Turn
from claude_openai.simulator.script import Gate

Step = Event | Gate | Exception
"""One step of a script."""

DESCRIPTION = Description(
    name="Scripted",
    version="1.0",
    login=Login("a script"),
    models=(Model("sonnet", "claude-sonnet-4-5"), Model("haiku", "claude-haiku-4-5")),
)


@dataclass(eq=False)
class Performance:
    """One turn as it was played: what was asked, and how far it got."""

    turn: Turn
    played: list[Event] = field(default_factory=list)
    resumed: list[Turn] = field(default_factory=list)
    """The turns that went on in this session."""
    dies: anyio.Event = field(default_factory=anyio.Event)
    """Set it, and the session ends by itself: it cannot be resumed any more."""
    unable: bool = False
    """Whether what comes next is more than the session can take."""
    worn: bool = False
    """Whether the session has served enough."""
    ended: anyio.Event = field(default_factory=anyio.Event)
    """Set when the block was left, for whatever reason."""

    @property
    def completed(self) -> bool:
        """The last event of a turn was handed out: what ended it was not the listener."""
        return bool(self.played) and isinstance(self.played[-1], TurnFinished | TurnFailed)


class ScriptedBackend:
    """Plays one script per turn, in the order given; the last one again for every further turn."""

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
    """Plays a script up to a last event; what stands after that, once it is resumed."""

    start: SessionStart = "cold"

    def __init__(self, script: Iterable[Step], performance: Performance) -> None:
        self._steps = list(script)
        self._performance = performance

    async def events(self) -> AsyncGenerator[Event, None]:
        while self._steps:
            match self._steps.pop(0):
                case Gate() as gate:
                    await gate.wait()
                case Exception() as defect:
                    raise defect
                case event:
                    self._performance.played.append(event)
                    yield event
                    if isinstance(event, TurnFinished | TurnFailed):
                        return

    async def resume(self, turn: Turn) -> bool:
        if self._performance.unable or not self.is_resumable():
            return False
        self._performance.resumed.append(turn)
        return True

    def is_resumable(self) -> bool:
        """As long as the script has something left to say."""
        over = self._performance.dies.is_set() or self._performance.ended.is_set()
        return bool(self._steps) and not over

    def should_recycle(self) -> bool:
        return self._performance.worn

    async def wait_closed(self) -> None:
        await self._performance.dies.wait()
