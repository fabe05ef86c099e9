"""Which session is found, which makes room, and why one is not there: the rules one by one."""

from collections.abc import Callable
from functools import partial

import pytest

from claude_openai.core.fingerprint import Fingerprint, fingerprint
from claude_openai.core.messages import AssistantMessage, Message, Text, UserMessage
from claude_openai.core.models import Model
from claude_openai.core.turn import Turn
from claude_openai.gateway.session_table import (
    MAX_REMEMBERED_ENDS,
    TRANSITIONS,
    EndReason,
    InvalidTransition,
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


def why_not(roster: SessionTable, standing: Fingerprint) -> MissReason:
    return roster.miss_reason(standing, standing.after(UserMessage((Text("next"),))))


def waiting(roster: SessionTable, standing: Fingerprint, now: float = 0.0, *, parked: bool = False) -> SessionEntry:
    seat = roster.add(standing.before(1), now)
    roster.release(seat, standing, SessionEvent.PARK if parked else SessionEvent.REST, now)
    return seat


def at(roster: SessionTable, state: SessionState) -> SessionEntry:
    """A session that is in `state`."""
    if state in {SessionState.RESTING, SessionState.PARKED}:
        return waiting(roster, after("hi", "hello"), parked=state is SessionState.PARKED)
    seat = roster.add(after("hi"), 0.0)
    if state in {SessionState.ENDING, SessionState.GONE}:
        roster.end(seat, "failed")
    if state is SessionState.GONE:
        roster.remove(seat)
    return seat


MOVES: dict[SessionEvent, Callable[[SessionTable, SessionEntry], object]] = {
    SessionEvent.REST: lambda roster, seat: roster.release(seat, after("hi", "hello"), SessionEvent.REST, 1.0),
    SessionEvent.PARK: lambda roster, seat: roster.release(seat, after("hi", "hello"), SessionEvent.PARK, 1.0),
    SessionEvent.LEAVE: lambda roster, seat: roster.remove(seat),
}


@pytest.mark.proves("conversations.state-machine")
@pytest.mark.parametrize("state", SessionState)
@pytest.mark.parametrize("move", MOVES)
def test_a_session_can_do_what_the_table_says_and_nothing_else(state: SessionState, move: SessionEvent) -> None:
    roster = SessionTable(1)
    seat = at(roster, state)
    step = partial(MOVES[move], roster, seat)
    if (state, move) in TRANSITIONS:
        step()
        assert seat.state is TRANSITIONS[state, move]
    else:
        with pytest.raises(InvalidTransition, match=f"{state} cannot {move}"):
            step()
        assert seat.state is state


@pytest.mark.proves("conversations.state-machine")
@pytest.mark.parametrize("state", SessionState)
def test_only_what_rests_or_is_parked_is_found_and_then_it_answers(state: SessionState) -> None:
    roster = SessionTable(1)
    seat = at(roster, state)
    found = roster.find(after("hi", "hello"), after("hi", "hello", "more"))
    assert found is (seat if state in {SessionState.RESTING, SessionState.PARKED} else None)
    if found:
        assert found.state is SessionState.ANSWERING
        assert found.fingerprint == after("hi", "hello", "more")


@pytest.mark.proves("conversations.state-machine")
@pytest.mark.parametrize("state", SessionState)
def test_whatever_is_not_ending_already_can_end_once(state: SessionState) -> None:
    roster = SessionTable(1)
    seat = at(roster, state)
    assert roster.end(seat, "stopped") is (state not in {SessionState.ENDING, SessionState.GONE})
    assert not roster.end(seat, "stopped")


@pytest.mark.proves("processes.bounded")
def test_one_that_ends_has_its_place_until_it_is_gone() -> None:
    roster = SessionTable(1)
    seat = roster.add(after("hi"), 0.0)
    roster.end(seat, "failed")
    assert not roster.has_room()
    with pytest.raises(InvalidTransition, match="1 sessions"):
        roster.add(after("hi"), 0.0)
    roster.remove(seat)
    assert roster.has_room()


@pytest.mark.proves("conversations.race")
def test_a_session_is_found_once() -> None:
    roster = SessionTable(2)
    waiting(roster, after("hi", "hello"))
    assert roster.find(after("hi", "hello"), after("hi", "hello", "one"))
    assert roster.find(after("hi", "hello"), after("hi", "hello", "two")) is None
    assert why_not(roster, after("hi", "hello")) == "busy"


@pytest.mark.proves("conversations.exact", "tools.no-leak")
def test_of_two_that_nothing_tells_apart_the_one_used_last_is_found_first() -> None:
    roster = SessionTable(2)
    standing, asked = after("hi", "hello"), after("hi", "hello", "more")
    first, second = waiting(roster, standing, 1.0), waiting(roster, standing, 2.0)
    assert [roster.find(standing, asked) for _ in range(3)] == [second, first, None]


@pytest.mark.proves("conversations.exact")
def test_a_session_is_found_where_it_stands_and_no_longer_where_it_stood() -> None:
    roster = SessionTable(1)
    seat = waiting(roster, after("hi", "hello"))
    assert roster.find(after("hi", "hello"), after("hi", "hello", "more")) is seat
    roster.release(seat, after("hi", "hello", "more", "well"), SessionEvent.REST, 1.0)
    assert roster.find(after("hi", "hello"), after("hi", "hello", "more")) is None
    assert roster.find(after("hi", "hello", "more", "well"), after("hi")) is seat


@pytest.mark.proves("processes.eviction")
def test_who_has_rested_longest_makes_room_then_who_has_been_parked_longest() -> None:
    roster = SessionTable(5)
    seats = {
        "parked first": waiting(roster, after("a", "a"), 1.0, parked=True),
        "parked last": waiting(roster, after("b", "b"), 4.0, parked=True),
        "rests since 5": waiting(roster, after("c", "c"), 2.0),
        "rests since 3": waiting(roster, after("d", "d"), 3.0),
        "answers": roster.add(after("e"), 0.0),
    }
    again = roster.find(after("c", "c"), after("c", "c", "d"))
    assert again is seats["rests since 5"]
    roster.release(again, after("c", "c", "d", "d"), SessionEvent.REST, 5.0)
    order = []
    while victim := roster.eviction_candidate():
        order += [name for name, seat in seats.items() if seat is victim]
        roster.end(victim, "evicted")
        roster.remove(victim)
        roster.add(after("new"), 6.0)
    assert order == ["rests since 3", "rests since 5", "parked first", "parked last"]


@pytest.mark.proves("processes.eviction")
def test_nobody_makes_room_where_there_is_some_or_will_be_in_a_moment() -> None:
    roster = SessionTable(3)
    waiting(roster, after("a", "a"))
    ending = roster.add(after("b"), 0.0)
    assert roster.eviction_candidate() is None
    roster.add(after("c"), 0.0)
    roster.end(ending, "failed")
    assert roster.eviction_candidate() is None


STANDING = after("hi", "hello", "more", "well")
ELSEWHERE: dict[str, tuple[Fingerprint, MissReason]] = {
    "by its model": (after("hi", "hello", "more", "well", model="haiku"), "model"),
    "by what was said": (after("hi", "hello", "again", "well"), "history"),
    "by being longer": (after("hi", "hello", "more", "well", "so", "what"), "history"),
    "by being shorter": (after("hi", "hello"), "history"),
    "from its first word": (after("ho", "hello", "more", "well"), "unknown"),
    "by its key": (after("hi", "hello", "more", "well", principal="key-2"), "unknown"),
}


@pytest.mark.proves("conversations.told")
@pytest.mark.parametrize(("standing", "reason"), ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_session_that_stands_elsewhere_tells_by_what_it_differs(standing: Fingerprint, reason: MissReason) -> None:
    roster = SessionTable(1)
    waiting(roster, STANDING)
    assert roster.find(standing, STANDING) is None
    assert why_not(roster, standing) == reason


ENDS: tuple[EndReason, ...] = ("expired", "evicted", "died", "worn", "left", "failed", "cut", "unable", "stopped")


@pytest.mark.proves("conversations.told")
@pytest.mark.parametrize("why", ENDS)
def test_a_session_that_ended_where_the_history_stands_is_why(why: EndReason) -> None:
    roster = SessionTable(1)
    seat = waiting(roster, STANDING)
    roster.end(seat, why)
    assert why_not(roster, STANDING) == why
    roster.remove(seat)
    assert why_not(roster, STANDING) == why


@pytest.mark.proves("conversations.told")
def test_a_session_that_ended_while_it_answered_is_why_the_answer_is_not_continued() -> None:
    roster = SessionTable(1)
    seat = roster.add(after("hi", "hello", "more"), 0.0)
    roster.end(seat, "left")
    assert why_not(roster, after("hi", "hello", "more", "wel")) == "left"


@pytest.mark.proves("conversations.told")
def test_a_session_that_ended_while_it_answered_is_why_the_same_is_asked_again() -> None:
    roster = SessionTable(2)
    standing, asked = after("hi", "hello"), after("hi", "hello", "more")
    roster.end(roster.add(asked, 0.0), "failed")
    assert roster.miss_reason(standing, asked) == "failed"
    assert roster.miss_reason(standing, after("hi", "hello", "else")) == "history"
    waiting(roster, asked.after(AssistantMessage("well")))
    assert roster.miss_reason(standing, asked) == "history"


@pytest.mark.proves("conversations.told")
def test_a_session_that_ended_without_an_answer_is_why_its_history_goes_on_with_other_words() -> None:
    roster = SessionTable(2)
    standing = after("hi", "hello")
    waiting(roster, standing)
    ended = roster.find(standing, after("hi", "hello", "more"))
    assert ended
    roster.end(ended, "cut")
    roster.remove(ended)
    assert roster.miss_reason(standing, after("hi", "hello", "more and then?")) == "cut"


@pytest.mark.proves("conversations.told")
def test_an_end_is_forgotten_once_another_session_stands_there() -> None:
    roster = SessionTable(1)
    seat = waiting(roster, STANDING)
    roster.end(seat, "evicted")
    roster.remove(seat)
    waiting(roster, STANDING)
    roster.find(STANDING, STANDING.after(UserMessage((Text("so"),))))
    assert why_not(roster, STANDING) == "busy"


@pytest.mark.proves("processes.bounded")
def test_as_many_ends_are_remembered_as_there_is_room_for_and_the_first_is_forgotten() -> None:
    roster = SessionTable(1)
    for number in range(MAX_REMEMBERED_ENDS + 1):
        seat = waiting(roster, after(str(number), "hello"))
        roster.end(seat, "expired")
        roster.remove(seat)
    reasons = [why_not(roster, after(str(number), "hello")) for number in range(MAX_REMEMBERED_ENDS + 1)]
    assert reasons == ["unknown"] + ["expired"] * MAX_REMEMBERED_ENDS
