"""How many processes should wait, and when none is started: the rules one by one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claude_openai.claude_code.processes.pool_state import (
    BURST_SECONDS,
    INITIAL_BACKOFF_SECONDS,
    MAX_BACKOFF_SECONDS,
    MAX_BURST,
    MAX_HISTORY_FAILURES,
    MAX_START_FAILURES,
    MEMORY_SHARE,
    RECENT_STARTS,
    REMEMBERED_SECONDS,
    TRANSITIONS,
    WAITING_BYTES,
    Bursts,
    ProcessEvent,
    ProcessState,
    ProcessTable,
    StartBackoff,
    WaitsFor,
)
from claude_openai.core.load import WarmPoolLoad
from claude_openai.core.transitions import InvalidTransition


def at(supply: ProcessTable, stage: ProcessState) -> int:
    """A process that is at `stage`."""
    process = supply.start(
        ProcessState.WAITING if stage in {ProcessState.WAITING, ProcessState.DISMISSED} else ProcessState.TAKEN
    )
    if stage is ProcessState.SERVING:
        supply.serve(process)
    if stage is ProcessState.GONE:
        supply.leave(process)
    if stage is ProcessState.DISMISSED:
        supply.dismiss(process)
    return process


def fail_at(supply: ProcessTable, *times: float) -> None:
    for now in times:
        supply.fail(supply.start(), now)


def test_as_many_are_missing_as_do_not_wait() -> None:
    supply = ProcessTable(2)
    assert supply.missing(0.0) == 2
    waiting = supply.start()
    assert supply.missing(0.0) == 1
    supply.start()
    assert supply.missing(0.0) == 0
    supply.take(waiting)
    assert supply.missing(0.0) == 1


def test_one_that_is_started_for_a_conversation_is_none_that_waits() -> None:
    supply = ProcessTable(1)
    supply.start(ProcessState.TAKEN)
    assert supply.missing(0.0) == 1
    assert (supply.count(ProcessState.WAITING), supply.count(ProcessState.TAKEN)) == (0, 1)


def test_none_is_missing_where_none_is_wanted() -> None:
    supply = ProcessTable(0)
    supply.start(ProcessState.TAKEN)
    assert supply.missing(0.0) == 0


def test_after_a_failure_one_is_tried_before_all_are() -> None:
    supply = ProcessTable(3)
    fail_at(supply, 0.0)
    assert supply.missing(0.0) == 1
    supply.serve(supply.start(ProcessState.TAKEN))
    assert supply.missing(0.0) == 3


def test_three_failures_in_a_row_are_trouble_and_two_are_not() -> None:
    supply = ProcessTable(1)
    fail_at(supply, *[0.0] * (MAX_START_FAILURES - 1))
    assert supply.backoff(0.0) is None
    fail_at(supply, 1.0)
    assert supply.backoff(1.5) == StartBackoff(MAX_START_FAILURES, INITIAL_BACKOFF_SECONDS - 0.5)
    assert supply.missing(1.5) == 0


def test_a_success_in_between_ends_the_row() -> None:
    supply = ProcessTable(1)
    fail_at(supply, 0.0, 0.0)
    supply.serve(supply.start(ProcessState.TAKEN))
    fail_at(supply, 0.0, 0.0)
    assert supply.backoff(0.0) is None


def test_a_process_that_served_before_the_trouble_ends_it_no_more_than_its_end_adds_to_it() -> None:
    supply = ProcessTable(1)
    serving = at(supply, ProcessState.SERVING)
    fail_at(supply, 0.0, 0.0, 0.0)
    supply.leave(serving)
    assert supply.backoff(0.0) == StartBackoff(3, INITIAL_BACKOFF_SECONDS)


def test_after_the_pause_one_is_tried_and_its_success_ends_the_trouble() -> None:
    supply = ProcessTable(3)
    fail_at(supply, 0.0, 0.0, 0.0)
    assert supply.backoff(INITIAL_BACKOFF_SECONDS) is None
    assert supply.missing(INITIAL_BACKOFF_SECONDS) == 1
    supply.serve(supply.start(ProcessState.TAKEN))
    assert supply.missing(INITIAL_BACKOFF_SECONDS) == 3


def test_the_pause_doubles_with_each_further_failure_up_to_a_bound() -> None:
    supply, pauses = ProcessTable(1), []
    fail_at(supply, 0.0, 0.0)
    for _ in range(7):
        fail_at(supply, 0.0)
        trouble = supply.backoff(0.0)
        assert trouble is not None
        pauses.append(trouble.pause)
    assert pauses == [2, 4, 8, 16, 32, 60, MAX_BACKOFF_SECONDS]


def test_what_fails_for_a_day_is_still_tried_once_a_minute() -> None:
    supply = ProcessTable(1)
    fail_at(supply, *[0.0] * 24 * 60)
    assert supply.backoff(0.0) == StartBackoff(24 * 60, MAX_BACKOFF_SECONDS)


@pytest.mark.parametrize("stage", ProcessState)
@pytest.mark.parametrize("step", ProcessEvent)
def test_a_process_can_do_what_the_table_says_and_nothing_else(stage: ProcessState, step: ProcessEvent) -> None:
    supply = ProcessTable(1)
    process = at(supply, stage)
    steps = {
        ProcessEvent.TAKE: supply.take,
        ProcessEvent.SERVE: supply.serve,
        ProcessEvent.FAIL: lambda process: supply.fail(process, 0.0),
        ProcessEvent.DISMISS: supply.dismiss,
        ProcessEvent.LEAVE: supply.leave,
    }
    if (stage, step) in TRANSITIONS:
        steps[step](process)
        assert supply.count(TRANSITIONS[stage, step]) == (TRANSITIONS[stage, step] is not ProcessState.GONE)
    elif step is ProcessEvent.LEAVE:  # may be said twice
        steps[step](process)
    else:
        with pytest.raises(InvalidTransition, match=f"{stage} cannot {step}"):
            steps[step](process)


def test_what_failed_is_told_until_a_start_succeeds_though_it_may_be_tried_again() -> None:
    supply = ProcessTable(1)
    for _ in range(3):
        supply.fail(supply.start(), now=0.0)
    failing = supply.known_backoff(now=1000.0)
    assert supply.backoff(now=1000.0) is None
    assert failing is not None
    assert (failing.failures, failing.pause) == (3, 0.0)
    process = supply.start(ProcessState.TAKEN)
    supply.serve(process)
    assert supply.known_backoff(now=1000.0) is None


NEW, PAST = WaitsFor.NEW_CONVERSATION, WaitsFor.HISTORY


@pytest.mark.proves("processes.warm.history")
@pytest.mark.parametrize(
    ("waiting", "starts", "wanted"),
    [
        (2, [], [NEW, NEW]),
        (2, [NEW], [NEW, NEW]),
        (2, [NEW, PAST], [NEW, PAST]),
        (2, [PAST], [PAST, PAST]),
        (2, [NEW, *[PAST] * (RECENT_STARTS - 1)], [NEW, PAST]),
        (2, [NEW, *[PAST] * RECENT_STARTS], [PAST, PAST]),
        (2, [PAST, *[NEW] * RECENT_STARTS], [NEW, NEW]),
        (4, [NEW, PAST, PAST, PAST], [NEW, PAST, PAST, PAST]),
        (4, [PAST, *[NEW] * (RECENT_STARTS - 1)], [NEW, NEW, NEW, PAST]),
        (1, [PAST], [PAST]),
        (1, [NEW, PAST], [NEW]),
        (1, [NEW, PAST, PAST], [PAST]),
        (0, [PAST], []),
    ],
)
def test_what_processes_wait_for_follows_what_was_asked_for(
    waiting: int, starts: list[WaitsFor], wanted: list[WaitsFor]
) -> None:
    supply = ProcessTable(waiting)
    for kind in starts:
        supply.note_start(kind, 0.0)
    assert supply.to_start(0.0) == wanted


@pytest.mark.proves("processes.warm.history")
def test_one_that_waits_for_what_is_not_asked_for_makes_room_for_one_that_does() -> None:
    supply = ProcessTable(2)
    waiting = [supply.start(kind=kind) for kind in supply.to_start(0.0)]
    assert supply.to_dismiss(0.0) == []
    supply.note_start(NEW, 0.0)
    supply.note_start(PAST, 0.0)
    assert supply.to_dismiss(0.0) == [NEW]
    supply.leave(waiting[0])
    assert (supply.to_dismiss(0.0), supply.to_start(0.0)) == ([], [PAST])
    supply.start(kind=PAST)
    assert (supply.to_dismiss(0.0), supply.to_start(0.0)) == ([], [])
    fail_at(supply, 0.0)
    supply.note_start(PAST, 0.0)
    assert supply.to_dismiss(0.0) == []


@pytest.mark.proves("processes.warm.history")
def test_none_waits_for_a_history_where_none_could_use_one() -> None:
    supply = ProcessTable(2)
    supply.note_start(PAST, 0.0)
    for _ in range(MAX_HISTORY_FAILURES - 1):
        supply.note_late_history(failed=True)
    supply.note_late_history(failed=False)
    supply.note_late_history(failed=True)
    assert PAST in supply.to_start(0.0)
    for _ in range(MAX_HISTORY_FAILURES):
        supply.note_late_history(failed=True)
    assert supply.to_start(0.0) == [NEW, NEW]


# The size of the pool follows the bursts

PLENTY = 1e12


def adaptive(max_processes: int = 16, available_bytes: float = PLENTY) -> ProcessTable:
    supply = ProcessTable(None, max_processes)
    supply.available_bytes = available_bytes
    return supply


def start_at(supply: ProcessTable, kinds: list[WaitsFor], now: float = 0.0) -> None:
    for kind in kinds:
        supply.note_start(kind, now)


@given(st.lists(st.floats(0, 2 * REMEMBERED_SECONDS), max_size=30), st.floats(0, REMEMBERED_SECONDS))
@example([0.0] * (MAX_BURST + 1), 1.0)
@pytest.mark.proves("processes.warm.bursts")
def test_the_largest_burst_is_the_most_starts_within_its_time_as_long_as_it_is_remembered(
    times: list[float], later: float
) -> None:
    times.sort()
    bursts = Bursts()
    for time in times:
        bursts.note(time)
    now = max(times, default=0.0) + later
    sizes = [sum(end - BURST_SECONDS < each <= end for each in times[: index + 1]) for index, end in enumerate(times)]
    remembered = [size for size, end in zip(sizes, times, strict=True) if end > now - REMEMBERED_SECONDS]
    assert bursts.largest(now) == min(MAX_BURST, max(remembered, default=0))


@pytest.mark.proves("processes.warm.bursts")
@pytest.mark.parametrize(
    ("starts", "now", "wanted"),
    [
        ([], 0.0, [NEW]),
        ([NEW], 0.0, [NEW]),
        ([NEW] * 8, 0.0, [NEW] * 8),
        ([NEW] * 8, REMEMBERED_SECONDS, [NEW]),
        ([PAST], 0.0, [NEW, PAST]),
        ([NEW, PAST, NEW, PAST, PAST], 1.0, [NEW, NEW, PAST, PAST, PAST]),
        ([PAST] * 3, 2 * REMEMBERED_SECONDS, [NEW, PAST]),
        ([NEW] * 30, 0.0, [NEW] * 16),
        ([NEW] * 30 + [PAST] * 4, 0.0, [NEW] * 12 + [PAST] * 4),
        ([NEW] * 30 + [PAST] * 30, 0.0, [NEW] * 8 + [PAST] * 8),
    ],
)
def test_as_many_wait_as_the_largest_burst_had(starts: list[WaitsFor], now: float, wanted: list[WaitsFor]) -> None:
    supply = adaptive()
    start_at(supply, starts)
    assert supply.to_start(now) == wanted


@pytest.mark.proves("processes.warm.bursts")
@pytest.mark.parametrize(
    ("available", "wanted"),
    [(0, [NEW]), (2, [NEW, PAST]), (3, [NEW, NEW, PAST]), (5, [NEW] * 3 + [PAST] * 2), (100, [NEW] * 8 + [PAST] * 2)],
)
def test_a_part_of_the_memory_bounds_the_pool_and_the_kind_with_more_gives_way(
    available: int, wanted: list[WaitsFor]
) -> None:
    supply = adaptive(available_bytes=available * MEMORY_SHARE * WAITING_BYTES)
    start_at(supply, [NEW] * 8 + [PAST] * 2)
    assert supply.to_start(0.0) == wanted
    assert supply.load(0.0) == WarmPoolLoad(10, 0, "memory" if available < 10 else None)


@pytest.mark.proves("processes.warm.bursts", "processes.bounded")
def test_conversations_have_their_places_and_the_pool_what_they_leave() -> None:
    supply = adaptive(max_processes=5)
    start_at(supply, [NEW] * 4)
    serving = [at(supply, ProcessState.SERVING) for _ in range(3)]
    assert supply.to_start(0.0) == [NEW, NEW]
    assert supply.load(0.0) == WarmPoolLoad(4, 0, "max_processes")
    for kind in supply.to_start(0.0):
        supply.start(kind=kind)
    assert supply.is_full()
    supply.leave(serving[0])
    assert not supply.is_full()
    assert supply.to_start(0.0) == [NEW]
    assert supply.load(0.0) == WarmPoolLoad(4, 2, "max_processes")


@pytest.mark.proves("processes.warm.bursts")
def test_what_waits_ends_when_its_burst_is_long_ago_or_memory_is_short_and_counts_until_it_is_gone() -> None:
    supply = adaptive()
    start_at(supply, [NEW, NEW, PAST])
    waiting = [supply.start(kind=kind) for kind in supply.to_start(0.0)]
    assert supply.to_dismiss(0.0) == []
    supply.available_bytes = -MEMORY_SHARE * WAITING_BYTES
    assert supply.to_dismiss(0.0) == [NEW, PAST]
    supply.dismiss(waiting[0])
    assert supply.count(ProcessState.WAITING) == 2
    supply.available_bytes = PLENTY
    assert supply.to_start(0.0) == []
    supply.leave(waiting[0])
    assert supply.to_start(0.0) == [NEW]
    supply.start(kind=NEW)
    assert supply.to_dismiss(REMEMBERED_SECONDS) == [NEW]


def test_a_fixed_number_stays_whatever_comes() -> None:
    supply = ProcessTable(2, 16)
    start_at(supply, [NEW] * 8)
    assert supply.to_start(0.0) == [NEW, NEW]
    assert supply.load(0.0) == WarmPoolLoad(2, 0)
    assert not supply.is_full()
