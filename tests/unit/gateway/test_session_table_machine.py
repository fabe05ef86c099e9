"""Any order of requests, answers, ends and departures: the table is held against its own books after each step."""

from dataclasses import dataclass, field
from typing import get_args

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

from claude_openai.core.transitions import InvalidTransition
from claude_openai.gateway.session_table import (
    TRANSITIONS,
    EndReason,
    MissReason,
    SessionEntry,
    SessionEvent,
    SessionState,
    SessionTable,
)
from tests.unit.gateway.test_session_table import MOVES, after

Place = tuple[str, tuple[str, ...]]
"""A principal, and what was said and heard under it by turns: the books know no fingerprints."""

PRINCIPALS = st.sampled_from("ab")
WORDS = st.sampled_from("xy")
ENDS = st.sampled_from(get_args(EndReason))
PLACES = st.tuples(PRINCIPALS, st.lists(WORDS.map(lambda word: (word, "ok")), min_size=1, max_size=2)).map(
    lambda place: (place[0], tuple(text for pair in place[1] for text in pair))
)
"""Where sessions stand: few enough to meet again, and under another principal."""

WAITING = (SessionState.RESTING, SessionState.PARKED)
REASONS = frozenset(reason for part in get_args(MissReason) for reason in (get_args(part) or (part,)))


@dataclass(eq=False)
class Entry:
    """What the books know of one session."""

    seat: SessionEntry
    place: Place
    state: SessionState = SessionState.ANSWERING
    since: int = field(default=0)


class RosterMachine(RuleBasedStateMachine):
    """Time goes on by one with each session that comes to wait, so nobody has waited as long as another."""

    @initialize(most=st.integers(1, 4))
    def open(self, most: int) -> None:
        self.most = most
        self.table = SessionTable(most)
        self.now = 0
        self.there: list[Entry] = []
        self.gone: list[SessionEntry] = []

    @rule(principal=PRINCIPALS, word=WORDS)
    def begin(self, principal: str, word: str) -> None:
        asked = after(word, principal=principal)
        if len(self.there) == self.most:
            assert not self.table.has_room()
            with pytest.raises(InvalidTransition):
                self.table.add(asked, self.now)
            return
        seat = self.table.add(asked, self.now)
        assert seat.number not in {other.number for other in [*self.gone, *(entry.seat for entry in self.there)]}
        self.there.append(Entry(seat, (principal, (word,))))

    @rule(data=st.data(), word=WORDS)
    def ask(self, data: st.DataObject, word: str) -> None:
        """A request whose history stands at some place, whether a session waits there or not."""
        known = [entry.place for entry in self.there if len(entry.place[1]) % 2 == 0]
        principal, said = data.draw(st.sampled_from(known) | PLACES if known else PLACES)
        waiting = [entry for entry in self.there if entry.state in WAITING and entry.place == (principal, said)]
        expected = max(waiting, key=lambda entry: entry.since, default=None)
        standing, asked = after(*said, principal=principal), after(*said, word, principal=principal)
        found = self.table.find(standing, asked)
        assert found is (expected.seat if expected else None)
        if expected:
            expected.place, expected.state = (principal, (*said, word)), SessionState.ANSWERING
        else:
            assert self.table.miss_reason(standing, asked) in REASONS

    @precondition(lambda self: self.those(SessionState.ANSWERING))
    @rule(data=st.data(), parks=st.booleans())
    def complete(self, data: st.DataObject, *, parks: bool) -> None:
        entry = self.one_of(data, SessionState.ANSWERING)
        principal, said = entry.place
        self.now += 1
        standing = after(*said, "ok", principal=principal)
        self.table.release(entry.seat, standing, self.now, parked=parks)
        entry.place, entry.since = (principal, (*said, "ok")), self.now
        entry.state = SessionState.PARKED if parks else SessionState.RESTING

    @precondition(lambda self: self.there)
    @rule(data=st.data(), why=ENDS)
    def end(self, data: st.DataObject, why: EndReason) -> None:
        entry = self.one_of(data, *SessionState)
        assert self.table.end(entry.seat, why) == (entry.state is not SessionState.ENDING)
        entry.state = SessionState.ENDING

    @precondition(lambda self: self.those(SessionState.ENDING))
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.leaves(self.one_of(data, SessionState.ENDING))

    @rule(why=ENDS)
    def make_room(self, why: EndReason) -> None:
        full = len(self.there) == self.most and not self.those(SessionState.ENDING)
        order = [*self.since(SessionState.RESTING), *self.since(SessionState.PARKED)]
        expected = order[0] if full and order else None
        victim = self.table.eviction_candidate()
        assert victim is (expected.seat if expected else None)
        if expected:
            assert self.table.end(expected.seat, why)
            expected.state = SessionState.ENDING

    @precondition(lambda self: self.there)
    @rule(data=st.data(), move=st.sampled_from(list(MOVES)))
    def wrong_moves_raise_and_change_nothing(self, data: st.DataObject, move: SessionEvent) -> None:
        entry = self.one_of(data, *SessionState)
        if (entry.state, move) not in TRANSITIONS:
            with pytest.raises(InvalidTransition):
                MOVES[move](self.table, entry.seat)

    @precondition(lambda self: self.gone)
    @rule(data=st.data(), move=st.sampled_from(list(MOVES)), why=ENDS)
    def nothing_comes_back(self, data: st.DataObject, move: SessionEvent, why: EndReason) -> None:
        seat = data.draw(st.sampled_from(self.gone))
        assert not self.table.end(seat, why)
        with pytest.raises(InvalidTransition):
            MOVES[move](self.table, seat)

    @invariant()
    def the_roster_agrees_with_the_books(self) -> None:
        assert list(self.table) == [entry.seat for entry in self.there]
        assert [seat.state for seat in self.table] == [entry.state for entry in self.there]
        for state in SessionState:
            assert self.table.count(state) == len(self.those(state))
        assert len(list(self.table)) <= self.most
        assert self.table.has_room() == (len(self.there) < self.most)

    def teardown(self) -> None:
        """However it went, whoever waits is found by its own key, and ending all leaves nothing."""
        for entry in [*self.since(SessionState.RESTING), *self.since(SessionState.PARKED)]:
            principal, said = entry.place
            found = self.table.find(after(*said, principal=principal), after("x", principal=principal))
            assert found is not None
            [of] = [other for other in self.there if other.seat is found]
            assert of.place == entry.place
            of.state = SessionState.ANSWERING
        for entry in list(self.there):
            assert self.table.end(entry.seat, "stopped") == (entry.state is not SessionState.ENDING)
            self.leaves(entry)
        assert list(self.table) == []
        assert all(self.table.count(state) == 0 for state in SessionState)

    def leaves(self, entry: Entry) -> None:
        self.table.remove(entry.seat)
        self.there.remove(entry)
        self.gone.append(entry.seat)

    def those(self, *states: SessionState) -> list[Entry]:
        return [entry for entry in self.there if entry.state in states]

    def since(self, state: SessionState) -> list[Entry]:
        return sorted(self.those(state), key=lambda entry: entry.since)

    def one_of(self, data: st.DataObject, *states: SessionState) -> Entry:
        return data.draw(st.sampled_from(self.those(*states)))


def test_no_order_of_events_breaks_the_bound_or_lets_a_session_be_found_by_another_key_or_after_its_end() -> None:
    one_at_a_time = settings(deadline=None, report_multiple_bugs=False)  # each takes seconds to be made short
    run_state_machine_as_test(RosterMachine, settings=one_at_a_time)
