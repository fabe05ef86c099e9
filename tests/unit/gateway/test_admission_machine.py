"""The line in front of the places: its rules one by one, then any order of arrivals, releases and withdrawals."""

from collections import Counter

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

from claude_openai.gateway.fair_queue import FairQueue, Ticket


def entered(line: FairQueue, *principals: str) -> list[Ticket]:
    tickets = [line.enter(principal, 0.0) for principal in principals]
    return [ticket for ticket in tickets if ticket is not None]


def served(line: FairQueue, running: Ticket) -> list[Ticket]:
    """Who follows `running` on its place, until nobody waits."""
    order: list[Ticket] = []
    following = line.leave(running)
    while following is not None:
        order.append(following)
        following = line.leave(following)
    return order


def test_as_many_run_as_there_are_places_and_the_next_waits() -> None:
    line = FairQueue(2, 1)
    assert [line.is_running(ticket) for ticket in entered(line, "a", "a", "a")] == [True, True, False]
    assert (line.running, line.waiting) == (2, 1)


def test_a_full_line_takes_nobody_whoever_asks() -> None:
    line = FairQueue(1, 1)
    entered(line, "a", "a")
    assert line.enter("b", 0.0) is None
    assert (line.running, line.waiting) == (1, 1)


@pytest.mark.proves("admission.fair")
def test_a_principal_with_one_waiting_does_not_wait_for_all_of_another() -> None:
    line = FairQueue(1, 9)
    running, a1, a2, a3, b = entered(line, "x", "a", "a", "a", "b")
    assert [line.position(ticket) for ticket in (a1, b, a2, a3)] == [0, 1, 2, 3]
    assert served(line, running) == [a1, b, a2, a3]


@pytest.mark.proves("admission.fair")
def test_who_has_been_served_goes_to_the_end_of_the_round_even_with_nobody_left_to_serve() -> None:
    line = FairQueue(1, 9)
    running, a1, b1, b2, c = entered(line, "x", "a", "b", "b", "c")
    assert line.leave(running) is a1
    (a2,) = entered(line, "a")
    assert served(line, a1) == [b1, c, a2, b2]


@pytest.mark.proves("admission.fair")
def test_who_leaves_the_line_gives_up_its_turn_and_nobody_elses() -> None:
    line = FairQueue(1, 9)
    running, a, b1, b2 = entered(line, "x", "a", "b", "b")
    assert line.leave(a) is None
    (a_again,) = entered(line, "a")
    assert served(line, running) == [b1, a_again, b2]


def test_the_pace_is_what_the_one_that_waits_longest_has_seen() -> None:
    line = FairQueue(1, 9)
    (running,) = entered(line, "a")
    assert line.seconds_per_admission(3.0) == 0
    for principal, since in (("a", 10.0), ("a", 12.0), ("b", 14.0)):
        line.enter(principal, since)
    assert line.seconds_per_admission(18.0) == 8  # nobody called in a wait of 8 s
    first = line.leave(running)
    assert first is not None
    line.leave(first)
    assert line.seconds_per_admission(18.0) == 3  # two called in a wait of 6 s


class LineMachine(RuleBasedStateMachine):
    """Keeps its own books of who came and went, and holds the line against them after each step."""

    @initialize(places=st.integers(1, 3), most_waiting=st.integers(0, 7))
    def open(self, places: int, most_waiting: int) -> None:
        self.places, self.most_waiting = places, most_waiting
        self.line = FairQueue(places, most_waiting)
        self.running: list[Ticket] = []
        self.waiting: list[Ticket] = []
        self.gone: list[Ticket] = []
        self.passed_over: dict[str, Counter[str]] = {}
        """For each principal that has somebody waiting, who was served since it was."""

    @rule(principal=st.sampled_from("abc"))
    def arrive(self, principal: str) -> None:
        full = (len(self.running), len(self.waiting)) == (self.places, self.most_waiting)
        ticket = self.line.enter(principal, 0.0)
        assert (ticket is None) == full
        if ticket is None:
            return
        assert ticket not in self.running + self.waiting + self.gone
        if self.line.is_running(ticket):
            assert not self.waiting
            self.running.append(ticket)
        else:
            assert len(self.running) == self.places
            self.waiting.append(ticket)
            self.passed_over.setdefault(principal, Counter())

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self.leave(data.draw(st.sampled_from(self.running)))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.waiting))
        before = self.positions()
        assert self.line.leave(ticket) is None
        self.gone.append(ticket)
        self.no_longer_waits(ticket)
        assert all(position <= before[other] for other, position in self.positions().items())

    @precondition(lambda self: self.gone)
    @rule(data=st.data())
    def leave_twice(self, data: st.DataObject) -> None:
        with pytest.raises(ValueError, match="not in"):
            self.line.leave(data.draw(st.sampled_from(self.gone)))

    @invariant()
    def the_line_agrees_with_the_books(self) -> None:
        assert (self.line.running, self.line.waiting) == (len(self.running), len(self.waiting))
        assert self.line.running <= self.places
        assert self.line.waiting <= self.most_waiting
        assert all(map(self.line.is_running, self.running))
        assert not any(map(self.line.is_running, self.waiting + self.gone))

    @invariant()
    def positions_number_those_who_wait_and_each_principals_in_the_order_they_came(self) -> None:
        positions = self.positions()
        assert sorted(positions.values()) == list(range(len(self.waiting)))
        for principal in self.passed_over:
            own = [positions[ticket] for ticket in self.waiting if ticket.principal == principal]
            assert own == sorted(own)

    def teardown(self) -> None:
        """However it went, those who are left are served one by one, and no place stays taken."""
        while self.running:
            self.leave(self.running[0])
            self.the_line_agrees_with_the_books()
        assert (self.line.running, self.line.waiting) == (0, 0)
        assert self.waiting == []

    def leave(self, ticket: Ticket) -> None:
        """The first of the line has the place of `ticket`, which runs, and all others are one nearer."""
        before = self.positions()
        called = self.line.leave(ticket)
        self.running.remove(ticket)
        self.gone.append(ticket)
        assert called is min(before, key=before.__getitem__, default=None)
        if called is not None:
            self.running.append(called)
            self.no_longer_waits(called)
            self.passes_over(called.principal)
            assert self.positions() == {other: at - 1 for other, at in before.items() if other is not called}

    def no_longer_waits(self, ticket: Ticket) -> None:
        self.waiting.remove(ticket)
        if all(other.principal != ticket.principal for other in self.waiting):
            del self.passed_over[ticket.principal]

    def passes_over(self, served: str) -> None:
        if served in self.passed_over:
            self.passed_over[served].clear()
        for principal, others in self.passed_over.items():
            if principal != served:
                others[served] += 1
                assert others[served] == 1, f"{served} was served twice while {principal} had somebody waiting"

    def positions(self) -> dict[Ticket, int]:
        return {ticket: self.line.position(ticket) for ticket in self.waiting}


@pytest.mark.proves("admission.fair")
def test_no_order_of_arrivals_releases_and_withdrawals_breaks_a_bound_loses_a_ticket_or_passes_one_over() -> None:
    one_at_a_time = settings(deadline=None, report_multiple_bugs=False)  # each takes seconds to be made short
    run_state_machine_as_test(LineMachine, settings=one_at_a_time)
