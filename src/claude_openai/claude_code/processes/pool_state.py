"""The table of processes: their states, how many more of which kind the warm pool needs, and the back-off after failed
starts.

Pure: the caller passes the times, in seconds. A process waits until it is taken, or is taken from its start; then it
gets its conversation, and serves. One that ends before it serves has failed to start. After three failures in a row no
process is started for a while, longer each time; the first process that serves ends the back-off.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from claude_openai.core.transitions import next_state

MAX_START_FAILURES = 3
"""Failures in a row: one may be chance, and the second start may come at the same busy moment."""

INITIAL_BACKOFF_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 60.0
"""The pause doubles with each further failure. The operator who removes the cause should not wait long afterwards."""


RECENT_STARTS = 8
"""The conversations that decide what the processes of the warm pool wait for."""

MAX_HISTORY_FAILURES = 3
"""Failures in a row after which no process waits for a history any more: this Claude Code does not read one late."""


class WaitsFor(StrEnum):
    """What a process of the warm pool waits for. Claude Code starts differently for each."""

    NEW_CONVERSATION = "new conversation"
    HISTORY = "history"


class ProcessState(StrEnum):
    """The states of a process."""

    WAITING = "waiting"
    TAKEN = "taken"
    SERVING = "serving"
    GONE = "gone"


class ProcessEvent(StrEnum):
    """The events of a process."""

    TAKE = "take"
    SERVE = "serve"
    FAIL = "fail"
    LEAVE = "leave"


TRANSITIONS: Final[Mapping[tuple[ProcessState, ProcessEvent], ProcessState]] = {
    (ProcessState.WAITING, ProcessEvent.TAKE): ProcessState.TAKEN,
    (ProcessState.WAITING, ProcessEvent.FAIL): ProcessState.GONE,
    (ProcessState.WAITING, ProcessEvent.LEAVE): ProcessState.GONE,
    (ProcessState.TAKEN, ProcessEvent.SERVE): ProcessState.SERVING,
    (ProcessState.TAKEN, ProcessEvent.FAIL): ProcessState.GONE,
    (ProcessState.TAKEN, ProcessEvent.LEAVE): ProcessState.GONE,
    (ProcessState.SERVING, ProcessEvent.LEAVE): ProcessState.GONE,
}
"""All transitions; any other is a defect."""


@dataclass(frozen=True, slots=True)
class StartBackoff:
    """Starts failed `failures` times in a row; no process is started for `pause` more seconds."""

    failures: int
    pause: float


class ProcessTable:
    """The states of all processes; `max_waiting` of them should wait. `failed_starts` counts since the beginning.

    What these wait for follows the last `RECENT_STARTS` conversations. Where both new ones and histories are among
    those, and several processes may wait, at least one waits for each. A single process waits for a history if most of
    those conversations had one.
    """

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._states: dict[int, ProcessState] = {}
        self._kinds: dict[int, WaitsFor] = {}
        self._recent: deque[WaitsFor] = deque(maxlen=RECENT_STARTS)
        self.failed_starts = 0
        self._history_failures = 0
        self._last_number = 0
        self._failures = 0
        self._pause = INITIAL_BACKOFF_SECONDS
        self._resumes_at = 0.0

    def count(self, state: ProcessState) -> int:
        """Return how many processes are in `state`."""
        return sum(each is state for each in self._states.values())

    def missing(self, now: float) -> int:
        """Return how many processes to start now so that enough wait; one after a failure, to try whether it works."""
        if self.backoff(now):
            return 0
        missing = self._max_waiting - self.count(ProcessState.WAITING)
        return min(missing, 1) if self._failures else missing

    def to_start(self, now: float) -> list[WaitsFor]:
        """Return what the processes to start now should wait for, as many as are `missing`."""
        lacking = self._wanted() - self._waiting()
        return list(lacking.elements())[: self.missing(now)]

    def to_replace(self) -> list[WaitsFor]:
        """Return what processes wait for that should end, so that others can wait for what is asked for more."""
        waiting, wanted = self._waiting(), self._wanted()
        if self._failures or waiting.total() < self._max_waiting:
            return []
        return list((waiting - wanted).elements())[: (wanted - waiting).total()]

    def note_start(self, kind: WaitsFor) -> None:
        """Record that a conversation starts which a process that waits for `kind` could take."""
        self._recent.append(kind)

    def note_late_history(self, *, failed: bool) -> None:
        """Record whether a process that waited for a history could use the one that it got."""
        self._history_failures = self._history_failures + 1 if failed else 0

    def _wanted(self) -> Counter[WaitsFor]:
        """What the waiting processes should wait for."""
        count, starts, histories = self._max_waiting, len(self._recent), self._recent.count(WaitsFor.HISTORY)
        if not histories or self._history_failures >= MAX_HISTORY_FAILURES:
            return Counter({WaitsFor.NEW_CONVERSATION: count})
        share = (2 * count * histories + starts - 1) // (2 * starts)  # rounded, a half down
        if count > 1:
            share = max(1, min(share, count if histories == starts else count - 1))
        return Counter({WaitsFor.NEW_CONVERSATION: count - share, WaitsFor.HISTORY: share})

    def _waiting(self) -> Counter[WaitsFor]:
        waiting = (number for number, state in self._states.items() if state is ProcessState.WAITING)
        return Counter(self._kinds[number] for number in waiting)

    def backoff(self, now: float) -> StartBackoff | None:
        """Return the back-off while no process may be started; None where one may."""
        backoff = self.known_backoff(now)
        return backoff if backoff and backoff.pause else None

    def known_backoff(self, now: float) -> StartBackoff | None:
        """Return the back-off, even where a start may be tried again by now; None where starts work."""
        if self._failures < MAX_START_FAILURES:
            return None
        return StartBackoff(self._failures, max(0.0, self._resumes_at - now))

    def start(self, state: ProcessState = ProcessState.WAITING, kind: WaitsFor = WaitsFor.NEW_CONVERSATION) -> int:
        """Add a process that is started: to wait for `kind`, or (`TAKEN`) for a conversation. Returns its number."""
        self._last_number += 1
        self._states[self._last_number] = state
        self._kinds[self._last_number] = kind
        return self._last_number

    def take(self, process: int) -> None:
        """Record that a conversation takes the process."""
        self._transition(process, ProcessEvent.TAKE)

    def serve(self, process: int) -> None:
        """Record that the process answered the `initialize` request: starts work."""
        self._transition(process, ProcessEvent.SERVE)
        self._failures = 0

    def fail(self, process: int, now: float) -> None:
        """Record that the process failed to start, ended while it waited, or did not answer `initialize`."""
        self._transition(process, ProcessEvent.FAIL)
        self.failed_starts += 1
        self._failures += 1
        repeated = self._failures > MAX_START_FAILURES
        self._pause = min(2 * self._pause, MAX_BACKOFF_SECONDS) if repeated else INITIAL_BACKOFF_SECONDS
        self._resumes_at = now + self._pause

    def leave(self, process: int) -> None:
        """Record that the process ended as it should, or is not needed any more. No effect where it is gone already."""
        if process in self._states:
            self._transition(process, ProcessEvent.LEAVE)

    def _transition(self, process: int, event: ProcessEvent) -> None:
        state = self._states.get(process, ProcessState.GONE)
        after = next_state(TRANSITIONS, "a process", state, event)
        if after is ProcessState.GONE:
            del self._states[process], self._kinds[process]
        else:
            self._states[process] = after
