"""Completions are chat completions of one message: every parameter is decided, and the page says how."""

import json
from typing import get_type_hints

import pytest
from openai.types import completion_create_params

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.messages import SystemMessage, Text, UserMessage
from claude_openai.core.turn import Sampling
from claude_openai.protocols.chat_completions.request import ParsedRequest
from claude_openai.protocols.completions.parameters import PARAMETERS
from claude_openai.protocols.completions.request import FILL_IN, parse_request, read_turn
from claude_openai.protocols.completions.wire import CompletionRequest
from tests.unit.protocols.chat_completions.asking import CATALOGUE
from tests.unit.protocols.test_agent import rules

IN_EFFECT: dict[str, object] = {
    "echo": True,
    "best_of": 3,
    "logprobs": 0,
    "logit_bias": {"50256": -100},
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "seed": 1,
    "user": "me",
}
"""For each parameter that is ignored or refused a value that asks for something."""

IGNORED = [row.name for row in PARAMETERS if row.treatment == "ignored"]
REFUSED = [row.name for row in PARAMETERS if row.treatment == "refused"]


def reading(**fields: object) -> ParsedRequest:
    body = json.dumps({"prompt": "Say kiwi", **fields}).encode()
    return read_turn(parse_request(body), CATALOGUE, rules=rules())


def refusal(**fields: object) -> Failure:
    with pytest.raises(RequestFailed) as raised:
        reading(**fields)
    return raised.value.failure


def test_every_parameter_has_a_row_and_a_field() -> None:
    documented = get_type_hints(completion_create_params.CompletionCreateParamsStreaming)
    names = sorted(row.name for row in PARAMETERS)
    assert names == sorted([*documented, "claude"]) == sorted(CompletionRequest.model_fields)  # the last is ours
    assert sorted(IN_EFFECT) == sorted(IGNORED + REFUSED)


def test_a_prompt_is_what_the_user_says_with_all_that_is_asked_beside_it() -> None:
    read = reading(prompt=["Say kiwi"], max_tokens=5, temperature=0.5, stop="x", stream=True, model="gpt-4o")
    assert read.turn.messages == (UserMessage((Text("Say kiwi"),)),)
    assert read.turn.sampling == Sampling(max_tokens=5, temperature=0.5, stop=("x",), effort="none")
    assert (read.model, read.stream, read.ignored) == ("gpt-4o", True, ())


@pytest.mark.parametrize(("model", "effort"), [("claude-opus-5-5", "low"), ("claude-haiku-4-5", "none")])
def test_there_is_as_little_thinking_as_the_model_allows_for_which_a_completion_has_no_room(
    model: str, effort: str
) -> None:
    read = reading(model=model)
    assert (read.turn.sampling.effort, read.ignored, read.adjusted) == (effort, (), ())


def test_several_prompts_are_turns_of_their_own_with_n_answers_each() -> None:
    read = reading(prompt=["Say kiwi", "Say plum"], n=2, max_tokens=5)
    said = [UserMessage((Text(text),)) for text in ("Say kiwi", "Say plum")]
    assert [turn.messages for turn in read.turns] == [(message,) for message in said]
    assert read.answers == (read.turns[0], read.turns[0], read.turns[1], read.turns[1])
    assert {turn.sampling for turn in read.turns} == {Sampling(max_tokens=5, effort="none")}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ["x"] * 9}, "prompt"),
        ({"prompt": ["x"] * 5, "n": 2}, "n"),
        ({"n": 9}, "n"),
        ({"prompt": ["x", "y"], "claude": {"mode": "agent"}}, "prompt"),
    ],
)
def test_more_answers_than_can_be_given_are_refused(fields: dict[str, object], param: str) -> None:
    failure = refusal(**fields)
    assert (failure.kind, failure.param) == (Kind.UNSUPPORTED_PARAMETER, param)


@pytest.mark.parametrize("prompt", ["def add(a, b):\n    return ", ""])
def test_with_a_suffix_claude_is_asked_for_what_stands_between(prompt: str) -> None:
    instruction, message = reading(prompt=prompt, suffix="\n\nprint(add(1, 2))").turn.messages
    assert instruction == SystemMessage(FILL_IN)
    gap = f"<before>{prompt}</before><after>\n\nprint(add(1, 2))</after>"
    assert message == UserMessage((Text(gap),))


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_carried_is_refused_by_name(name: str) -> None:
    failure = refusal(**{name: IN_EFFECT[name]})
    assert (failure.kind, failure.param) == (Kind.UNSUPPORTED_PARAMETER, name)


@pytest.mark.parametrize("name", IGNORED)
def test_what_has_no_effect_is_reported_by_name(name: str) -> None:
    assert reading(**{name: IN_EFFECT[name]}).ignored == (name,)


def test_what_only_chat_has_is_as_unknown_as_any_other_field() -> None:
    read = reading(tools=[], messages=[], reasoning_effort="low", x=1)
    assert read.ignored == ("tools", "messages", "reasoning_effort", "x")
    assert read.turn == reading().turn


def test_an_agent_answers_prompts_too_and_what_it_does_is_not_shown() -> None:
    read = reading(claude={"mode": "agent", "showActivity": True})
    assert read.turn.agent is not None
    assert read.ignored == ("claude.showActivity",)


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        (" \n", "Invalid 'prompt': it is empty or only white space."),
        ([1, 2], "Invalid 'prompt': Claude takes text, and no tokens of another model."),
        ([[1, 2], [3]], "Invalid 'prompt': Claude takes text, and no tokens of another model."),
        ([], "Invalid 'prompt': expected a text, or several."),
        (["one", 2], "Invalid 'prompt': expected a text, or several."),
        (5, "Invalid type for 'prompt': expected a string or an array of strings, but got an integer (5) instead."),
    ],
)
def test_a_prompt_that_is_no_text_is_refused(prompt: object, sentence: str) -> None:
    failure = refusal(prompt=prompt)
    assert (failure.param, failure.message) == ("prompt", sentence)


def test_a_blank_one_of_several_is_named() -> None:
    assert refusal(prompt=["x", " "]).param == "prompt[1]"
