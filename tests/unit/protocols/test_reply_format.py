"""The form of an answer, from what a client sends to what Claude Code is told; the refusals name what is wrong."""

import json
from typing import Any

import pytest

from claude_openai.core.failures import Kind, RequestFailed
from claude_openai.core.models import Catalogue, Model
from claude_openai.core.turn import ReplyFormat, Turn
from claude_openai.protocols.chat_completions import request as chat
from claude_openai.protocols.common.reply_format import ANY_OBJECT
from claude_openai.protocols.responses import request as responses

CATALOGUE = Catalogue((Model("sonnet"),), default="sonnet")
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
TOOL: dict[str, Any] = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


def asked(form: object, **more: object) -> Turn:
    body = {"messages": [{"role": "user", "content": "Hi"}], "response_format": form, **more}
    return chat.read_turn(chat.parse_request(json.dumps(body).encode()), CATALOGUE).turn


def asked_for_response(form: object) -> responses.ParsedRequest:
    body = json.dumps({"input": "Hi", "text": {"format": form}}).encode()
    return responses.read_turn(responses.parse_request(body), CATALOGUE, response_id="resp_1", created=1)


def named(schema: object, **more: object) -> dict[str, object]:
    return {"type": "json_schema", "json_schema": {"name": "a", "schema": schema, **more}}


def test_text_is_no_form_and_any_object_is_one() -> None:
    assert asked({"type": "text"}).reply_format is None
    assert asked(None).reply_format is None
    assert asked({"type": "json_object"}).reply_format == ANY_OBJECT
    assert asked_for_response({"type": "json_object"}).turn.reply_format == ANY_OBJECT


def test_a_schema_is_carried_as_it_is_in_both_protocols() -> None:
    form = ReplyFormat(json.dumps(SCHEMA))
    assert asked(named(SCHEMA, strict=True)).reply_format == form
    reading = asked_for_response({"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True})
    assert reading.turn.reply_format == form
    told = {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True}
    assert reading.response.text["format"] == told


@pytest.mark.proves("format.object")
def test_a_schema_beside_json_object_is_carried_and_one_that_says_nothing_is_json_mode() -> None:
    form = ReplyFormat(json.dumps(SCHEMA))
    assert asked({"type": "json_object", "schema": SCHEMA}).reply_format == form
    assert asked_for_response({"type": "json_object", "schema": SCHEMA}).turn.reply_format == form
    for nothing in ({}, {"type": "object"}, {"type": "object", "title": "Any"}, None):
        assert asked({"type": "json_object", "schema": nothing}).reply_format == ANY_OBJECT
        assert asked(named(nothing)).reply_format == ANY_OBJECT
    with pytest.raises(RequestFailed) as refused:
        asked({"type": "json_object", "schema": {"type": "array"}})
    assert refused.value.failure.param == "response_format.schema"


def test_in_json_mode_the_clients_tools_and_its_choice_stay_as_they_are() -> None:
    for choice in ("none", "auto", "required"):
        turn = asked({"type": "json_object"}, tools=[TOOL], tool_choice=choice)
        assert (turn.reply_format, turn.tool_choice.mode, len(turn.tools)) == (ANY_OBJECT, choice, 1)


def test_a_description_goes_with_the_schema_unless_it_has_its_own() -> None:
    described = asked(named(SCHEMA, description="A city.")).reply_format
    assert described
    assert described.schema
    assert json.loads(described.schema)["description"] == "A city."
    own = asked(named({**SCHEMA, "description": "A town."}, description="A city.")).reply_format
    assert own
    assert own.schema
    assert json.loads(own.schema)["description"] == "A town."


@pytest.mark.proves("format.refused")
@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"type": "json_schema"}, "response_format.json_schema"),
        ({"type": "grammar"}, "response_format.type"),
        (named(SCHEMA, name="no name"), "response_format.json_schema.name"),
        (named([]), "response_format.json_schema.schema"),
        (named({"type": "array"}), "response_format.json_schema.schema"),
        (named({"type": "object", "properties": 5}), "response_format.json_schema.schema"),
        (named({"anyOf": [SCHEMA]}), "response_format.json_schema.schema"),
        (named({"type": "object", "properties": {"a b": {}}}), "response_format.json_schema.schema"),
        (named({"type": "object", "description": "x" * 200_000}), "response_format.json_schema.schema"),
    ],
)
def test_what_is_no_form_that_claude_takes_is_a_400_that_names_it(form: object, param: str) -> None:
    with pytest.raises(RequestFailed) as refused:
        asked(form)
    assert (refused.value.failure.kind, refused.value.failure.param) == (Kind.INVALID_REQUEST, param)


@pytest.mark.proves("format.refused")
def test_a_schema_of_a_response_is_named_by_its_own_path() -> None:
    with pytest.raises(RequestFailed) as refused:
        asked_for_response({"type": "json_schema", "name": "a", "schema": {"type": "array"}})
    assert refused.value.failure.param == "text.format.schema"


def test_where_a_call_is_required_there_is_no_form_that_could_stand_for_one() -> None:
    required = asked(named(SCHEMA), tools=[TOOL], tool_choice="required")
    assert (required.reply_format, required.tool_choice.mode, len(required.tools)) == (None, "required", 1)


def test_tools_that_must_not_be_called_are_not_offered_beside_a_form() -> None:
    assert asked(named(SCHEMA), tools=[TOOL], tool_choice="none").tools == ()
    assert len(asked(named(SCHEMA), tools=[TOOL]).tools) == 1
    named_one = {"type": "function", "function": {"name": "look"}}
    assert asked(named(SCHEMA), tools=[TOOL], tool_choice=named_one).reply_format is not None
    with pytest.raises(RequestFailed, match="cannot stand beside"):
        asked(named(SCHEMA), tools=[{"type": "function", "function": {"name": "StructuredOutput"}}])
