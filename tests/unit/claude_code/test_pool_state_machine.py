"""Any order of starts, failures and ends: the supply is held against its own books after each step."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from claude_openai.claude_code.processes.pool_state import (
    INITIAL_BACKOFF_SECONDS,
    MAX_BACKOFF_SECONDS,
    MAX_START_FAILURES,
    ProcessState,
    ProcessTable,
)
from claude_openai.core.transitions import InvalidTransition

SECONDS = st.sampled_from((0.0, 0.5, 1.0, 2.0, 30.0, 100.0))


class SupplyMachine(RuleBasedStateMachine):
    """Processes are started as `missing` says, or for a conversation, and then do whatever they may."""

    @initialize(most_waiting=st.integers(0, 3))
    def open(self, most_waiting: int) -> None:
        self.most_waiting = most_waiting
        self.supply = ProcessTable(most_waiting)
        self.now = 0.0
        self.stages: dict[int, ProcessState] = {}
        self.gone: list[int] = []
        self.failures = 0
        self.resumes_at = 0.0
        self.pause = 0.0

    @rule(seconds=SECONDS)
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def refill(self) -> None:
        for _ in range(self.supply.missing(self.now)):
            self.begin(ProcessState.WAITING)
        assert self.failures or self.supply.missing(self.now) == 0

    @rule()
    def start_for_a_conversation(self) -> None:
        self.begin(ProcessState.TAKEN)

    @precondition(lambda self: self.those(ProcessState.WAITING))
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        process = self.one_of(data, ProcessState.WAITING)
        self.supply.take(process)
        self.stages[process] = ProcessState.TAKEN

    @precondition(lambda self: self.those(ProcessState.TAKEN))
    @rule(data=st.data())
    def serve(self, data: st.DataObject) -> None:
        process = self.one_of(data, ProcessState.TAKEN)
        self.supply.serve(process)
        self.stages[process] = ProcessState.SERVING
        self.failures = 0
        assert self.supply.backoff(self.now) is None

    @precondition(lambda self: self.those(ProcessState.WAITING, ProcessState.TAKEN))
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        process = self.one_of(data, ProcessState.WAITING, ProcessState.TAKEN)
        self.supply.fail(process, self.now)
        self.ends(process)
        self.failures += 1
        if self.failures == MAX_START_FAILURES:
            self.pause = INITIAL_BACKOFF_SECONDS
        elif self.failures > MAX_START_FAILURES:
            self.pause = min(2 * self.pause, MAX_BACKOFF_SECONDS)
        self.resumes_at = self.now + self.pause

    @precondition(lambda self: self.stages)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        process = self.one_of(data, *ProcessState)
        self.supply.leave(process)
        self.ends(process)

    @precondition(lambda self: self.gone)
    @rule(data=st.data())
    def nothing_comes_back(self, data: st.DataObject) -> None:
        process = data.draw(st.sampled_from(self.gone))
        self.supply.leave(process)
        for wrong in (self.supply.take, self.supply.serve):
            with pytest.raises(InvalidTransition):
                wrong(process)
        with pytest.raises(InvalidTransition):
            self.supply.fail(process, self.now)

    @invariant()
    def the_supply_agrees_with_the_books(self) -> None:
        for stage in ProcessState:
            assert self.supply.count(stage) == len(self.those(stage))
        assert self.supply.count(ProcessState.GONE) == 0

    @invariant()
    def no_more_wait_than_are_wanted(self) -> None:
        assert self.supply.count(ProcessState.WAITING) <= self.most_waiting
        missing = self.supply.missing(self.now)
        assert 0 <= missing <= self.most_waiting - self.supply.count(ProcessState.WAITING)
        assert missing <= 1 or not self.failures

    @invariant()
    def trouble_is_a_bounded_pause_after_failures_in_a_row(self) -> None:
        trouble = self.supply.backoff(self.now)
        paused = self.failures >= MAX_START_FAILURES and self.now < self.resumes_at
        assert (trouble is not None) == paused
        if trouble is not None:
            assert trouble.failures == self.failures
            assert trouble.pause == pytest.approx(self.resumes_at - self.now)
            assert 0 < trouble.pause <= MAX_BACKOFF_SECONDS
            assert self.supply.missing(self.now) == 0

    def teardown(self) -> None:
        """However it went, ending all leaves nothing."""
        for process in list(self.stages):
            self.supply.leave(process)
            self.ends(process)
        self.the_supply_agrees_with_the_books()

    def begin(self, stage: ProcessState) -> None:
        process = self.supply.start(stage)
        assert process not in [*self.stages, *self.gone]
        self.stages[process] = stage

    def ends(self, process: int) -> None:
        del self.stages[process]
        self.gone.append(process)

    def those(self, *stages: ProcessState) -> list[int]:
        return [process for process, stage in self.stages.items() if stage in stages]

    def one_of(self, data: st.DataObject, *stages: ProcessState) -> int:
        return data.draw(st.sampled_from(self.those(*stages)))


def test_no_order_of_starts_failures_and_ends_loses_a_process_starts_too_many_or_pauses_for_ever() -> None:
    one_at_a_time = settings(deadline=None, report_multiple_bugs=False)  # each takes seconds to be made short
    run_state_machine_as_test(SupplyMachine, settings=one_at_a_time)
