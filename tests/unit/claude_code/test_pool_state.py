"""How many processes should wait, and when none is started: the rules one by one."""

import pytest

from claude_openai.claude_code.processes.pool_state import (
    INITIAL_BACKOFF_SECONDS,
    MAX_BACKOFF_SECONDS,
    MAX_START_FAILURES,
    TRANSITIONS,
    ProcessEvent,
    ProcessState,
    ProcessTable,
    StartBackoff,
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
