"""The table of sessions: their states, how they are found, and which one is evicted. Pure: the caller passes the times.

A session answers, rests (idle after its answer), or is parked on calls of the client's tools. A resting or parked
session is found by the key of its fingerprint, and by nothing else. The number of sessions is bounded; one that is
ending counts until its process is gone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from claude_openai.core.fingerprint import Difference, Fingerprint
from claude_openai.core.transitions import InvalidTransition, next_state


class SessionState(StrEnum):
    """The states of a session; `ANSWERING` is the first."""

    ANSWERING = "answering"
    RESTING = "resting"
    PARKED = "parked"
    ENDING = "ending"
    GONE = "gone"


WAITING_STATES: Final = frozenset({SessionState.RESTING, SessionState.PARKED})
"""The states of a session that no request leases."""


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
"""All transitions; any other is a defect. A session that dies by itself goes through END and LEAVE at once."""

EndReason = Literal[
    "expired", "evicted", "died", "worn", "left", "cancelled", "failed", "cut", "further", "unable", "stopped"
]
"""Why a session ended, in this order: its waiting time expired; it was evicted for a new session; its process died; it
was due for recycling; its client left during the answer; its run was cancelled; its turn failed; its answer was cut (by
`max_tokens`, say); it gave a further answer to the same request (`n`); it could not be resumed with the next messages;
the server stopped."""

MissReason = Literal[Difference, EndReason, "unknown", "busy", "mixed"]
"""Why a request with a history is not answered by the session of that history. `busy`: another request leases it;
`mixed`: the request has tool results and a user message at its end."""

_NEAREST_FIRST: Final[tuple[Difference, ...]] = ("model", "profile", "format", "instructions", "tools", "history")
"""A session with the same history explains a miss better than one whose history differs, so `history` is last."""

MAX_REMEMBERED_ENDS = 1024
"""Ended sessions that are remembered, to explain later misses; some 200 bytes each."""


@dataclass(eq=False, slots=True)
class SessionEntry:
    """One session. `fingerprint`: while it waits, of the finished conversation; while it answers, of the request, and
    then `resumed_from` is the key of the conversation that it was found by.
    """

    number: int
    fingerprint: Fingerprint
    state: SessionState = SessionState.ANSWERING
    since: float = 0.0
    resumed_from: str | None = None


class SessionTable:
    """At most `max_sessions` sessions."""

    def __init__(self, max_sessions: int) -> None:
        self.max_sessions = max_sessions
        self._entries: dict[int, SessionEntry] = {}
        self._waiting: dict[str, list[SessionEntry]] = {}
        self._end_reasons: dict[str, EndReason] = {}
        self._last_number = 0

    def __iter__(self) -> Iterator[SessionEntry]:
        return iter(tuple(self._entries.values()))

    def count(self, state: SessionState) -> int:
        """How many sessions are in `state`."""
        return sum(entry.state is state for entry in self._entries.values())

    def find(self, history: Fingerprint, request: Fingerprint) -> SessionEntry | None:
        """The session whose conversation is exactly `history`; from now on it answers `request`."""
        waiting = self._waiting.get(history.key)
        if not waiting:
            return None
        entry = waiting[-1]  # of several with the same conversation, the one that was used last
        self._transition(entry, SessionEvent.GO_ON)
        entry.fingerprint, entry.resumed_from = request, history.key
        return entry

    def miss_reason(self, history: Fingerprint, request: Fingerprint) -> MissReason:
        """Why no session has `history` to answer `request`: for people to read, never to decide by."""
        # The session ended while it had this history, while it was asked for its last part, or for this very request.
        for key in (history.key, history.before(1).key, request.key):
            if reason := self._end_reasons.get(key):
                return reason
        for entry in reversed(self._entries.values()):
            if entry.state is SessionState.ANSWERING and entry.fingerprint.starts_with(history):
                return "busy"
        differences = {entry.fingerprint.difference(history) for entry in self._entries.values()}
        return next((difference for difference in _NEAREST_FIRST if difference in differences), "unknown")

    def has_room(self) -> bool:
        """Whether one more session may start."""
        return len(self._entries) < self.max_sessions

    def eviction_candidate(self) -> SessionEntry | None:
        """The session to end where there is no room: the one that has rested longest, else has been parked longest.

        None where all sessions answer, or one is ending already.
        """
        if self.has_room() or self.count(SessionState.ENDING):
            return None
        for state in (SessionState.RESTING, SessionState.PARKED):
            if entries := [entry for entry in self._entries.values() if entry.state is state]:
                return min(entries, key=lambda entry: (entry.since, entry.number))
        return None

    def add(self, request: Fingerprint, now: float) -> SessionEntry:
        """The entry of a new session, which answers `request`.

        Raises:
            InvalidTransition: there is no room.
        """
        if not self.has_room():
            raise InvalidTransition(f"{self.max_sessions} sessions are there")
        self._last_number += 1
        entry = self._entries[self._last_number] = SessionEntry(self._last_number, request, since=now)
        return entry

    def release(self, entry: SessionEntry, conversation: Fingerprint, now: float, *, parked: bool) -> None:
        """The answer is complete: from now on the session is found by `conversation`."""
        self._transition(entry, SessionEvent.PARK if parked else SessionEvent.REST)
        for key in (entry.fingerprint.key, conversation.key):
            self._end_reasons.pop(key, None)
        entry.fingerprint, entry.resumed_from, entry.since = conversation, None, now
        self._waiting.setdefault(conversation.key, []).append(entry)

    def end(self, entry: SessionEntry, reason: EndReason) -> bool:
        """The session takes no more requests. False where it is ending or gone already."""
        if entry.state in {SessionState.ENDING, SessionState.GONE}:
            return False
        # After no answer, or an empty one, the client goes on from the earlier conversation with another message.
        for key in filter(None, (entry.fingerprint.key, entry.resumed_from)):
            self._end_reasons.pop(key, None)
            self._end_reasons[key] = reason
            if len(self._end_reasons) > MAX_REMEMBERED_ENDS:
                del self._end_reasons[next(iter(self._end_reasons))]
        self._transition(entry, SessionEvent.END)
        return True

    def remove(self, entry: SessionEntry) -> None:
        """The session's process is gone: there is room for another session."""
        self._transition(entry, SessionEvent.LEAVE)
        del self._entries[entry.number]

    def _transition(self, entry: SessionEntry, event: SessionEvent) -> None:
        state = next_state(TRANSITIONS, "a session", entry.state, event)
        if entry.state in WAITING_STATES:
            key = entry.fingerprint.key
            self._waiting[key].remove(entry)
            if not self._waiting[key]:
                del self._waiting[key]
        entry.state = state
