"""What counts as the same conversation, and what does not."""

import json
from dataclasses import fields, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.core.agent import AgentProfile
from claude_openai.core.fingerprint import Fingerprint, fingerprint, newest
from claude_openai.core.messages import (
    AssistantMessage,
    Document,
    Image,
    ImageUrl,
    Message,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from claude_openai.core.models import Model
from claude_openai.core.tools import Tool, ToolChoice
from claude_openai.core.turn import Sampling, Turn


def user(*texts: str) -> UserMessage:
    return UserMessage(tuple(map(Text, texts)))


AGENT = AgentProfile("/work")
SYSTEM = SystemMessage("Be brief.")
CALL = ToolCall("call_1", "look", '{"city": "Rome", "days": [1, 2]}')
ANSWER = AssistantMessage("Let me look.", (CALL,))
RESULT = ToolMessage("call_1", (Text("32"),))
TURN = Turn(
    Model("sonnet", "claude-sonnet-4-5"), (SYSTEM, user("Weather?"), ANSWER, RESULT), tools=(Tool("look", "{}"),)
)


def with_answer(text: str = ANSWER.text, arguments: str = CALL.arguments, **call: str) -> Turn:
    answer = AssistantMessage(text, (replace(CALL, arguments=arguments, **call),))
    return replace(TURN, messages=(SYSTEM, user("Weather?"), answer, RESULT))


LAWFUL = {
    "white space around an answer": with_answer("\n Let me look.\t"),
    "the order of arguments": with_answer(arguments='{"days": [1, 2], "city": "Rome"}'),
    "white space among arguments": with_answer(arguments='{"city":"Rome",\n  "days":[ 1,2 ] }\n'),
    "escapes in arguments": with_answer(arguments='{"city": "\\u0052ome", "days": [1, 2]}'),
    "the form of numbers": with_answer(arguments='{"city": "Rome", "days": [1.0, 20e-1]}'),
    "white space as JavaScript has it": with_answer("\ufeffLet me look.\u2029"),
    "the name a model was asked for by": replace(TURN, model=Model("fast", "claude-sonnet-4-5")),
    "sampling": replace(TURN, sampling=Sampling(max_tokens=9, temperature=0.5, top_p=0.5, stop=("x",))),
    "the choice of tools": replace(TURN, tool_choice=ToolChoice("required", parallel=False)),
}


@pytest.mark.parametrize("turn", LAWFUL.values(), ids=LAWFUL.keys())
def test_what_may_be_written_differently_does_not_count(turn: Turn) -> None:
    assert fingerprint(turn) == fingerprint(TURN)
    assert fingerprint(turn).key == fingerprint(TURN).key


DIFFERENT = {
    "the key": replace(TURN, principal="key-2"),
    "the model": replace(TURN, model=Model("sonnet", "claude-sonnet-4-6")),
    "a model that does not resolve": replace(TURN, model=Model("sonnet")),
    "the instructions": replace(TURN, messages=(SystemMessage("Be long."), *TURN.messages[1:])),
    "no instructions": replace(TURN, messages=TURN.messages[1:]),
    "instructions in two": replace(TURN, messages=(SystemMessage("Be "), SystemMessage("brief."), *TURN.messages[1:])),
    "white space in the instructions": replace(TURN, messages=(SystemMessage("Be brief. "), *TURN.messages[1:])),
    "no tools": replace(TURN, tools=()),
    "another tool": replace(TURN, tools=(*TURN.tools, Tool("hear", "{}"))),
    "a tool's schema": replace(TURN, tools=(Tool("look", '{"type": "object"}'),)),
    "a tool's description": replace(TURN, tools=(Tool("look", "{}", "Looks."),)),
    "a tool's strictness": replace(TURN, tools=(Tool("look", "{}", strict=True),)),
    "white space within an answer": with_answer("Let me  look."),
    "an answer's text": with_answer("Let me see."),
    "a call's id": with_answer(id="call_2"),
    "a call's name": with_answer(name="hear"),
    "an argument": with_answer(arguments='{"city": "Roma", "days": [1, 2]}'),
    "an argument's type": with_answer(arguments='{"city": "Rome", "days": [1, "2"]}'),
    "the order in a list": with_answer(arguments='{"city": "Rome", "days": [2, 1]}'),
    "one argument less": with_answer(arguments='{"city": "Rome"}'),
    "a call less": replace(TURN, messages=(SYSTEM, user("Weather?"), replace(ANSWER, tool_calls=()), RESULT)),
    "white space around a question": replace(TURN, messages=(SYSTEM, user("Weather? "), ANSWER, RESULT)),
    "a question in two": replace(TURN, messages=(SYSTEM, user("Wea", "ther?"), ANSWER, RESULT)),
    "two questions": replace(TURN, messages=(SYSTEM, user("Wea"), user("ther?"), ANSWER, RESULT)),
    "a result's text": replace(TURN, messages=(*TURN.messages[:-1], ToolMessage("call_1", (Text("33"),)))),
    "a result's call": replace(TURN, messages=(*TURN.messages[:-1], ToolMessage("call_2", (Text("32"),)))),
    "words for a result": replace(TURN, messages=(*TURN.messages[:-1], user("32"))),
    "one message less": replace(TURN, messages=TURN.messages[:-1]),
    "one message more": replace(TURN, messages=(*TURN.messages, user("And?"))),
    "the agent profile": replace(TURN, agent=AGENT),
    "another order": replace(TURN, messages=(SYSTEM, ANSWER, RESULT, user("Weather?"))),
}


@pytest.mark.parametrize("turn", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_everything_else_counts(turn: Turn) -> None:
    assert fingerprint(turn) != fingerprint(TURN)
    assert fingerprint(turn).key != fingerprint(TURN).key


WITHIN_THE_PROFILE: dict[str, AgentProfile] = {
    "directory": replace(AGENT, directory="/work2"),
    "permission_mode": replace(AGENT, permission_mode="plan"),
    "allowed_tools": replace(AGENT, allowed_tools=("Bash",)),
    "disallowed_tools": replace(AGENT, disallowed_tools=("Bash",)),
    "add_dirs": replace(AGENT, add_dirs=("/more",)),
    "setting_sources": replace(AGENT, setting_sources=("user",)),
    "max_turns": replace(AGENT, max_turns=3),
    "max_budget_usd": replace(AGENT, max_budget_usd=0.5),
}


@pytest.mark.proves("agent.sessions")
def test_all_of_an_agents_profile_counts_but_how_it_is_shown() -> None:
    one = replace(TURN, agent=AGENT)
    assert {*WITHIN_THE_PROFILE, "show_activity"} == {each.name for each in fields(AgentProfile)}
    for profile in WITHIN_THE_PROFILE.values():
        other = replace(TURN, agent=profile)
        assert fingerprint(one).difference(fingerprint(other)) == "profile"
    assert fingerprint(one) == fingerprint(replace(TURN, agent=replace(AGENT, show_activity="events")))


def test_content_of_different_kinds_is_never_taken_for_the_same() -> None:
    blocks = (
        Text("aGk="),
        ImageUrl("aGk="),
        Image("image/png", "aGk="),
        Image("image/gif", "aGk="),
        Document("aGk="),
        Document("aGk=", "hi.pdf"),
    )
    keys = {fingerprint(replace(TURN, messages=(UserMessage((block,)),))).key for block in blocks}
    assert len(keys) == len(blocks)


def test_nothing_that_was_said_can_pass_for_the_key_it_was_said_under() -> None:
    """Each part has its own place: moving text from one to the next is another conversation."""
    one = replace(TURN, principal="a", messages=(SystemMessage("bc"), user("d")))
    for other in (
        replace(TURN, principal="ab", messages=(SystemMessage("c"), user("d"))),
        replace(TURN, principal="a", messages=(SystemMessage("b"), user("cd"))),
        replace(TURN, principal="a", messages=(user("bc"), user("d"))),
    ):
        assert fingerprint(one).key != fingerprint(other).key


def test_half_a_character_is_the_same_as_what_clients_make_of_it() -> None:
    cut, made = with_answer("Rome \ud83c", '{"flag": "\\ud83c"}'), with_answer("Rome \ufffd", '{"flag": "\ufffd"}')
    assert fingerprint(cut) == fingerprint(made)


@pytest.mark.parametrize("arguments", ["", "  ", "{}", " { }\n"])
def test_a_call_without_arguments_is_the_same_however_that_is_written(arguments: str) -> None:
    assert fingerprint(with_answer(arguments=arguments)) == fingerprint(with_answer(arguments="{}"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(st.text(), JSON, max_size=4)


@given(ARGUMENTS, ARGUMENTS, st.randoms())
def test_arguments_are_the_same_exactly_if_they_say_the_same(
    one: dict[str, object], other: dict[str, object], chance: Random
) -> None:
    shuffled = list(one.items())
    chance.shuffle(shuffled)
    same = json.dumps(dict(shuffled), indent=chance.choice((None, 2)), ensure_ascii=chance.choice((True, False)))
    written = fingerprint(with_answer(arguments=json.dumps(one)))
    assert fingerprint(with_answer(arguments=same)) == written
    assert (fingerprint(with_answer(arguments=json.dumps(other))) == written) == (read(one) == read(other))


def read(value: object) -> object:
    """As JavaScript does: one kind of number, and yet no number is true or false."""
    match value:
        case dict():
            return {name: read(each) for name, each in value.items()}
        case list():
            return [read(each) for each in value]
        case _:
            return isinstance(value, bool), value


MESSAGES = st.lists(
    st.builds(user, st.sampled_from("ab"))
    | st.builds(AssistantMessage, st.sampled_from("ab"))
    | st.builds(ToolMessage, st.sampled_from("ab"), st.just((Text("a"),))),
    max_size=5,
)


def heard(messages: list[Message]) -> Fingerprint:
    return fingerprint(replace(TURN, messages=(SYSTEM, *messages)))


@given(MESSAGES, MESSAGES)
def test_a_fingerprint_grows_with_what_is_said_and_shrinks_back(before: list[Message], new: list[Message]) -> None:
    grown = heard(before)
    for message in new:
        grown = grown.after(message)
    assert grown == heard(before + new)
    assert grown.before(len(new)) == heard(before)
    assert grown.starts_with(heard(before))


@given(MESSAGES, MESSAGES)
def test_one_starts_with_the_other_exactly_if_its_messages_do(one: list[Message], other: list[Message]) -> None:
    assert heard(one).starts_with(heard(other)) == (one[: len(other)] == other)


DIFFERENCES = {
    "nothing": (TURN, None),
    "the model": (replace(TURN, model=Model("haiku")), "model"),
    "the instructions": (replace(TURN, messages=TURN.messages[1:]), "instructions"),
    "the tools": (replace(TURN, tools=()), "tools"),
    "what was said": (with_answer("Let me see."), "history"),
    "the key, which makes it a stranger's": (replace(TURN, principal="key-2"), None),
    "its first message, which makes it another's": (
        replace(TURN, messages=(SYSTEM, user("Hello"), *TURN.messages[2:])),
        None,
    ),
}


@pytest.mark.parametrize(("turn", "difference"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_what_keeps_two_of_one_conversation_apart_has_a_name(turn: Turn, difference: str | None) -> None:
    assert fingerprint(TURN).difference(fingerprint(turn)) == difference


A1, A2 = AssistantMessage("one"), AssistantMessage("two")
U1, U2, U3 = user("1"), user("2"), user("3")

NEWEST: dict[str, tuple[tuple[Message, ...], tuple[Message, ...]]] = {
    "the first words of a conversation": ((SYSTEM, U1), ()),
    "several first words": ((U1, U2), ()),
    "words after an answer": ((SYSTEM, U1, A1, U2), (U2,)),
    "several words after an answer": ((U1, A1, U2, U3), (U2, U3)),
    "instructions among the words": ((U1, A1, U2, SYSTEM, U3), (U2, U3)),
    "words after the last of several answers": ((U1, A1, U2, A2, U3), (U3,)),
    "a result": ((U1, ANSWER, RESULT), (RESULT,)),
    "several results": ((U1, ANSWER, RESULT, RESULT), (RESULT, RESULT)),
    "words after a result": ((U1, ANSWER, RESULT, U2), ()),
    "a history that begins with an answer": ((A1, U1), (U1,)),
    "an answer": ((U1, A1), ()),
    "nothing": ((), ()),
}


@pytest.mark.parametrize(("messages", "new"), NEWEST.values(), ids=NEWEST.keys())
def test_new_is_what_a_session_has_still_to_hear(messages: tuple[Message, ...], new: tuple[Message, ...]) -> None:
    assert newest(messages) == new


def test_a_messages_digest_is_of_all_that_was_said_before_it() -> None:
    one, other = (fingerprint(replace(TURN, messages=(user(first), ANSWER, RESULT))) for first in ("Hi.", "Ho."))
    assert not set(one.messages) & set(other.messages)
    assert one.key != other.key
    assert one.before(1).after(RESULT) == one
