"""Which sessions there are, what each may do next, and which must go: pure, the caller brings the times.

A session answers, rests after its answer, or is parked on calls of the client's tools. Who rests or is parked is found
by the key of its fingerprint, and by nothing else. There is room for a bounded number, those that are ending included:
a process counts until it is gone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from claude_openai.core.fingerprint import Difference, Fingerprint


class SessionState(StrEnum):
    """Where a session is; a session starts as answering."""

    ANSWERING = "answering"
    RESTING = "resting"
    PARKED = "parked"
    ENDING = "ending"
    GONE = "gone"


class SessionEvent(StrEnum):
    """What can happen to a session."""

    REST = "rest"
    PARK = "park"
    GO_ON = "go_on"
    END = "end"
    LEAVE = "leave"


TRANSITIONS: Final[Mapping[tuple[SessionState, SessionEvent], SessionState]] = {
    (SessionState.ANSWERING, SessionEvent.REST): SessionState.RESTING,
    (SessionState.ANSWERING, SessionEvent.PARK): SessionState.PARKED,
    (SessionState.ANSWERING, SessionEvent.END): SessionState.ENDING,
    (SessionState.RESTING, SessionEvent.GO_ON): SessionState.ANSWERING,
    (SessionState.RESTING, SessionEvent.END): SessionState.ENDING,
    (SessionState.PARKED, SessionEvent.GO_ON): SessionState.ANSWERING,
    (SessionState.PARKED, SessionEvent.END): SessionState.ENDING,
    (SessionState.ENDING, SessionEvent.LEAVE): SessionState.GONE,
}
"""Every move there is; any other is a defect. A session that dies by itself ends and leaves in one go."""

EndReason = Literal[
    "expired", "evicted", "died", "worn", "left", "cancelled", "failed", "cut", "further", "unable", "stopped"
]
"""Why a session ended: it waited too long, made room, died, had served enough, its client left in mid-answer, its run
was cancelled, its turn failed, its answer was cut (by `max_tokens`, say) or a further one to the same request, it could
not take what came next, or the server stopped."""

MissReason = Literal[Difference, EndReason, "unknown", "busy", "mixed"]
"""Why a request with a history is not answered by a session that has it. `busy`: another request was faster; `mixed`:
results and the user's words came together."""

_NEAREST_FIRST: Final[tuple[Difference, ...]] = ("model", "profile", "format", "instructions", "tools", "history")
"""The session that has heard the same tells more of why it does not fit than a branch of the conversation."""

MAX_REMEMBERED_ENDS = 1024
"""Ends that are kept to tell why a session was not there; some 200 bytes each."""


class InvalidTransition(RuntimeError):  # noqa: N818 -- named for what happened, as everywhere here
    """A session cannot do that where it is. A defect of ours."""


@dataclass(eq=False, slots=True)
class SessionEntry:
    """One session's place. `fingerprint` is of where it last stood still, or of what it has been asked since; then
    `stood` is the key of where it stood.
    """

    number: int
    fingerprint: Fingerprint
    state: SessionState = SessionState.ANSWERING
    since: float = 0.0
    stood: str | None = None


class SessionTable:
    """At most `most` sessions."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._seats: dict[int, SessionEntry] = {}
        self._waiting: dict[str, list[SessionEntry]] = {}
        self._ends: dict[str, EndReason] = {}
        self._last = 0

    def __iter__(self) -> Iterator[SessionEntry]:
        return iter(tuple(self._seats.values()))

    def count(self, state: SessionState) -> int:
        """How many sessions are in `state`."""
        return sum(seat.state is state for seat in self._seats.values())

    def find(self, standing: Fingerprint, asked: Fingerprint) -> SessionEntry | None:
        """The session that stands exactly at `standing`, which from now on answers `asked`."""
        waiting = self._waiting.get(standing.key)
        if not waiting:
            return None
        seat = waiting[-1]  # of several that nothing tells apart, the one that was used last
        self._move(seat, SessionEvent.GO_ON)
        seat.fingerprint, seat.stood = asked, standing.key
        return seat

    def miss_reason(self, standing: Fingerprint, asked: Fingerprint) -> MissReason:
        """Why no session stands at `standing` to be asked `asked`: for people, never to decide by."""
        # It ended there, or while it was being asked for the rest, or the very same.
        for key in (standing.key, standing.before(1).key, asked.key):
            if end := self._ends.get(key):
                return end
        for seat in reversed(self._seats.values()):
            if seat.state is SessionState.ANSWERING and seat.fingerprint.starts_with(standing):
                return "busy"
        found = {seat.fingerprint.difference(standing) for seat in self._seats.values()}
        return next((difference for difference in _NEAREST_FIRST if difference in found), "unknown")

    def has_room(self) -> bool:
        """Whether one more session may start."""
        return len(self._seats) < self.most

    def eviction_candidate(self) -> SessionEntry | None:
        """Who goes first where there is no room: who has rested longest, then who has been parked longest.

        None where all are answering, or somebody is ending already.
        """
        if self.has_room() or self.count(SessionState.ENDING):
            return None
        for state in (SessionState.RESTING, SessionState.PARKED):
            if there := [seat for seat in self._seats.values() if seat.state is state]:
                return min(there, key=lambda seat: (seat.since, seat.number))
        return None

    def add(self, asked: Fingerprint, now: float) -> SessionEntry:
        """A place for a new session, which answers `asked`.

        Raises:
            WrongMove: there is no room.
        """
        if not self.has_room():
            raise InvalidTransition(f"{self.most} sessions are there")
        self._last += 1
        seat = self._seats[self._last] = SessionEntry(self._last, asked, since=now)
        return seat

    def release(
        self, seat: SessionEntry, standing: Fingerprint, move: Literal[SessionEvent.REST, SessionEvent.PARK], now: float
    ) -> None:
        """The answer is complete: from now on `seat` is found at `standing`."""
        self._move(seat, move)
        for key in (seat.fingerprint.key, standing.key):
            self._ends.pop(key, None)
        seat.fingerprint, seat.stood, seat.since = standing, None, now
        self._waiting.setdefault(standing.key, []).append(seat)

    def end(self, seat: SessionEntry, why: EndReason) -> bool:
        """Nothing goes to `seat` any more. False where it is ending or gone already."""
        if seat.state in {SessionState.ENDING, SessionState.GONE}:
            return False
        self._remember(seat.fingerprint.key, why)
        if seat.stood:  # after no answer, or an empty one, the client goes on from there with other words
            self._remember(seat.stood, why)
        self._move(seat, SessionEvent.END)
        return True

    def remove(self, seat: SessionEntry) -> None:
        """The session is no more: its place is free."""
        self._move(seat, SessionEvent.LEAVE)
        del self._seats[seat.number]

    def _move(self, seat: SessionEntry, move: SessionEvent) -> None:
        state = TRANSITIONS.get((seat.state, move))
        if state is None:
            raise InvalidTransition(f"a session that is {seat.state} cannot {move}")
        if seat.state in {SessionState.RESTING, SessionState.PARKED}:
            self._no_longer_waits(seat)
        seat.state = state

    def _no_longer_waits(self, seat: SessionEntry) -> None:
        key = seat.fingerprint.key
        self._waiting[key].remove(seat)
        if not self._waiting[key]:
            del self._waiting[key]

    def _remember(self, key: str, why: EndReason) -> None:
        self._ends.pop(key, None)
        self._ends[key] = why
        if len(self._ends) > MAX_REMEMBERED_ENDS:
            del self._ends[next(iter(self._ends))]
