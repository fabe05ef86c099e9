"""A fair queue in front of a fixed number of places: pure, without a clock or a task.

A fixed number of tickets run, a bounded number wait, and no ticket waits while a place is free. Principals are served
in rounds (round robin): one ticket of each principal that has tickets waiting, then again. Within one principal the
order is first come, first served.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """`since`: arrival time; `called`: how many tickets had been called from the queue by then. No two are equal."""

    principal: str
    since: float
    called: int


class FairQueue:
    """`places` for tickets that run, and a queue of at most `max_waiting` in front of them."""

    def __init__(self, places: int, max_waiting: int) -> None:
        self._places = places
        self._max_waiting = max_waiting
        self._running: set[Ticket] = set()
        self._round: OrderedDict[str, deque[Ticket]] = OrderedDict()  # next principal first; no deque is empty
        self._called = 0

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        return sum(map(len, self._round.values()))

    def enter(self, principal: str, now: float) -> Ticket | None:
        """A ticket that runs, or waits if all places are taken; None if the queue is full too."""
        ticket = Ticket(principal, now, self._called)
        if self.running < self._places:
            self._running.add(ticket)
        elif self.waiting < self._max_waiting:
            self._round.setdefault(principal, deque()).append(ticket)
        else:
            return None
        return ticket

    def is_running(self, ticket: Ticket) -> bool:
        return ticket in self._running

    def leave(self, ticket: Ticket) -> Ticket | None:
        """Remove `ticket`, whether it runs or waits. Returns the ticket that gets its place, if one was waiting.

        Raises:
            ValueError: it is not in the queue, or not any more.
        """
        if ticket not in self._running:
            waiting = self._round.get(ticket.principal, deque())
            waiting.remove(ticket)
            if not waiting:
                del self._round[ticket.principal]
            return None
        self._running.remove(ticket)
        if not self._round:
            return None
        principal, waiting = self._round.popitem(last=False)
        called = waiting.popleft()
        if waiting:
            self._round[principal] = waiting
        self._running.add(called)
        self._called += 1
        return called

    def position(self, ticket: Ticket) -> int:
        """How many tickets are called before `ticket`, which waits: 0 is next.

        This holds for the queue as it is now. A ticket that leaves can only lower it; a new ticket raises it by one at
        most, and only where another principal has fewer waiting.
        """
        turn = list(self._round).index(ticket.principal)
        ahead = self._round[ticket.principal].index(ticket)
        return sum(min(len(waiting), ahead + (each < turn)) for each, waiting in enumerate(self._round.values()))

    def seconds_per_admission(self, now: float) -> float:
        """Seconds from one call to the next, as observed by the ticket that has waited longest.

        It is the whole wait of that ticket while none has been called since it came, and 0 if none waits.
        """
        oldest = min((waiting[0] for waiting in self._round.values()), key=lambda ticket: ticket.since, default=None)
        if oldest is None:
            return 0.0
        return (now - oldest.since) / max(1, self._called - oldest.called)
