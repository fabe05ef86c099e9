"""The timeouts of a turn: for the whole turn, until upstream begins to answer, and between two events.

When a timeout expires, the turn's last event is a `TurnFailed` that names it. A `StopSignal` ends a turn in the same
way: when the server stops, or when a client cancels the run.
"""

import math
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, Self

import anyio

from claude_openai.core.events import Event, RateLimitReported, Retrying, TurnFailed
from claude_openai.core.failures import Failure, Kind


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts in seconds. `request`: the whole turn, its wait in the queue included; `first_byte`: from the moment
    Claude Code has the turn until upstream begins to answer; `idle`: between two events.
    """

    request: float = 600.0
    first_byte: float = 120.0
    idle: float = 300.0


class Cancellable(Protocol):
    """A wait that can be cancelled."""

    def cancel(self) -> None: ...


class StopSignal:
    """Once triggered, ends the turns that it is given to: their last event is `last`. Attached waits are cancelled."""

    def __init__(self, last: TurnFailed) -> None:
        self.last = last
        self.triggered = False
        self._waits: set[Cancellable] = set()

    def trigger(self) -> None:
        self.triggered = True
        for wait in self._waits:
            wait.cancel()

    def attach(self, wait: Cancellable) -> None:
        """Cancel `wait` when the signal is triggered, or at once if it has been."""
        self._waits.add(wait)
        if self.triggered:
            wait.cancel()

    def detach(self, wait: Cancellable) -> None:
        """Undo `attach`."""
        self._waits.discard(wait)


class TurnClock:
    """Applies `timeouts` and `stop_signals` to one turn, which began `elapsed` seconds ago.

    Its block attaches it to the signals: once for the turn, and not for each event.
    """

    def __init__(self, timeouts: Timeouts, *stop_signals: StopSignal, elapsed: float = 0.0) -> None:
        self._timeouts = timeouts
        self._stop_signals = stop_signals
        self._turn_deadline = anyio.current_time() + timeouts.request - elapsed
        self._first_byte_deadline = math.inf
        self._wait = anyio.CancelScope()

    def __enter__(self) -> Self:
        for signal in self._stop_signals:
            signal.attach(self)
        return self

    def __exit__(self, *_: object) -> None:
        for signal in self._stop_signals:
            signal.detach(self)

    def cancel(self) -> None:
        """Cancel the present wait; a signal has been triggered."""
        self._wait.cancel()

    @contextmanager
    def before_start(self) -> Iterator[anyio.CancelScope]:
        """A block for everything before Claude Code has the turn: the wait in the queue, the start of a process."""
        with anyio.CancelScope(deadline=self._turn_deadline) as self._wait:
            if any(signal.triggered for signal in self._stop_signals):
                self._wait.cancel()
            yield self._wait

    def start(self) -> None:
        """Claude Code has the turn from now on."""
        self._first_byte_deadline = anyio.current_time() + self._timeouts.first_byte

    def start_failure(self) -> Event:
        """The turn's last event if the block of `before_start` was cancelled."""
        return self._last_event(self._turn_deadline)

    async def next(self, batches: AsyncIterator[Sequence[Event]]) -> Sequence[Event]:
        """The next events, or the last event of a turn that was stopped or took too long."""
        for signal in self._stop_signals:
            if signal.triggered:
                return [signal.last]
        idle_deadline = anyio.current_time() + self._timeouts.idle
        deadline = min(self._turn_deadline, self._first_byte_deadline, idle_deadline)
        with anyio.CancelScope(deadline=deadline) as self._wait:
            events = await anext(batches, _NO_LAST_EVENT)
        if self._wait.cancelled_caught:
            return [self._last_event(deadline)]
        if self._first_byte_deadline < math.inf and any(
            not isinstance(event, Retrying | RateLimitReported) for event in events
        ):
            self._first_byte_deadline = math.inf
        return events

    def _last_event(self, deadline: float) -> TurnFailed:
        """The last event of a turn that a signal has stopped, or that has passed `deadline`."""
        timeouts = self._timeouts
        for signal in self._stop_signals:
            if signal.triggered:
                return signal.last
        if deadline == self._turn_deadline:
            message = f"The request took longer than {timeouts.request:g} s and was ended (--request-timeout)."
            return TurnFailed(Failure(Kind.TIMEOUT, message))
        if deadline == self._first_byte_deadline:
            message = f"Upstream did not begin to answer within {timeouts.first_byte:g} s (--first-byte-timeout)."
            return TurnFailed(Failure(Kind.FIRST_BYTE_TIMEOUT, message))
        message = f"Upstream said nothing for {timeouts.idle:g} s and the turn was ended (--idle-timeout)."
        return TurnFailed(Failure(Kind.IDLE_TIMEOUT, message))


_NO_LAST_EVENT = [TurnFailed(Failure(Kind.INTERNAL, "The answer ended without a last event."))]
