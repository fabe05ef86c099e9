"""A response: the events of its stream, the object they add up to, and OpenAI's own reading of both."""

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given
from inline_snapshot import snapshot
from openai.types.responses import Response as OpenAIResponse
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from claude_openai.core.events import Activity, Event, ReasoningDelta, TextDelta, ToolCalled, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import ToolCall
from claude_openai.jsontools.surrogates import without_surrogates
from claude_openai.protocols.responses.stream import ResponseEncoder
from claude_openai.protocols.responses.wire import events as wire
from claude_openai.protocols.responses.wire.reply import OutputFunctionCall, OutputMessage, Response
from tests.unit.protocols.chat_completions.events import CALLED, REPORTED, STARTED, STOPPED, turns
from tests.unit.protocols.responses.asking import reading

EVENT: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)
CALL = ToolCall("toolu_1", "get_weather", '{"city": "Rome"}')


def encoded(
    events: Sequence[Event], *, shows_thinking: bool = True, shows_activity: bool = False
) -> tuple[list[wire.StreamEvent], Response]:
    numbers = count(1)
    encoder = ResponseEncoder(
        reading().response,
        lambda: str(next(numbers)),
        lambda: 1_700_000_009,
        shows_thinking=shows_thinking,
        shows_activity=shows_activity,
    )
    told = [event for each in events for event in encoder.feed(each)]
    return told, encoder.response


def names(told: Sequence[wire.StreamEvent]) -> list[str]:
    return [event.type.removeprefix("response.") for event in told]


def test_thinking_text_and_a_call_are_items_one_after_the_other() -> None:
    said: list[Event] = [
        STARTED,
        ReasoningDelta("Hm"),
        TextDelta("I "),
        TextDelta("look"),
        ToolCalled(CALL),
        REPORTED,
        CALLED,
    ]
    told, response = encoded(said)
    assert names(told) == snapshot(
        [
            "created",
            "in_progress",
            "output_item.added",
            "reasoning_summary_part.added",
            "reasoning_summary_text.delta",
            "reasoning_summary_text.done",
            "reasoning_summary_part.done",
            "output_item.done",
            "output_item.added",
            "content_part.added",
            "output_text.delta",
            "output_text.delta",
            "output_text.done",
            "content_part.done",
            "output_item.done",
            "output_item.added",
            "function_call_arguments.delta",
            "function_call_arguments.done",
            "output_item.done",
            "completed",
        ]
    )
    assert [item.model_dump() for item in response.output] == snapshot(
        [
            {
                "id": "rs_1",
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "Hm"}],
                "status": "completed",
            },
            {
                "id": "msg_2",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "I look", "annotations": (), "logprobs": ()}],
            },
            {
                "id": "fc_3",
                "type": "function_call",
                "status": "completed",
                "call_id": "toolu_1",
                "name": "get_weather",
                "arguments": '{"city": "Rome"}',
            },
        ]
    )


@given(turns)
def test_every_event_is_what_openais_own_package_reads(events: list[Event]) -> None:
    told, response = encoded(events)
    for event in told:
        EVENT.validate_json(event.to_json(), strict=True)
    OpenAIResponse.model_validate_json(response.to_json(), strict=True)


@pytest.mark.proves("responses.stream")
@given(turns)
def test_events_are_numbered_without_a_gap_and_end_with_the_whole_response(events: list[Event]) -> None:
    told, response = encoded(events)
    assert [event.sequence_number for event in told] == list(range(len(told)))
    last = told[-1]
    assert isinstance(last, wire.ResponseEvent)
    assert last.response == response


@pytest.mark.proves("responses.stream")
@given(turns)
def test_no_word_and_no_call_is_lost_added_or_moved(events: list[Event]) -> None:
    told, response = encoded(events, shows_thinking=False)
    sent = without_surrogates("".join(event.text for event in events if isinstance(event, TextDelta)))
    said = [item.content[0] for item in response.output if isinstance(item, OutputMessage)]
    assert "".join(part.text for part in said if part.type == "output_text") == sent
    assert "".join(event.delta for event in told if isinstance(event, wire.TextDeltaEvent)) == sent
    called = [event.call.id for event in events if isinstance(event, ToolCalled)]
    assert [item.call_id for item in response.output if isinstance(item, OutputFunctionCall)] == called


@pytest.mark.proves("responses.stream")
@given(turns)
def test_each_item_is_begun_once_and_complete_before_the_next_begins(events: list[Event]) -> None:
    told, response = encoded(events)
    marks = [(event.type, event.output_index) for event in told if isinstance(event, wire.ItemEvent)]
    assert marks == [
        (f"response.output_item.{mark}", index) for index in range(len(response.output)) for mark in ("added", "done")
    ]


@pytest.mark.proves("responses.incomplete")
def test_an_answer_that_was_cut_is_incomplete_and_says_why() -> None:
    told, response = encoded([STARTED, TextDelta("Once"), REPORTED, TurnFinished("length")])
    assert names(told)[-1] == "incomplete"
    assert (response.status, response.completed_at) == ("incomplete", None)
    assert response.to_json().count('"incomplete_details":{"reason":"max_output_tokens"}') == 1
    assert response.output[0].status == "incomplete"


@pytest.mark.proves("responses.incomplete")
def test_a_refusal_is_a_part_of_its_own_kind() -> None:
    told, response = encoded([STARTED, REPORTED, TurnFinished("refusal", refusal="I will not.")])
    assert names(told)[2:] == snapshot(
        [
            "output_item.added",
            "content_part.added",
            "refusal.delta",
            "refusal.done",
            "content_part.done",
            "output_item.done",
            "completed",
        ]
    )
    (message,) = response.output
    assert isinstance(message, OutputMessage)
    assert message.content[0].model_dump() == {"type": "refusal", "refusal": "I will not."}


def test_a_failure_in_the_middle_ends_the_stream_with_its_reason() -> None:
    failure = Failure(Kind.STREAM_INTERRUPTED, "It broke off.")
    told, response = encoded([STARTED, TextDelta("Once"), TurnFailed(failure)])
    assert names(told)[-2:] == ["output_item.done", "failed"]
    assert response.error is not None
    assert response.error.model_dump() == {
        "code": "server_error",
        "type": "stream_interrupted",
        "message": "It broke off.",
    }
    assert (response.status, response.output[0].status) == ("failed", "incomplete")
    EVENT.validate_json(told[-1].to_json())


def test_usage_and_the_session_are_claude_codes_own() -> None:
    _, response = encoded([STARTED, TextDelta("Hi"), REPORTED, STOPPED])
    assert response.usage is not None
    assert response.usage.model_dump() == snapshot(
        {
            "input_tokens": 60,
            "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 5},
            "total_tokens": 67,
        }
    )
    assert response.claude is not None
    assert (response.claude.session_id, response.claude.cost_usd) == ("session-1", 0.0125)


@pytest.mark.proves("responses.usage")
def test_thinking_is_told_only_where_it_was_asked_for() -> None:
    told, response = encoded([STARTED, ReasoningDelta("Hm"), TextDelta("Hi"), STOPPED], shows_thinking=False)
    assert [item.type for item in response.output] == ["message"]
    assert not any("reasoning" in name for name in names(told))


@pytest.mark.proves("responses.tools")
def test_what_claude_code_does_is_reasoning_where_it_is_to_be_shown() -> None:
    acted: list[Event] = [STARTED, Activity("toolu_1", "Read", '{"file_path": "in.txt"}'), TextDelta("Done."), STOPPED]
    _, response = encoded(acted, shows_activity=True)
    assert [item.type for item in response.output] == ["reasoning", "message"]
    assert response.to_json().count('Read {\\"file_path\\": \\"in.txt\\"}\\n') == 1
    assert [item.type for item in encoded(acted)[1].output] == ["message"]
