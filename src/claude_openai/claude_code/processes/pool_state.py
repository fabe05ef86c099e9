"""The table of processes: their states, how many more the warm pool needs, and the back-off after failed starts.

Pure: the caller passes the times, in seconds. A process waits until it is taken, or is taken from its start; then it
gets its conversation, and serves. One that ends before it serves has failed to start. After three failures in a row no
process is started for a while, longer each time; the first process that serves ends the back-off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from claude_openai.core.transitions import next_state

MAX_START_FAILURES = 3
"""In a row: one can be chance, and the second try may come at the same busy moment."""

INITIAL_BACKOFF_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 60.0
"""The pause doubles with each further failure. A person repairs the cause, and should not wait long afterwards."""


class ProcessState(StrEnum):
    """The states of a process."""

    WAITING = "waiting"
    TAKEN = "taken"
    SERVING = "serving"
    GONE = "gone"


class ProcessEvent(StrEnum):
    """What can happen to a process."""

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
    """The states of all processes; `max_waiting` of them should wait."""

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._states: dict[int, ProcessState] = {}
        self._last_number = 0
        self._failures = 0
        self._pause = INITIAL_BACKOFF_SECONDS
        self._resumes_at = 0.0

    def count(self, state: ProcessState) -> int:
        """How many processes are in `state`."""
        return sum(each is state for each in self._states.values())

    def missing(self, now: float) -> int:
        """How many to start now so that enough wait. After a failure it is one, to see whether starting works."""
        if self.backoff(now):
            return 0
        missing = self._max_waiting - self.count(ProcessState.WAITING)
        return min(missing, 1) if self._failures else missing

    def backoff(self, now: float) -> StartBackoff | None:
        """The back-off, while no process may be started; None where one may."""
        backoff = self.known_backoff(now)
        return backoff if backoff and backoff.pause else None

    def known_backoff(self, now: float) -> StartBackoff | None:
        """The back-off, also where a start may be tried again by now; None where starting works."""
        if self._failures < MAX_START_FAILURES:
            return None
        return StartBackoff(self._failures, max(0.0, self._resumes_at - now))

    def start(self, state: ProcessState = ProcessState.WAITING) -> int:
        """Add a process that is started: to wait, or (`TAKEN`) for a conversation. Returns its number."""
        self._last_number += 1
        self._states[self._last_number] = state
        return self._last_number

    def take(self, process: int) -> None:
        """A new conversation takes it."""
        self._transition(process, ProcessEvent.TAKE)

    def serve(self, process: int) -> None:
        """It answered the `initialize` request: starting works."""
        self._transition(process, ProcessEvent.SERVE)
        self._failures = 0

    def fail(self, process: int, now: float) -> None:
        """It could not be started, ended while it waited, or did not answer the `initialize` request."""
        self._transition(process, ProcessEvent.FAIL)
        self._failures += 1
        repeated = self._failures > MAX_START_FAILURES
        self._pause = min(2 * self._pause, MAX_BACKOFF_SECONDS) if repeated else INITIAL_BACKOFF_SECONDS
        self._resumes_at = now + self._pause

    def leave(self, process: int) -> None:
        """It ended as it should, or is not needed any more; no effect where it is gone already."""
        if process in self._states:
            self._transition(process, ProcessEvent.LEAVE)

    def _transition(self, process: int, event: ProcessEvent) -> None:
        state = self._states.get(process, ProcessState.GONE)
        after = next_state(TRANSITIONS, "a process", state, event)
        if after is ProcessState.GONE:
            del self._states[process]
        else:
            self._states[process] = after
