"""Which session is found, which makes room, and why one is not there: the rules one by one."""

from collections.abc import Callable
from functools import partial

import pytest

from claude_openai.core.fingerprint import Fingerprint, fingerprint
from claude_openai.core.messages import AssistantMessage, Message, Text, UserMessage
from claude_openai.core.models import Model
from claude_openai.core.transitions import InvalidTransition
from claude_openai.core.turn import Turn
from claude_openai.gateway.session_table import (
    MAX_REMEMBERED_ENDS,
    TRANSITIONS,
    EndReason,
    MissReason,
    SessionEntry,
    SessionEvent,
    SessionState,
    SessionTable,
)


def after(*said: str, principal: str = "local", model: str = "sonnet") -> Fingerprint:
    """Of a session that has heard and said `said`, by turns."""
    messages: list[Message] = [
        AssistantMessage(text) if index % 2 else UserMessage((Text(text),)) for index, text in enumerate(said)
    ]
    return fingerprint(Turn(Model(model), tuple(messages), principal=principal))


def why_not(table: SessionTable, standing: Fingerprint) -> MissReason:
    return table.miss_reason(standing, standing.after(UserMessage((Text("next"),))))


def waiting(table: SessionTable, standing: Fingerprint, now: float = 0.0, *, parked: bool = False) -> SessionEntry:
    entry = table.add(standing.before(1), now)
    table.release(entry, standing, now, parked=parked)
    return entry


def at(table: SessionTable, state: SessionState) -> SessionEntry:
    """A session that is in `state`."""
    if state in {SessionState.RESTING, SessionState.PARKED}:
        return waiting(table, after("hi", "hello"), parked=state is SessionState.PARKED)
    entry = table.add(after("hi"), 0.0)
    if state in {SessionState.ENDING, SessionState.GONE}:
        table.end(entry, "failed")
    if state is SessionState.GONE:
        table.remove(entry)
    return entry


MOVES: dict[SessionEvent, Callable[[SessionTable, SessionEntry], object]] = {
    SessionEvent.REST: lambda table, entry: table.release(entry, after("hi", "hello"), 1.0, parked=False),
    SessionEvent.PARK: lambda table, entry: table.release(entry, after("hi", "hello"), 1.0, parked=True),
    SessionEvent.LEAVE: lambda table, entry: table.remove(entry),
}


@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("move", MOVES)
def test_a_session_can_do_what_the_table_says_and_nothing_else(state: SessionState, move: SessionEvent) -> None:
    table = SessionTable(1)
    entry = at(table, state)
    step = partial(MOVES[move], table, entry)
    if (state, move) in TRANSITIONS:
        step()
        assert entry.state is TRANSITIONS[state, move]
    else:
        with pytest.raises(InvalidTransition, match=f"{state} cannot {move}"):
            step()
        assert entry.state is state


@pytest.mark.parametrize("state", SessionState)
def test_only_what_rests_or_is_parked_is_found_and_then_it_answers(state: SessionState) -> None:
    table = SessionTable(1)
    entry = at(table, state)
    found = table.find(after("hi", "hello"), after("hi", "hello", "more"))
    assert found is (entry if state in {SessionState.RESTING, SessionState.PARKED} else None)
    if found:
        assert found.state is SessionState.ANSWERING
        assert found.fingerprint == after("hi", "hello", "more")


@pytest.mark.parametrize("state", SessionState)
def test_whatever_is_not_ending_already_can_end_once(state: SessionState) -> None:
    table = SessionTable(1)
    entry = at(table, state)
    assert table.end(entry, "stopped") is (state not in {SessionState.ENDING, SessionState.GONE})
    assert not table.end(entry, "stopped")


def test_one_that_ends_has_its_place_until_it_is_gone() -> None:
    table = SessionTable(1)
    entry = table.add(after("hi"), 0.0)
    table.end(entry, "failed")
    assert not table.has_room()
    with pytest.raises(InvalidTransition, match="1 sessions"):
        table.add(after("hi"), 0.0)
    table.remove(entry)
    assert table.has_room()


def test_a_session_is_found_once() -> None:
    table = SessionTable(2)
    waiting(table, after("hi", "hello"))
    assert table.find(after("hi", "hello"), after("hi", "hello", "one"))
    assert table.find(after("hi", "hello"), after("hi", "hello", "two")) is None
    assert why_not(table, after("hi", "hello")) == "busy"


def test_of_two_that_nothing_tells_apart_the_one_used_last_is_found_first() -> None:
    table = SessionTable(2)
    standing, asked = after("hi", "hello"), after("hi", "hello", "more")
    first, second = waiting(table, standing, 1.0), waiting(table, standing, 2.0)
    assert [table.find(standing, asked) for _ in range(3)] == [second, first, None]


def test_a_session_is_found_where_it_stands_and_no_longer_where_it_stood() -> None:
    table = SessionTable(1)
    entry = waiting(table, after("hi", "hello"))
    assert table.find(after("hi", "hello"), after("hi", "hello", "more")) is entry
    table.release(entry, after("hi", "hello", "more", "well"), 1.0, parked=False)
    assert table.find(after("hi", "hello"), after("hi", "hello", "more")) is None
    assert table.find(after("hi", "hello", "more", "well"), after("hi")) is entry


def test_who_has_rested_longest_makes_room_then_who_has_been_parked_longest() -> None:
    table = SessionTable(5)
    seats = {
        "parked first": waiting(table, after("a", "a"), 1.0, parked=True),
        "parked last": waiting(table, after("b", "b"), 4.0, parked=True),
        "rests since 5": waiting(table, after("c", "c"), 2.0),
        "rests since 3": waiting(table, after("d", "d"), 3.0),
        "answers": table.add(after("e"), 0.0),
    }
    again = table.find(after("c", "c"), after("c", "c", "d"))
    assert again is seats["rests since 5"]
    table.release(again, after("c", "c", "d", "d"), 5.0, parked=False)
    order = []
    while victim := table.eviction_candidate():
        order += [name for name, entry in seats.items() if entry is victim]
        table.end(victim, "evicted")
        table.remove(victim)
        table.add(after("new"), 6.0)
    assert order == ["rests since 3", "rests since 5", "parked first", "parked last"]


def test_nobody_makes_room_where_there_is_some_or_will_be_in_a_moment() -> None:
    table = SessionTable(3)
    waiting(table, after("a", "a"))
    ending = table.add(after("b"), 0.0)
    assert table.eviction_candidate() is None
    table.add(after("c"), 0.0)
    table.end(ending, "failed")
    assert table.eviction_candidate() is None


STANDING = after("hi", "hello", "more", "well")
ELSEWHERE: dict[str, tuple[Fingerprint, MissReason]] = {
    "by its model": (after("hi", "hello", "more", "well", model="haiku"), "model"),
    "by what was said": (after("hi", "hello", "again", "well"), "history"),
    "by being longer": (after("hi", "hello", "more", "well", "so", "what"), "history"),
    "by being shorter": (after("hi", "hello"), "history"),
    "from its first word": (after("ho", "hello", "more", "well"), "unknown"),
    "by its key": (after("hi", "hello", "more", "well", principal="key-2"), "unknown"),
}


@pytest.mark.parametrize(("standing", "reason"), ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_session_that_stands_elsewhere_tells_by_what_it_differs(standing: Fingerprint, reason: MissReason) -> None:
    table = SessionTable(1)
    waiting(table, STANDING)
    assert table.find(standing, STANDING) is None
    assert why_not(table, standing) == reason


ENDS: tuple[EndReason, ...] = ("expired", "evicted", "died", "worn", "left", "failed", "cut", "unable", "stopped")


@pytest.mark.parametrize("why", ENDS)
def test_a_session_that_ended_where_the_history_stands_is_why(why: EndReason) -> None:
    table = SessionTable(1)
    entry = waiting(table, STANDING)
    table.end(entry, why)
    assert why_not(table, STANDING) == why
    table.remove(entry)
    assert why_not(table, STANDING) == why


def test_a_session_that_ended_while_it_answered_is_why_the_answer_is_not_continued() -> None:
    table = SessionTable(1)
    entry = table.add(after("hi", "hello", "more"), 0.0)
    table.end(entry, "left")
    assert why_not(table, after("hi", "hello", "more", "wel")) == "left"


def test_a_session_that_ended_while_it_answered_is_why_the_same_is_asked_again() -> None:
    table = SessionTable(2)
    standing, asked = after("hi", "hello"), after("hi", "hello", "more")
    table.end(table.add(asked, 0.0), "failed")
    assert table.miss_reason(standing, asked) == "failed"
    assert table.miss_reason(standing, after("hi", "hello", "else")) == "history"
    waiting(table, asked.after(AssistantMessage("well")))
    assert table.miss_reason(standing, asked) == "history"


def test_a_session_that_ended_without_an_answer_is_why_its_history_goes_on_with_other_words() -> None:
    table = SessionTable(2)
    standing = after("hi", "hello")
    waiting(table, standing)
    ended = table.find(standing, after("hi", "hello", "more"))
    assert ended
    table.end(ended, "cut")
    table.remove(ended)
    assert table.miss_reason(standing, after("hi", "hello", "more and then?")) == "cut"


def test_an_end_is_forgotten_once_another_session_stands_there() -> None:
    table = SessionTable(1)
    entry = waiting(table, STANDING)
    table.end(entry, "evicted")
    table.remove(entry)
    waiting(table, STANDING)
    table.find(STANDING, STANDING.after(UserMessage((Text("so"),))))
    assert why_not(table, STANDING) == "busy"


def test_as_many_ends_are_remembered_as_there_is_room_for_and_the_first_is_forgotten() -> None:
    table = SessionTable(1)
    for number in range(MAX_REMEMBERED_ENDS + 1):
        entry = waiting(table, after(str(number), "hello"))
        table.end(entry, "expired")
        table.remove(entry)
    reasons = [why_not(table, after(str(number), "hello")) for number in range(MAX_REMEMBERED_ENDS + 1)]
    assert reasons == ["unknown"] + ["expired"] * MAX_REMEMBERED_ENDS
