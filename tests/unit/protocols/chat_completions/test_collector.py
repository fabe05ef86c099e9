"""A turn as one object."""

import json

import pytest
from hypothesis import given
from inline_snapshot import snapshot
from openai.types.chat import ChatCompletion as OpenAiCompletion

from claude_openai.core.events import Event, ReasoningDelta, TextDelta, ToolCalled, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.messages import ToolCall
from claude_openai.protocols.chat_completions.answer import AnswerFormat
from claude_openai.protocols.chat_completions.collector import Collector
from tests.unit.protocols.chat_completions.events import CALLED, REPORTED, STARTED, STOPPED, turns


def collected(*events: Event, legacy: bool = False) -> str:
    collector = Collector("chatcmpl-1", 1_700_000_000, AnswerFormat("sonnet", legacy=legacy))
    for event in events:
        collector.feed(event)
    return collector.result().to_json()


def message(*events: Event) -> object:
    return json.loads(collected(*events))["choices"][0]["message"]


WEATHER = ToolCalled(ToolCall("toolu_1", "get_weather", '{"city": "Rome"}'))
PING = ToolCalled(ToolCall("toolu_2", "ping", ""))


def test_an_answer_has_exactly_the_keys_that_strict_clients_want() -> None:
    events = (STARTED, ReasoningDelta("Hm."), TextDelta("Hel"), TextDelta("lo"), REPORTED, STOPPED)
    assert json.loads(collected(*events)) == snapshot(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "sonnet",
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": "Hello",
                        "reasoning_content": "Hm.",
                        "refusal": None,
                    },
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 60,
                "completion_tokens": 7,
                "total_tokens": 67,
                "prompt_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            "claude": {"session_id": "session-1", "model": "claude-sonnet-4-6", "cost_usd": 0.0125},
        }
    )


def test_usage_that_upstream_did_not_tell_is_not_made_up() -> None:
    assert "usage" not in json.loads(collected(STARTED, TextDelta("Hello"), STOPPED))


def test_an_empty_answer_is_an_empty_string() -> None:
    assert message(STARTED, STOPPED) == {"role": "assistant", "content": "", "refusal": None}


def test_a_refusal_has_its_own_key_beside_what_was_said_before() -> None:
    refused = TurnFinished("refusal", "I cannot.")
    assert message(STARTED, refused) == {"role": "assistant", "content": None, "refusal": "I cannot."}
    assert message(STARTED, TextDelta("Well,"), refused) == {
        "role": "assistant",
        "content": "Well,",
        "refusal": "I cannot.",
    }
    assert message(STARTED, TurnFinished("refusal")) == {"role": "assistant", "content": "", "refusal": None}


def test_calls_stand_beside_the_text_in_order() -> None:
    assert message(STARTED, TextDelta("Let me see."), WEATHER, PING, CALLED) == snapshot(
        {
            "role": "assistant",
            "content": "Let me see.",
            "refusal": None,
            "tool_calls": [
                {
                    "id": "toolu_1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city": "Rome"}'},
                },
                {"id": "toolu_2", "type": "function", "function": {"name": "ping", "arguments": "{}"}},
            ],
        }
    )


def test_without_a_word_before_the_calls_there_is_no_content() -> None:
    answer = message(STARTED, WEATHER, CALLED)
    assert isinstance(answer, dict)
    assert answer["content"] is None


def test_a_function_is_called_as_a_function_and_one_at_a_time() -> None:
    (choice,) = json.loads(collected(STARTED, WEATHER, PING, CALLED, legacy=True))["choices"]
    assert choice == snapshot(
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "refusal": None,
                "function_call": {"name": "get_weather", "arguments": '{"city": "Rome"}'},
            },
            "logprobs": None,
            "finish_reason": "function_call",
        }
    )


@pytest.mark.parametrize(
    ("end", "finish_reason"),
    [
        (TurnFinished("stop"), "stop"),
        (TurnFinished("length"), "length"),
        (TurnFinished("tool_calls"), "tool_calls"),
        (TurnFinished("refusal"), "content_filter"),
    ],
)
def test_how_a_turn_ended_is_told_in_openais_words(end: TurnFinished, finish_reason: str) -> None:
    assert json.loads(collected(STARTED, end))["choices"][0]["finish_reason"] == finish_reason


def test_a_failed_turn_is_no_answer_whatever_it_has_said() -> None:
    failure = Failure(Kind.STREAM_INTERRUPTED, "The stream broke off.")
    with pytest.raises(RequestFailed) as raised:
        collected(STARTED, TextDelta("Hel"), TurnFailed(failure))
    assert raised.value.failure is failure


def test_half_a_turn_is_no_answer() -> None:
    with pytest.raises(ValueError, match="not finished"):
        collected(STARTED, TextDelta("Hel"))


@given(turns)
def test_the_official_client_takes_every_answer_for_what_it_is(events: list[Event]) -> None:
    answer = collected(*events)
    read = OpenAiCompletion.model_validate_json(answer, strict=True)
    assert json.loads(read.to_json()) == json.loads(answer)


def test_an_answer_is_not_signed_by_a_model_that_never_began() -> None:
    assert "claude" not in json.loads(collected(TextDelta("Hello"), STOPPED))
