"""Who has a place, who waits for one, and who is next: plain values without a clock or a task.

A fixed number of tickets run, a bounded number wait, and nobody waits while a place is free. Principals are served in
rounds: one ticket of each that has somebody waiting, then again. Within one it is first come, first served. What a
place is for, how long anyone may wait and who is told stay out.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One that came at `since`, when `called` others had been called from the line. No two are equal."""

    principal: str
    since: float
    called: int


class FairQueue:
    """`places` for tickets that run, and a line of at most `most_waiting` in front of them."""

    def __init__(self, places: int, most_waiting: int) -> None:
        self._places = places
        self._most_waiting = most_waiting
        self._running: set[Ticket] = set()
        self._round: OrderedDict[str, deque[Ticket]] = OrderedDict()  # next principal first; nobody has an empty one
        self._called = 0

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        return sum(map(len, self._round.values()))

    def enter(self, principal: str, now: float) -> Ticket | None:
        """A ticket that runs, or waits if all places are taken; None if the line is full too."""
        ticket = Ticket(principal, now, self._called)
        if self.running < self._places:
            self._running.add(ticket)
        elif self.waiting < self._most_waiting:
            self._round.setdefault(principal, deque()).append(ticket)
        else:
            return None
        return ticket

    def is_running(self, ticket: Ticket) -> bool:
        return ticket in self._running

    def leave(self, ticket: Ticket) -> Ticket | None:
        """Take `ticket` out, whether it runs or waits: the one that has its place now, if somebody was called.

        Raises:
            ValueError: it is not in here, or not any more.
        """
        if ticket not in self._running:
            self._withdraw(ticket)
            return None
        self._running.remove(ticket)
        return self._call()

    def position(self, ticket: Ticket) -> int:
        """How many are called before `ticket`, which waits: 0 is next.

        That is as the line stands. Whoever leaves can only lower it; a newcomer raises it by one at most, and only
        where another principal has fewer waiting.
        """
        turn = list(self._round).index(ticket.principal)
        ahead = self._round[ticket.principal].index(ticket)
        return sum(min(len(queue), ahead + (each < turn)) for each, queue in enumerate(self._round.values()))

    def seconds_per_admission(self, now: float) -> float:
        """Seconds from one call to the next, as seen by the one that has waited longest.

        It is all of its wait while nobody has been called since it came, and 0 if nobody waits.
        """
        oldest = min((queue[0] for queue in self._round.values()), key=lambda ticket: ticket.since, default=None)
        if oldest is None:
            return 0.0
        return (now - oldest.since) / max(1, self._called - oldest.called)

    def _call(self) -> Ticket | None:
        if not self._round:
            return None
        principal, queue = self._round.popitem(last=False)
        ticket = queue.popleft()
        if queue:
            self._round[principal] = queue
        self._running.add(ticket)
        self._called += 1
        return ticket

    def _withdraw(self, ticket: Ticket) -> None:
        queue = self._round.get(ticket.principal, deque())
        queue.remove(ticket)
        if not queue:
            del self._round[ticket.principal]
