"""Which processes there are, how many more should wait for a new conversation, and whether starting them works at all.

Pure: the caller brings the times, in seconds. A process waits until it is taken, or is taken from its start; it is
introduced to its conversation, and serves. One that ends before it serves has failed to start. After three in a row
nothing is started for a while, longer each time; the first that serves ends that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_START_FAILURES = 3
"""In a row: one can be bad luck, and the second try may meet the same busy moment."""

INITIAL_BACKOFF_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 60.0
"""The pause doubles with each further failure: what is broken is mended by a person, who then should not wait long."""


class ProcessState(StrEnum):
    """Where a process is."""

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
"""Every step there is; any other is a defect."""


class InvalidTransition(RuntimeError):
    """A process cannot do that where it is. A defect of ours."""


@dataclass(frozen=True, slots=True)
class StartBackoff:
    """Starting failed `failures` times in a row; nothing is tried for `pause` more seconds."""

    failures: int
    pause: float


class ProcessTable:
    """Wants `most_waiting` processes to wait."""

    def __init__(self, most_waiting: int) -> None:
        self._most_waiting = most_waiting
        self._stages: dict[int, ProcessState] = {}
        self._last = 0
        self._failures = 0
        self._pause = INITIAL_BACKOFF_SECONDS
        self._resumes_at = 0.0

    def count(self, stage: ProcessState) -> int:
        """How many processes are at `stage`."""
        return sum(each is stage for each in self._stages.values())

    def missing(self, now: float) -> int:
        """How many to start now so that enough wait. After a failure it is one, to see whether that works."""
        if self.backoff(now):
            return 0
        missing = self._most_waiting - self.count(ProcessState.WAITING)
        return min(missing, 1) if self._failures else missing

    def backoff(self, now: float) -> StartBackoff | None:
        """Why nothing may be started at present; None where it may."""
        failing = self.known_backoff(now)
        return failing if failing and failing.pause else None

    def known_backoff(self, now: float) -> StartBackoff | None:
        """Why starting is known not to work, whether or not it may be tried again by now; None where it works."""
        if self._failures < MAX_START_FAILURES:
            return None
        return StartBackoff(self._failures, max(0.0, self._resumes_at - now))

    def start(self, stage: ProcessState = ProcessState.WAITING) -> int:
        """A process is started, to wait or for a conversation that takes it at once."""
        self._last += 1
        self._stages[self._last] = stage
        return self._last

    def take(self, process: int) -> None:
        """A new conversation takes it."""
        self._step(process, ProcessEvent.TAKE)

    def serve(self, process: int) -> None:
        """It answered its introduction: starting works."""
        self._step(process, ProcessEvent.SERVE)
        self._failures = 0

    def fail(self, process: int, now: float) -> None:
        """It could not be started, ended while it waited, or did not answer its introduction."""
        self._step(process, ProcessEvent.FAIL)
        self._failures += 1
        again = self._failures > MAX_START_FAILURES
        self._pause = min(2 * self._pause, MAX_BACKOFF_SECONDS) if again else INITIAL_BACKOFF_SECONDS
        self._resumes_at = now + self._pause

    def leave(self, process: int) -> None:
        """It ended as it should, or is of no use any more; nothing where it is gone already."""
        if process in self._stages:
            self._step(process, ProcessEvent.LEAVE)

    def _step(self, process: int, step: ProcessEvent) -> None:
        stage = self._stages.get(process, ProcessState.GONE)
        after = TRANSITIONS.get((stage, step))
        if after is None:
            raise InvalidTransition(f"a process that is {stage} cannot {step}")
        if after is ProcessState.GONE:
            del self._stages[process]
        else:
            self._stages[process] = after
