"""Limits how many turns run at once; the others wait in a bounded queue.

A block has its place from its first line to its last, however it ends. A turn that waits is admitted in the order of
`fair_queue`, or refused: after a bounded time, at once when the queue is full, and at once when the server stops.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import structlog

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.gateway.fair_queue import FairQueue, Ticket

log = structlog.get_logger(__name__)

SHORTEST_RETRY_SECONDS = 1.0
"""The smallest `Retry-After`: it is in whole seconds, and with 0 all refused clients would come back at once."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """How a turn got its place. `position`: how many turns were to be admitted before it when it came; `waited`: its
    wait in seconds. Both are 0 for a turn that found a free place.
    """

    position: int
    waited: float


class Admission:
    """`max_running` places. `max_waiting` turns may wait for one, each for `wait_seconds`; principals take turns.

    The `Retry-After` of a refused client is the time in which one turn of the queue is admitted, as the turn that has
    waited longest observed it. The client then comes back when there may be room in the queue, which is sooner than
    when it would have been served: clients take a long `Retry-After` for a reason to give up.
    """

    def __init__(self, max_running: int, max_waiting: int, wait_seconds: float) -> None:
        self._queue = FairQueue(max_running, max_waiting)
        self._wait_seconds = wait_seconds
        self._wakeups: dict[Ticket, anyio.Event] = {}
        self._closed = False

    @property
    def running(self) -> int:
        return self._queue.running

    @property
    def waiting(self) -> int:
        return self._queue.waiting

    @asynccontextmanager
    async def place(self, principal: str, queued: Callable[[int], None] | None = None) -> AsyncIterator[Admitted]:
        """A place for the block, after a wait if need be; `queued` is called with the position at which that begins.

        Raises:
            RequestFailed: the queue is full, the wait took too long, or the server stops.
        """
        if self._closed:
            raise RequestFailed(_STOPPING)
        ticket = self._queue.enter(principal, anyio.current_time())
        if ticket is None:
            log.info("queue.full", running=self.running, waiting=self.waiting)
            message = (
                f"The queue is full ({self.running} running, {self.waiting} waiting): send the request again later, or"
                " let the server take more at once (--max-concurrency) or have more wait (--max-queue-size)."
            )
            raise RequestFailed(Failure(Kind.QUEUE_FULL, message, retry_after=self._retry_after()))
        try:
            if self._queue.is_running(ticket):
                yield Admitted(0, 0.0)
            else:
                position = self._queue.position(ticket)
                log.info("queue.entered", position=position, waiting=self.waiting)
                if queued:
                    queued(position)
                yield Admitted(position, await self._wait(ticket))
        finally:
            next_ticket = self._queue.leave(ticket)
            if next_ticket is not None:
                self._wakeups[next_ticket].set()

    def close(self) -> None:
        """Admit no turn any more, neither waiting nor new ones. Running turns keep their places."""
        self._closed = True
        for wakeup in self._wakeups.values():
            wakeup.set()

    async def _wait(self, ticket: Ticket) -> float:
        """Wait until `ticket` runs; the seconds it took.

        Raises:
            RequestFailed: the wait took too long, or the server stops.
        """
        wakeup = self._wakeups[ticket] = anyio.Event()
        outcome = "left"
        try:
            with anyio.move_on_after(self._wait_seconds):
                await wakeup.wait()
            # Not what woke the task counts: it may get its place at the moment at which its time is over.
            outcome = "closed" if self._closed else "admitted" if self._queue.is_running(ticket) else "timeout"
        finally:
            del self._wakeups[ticket]
            waited = anyio.current_time() - ticket.since
            log.info("queue.left", waited_ms=round(waited * 1000), outcome=outcome)
        if outcome == "closed":
            raise RequestFailed(_STOPPING)
        if outcome == "timeout":
            message = (
                f"The request waited {self._wait_seconds:g} s in the queue and got no place: send it again later, or"
                " let the server take more at once (--max-concurrency) or have requests wait longer (--queue-timeout)."
            )
            raise RequestFailed(Failure(Kind.QUEUE_TIMEOUT, message, retry_after=self._retry_after()))
        return waited

    def _retry_after(self) -> float:
        return max(SHORTEST_RETRY_SECONDS, self._queue.seconds_per_admission(anyio.current_time()))


_STOPPING = Failure(Kind.SHUTTING_DOWN, "The server is stopping. Send the request again in a moment.")
