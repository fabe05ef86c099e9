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

from claude_openai.core.load import WarmPoolLoad
from claude_openai.core.transitions import next_state

MAX_START_FAILURES = 3
"""Failures in a row: one may be chance, and the second start may come at the same busy moment."""

INITIAL_BACKOFF_SECONDS = 2.0
MAX_BACKOFF_SECONDS = 60.0
"""The pause doubles with each further failure. The operator who removes the cause should not wait long afterwards."""


RECENT_STARTS = 8
"""The conversations that decide what the processes of a warm pool of a fixed size wait for."""

BURST_SECONDS = 3.0
"""Conversations that start within this time are a burst: the pool is filled again in seconds, not while it lasts."""

REMEMBERED_SECONDS = 600.0
"""The largest burst of this time decides how many processes wait: long enough for people who read an answer."""

MAX_BURST = 64
"""Larger bursts count as this one; no machine has processes for as many by default."""

WAITING_BYTES = 130_000_000
"""Memory of a waiting process: 86 to 91 MB of its own, and some of what is shared (measured)."""

MEMORY_SHARE = 4
"""One part in so many of the available memory is for processes that wait beyond the first."""

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
    DISMISSED = "dismissed"
    GONE = "gone"


class ProcessEvent(StrEnum):
    """The events of a process."""

    TAKE = "take"
    SERVE = "serve"
    FAIL = "fail"
    DISMISS = "dismiss"
    LEAVE = "leave"


TRANSITIONS: Final[Mapping[tuple[ProcessState, ProcessEvent], ProcessState]] = {
    (ProcessState.WAITING, ProcessEvent.TAKE): ProcessState.TAKEN,
    (ProcessState.WAITING, ProcessEvent.FAIL): ProcessState.GONE,
    (ProcessState.WAITING, ProcessEvent.DISMISS): ProcessState.DISMISSED,
    (ProcessState.WAITING, ProcessEvent.LEAVE): ProcessState.GONE,
    (ProcessState.DISMISSED, ProcessEvent.LEAVE): ProcessState.GONE,
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


class Bursts:
    """The largest burst of the last `REMEMBERED_SECONDS`: the most starts within `BURST_SECONDS`. The times never
    decrease.
    """

    def __init__(self) -> None:
        self._starts: deque[float] = deque(maxlen=MAX_BURST)
        self._largest: deque[tuple[float, int]] = (
            deque()
        )  # later ones are smaller: those that count once others are old

    def note(self, now: float) -> None:
        """Record a start."""
        self._starts.append(now)
        while self._starts[0] <= now - BURST_SECONDS:
            self._starts.popleft()
        while self._largest and self._largest[-1][1] <= len(self._starts):
            self._largest.pop()
        self._largest.append((now, len(self._starts)))

    def largest(self, now: float) -> int:
        """Return the size of the largest burst; 0 where nothing has started for so long."""
        while self._largest and self._largest[0][0] <= now - REMEMBERED_SECONDS:
            self._largest.popleft()
        return self._largest[0][1] if self._largest else 0


class ProcessTable:
    """The states of all processes; `max_waiting` of them should wait. `failed_starts` counts since the beginning.

    Where `max_waiting` is a number, what these wait for follows the last `RECENT_STARTS` conversations. Where both new
    ones and histories are among those, and several processes may wait, at least one waits for each. A single process
    waits for a history if most of those conversations had one.

    Where it is None, as many wait for new conversations as the largest burst of the last `REMEMBERED_SECONDS` had of
    them, at least one; and as many for a history as it had of those, at least one once there was any. The bounds are
    `max_processes` in all, and the share of `available_bytes`, the memory that the caller sets.
    """

    def __init__(self, max_waiting: int | None, max_processes: int = 0) -> None:
        self._max_waiting = max_waiting
        self._max_processes = max_processes
        self._states: dict[int, ProcessState] = {}
        self._kinds: dict[int, WaitsFor] = {}
        self._recent: deque[WaitsFor] = deque(maxlen=RECENT_STARTS)
        self._bursts = {kind: Bursts() for kind in WaitsFor}
        self._seen: set[WaitsFor] = set()
        self.available_bytes: float = 0
        self.failed_starts = 0
        self._history_failures = 0
        self._last_number = 0
        self._failures = 0
        self._pause = INITIAL_BACKOFF_SECONDS
        self._resumes_at = 0.0

    @property
    def adapts(self) -> bool:
        """Whether the number of waiting processes follows the bursts, and changes with time and memory."""
        return self._max_waiting is None

    def is_full(self) -> bool:
        """Whether a waiting process has to end before one more may start."""
        return self.adapts and len(self._states) >= self._max_processes

    def count(self, state: ProcessState) -> int:
        """Return how many processes are in `state`."""
        return sum(each is state for each in self._states.values())

    def missing(self, now: float) -> int:
        """Return how many processes to start now so that enough wait; one after a failure, to try whether it works."""
        if self.backoff(now):
            return 0
        there = self.count(ProcessState.WAITING) + self.count(ProcessState.DISMISSED)
        missing = max(0, self._wanted(now).total() - there)
        return min(missing, 1) if self._failures else missing

    def to_start(self, now: float) -> list[WaitsFor]:
        """Return what the processes to start now should wait for, as many as are `missing`."""
        lacking = self._wanted(now) - self._waiting()
        return list(lacking.elements())[: self.missing(now)]

    def to_dismiss(self, now: float) -> list[WaitsFor]:
        """Return what processes wait for that should end: for others, that wait for what is asked for more, or because
        fewer should wait.
        """
        waiting, wanted = self._waiting(), self._wanted(now)
        surplus = waiting.total() - wanted.total()
        if surplus < 0 or (self._failures and surplus == 0):
            return []
        return list((waiting - wanted).elements())[: surplus + (wanted - waiting).total()]

    def note_start(self, kind: WaitsFor, now: float) -> None:
        """Record that a conversation starts which a process that waits for `kind` could take."""
        self._recent.append(kind)
        self._bursts[kind].note(now)
        self._seen.add(kind)

    def note_late_history(self, *, failed: bool) -> None:
        """Record whether a process that waited for a history could use the one that it got."""
        self._history_failures = self._history_failures + 1 if failed else 0

    def load(self, now: float) -> WarmPoolLoad:
        """Return how many processes should wait if nothing bounded them, how many do, and what bounds them."""
        asked = self._asked(now).total()
        places, memory = self._bounds()
        waiting = self.count(ProcessState.WAITING)
        if not self.adapts or asked <= min(places, memory):
            return WarmPoolLoad(asked, waiting)
        return WarmPoolLoad(asked, waiting, "memory" if memory < places else "max_processes")

    def _wanted(self, now: float) -> Counter[WaitsFor]:
        """What the waiting processes should wait for. Where a bound allows fewer than are asked for, the kind that has
        more gives way.
        """
        wanted = self._asked(now)
        while self.adapts and wanted.total() > min(self._bounds()):
            wanted[max(reversed(WaitsFor), key=wanted.__getitem__)] -= 1
        return wanted

    def _asked(self, now: float) -> Counter[WaitsFor]:
        """What the processes would wait for if nothing bounded them."""
        if self._max_waiting is None:
            new = max(1, self._bursts[WaitsFor.NEW_CONVERSATION].largest(now))
            if self._history_failures >= MAX_HISTORY_FAILURES or WaitsFor.HISTORY not in self._seen:
                return Counter({WaitsFor.NEW_CONVERSATION: new})
            histories = max(1, self._bursts[WaitsFor.HISTORY].largest(now))
            return Counter({WaitsFor.NEW_CONVERSATION: new, WaitsFor.HISTORY: histories})
        count, starts, histories = self._max_waiting, len(self._recent), self._recent.count(WaitsFor.HISTORY)
        if not histories or self._history_failures >= MAX_HISTORY_FAILURES:
            return Counter({WaitsFor.NEW_CONVERSATION: count})
        share = (2 * count * histories + starts - 1) // (2 * starts)  # rounded, a half down
        if count > 1:
            share = max(1, min(share, count if histories == starts else count - 1))
        return Counter({WaitsFor.NEW_CONVERSATION: count - share, WaitsFor.HISTORY: share})

    def _bounds(self) -> tuple[int, int]:
        """How many processes may wait: by the places that conversations leave, and by memory; at least one."""
        waiting = self.count(ProcessState.WAITING)
        busy = self.count(ProcessState.TAKEN) + self.count(ProcessState.SERVING)
        memory = self.available_bytes + waiting * WAITING_BYTES
        return max(1, self._max_processes - busy), max(1, int(memory / MEMORY_SHARE / WAITING_BYTES))

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

    def dismiss(self, process: int) -> None:
        """Record that the process, which waits, is being ended."""
        self._transition(process, ProcessEvent.DISMISS)

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
