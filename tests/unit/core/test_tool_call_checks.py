"""Whether the model's call can be handed to the client, and what the model is told where it cannot."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.core.tool_call_checks import Toolbox
from claude_openai.core.tools import Tool
from tests.unit.jsontools.test_strict import json_values

TODO = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "minLength": 1},
        "due": {"type": "string", "format": "date-time"},
        "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}},
    },
    "required": ["title"],
    "additionalProperties": False,
    "$defs": {
        "step": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    },
}

TOOLBOX = Toolbox((Tool("add_todo", json.dumps(TODO)), Tool("ping", '{"type": "object", "properties": {}}')))


def problem(arguments: object, name: str = "add_todo") -> str | None:
    return TOOLBOX.problem(name, json.dumps(arguments))


@pytest.mark.proves("tools.invalid")
def test_a_call_that_fits_is_no_problem() -> None:
    todo = {"title": "Paint", "due": "2026-01-31T12:30:00Z", "steps": [{"text": "Buy colours", "more": 1}]}
    assert problem(todo) is None
    assert problem({"title": "Paint"}) is None


@pytest.mark.proves("tools.invalid")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "'title' is a required property"),
        ({"title": "Paint", "steps": [{"text": "a"}, {}]}, "at 'steps/1', 'text' is a required property"),
        (
            {"title": "Paint", "due": "tomorrow"},
            "at 'due', 'tomorrow' is not a 'date-time', such as 2026-01-31T12:30:00Z",
        ),
        ({"title": "", "steps": 1}, "at 'title', '' should be non-empty; at 'steps', 1 is not of type 'array'"),
    ],
    ids=["required", "nested", "format", "two faults"],
)
def test_what_does_not_fit_is_told_in_words_to_mend_it_by(arguments: object, told: str) -> None:
    assert problem(arguments) == f"The arguments of add_todo do not fit its schema: {told}."


@pytest.mark.proves("tools.invalid")
def test_arguments_that_are_no_object_are_told() -> None:
    assert problem(["Paint"]) == "The arguments of add_todo must be a JSON object."


@pytest.mark.proves("tools.invalid")
def test_a_tool_that_is_not_offered_is_told_with_those_that_are() -> None:
    assert problem({}, "remove_todo") == "There is no tool named 'remove_todo'. Available: add_todo, ping."


@pytest.mark.proves("tools.invalid")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ('{"title": "Pai', "Unterminated string starting at at line 1, column 11"),
        ('{"title": NaN}', "NaN is no number in JSON"),
        ('{"title": "a", "title": "b"}', 'the name "title" stands twice in one object'),
        ('{"title":' * 100_000, "it is nested more than 200 levels deep"),
    ],
    ids=["cut off", "not a number", "twice", "deep"],
)
def test_what_the_client_could_not_send_back_is_no_json(arguments: str, reason: str) -> None:
    assert TOOLBOX.problem("add_todo", arguments) == f"The arguments of add_todo are not valid JSON: {reason}."


@pytest.mark.proves("tools.invalid")
@pytest.mark.parametrize("nothing", ["", " \n", "{}"])
def test_no_arguments_are_an_empty_object(nothing: str) -> None:
    assert TOOLBOX.problem("ping", nothing) is None


@pytest.mark.proves("tools.invalid")
def test_a_fault_in_a_whole_file_is_told_in_brief() -> None:
    told = problem({"title": ["x" * 1_000_000]})
    assert told is not None
    assert len(told) < 1000
    assert told.endswith("is not of type 'string'.")


@pytest.mark.proves("tools.invalid")
@given(st.sampled_from(["add_todo", "ping", ""]), st.text() | json_values.map(json.dumps))
def test_whatever_the_model_writes_is_right_or_told_in_a_sentence(name: str, arguments: str) -> None:
    told = TOOLBOX.problem(name, arguments)
    assert told is None or told.endswith(".")
