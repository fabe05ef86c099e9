"""How many processes should wait, and when none is started: the rules one by one."""

import pytest

from claude_openai.claude_code.processes.pool_state import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    MOST_FAILURES,
    TRANSITIONS,
    Stage,
    Step,
    Supply,
    Trouble,
    WrongStep,
)


def at(supply: Supply, stage: Stage) -> int:
    """A process that is at `stage`."""
    process = supply.start(Stage.WAITING if stage is Stage.WAITING else Stage.TAKEN)
    if stage is Stage.SERVING:
        supply.serve(process)
    if stage is Stage.GONE:
        supply.leave(process)
    return process


def fail_at(supply: Supply, *times: float) -> None:
    for now in times:
        supply.fail(supply.start(), now)


@pytest.mark.proves("processes.warm")
def test_as_many_are_missing_as_do_not_wait() -> None:
    supply = Supply(2)
    assert supply.missing(0.0) == 2
    waiting = supply.start()
    assert supply.missing(0.0) == 1
    supply.start()
    assert supply.missing(0.0) == 0
    supply.take(waiting)
    assert supply.missing(0.0) == 1


@pytest.mark.proves("processes.warm")
def test_one_that_is_started_for_a_conversation_is_none_that_waits() -> None:
    supply = Supply(1)
    supply.start(Stage.TAKEN)
    assert supply.missing(0.0) == 1
    assert (supply.count(Stage.WAITING), supply.count(Stage.TAKEN)) == (0, 1)


@pytest.mark.proves("processes.warm")
def test_none_is_missing_where_none_is_wanted() -> None:
    supply = Supply(0)
    supply.start(Stage.TAKEN)
    assert supply.missing(0.0) == 0


@pytest.mark.proves("processes.trouble")
def test_after_a_failure_one_is_tried_before_all_are() -> None:
    supply = Supply(3)
    fail_at(supply, 0.0)
    assert supply.missing(0.0) == 1
    supply.serve(supply.start(Stage.TAKEN))
    assert supply.missing(0.0) == 3


@pytest.mark.proves("processes.trouble")
def test_three_failures_in_a_row_are_trouble_and_two_are_not() -> None:
    supply = Supply(1)
    fail_at(supply, *[0.0] * (MOST_FAILURES - 1))
    assert supply.trouble(0.0) is None
    fail_at(supply, 1.0)
    assert supply.trouble(1.5) == Trouble(MOST_FAILURES, FIRST_PAUSE_SECONDS - 0.5)
    assert supply.missing(1.5) == 0


@pytest.mark.proves("processes.trouble")
def test_a_success_in_between_ends_the_row() -> None:
    supply = Supply(1)
    fail_at(supply, 0.0, 0.0)
    supply.serve(supply.start(Stage.TAKEN))
    fail_at(supply, 0.0, 0.0)
    assert supply.trouble(0.0) is None


@pytest.mark.proves("processes.trouble")
def test_a_process_that_served_before_the_trouble_ends_it_no_more_than_its_end_adds_to_it() -> None:
    supply = Supply(1)
    serving = at(supply, Stage.SERVING)
    fail_at(supply, 0.0, 0.0, 0.0)
    supply.leave(serving)
    assert supply.trouble(0.0) == Trouble(3, FIRST_PAUSE_SECONDS)


@pytest.mark.proves("processes.trouble")
def test_after_the_pause_one_is_tried_and_its_success_ends_the_trouble() -> None:
    supply = Supply(3)
    fail_at(supply, 0.0, 0.0, 0.0)
    assert supply.trouble(FIRST_PAUSE_SECONDS) is None
    assert supply.missing(FIRST_PAUSE_SECONDS) == 1
    supply.serve(supply.start(Stage.TAKEN))
    assert supply.missing(FIRST_PAUSE_SECONDS) == 3


@pytest.mark.proves("processes.trouble")
def test_the_pause_doubles_with_each_further_failure_up_to_a_bound() -> None:
    supply, pauses = Supply(1), []
    fail_at(supply, 0.0, 0.0)
    for _ in range(7):
        fail_at(supply, 0.0)
        trouble = supply.trouble(0.0)
        assert trouble is not None
        pauses.append(trouble.pause)
    assert pauses == [2, 4, 8, 16, 32, 60, LONGEST_PAUSE_SECONDS]


@pytest.mark.proves("processes.trouble")
def test_what_fails_for_a_day_is_still_tried_once_a_minute() -> None:
    supply = Supply(1)
    fail_at(supply, *[0.0] * 24 * 60)
    assert supply.trouble(0.0) == Trouble(24 * 60, LONGEST_PAUSE_SECONDS)


@pytest.mark.proves("processes.state-machine")
@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("step", Step)
def test_a_process_can_do_what_the_table_says_and_nothing_else(stage: Stage, step: Step) -> None:
    supply = Supply(1)
    process = at(supply, stage)
    steps = {
        Step.TAKE: supply.take,
        Step.SERVE: supply.serve,
        Step.FAIL: lambda process: supply.fail(process, 0.0),
        Step.LEAVE: supply.leave,
    }
    if (stage, step) in TRANSITIONS:
        steps[step](process)
        assert supply.count(TRANSITIONS[stage, step]) == (TRANSITIONS[stage, step] is not Stage.GONE)
    elif step is Step.LEAVE:  # may be said twice
        steps[step](process)
    else:
        with pytest.raises(WrongStep, match=f"{stage} cannot {step}"):
            steps[step](process)


@pytest.mark.proves("processes.trouble")
def test_what_failed_is_told_until_a_start_succeeds_though_it_may_be_tried_again() -> None:
    supply = Supply(1)
    for _ in range(3):
        supply.fail(supply.start(), now=0.0)
    failing = supply.failing(now=1000.0)
    assert supply.trouble(now=1000.0) is None
    assert failing is not None
    assert (failing.failures, failing.pause) == (3, 0.0)
    process = supply.start(Stage.TAKEN)
    supply.serve(process)
    assert supply.failing(now=1000.0) is None
