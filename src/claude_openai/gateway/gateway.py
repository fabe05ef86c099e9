"""Turns under limits: nothing waits for ever, and every turn ends in exactly one last event.

The backend answers; this adds the bounds on time, ends what runs when the server stops, and remembers what the backend
said of itself.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup

from claude_openai.core.events import Event, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.models import Catalogue
from claude_openai.core.ports import Backend, Description
from claude_openai.core.turn import Turn
from claude_openai.gateway.catalogue import catalogue
from claude_openai.gateway.conversations import Conversation, Conversations

ASK_AGAIN_SECONDS = 15.0
"""While Claude Code is not signed in, how long its word on that is taken before it is asked again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in seconds: `request` on one turn, `idle` between two signs of life, `parked` on a wait for results."""

    request: float = 600.0
    idle: float = 300.0
    parked: float = 600.0


@dataclass(frozen=True, slots=True)
class Choice:
    """What the server's owner says of models: see `core.models.Catalogue`; `override` replaces Claude Code's list."""

    default: str = "sonnet"
    aliases: tuple[tuple[str, str], ...] = ()
    override: tuple[str, ...] = ()


class Gateway:
    """Opens turns on `backend`. Sessions live in `tasks`, those that wait for results too, until it is cancelled."""

    def __init__(self, backend: Backend, tasks: TaskGroup, limits: Limits, choice: Choice) -> None:
        self._backend = backend
        self._conversations = Conversations(backend, tasks, limits.parked)
        self._limits = limits
        self._choice = choice
        self._asking = anyio.Lock()
        self._description: Description | None = None
        self._described_at = 0.0
        self._turns = 0
        self._idle = anyio.Event()
        self._stopped = False
        self._waiting: set[anyio.CancelScope] = set()

    async def description(self) -> Description:
        """What the backend says of itself: asked once, and again while it is not signed in.

        Raises:
            RequestFailed: it cannot be started.
        """
        async with self._asking:
            known = self._description
            fresh = anyio.current_time() - self._described_at < ASK_AGAIN_SECONDS
            if known is None or not (known.login.ready or fresh):
                self._description = known = await self._backend.describe()
                self._described_at = anyio.current_time()
            return known

    async def catalogue(self) -> Catalogue:
        """The models a request may name.

        Raises:
            RequestFailed: the backend cannot be started.
        """
        offered = (await self.description()).models
        choice = self._choice
        return catalogue(offered, default=choice.default, aliases=choice.aliases, override=choice.override)

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[AsyncIterator[Event]]:
        """Start `turn`; the block yields its events and ends the turn when it is left, for whatever reason."""
        ends_at = anyio.current_time() + self._limits.request
        self._turns += 1
        try:
            async with (
                self._conversations.held(turn) as conversation,
                aclosing(self._bounded(conversation, ends_at)) as events,
            ):
                yield events
        finally:
            self._turns -= 1
            if not self._turns:
                self._idle.set()
                self._idle = anyio.Event()

    async def until_idle(self) -> None:
        """Wait until no turn is open."""
        while self._turns:
            await self._idle.wait()

    async def end_parked(self) -> None:
        """End the sessions that wait for results; nothing is lost but time."""
        await self._conversations.end_parked()

    def stop(self) -> None:
        """End every turn, now and from now on, with a last event that says so."""
        self._stopped = True
        for scope in self._waiting:
            scope.cancel()

    async def _bounded(self, conversation: Conversation, ends_at: float) -> AsyncGenerator[Event, None]:
        async with AsyncExitStack() as stack:
            events = await stack.enter_async_context(aclosing(conversation.session.events()))
            event = await self._next(events, ends_at)
            if conversation.resumed and _is_dead(event):
                await self._conversations.renew(conversation)
                events = await stack.enter_async_context(aclosing(conversation.session.events()))
                event = await self._next(events, ends_at)
            while True:
                conversation.note(event)
                yield event
                if isinstance(event, TurnFinished | TurnFailed):
                    return
                event = await self._next(events, ends_at)

    async def _next(self, events: AsyncIterator[Event], ends_at: float) -> Event:
        if self._stopped:
            return _STOPPED
        idle_at = anyio.current_time() + self._limits.idle
        with anyio.CancelScope(deadline=min(ends_at, idle_at)) as scope:
            self._waiting.add(scope)
            try:
                return await anext(events, _NO_LAST_EVENT)
            finally:
                self._waiting.discard(scope)
        return self._cut_short(whole_time_is_over=ends_at <= idle_at)

    def _cut_short(self, *, whole_time_is_over: bool) -> TurnFailed:
        """Why the wait for an event was ended."""
        if self._stopped:
            return _STOPPED
        if whole_time_is_over:
            said = f"The request took longer than {self._limits.request:g} s and was ended (--request-timeout)."
            return TurnFailed(Failure(Kind.REQUEST_TIMEOUT, said))
        said = f"Upstream said nothing for {self._limits.idle:g} s and the turn was ended (--idle-timeout)."
        return TurnFailed(Failure(Kind.IDLE_TIMEOUT, said))


def _is_dead(event: Event) -> bool:
    return isinstance(event, TurnFailed) and event.failure.kind is Kind.CLAUDE_CODE_FAILED


_NO_LAST_EVENT = TurnFailed(Failure(Kind.INTERNAL, "The answer ended without a last event."))

_STOPPED = TurnFailed(Failure(Kind.SHUTTING_DOWN, "The server is stopping. Send the request again in a moment."))
