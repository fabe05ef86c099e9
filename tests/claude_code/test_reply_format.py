"""Answers in a form that the client asked for, by the official client with the real Claude Code."""

import json
from datetime import datetime
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

from claude_openai.simulator import RecordedRequest, Reply, Text, ToolUse
from tests.claude_code.conftest import NEW_MODEL, Rig
from tests.processes import command_lines

pytestmark = [pytest.mark.anyio, pytest.mark.proves("format.fits")]

TOOL = "StructuredOutput"
ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Which city?"}]


class City(BaseModel):
    """What is asked for."""

    name: str
    people: int


ROME = {"name": "Rome", "people": 3}
FORM: Any = {"type": "json_schema", "json_schema": {"name": "city", "schema": City.model_json_schema()}}


def gives(value: object, *, before: str = "") -> Reply:
    said = (Text.of(before),) if before else ()
    return Reply((*said, ToolUse(TOOL, value)))  # type: ignore[arg-type]  # wrong values are the point


def plays(rig: Rig, *replies: Reply) -> None:
    """One after the other, the last one again and again."""
    rig.plays(lambda _: replies[min(len(rig.simulator.requests), len(replies)) - 1])


async def test_parse_gives_the_model_that_was_asked_for(rig: Rig) -> None:
    plays(rig, gives(ROME))
    answer = await rig.client.chat.completions.parse(model=NEW_MODEL, messages=ASK, response_format=City)
    assert answer.choices[0].message.parsed == City(name="Rome", people=3)
    assert answer.choices[0].finish_reason == "stop"
    [request] = rig.simulator.requests
    assert [tool["name"] for tool in request.tools] == [TOOL]
    assert request.tools[0]["input_schema"]["required"] == ["name", "people"]


@pytest.mark.proves("format.streamed")
async def test_a_stream_has_the_text_as_it_is_written_and_parses(rig: Rig) -> None:
    plays(rig, gives(ROME))
    async with rig.client.chat.completions.stream(model=NEW_MODEL, messages=ASK, response_format=City) as stream:
        deltas = [event.delta async for event in stream if event.type == "content.delta"]
        completion = await stream.get_final_completion()
    assert len(deltas) > 1
    assert json.loads("".join(deltas)) == ROME
    assert completion.choices[0].message.parsed == City(name="Rome", people=3)


async def test_responses_parse_too(rig: Rig) -> None:
    plays(rig, gives(ROME))
    response = await rig.client.responses.parse(model=NEW_MODEL, input="Which city?", text_format=City)
    assert response.output_parsed == City(name="Rome", people=3)


@pytest.mark.proves("format.mended")
async def test_words_before_it_and_answers_that_do_not_fit_are_no_part_of_it(rig: Rig) -> None:
    plays(rig, Reply.of("A fine city."), gives({"name": 5}), gives(ROME, before="Here it is:"))
    assert json.loads(await rig.said("Which city?", response_format=FORM) or "") == ROME
    assert len(rig.simulator.requests) == 3


@pytest.mark.proves("format.unfit")
async def test_what_was_streamed_and_does_not_fit_is_an_error(rig: Rig) -> None:
    plays(rig, gives({"name": 5}), gives(ROME))
    stream = await rig.client.chat.completions.create(model=NEW_MODEL, messages=ASK, response_format=FORM, stream=True)
    with pytest.raises(openai.APIError, match="does not fit the form") as error:
        [chunk async for chunk in stream]
    assert error.value.code == "invalid_structured_output"


@pytest.mark.proves("format.unfit")
async def test_what_is_never_mended_is_an_error(rig: Rig) -> None:
    for reply in (gives({"name": 5}), Reply(())):
        plays(rig, reply)
        with pytest.raises(openai.InternalServerError) as error:
            await rig.said("Which city?", response_format=FORM)
        assert (error.value.status_code, error.value.code) == (502, "invalid_structured_output")


class Event(BaseModel):
    """Its `at` has a format, of which Claude Code's own check knows nothing."""

    at: datetime


NAIVE, EXACT = {"at": "2026-01-31T12:00:00"}, {"at": "2026-01-31T12:00:00Z"}


@pytest.mark.proves("format.mended")
async def test_what_only_our_check_finds_goes_back_to_the_model_too(rig: Rig) -> None:
    plays(rig, gives(NAIVE), gives(EXACT))
    answer = await rig.client.chat.completions.parse(model=NEW_MODEL, messages=ASK, response_format=Event)
    assert answer.choices[0].message.parsed == Event.model_validate(EXACT)
    assert "is not a 'date-time'" in json.dumps(rig.simulator.requests[-1].messages)


@pytest.mark.proves("format.unfit")
async def test_what_only_our_check_finds_is_an_error_after_as_many_tries(rig: Rig) -> None:
    plays(rig, gives(NAIVE))
    with pytest.raises(openai.InternalServerError) as error:
        await rig.client.chat.completions.parse(model=NEW_MODEL, messages=ASK, response_format=Event)
    assert (error.value.code, len(rig.simulator.requests)) == ("invalid_structured_output", 5)


@pytest.mark.proves("format.mended", "format.private")
async def test_where_results_are_taken_up_again_the_answer_is_checked_as_anywhere(rig: Rig) -> None:
    parameters = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    weather: Any = {"type": "function", "function": {"name": "weather", "strict": True, "parameters": parameters}}
    call: Any = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    history: list[ChatCompletionMessageParam] = [
        *ASK,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny."},
    ]
    seen: list[str] = []

    def script(_: RecordedRequest) -> Reply:
        seen.extend(command_lines())
        return gives(NAIVE if len(rig.simulator.requests) == 1 else EXACT)

    rig.plays(script)
    answer = await rig.client.chat.completions.parse(
        model=NEW_MODEL, messages=history, tools=[weather], response_format=Event
    )
    assert answer.choices[0].message.parsed == Event.model_validate(EXACT)
    assert any("--resume=" in line for line in seen)
    assert not any("date-time" in line for line in seen)


@pytest.mark.proves("format.cut", "chat.finish")
async def test_an_answer_that_is_cut_or_refused_is_told_as_such(rig: Rig) -> None:
    rig.plays_once(Reply((ToolUse(TOOL, {"name": "R"}),), stop_reason="max_tokens"))
    with pytest.raises(openai.LengthFinishReasonError):
        await rig.client.chat.completions.parse(model=NEW_MODEL, messages=ASK, response_format=City)
    rig.plays(lambda _: Reply((), stop_reason="refusal"))
    with pytest.raises(openai.ContentFilterFinishReasonError):
        await rig.client.chat.completions.parse(model=NEW_MODEL, messages=ASK, response_format=City)


@pytest.mark.proves("format.cut", "chat.finish")
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_that_is_cut_within_a_value_is_told_as_far_as_it_came(rig: Rig, *, stream: bool) -> None:
    cut = Reply((ToolUse(TOOL, raw=('{"name": "Ro',)),), stop_reason="max_tokens")
    rig.plays_once(cut)
    asked: Any = {"model": NEW_MODEL, "messages": ASK, "response_format": FORM, "max_tokens": 8}
    if stream:
        chunks = [chunk.choices[0] async for chunk in await rig.client.chat.completions.create(stream=True, **asked)]
        told = ("".join(choice.delta.content or "" for choice in chunks), chunks[-1].finish_reason)
    else:
        answer = await rig.client.chat.completions.create(**asked)
        told = (answer.choices[0].message.content, answer.choices[0].finish_reason)
        assert answer.usage is not None
        assert answer.usage.completion_tokens <= 8
    assert told == ('{"name": "Ro', "length")


@pytest.mark.proves("format.streamed", "params.stop")
async def test_a_stop_sequence_ends_the_answer_within_its_json(rig: Rig) -> None:
    rig.plays(lambda _: gives(ROME))
    answer = await rig.client.chat.completions.create(
        model=NEW_MODEL, messages=ASK, response_format=FORM, stop=["me", "x"]
    )
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ('{"na', "stop")


@pytest.mark.proves("conversations.live")
async def test_a_conversation_goes_on_in_its_session_as_long_as_the_form_is_the_same(rig: Rig) -> None:
    rig.plays(lambda request: gives(ROME) if request.tools else Reply.of("Rome."))
    first = await rig.said("Which city?", response_format=FORM)
    history: list[ChatCompletionMessageParam] = [*ASK, {"role": "assistant", "content": first}]
    again: list[ChatCompletionMessageParam] = [*history, {"role": "user", "content": "And now?"}]
    await rig.client.chat.completions.create(model=NEW_MODEL, messages=again, response_format=FORM)
    plain = await rig.client.chat.completions.create(model=NEW_MODEL, messages=again)
    sessions = [request.headers["x-claude-code-session-id"] for request in rig.simulator.requests]
    assert sessions[0] == sessions[1] != sessions[2]
    assert rig.simulator.requests[2].tools == []
    assert plain.choices[0].message.content == "Rome."


@pytest.mark.proves("format.private")
async def test_a_rebuilt_conversation_is_told_the_form_where_no_other_user_can_read_it(rig: Rig) -> None:
    seen: list[str] = []

    def script(_: RecordedRequest) -> Reply:
        seen.extend(command_lines())
        return gives(ROME)

    rig.plays(script)
    before: list[ChatCompletionMessageParam] = [*ASK, {"role": "assistant", "content": "Which country?"}]
    answer = await rig.client.chat.completions.parse(
        model=NEW_MODEL, messages=[*before, {"role": "user", "content": "Italy"}], response_format=City
    )
    assert answer.choices[0].message.parsed == City(name="Rome", people=3)
    assert any("--resume=" in line for line in seen)
    assert not any("people" in line for line in seen)


@pytest.mark.proves("format.tools")
async def test_the_clients_tools_are_called_before_the_answer(rig: Rig) -> None:
    weather: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}

    def script(request: RecordedRequest) -> Reply:
        return gives(ROME) if "tool_result" in json.dumps(request.messages) else Reply((ToolUse("weather", {}),))

    rig.plays(script)
    parameters: Any = {"model": NEW_MODEL, "tools": [weather], "response_format": FORM}
    called = await rig.client.chat.completions.create(messages=ASK, **parameters)
    message = called.choices[0].message
    assert message.tool_calls
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "Sunny."}
    history = [*ASK, message.model_dump(exclude_none=True), result]
    answer = await rig.client.chat.completions.create(messages=history, **parameters)
    assert json.loads(answer.choices[0].message.content or "") == ROME
    assert len({request.headers["x-claude-code-session-id"] for request in rig.simulator.requests}) == 1
    none = await rig.client.chat.completions.create(messages=ASK, tool_choice="none", **parameters)
    assert none.choices[0].message.tool_calls is None


@pytest.mark.proves("format.tools")
async def test_a_required_call_is_one_of_the_clients_tools_and_the_next_answer_has_the_form(rig: Rig) -> None:
    weather: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}

    def script(request: RecordedRequest) -> Reply:
        form_is_offered = any(tool["name"] == TOOL for tool in request.tools)
        return gives(ROME) if form_is_offered else Reply((ToolUse("weather", {}),))

    rig.plays(script)
    parameters: Any = {"model": NEW_MODEL, "tools": [weather], "response_format": FORM}
    called = await rig.client.chat.completions.create(messages=ASK, tool_choice="required", **parameters)
    message = called.choices[0].message
    assert message.tool_calls
    assert message.tool_calls[0].function.name == "weather"
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "Sunny."}
    history = [*ASK, message.model_dump(exclude_none=True), result]
    answer = await rig.client.chat.completions.create(messages=history, **parameters)
    assert json.loads(answer.choices[0].message.content or "") == ROME
