"""How many processes should wait, and when none is started: the rules one by one."""

import pytest

from claude_openai.claude_code.processes.pool_state import (
    INITIAL_BACKOFF_SECONDS,
    MAX_BACKOFF_SECONDS,
    MAX_HISTORY_FAILURES,
    MAX_START_FAILURES,
    RECENT_STARTS,
    TRANSITIONS,
    ProcessEvent,
    ProcessState,
    ProcessTable,
    StartBackoff,
    WaitsFor,
)
from claude_openai.core.transitions import InvalidTransition


def at(supply: ProcessTable, stage: ProcessState) -> int:
    """A process that is at `stage`."""
    process = supply.start(ProcessState.WAITING if stage is ProcessState.WAITING else ProcessState.TAKEN)
    if stage is ProcessState.SERVING:
        supply.serve(process)
    if stage is ProcessState.GONE:
        supply.leave(process)
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
        supply.note_start(kind)
    assert supply.to_start(0.0) == wanted


@pytest.mark.proves("processes.warm.history")
def test_one_that_waits_for_what_is_not_asked_for_makes_room_for_one_that_does() -> None:
    supply = ProcessTable(2)
    waiting = [supply.start(kind=kind) for kind in supply.to_start(0.0)]
    assert supply.to_replace() == []
    supply.note_start(NEW)
    supply.note_start(PAST)
    assert supply.to_replace() == [NEW]
    supply.leave(waiting[0])
    assert (supply.to_replace(), supply.to_start(0.0)) == ([], [PAST])
    supply.start(kind=PAST)
    assert (supply.to_replace(), supply.to_start(0.0)) == ([], [])
    fail_at(supply, 0.0)
    supply.note_start(PAST)
    assert supply.to_replace() == []


@pytest.mark.proves("processes.warm.history")
def test_none_waits_for_a_history_where_none_could_use_one() -> None:
    supply = ProcessTable(2)
    supply.note_start(PAST)
    for _ in range(MAX_HISTORY_FAILURES - 1):
        supply.note_late_history(failed=True)
    supply.note_late_history(failed=False)
    supply.note_late_history(failed=True)
    assert PAST in supply.to_start(0.0)
    for _ in range(MAX_HISTORY_FAILURES):
        supply.note_late_history(failed=True)
    assert supply.to_start(0.0) == [NEW, NEW]
