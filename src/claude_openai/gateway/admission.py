"""How many turns run at once, and the bounded wait of the others.

A block has its place from its first line to its last, however it ends. One that waits is let in, in the order that
`line` keeps, or is told why not: after a bounded time, at once when the queue is full, and at once when the server
stops. What a place is used for stays out.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, assert_never

import anyio
import structlog

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.gateway.fair_queue import FairQueue, Ticket

log = structlog.get_logger(__name__)

Outcome = Literal["admitted", "timeout", "closed"]

SHORTEST_RETRY_SECONDS = 1.0
"""The least a refused client is asked to wait: `Retry-After` is in whole seconds, and 0 invites a storm."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """How a turn got its place: `position` is how many were to be let in before it when it came, `waited` seconds.

    Both are 0 for a turn that found a free place.
    """

    position: int
    waited: float


class Admission:
    """`most_running` places; `most_waiting` may wait for one, each for `wait_seconds`, and principals in turn.

    A refused client is told to come back after the time in which one of the queue is let in, as observed by the one
    that has waited longest. So it comes when there may be room, which is sooner than when it could have been served:
    clients take a long `Retry-After` for a reason to give up.
    """

    def __init__(self, most_running: int, most_waiting: int, wait_seconds: float) -> None:
        self._line = FairQueue(most_running, most_waiting)
        self._wait_seconds = wait_seconds
        self._awake: dict[Ticket, anyio.Event] = {}
        self._closed = False

    @property
    def running(self) -> int:
        return self._line.running

    @property
    def waiting(self) -> int:
        return self._line.waiting

    @asynccontextmanager
    async def place(self, principal: str, queued: Callable[[int], None] | None = None) -> AsyncIterator[Admitted]:
        """A place for the block, after a wait if need be; `queued` is told the position at which that begins.

        Raises:
            RequestFailed: the queue is full, the wait took too long, or the server stops.
        """
        ticket = self._enter(principal)
        try:
            yield await self._admitted(ticket, queued)
        finally:
            self._leave(ticket)

    def close(self) -> None:
        """Let nobody in any more, neither those who wait nor newcomers. Who has a place keeps it."""
        self._closed = True
        for awake in self._awake.values():
            awake.set()

    def _enter(self, principal: str) -> Ticket:
        if self._closed:
            raise RequestFailed(_STOPPING)
        ticket = self._line.enter(principal, anyio.current_time())
        if ticket is None:
            log.info("queue.full", running=self.running, waiting=self.waiting)
            raise RequestFailed(self._full())
        return ticket

    def _leave(self, ticket: Ticket) -> None:
        called = self._line.leave(ticket)
        if called is not None:
            self._awake[called].set()

    async def _admitted(self, ticket: Ticket, queued: Callable[[int], None] | None) -> Admitted:
        if self._line.is_running(ticket):
            return Admitted(0, 0.0)
        position = self._line.position(ticket)
        log.info("queue.entered", position=position, waiting=self.waiting)
        if queued:
            queued(position)
        match await self._end_of_wait(ticket):
            case "admitted":
                return Admitted(position, _waited(ticket))
            case "timeout":
                raise RequestFailed(self._timed_out())
            case "closed":
                raise RequestFailed(_STOPPING)
            case never:
                assert_never(never)

    async def _end_of_wait(self, ticket: Ticket) -> Outcome:
        awake = self._awake[ticket] = anyio.Event()
        outcome: Outcome | None = None
        try:
            with anyio.move_on_after(self._wait_seconds):
                await awake.wait()
            outcome = self._outcome(ticket)
        finally:
            del self._awake[ticket]
            log.info("queue.left", waited_ms=round(_waited(ticket) * 1000), outcome=outcome or "left")
        return outcome

    def _outcome(self, ticket: Ticket) -> Outcome:
        """What is so, and not what woke the task: it may get its place in the moment in which its time is over."""
        if self._closed:
            return "closed"
        return "admitted" if self._line.is_running(ticket) else "timeout"

    def _full(self) -> Failure:
        said = (
            f"The queue is full ({self.running} running, {self.waiting} waiting): send the request again later, or let"
            " the server take more at once (--max-concurrency) or have more wait (--max-queue-size)."
        )
        return Failure(Kind.QUEUE_FULL, said, retry_after=self._retry_after())

    def _timed_out(self) -> Failure:
        said = (
            f"The request waited {self._wait_seconds:g} s in the queue and got no place: send it again later, or let"
            " the server take more at once (--max-concurrency) or have requests wait longer (--queue-timeout)."
        )
        return Failure(Kind.QUEUE_TIMEOUT, said, retry_after=self._retry_after())

    def _retry_after(self) -> float:
        return max(SHORTEST_RETRY_SECONDS, self._line.seconds_per_admission(anyio.current_time()))


def _waited(ticket: Ticket) -> float:
    return anyio.current_time() - ticket.since


_STOPPING = Failure(Kind.SHUTTING_DOWN, "The server is stopping. Send the request again in a moment.")
