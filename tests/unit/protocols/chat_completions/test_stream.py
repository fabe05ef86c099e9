"""A turn as a stream of chunks, as the official client reads them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from openai.lib.streaming.chat import ChatCompletionStreamState, ParsedChatCompletionSnapshot
from openai.types.chat import ChatCompletionChunk as OpenAiChunk

from claude_openai.core.events import (
    Event,
    ReasoningDelta,
    ReasoningSigned,
    Retrying,
    TextDelta,
    ToolCalled,
    TurnFailed,
    TurnFinished,
    Working,
)
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import ToolCall
from claude_openai.protocols.chat_completions.answer import AnswerFormat
from claude_openai.protocols.chat_completions.collector import Collector
from claude_openai.protocols.chat_completions.stream import ChunkEncoder
from claude_openai.protocols.chat_completions.wire import ChatCompletion, ChatCompletionChunk
from tests.unit.protocols.chat_completions.events import CALLED, REPORTED, STARTED, STOPPED, turns


def chunks_of(*events: Event, include_usage: bool = False, legacy: bool = False) -> list[ChatCompletionChunk]:
    encoder = ChunkEncoder("chatcmpl-1", 1_700_000_000, AnswerFormat("sonnet", include_usage, legacy))
    return [chunk for event in events for chunk in encoder.feed(event)]


HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "sonnet"}
CHOICE = {"index": 0, "logprobs": None}


def wire_of(*events: Event, include_usage: bool = False) -> list[dict[str, Any]]:
    """The chunks on the wire, without `HEAD`, which each begins with, and without `CHOICE`, which each choice has."""
    chunks = [json.loads(chunk.to_json()) for chunk in chunks_of(*events, include_usage=include_usage)]
    assert [{key: chunk.pop(key) for key in HEAD} for chunk in chunks] == [HEAD] * len(chunks)
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert [{key: choice.pop(key) for key in CHOICE} for choice in choices] == [CHOICE] * len(choices)
    return chunks


def choices_of(*events: Event, legacy: bool = False) -> list[tuple[object, str | None]]:
    """The deltas as they are on the wire, each with its finish reason."""
    choices = [choice for chunk in chunks_of(*events, legacy=legacy) for choice in chunk.choices]
    return [(json.loads(choice.delta.to_json()), choice.finish_reason) for choice in choices]


def collected(*events: Event, legacy: bool = False) -> ChatCompletion:
    collector = Collector("chatcmpl-1", 1_700_000_000, AnswerFormat("sonnet", legacy=legacy))
    for event in events:
        collector.feed(event)
    return collector.result()


def added_up(chunks: list[ChatCompletionChunk]) -> ParsedChatCompletionSnapshot:
    """What the official client makes of a stream."""
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for chunk in chunks:
        state.handle_chunk(OpenAiChunk.model_validate_json(chunk.to_json(), strict=True))
    return state.current_completion_snapshot


def test_a_plain_answer() -> None:
    assert wire_of(STARTED, TextDelta("Hel"), TextDelta("lo"), REPORTED, STOPPED) == snapshot(
        [
            {"choices": [{"delta": {"role": "assistant", "content": "", "refusal": None}, "finish_reason": None}]},
            {"choices": [{"delta": {"content": "Hel"}, "finish_reason": None}]},
            {"choices": [{"delta": {"content": "lo"}, "finish_reason": None}]},
            {
                "choices": [{"delta": {}, "finish_reason": "stop"}],
                "claude": {"session_id": "session-1", "model": "claude-sonnet-4-6", "cost_usd": 0.0125},
            },
        ]
    )


def test_an_answer_with_usage() -> None:
    assert wire_of(STARTED, TextDelta("Hello"), REPORTED, STOPPED, include_usage=True) == snapshot(
        [
            {
                "choices": [{"delta": {"role": "assistant", "content": "", "refusal": None}, "finish_reason": None}],
                "usage": None,
            },
            {"choices": [{"delta": {"content": "Hello"}, "finish_reason": None}], "usage": None},
            {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": None},
            {
                "choices": [],
                "usage": {
                    "prompt_tokens": 60,
                    "completion_tokens": 7,
                    "total_tokens": 67,
                    "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
                    "completion_tokens_details": {"reasoning_tokens": 5},
                },
                "claude": {"session_id": "session-1", "model": "claude-sonnet-4-6", "cost_usd": 0.0125},
            },
        ]
    )


@pytest.mark.proves("format.cut")
@pytest.mark.parametrize("words", ["I cannot help with that.", None])
def test_a_refusal_with_words_ends_an_answer_in_a_form_as_openais_does(words: str | None) -> None:
    answer_format, end = AnswerFormat("sonnet", has_reply_format=True), TurnFinished("refusal", words)
    (*_, last) = ChunkEncoder("chatcmpl-1", 1, answer_format).feed(end)
    collector = Collector("chatcmpl-1", 1, answer_format)
    collector.feed(end)
    expected = "stop" if words else "content_filter"
    assert (last.choices[0].finish_reason, collector.result().choices[0].finish_reason) == (expected, expected)
    assert collector.result().choices[0].message.refusal == words


@pytest.mark.proves("params.effort")
def test_thinking_is_left_out_where_the_client_wants_none_of_it() -> None:
    events = (STARTED, ReasoningDelta("Hm."), TextDelta("Hi"), STOPPED)
    answer_format = AnswerFormat("sonnet", shows_thinking=False)
    encoder, collector = ChunkEncoder("chatcmpl-1", 1, answer_format), Collector("chatcmpl-1", 1, answer_format)
    chunks = [chunk.to_json() for event in events for chunk in encoder.feed(event)]
    for event in events:
        collector.feed(event)
    assert "Hm." not in collector.result().to_json() + "".join(chunks)


def test_a_refusal() -> None:
    assert wire_of(STARTED, TurnFinished("refusal", "I cannot help with that.")) == snapshot(
        [
            {"choices": [{"delta": {"role": "assistant", "content": None, "refusal": None}, "finish_reason": None}]},
            {"choices": [{"delta": {"refusal": "I cannot help with that."}, "finish_reason": None}]},
            {
                "choices": [{"delta": {}, "finish_reason": "content_filter"}],
                "claude": {"session_id": "session-1", "model": "claude-sonnet-4-6", "cost_usd": None},
            },
        ]
    )


def test_an_empty_answer_is_an_empty_string() -> None:
    assert wire_of(STARTED, STOPPED) == snapshot(
        [
            {"choices": [{"delta": {"role": "assistant", "content": "", "refusal": None}, "finish_reason": None}]},
            {
                "choices": [{"delta": {}, "finish_reason": "stop"}],
                "claude": {"session_id": "session-1", "model": "claude-sonnet-4-6", "cost_usd": None},
            },
        ]
    )


WEATHER = ToolCalled(ToolCall("toolu_1", "get_weather", '{"city": "Rome"}'))
PING = ToolCalled(ToolCall("toolu_2", "ping", ""))


def test_calls_begin_with_index_id_and_name_and_are_told_one_after_the_other() -> None:
    assert choices_of(STARTED, WEATHER, PING, REPORTED, CALLED) == snapshot(
        [
            ({"role": "assistant", "content": None, "refusal": None}, None),
            (
                {
                    "tool_calls": [
                        {
                            "index": 0,
                            "id": "toolu_1",
                            "type": "function",
                            "function": {"name": "get_weather", "arguments": ""},
                        }
                    ]
                },
                None,
            ),
            ({"tool_calls": [{"index": 0, "function": {"arguments": '{"city": "Rome"}'}}]}, None),
            (
                {
                    "tool_calls": [
                        {
                            "index": 1,
                            "id": "toolu_2",
                            "type": "function",
                            "function": {"name": "ping", "arguments": ""},
                        }
                    ]
                },
                None,
            ),
            ({"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]}, None),
            ({}, "tool_calls"),
        ]
    )


def test_text_before_a_call_is_content_and_whole_before_the_call_begins() -> None:
    deltas = [delta for delta, _ in choices_of(STARTED, TextDelta("Let me see \ud83d"), WEATHER, CALLED)]
    assert deltas[:3] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"content": "Let me see "},
        {"content": "\ufffd"},
    ]
    assert [list(delta) for delta in deltas[3:] if isinstance(delta, dict)] == [["tool_calls"], ["tool_calls"], []]


def test_a_function_is_called_as_a_function_and_one_at_a_time() -> None:
    assert choices_of(STARTED, WEATHER, PING, CALLED, legacy=True) == snapshot(
        [
            ({"role": "assistant", "content": None, "refusal": None}, None),
            ({"function_call": {"name": "get_weather", "arguments": ""}}, None),
            ({"function_call": {"arguments": '{"city": "Rome"}'}}, None),
            ({}, "function_call"),
        ]
    )


@pytest.mark.parametrize("arguments", ['{"a": "\ud83d"}', r'{"a": "\ud83d"}'], ids=["raw", "escaped"])
def test_half_a_character_in_arguments_is_replaced(arguments: str) -> None:
    chunks = chunks_of(STARTED, ToolCalled(ToolCall("toolu_1", "f", arguments)), CALLED)
    told = "".join(
        call.function.arguments
        for chunk in chunks
        for choice in chunk.choices
        for call in choice.delta.tool_calls or []
    )
    assert json.loads(told) == {"a": "\ufffd"}


def test_usage_that_upstream_did_not_tell_is_not_made_up() -> None:
    last = chunks_of(STARTED, TextDelta("Hello"), STOPPED, include_usage=True)[-1]
    assert last.choices[0].finish_reason == "stop"
    assert last.usage is None
    assert last.claude is not None
    assert last.claude.cost_usd is None


def test_nothing_is_sent_before_the_model_says_something() -> None:
    assert chunks_of(Retrying(1, 3, 529), STARTED, ReasoningSigned("x"), Working()) == []


def test_thinking_is_told_as_it_comes_before_the_text() -> None:
    assert choices_of(STARTED, ReasoningDelta("Hm"), ReasoningDelta("m."), TextDelta("Yes"), STOPPED) == [
        ({"role": "assistant", "content": None, "refusal": None}, None),
        ({"reasoning_content": "Hm"}, None),
        ({"reasoning_content": "m."}, None),
        ({"content": "Yes"}, None),
        ({}, "stop"),
    ]


def test_a_failure_is_no_chunk() -> None:
    assert chunks_of(TurnFailed(Failure(Kind.OVERLOADED, "Later."))) == []


@given(turns, st.booleans())
def test_as_many_text_chunks_go_out_as_deltas_came_in_each_at_once(events: list[Event], include_usage: bool) -> None:
    encoder = ChunkEncoder("chatcmpl-1", 1, AnswerFormat("sonnet", include_usage))
    for event in events:
        chunks = encoder.feed(event)
        texts = [choice.delta for chunk in chunks for choice in chunk.choices if choice.delta.role is None]
        if isinstance(event, TextDelta) or (isinstance(event, ReasoningDelta) and event.text):
            assert len(texts) == 1
        elif not isinstance(event, ToolCalled | TurnFinished):
            assert chunks == []


@given(turns, st.booleans())
def test_a_stream_has_one_beginning_one_end_and_one_head(events: list[Event], include_usage: bool) -> None:
    chunks = chunks_of(*events, include_usage=include_usage)
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert [choice.delta.role for choice in choices] == ["assistant"] + [None] * (len(choices) - 1)
    assert [choice.finish_reason is None for choice in choices] == [True] * (len(choices) - 1) + [False]
    assert {(chunk.id, chunk.created, chunk.model) for chunk in chunks} == {("chatcmpl-1", 1_700_000_000, "sonnet")}
    assert [chunk.claude is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


@given(turns, st.booleans())
def test_usage_is_in_a_chunk_of_its_own_at_the_end_if_asked_for(events: list[Event], include_usage: bool) -> None:
    chunks = chunks_of(*events, include_usage=include_usage)
    told = include_usage and REPORTED in events
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [told]
    assert [not chunk.choices for chunk in chunks] == [False] * (len(chunks) - 1) + [told]
    assert all(("usage" in json.loads(chunk.to_json())) is include_usage for chunk in chunks)


@given(turns)
def test_the_chunks_as_the_client_adds_them_up_are_the_object_without_a_stream(events: list[Event]) -> None:
    streamed = added_up(chunks_of(*events, include_usage=True))
    whole = collected(*events)
    assert streamed.choices[0].message.content == whole.choices[0].message.content
    thought = (streamed.choices[0].message.model_extra or {}).get("reasoning_content")
    assert thought == whole.choices[0].message.reasoning_content
    assert streamed.choices[0].message.refusal == whole.choices[0].message.refusal
    assert streamed.choices[0].message.role == whole.choices[0].message.role
    made = [event.call for event in events if isinstance(event, ToolCalled)]
    assert [
        ToolCall(call.id, call.function.name, call.function.arguments)
        for call in streamed.choices[0].message.tool_calls or []
    ] == made
    assert [
        ToolCall(call.id, call.function.name, call.function.arguments)
        for call in whole.choices[0].message.tool_calls or []
    ] == made
    assert streamed.choices[0].finish_reason == whole.choices[0].finish_reason
    assert (streamed.id, streamed.created, streamed.model) == (whole.id, whole.created, whole.model)
    usage = streamed.usage and streamed.usage.to_dict()
    assert usage == (whole.usage and whole.usage.model_dump())
    assert chunks_of(*events, include_usage=True)[-1].claude == whole.claude


@given(turns)
def test_a_streamed_function_call_adds_up_to_that_of_the_object(events: list[Event]) -> None:
    streamed = added_up(chunks_of(*events, legacy=True)).choices[0]
    whole = collected(*events, legacy=True).choices[0]
    call = streamed.message.function_call
    assert (call and call.to_dict()) == (whole.message.function_call and whole.message.function_call.model_dump())
    assert streamed.finish_reason == whole.finish_reason
    assert streamed.message.tool_calls is None


@given(st.text(), st.data())
def test_no_character_is_lost_or_added_wherever_the_deltas_are_cut(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    deltas = [TextDelta(text[start:end]) for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    chunks = chunks_of(STARTED, *deltas, STOPPED)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text
    assert collected(STARTED, *deltas, STOPPED).choices[0].message.content == text
