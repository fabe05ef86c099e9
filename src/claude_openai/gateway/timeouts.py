"""The time that a turn has: for the whole of it, until upstream begins, and between two signs of life.

An event that does not come in time is replaced by the last event that says so; so is every event once the turn is told
to end, because the server stops or because somebody wants this one to.
"""

import math
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

from claude_openai.core.events import Event, RateLimitReported, Retrying, TurnFailed
from claude_openai.core.failures import Failure, Kind


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds in seconds: `request` on the whole, its wait in the queue included; `first_byte` from the moment the turn
    is with Claude Code until upstream begins to answer; `idle` between two signs of life.
    """

    request: float = 600.0
    first_byte: float = 120.0
    idle: float = 300.0


class StopSignal:
    """Whether turns are told to end, and with which last event; whoever waits for an event then waits no more."""

    def __init__(self, last: TurnFailed) -> None:
        self.last = last
        self.triggered = False
        self._waits: set[anyio.CancelScope] = set()

    def trigger(self) -> None:
        self.triggered = True
        for wait in self._waits:
            wait.cancel()

    def attach(self, wait: anyio.CancelScope) -> None:
        """From now on `wait` is cancelled when this begins, or at once if it has."""
        self._waits.add(wait)
        if self.triggered:
            wait.cancel()

    def detach(self, wait: anyio.CancelScope) -> None:
        """Not any more."""
        self._waits.discard(wait)


class TurnClock:
    """The clock of one turn; it runs from the making, or since `elapsed` seconds. Any of `endings` ends the turn before
    its time.
    """

    def __init__(self, patience: Timeouts, *endings: StopSignal, elapsed: float = 0.0) -> None:
        self._patience = patience
        self._endings = endings
        self._ends_at = anyio.current_time() + patience.request - elapsed
        self._begins_by = math.inf

    @contextmanager
    def before_start(self) -> Iterator[anyio.CancelScope]:
        """A block for all that comes before the turn is with Claude Code: its wait in the queue, its start."""
        with self._wait(self._ends_at) as wait:
            yield wait

    def start(self) -> None:
        """The turn is with Claude Code from now on."""
        self._begins_by = anyio.current_time() + self._patience.first_byte

    def start_failure(self) -> Event:
        """What is the last event where `opening` was ended."""
        return self._told_to_end() or TurnFailed(self._too_late(self._ends_at))

    async def next(self, events: AsyncIterator[Event]) -> Event:
        """The next event, or what is the last one instead."""
        if last := self._told_to_end():
            return last
        silent_at = anyio.current_time() + self._patience.idle
        deadline = min(self._ends_at, self._begins_by, silent_at)
        with self._wait(deadline) as wait:
            event = await anext(events, _NO_LAST_EVENT)
        if wait.cancelled_caught:
            return self._told_to_end() or TurnFailed(self._too_late(deadline))
        if not isinstance(event, Retrying | RateLimitReported):
            self._begins_by = math.inf
        return event

    @contextmanager
    def _wait(self, deadline: float) -> Iterator[anyio.CancelScope]:
        with anyio.CancelScope(deadline=deadline) as wait:
            for ending in self._endings:
                ending.attach(wait)
            try:
                yield wait
            finally:
                for ending in self._endings:
                    ending.detach(wait)

    def _told_to_end(self) -> TurnFailed | None:
        for ending in self._endings:
            if ending.triggered:
                return ending.last
        return None

    def _too_late(self, deadline: float) -> Failure:
        patience = self._patience
        if deadline == self._ends_at:
            said = f"The request took longer than {patience.request:g} s and was ended (--request-timeout)."
            return Failure(Kind.TIMEOUT, said)
        if deadline == self._begins_by:
            said = f"Upstream did not begin to answer within {patience.first_byte:g} s (--first-byte-timeout)."
            return Failure(Kind.FIRST_BYTE_TIMEOUT, said)
        said = f"Upstream said nothing for {patience.idle:g} s and the turn was ended (--idle-timeout)."
        return Failure(Kind.IDLE_TIMEOUT, said)


_NO_LAST_EVENT = TurnFailed(Failure(Kind.INTERNAL, "The answer ended without a last event."))
