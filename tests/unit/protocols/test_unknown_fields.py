"""Fields that a protocol does not have: each is reported by its path; what clients send back of an answer is none."""

import json
from typing import Any

import pytest

from claude_openai.core.models import Catalogue, Model
from claude_openai.protocols.chat_completions import request as chat
from claude_openai.protocols.completions import request as completions
from claude_openai.protocols.responses import request as responses

pytestmark = pytest.mark.proves("params.ignored")

CATALOGUE = Catalogue((Model("sonnet"),), default="sonnet")
USER = {"role": "user", "content": "Hi"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "Seen."}
FUNCTION = {"name": "look", "parameters": {"type": "object", "x-kind": {"any": 1}}}
TEXT = {"type": "input_text", "text": "Hi"}


def ignored(**fields: Any) -> tuple[str, ...]:
    body = json.dumps({"messages": [USER], **fields}).encode()
    return chat.read_turn(chat.parse_request(body), CATALOGUE).ignored


def ignored_of_response(**fields: Any) -> tuple[str, ...]:
    request = responses.parse_request(json.dumps({"input": "Hi", **fields}).encode())
    return responses.read_turn(request, CATALOGUE, response_id="resp_1", created=1).ignored


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"stream_options": {"continuous_usage_stats": True}}, "stream_options.continuous_usage_stats"),
        ({"tools": [{"type": "function", "function": FUNCTION, "cache_control": {}}]}, "tools[].cache_control"),
        (
            {"tools": [{"type": "function", "function": {**FUNCTION, "input_examples": []}}]},
            "tools[].function.input_examples",
        ),
        (
            {
                "tools": [{"type": "function", "function": FUNCTION}],
                "tool_choice": {
                    "type": "function",
                    "function": {"name": "look"},
                    "disable_parallel_tool_use": True,
                },
            },
            "tool_choice.disable_parallel_tool_use",
        ),
        ({"messages": [{**USER, "timestamp": 5}]}, "messages[].timestamp"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"a": 1}}]}]},
            "messages[].content[].cache_control",
        ),
        (
            {"messages": [USER, {"role": "assistant", "tool_calls": [{**CALL, "a,b": 1}]}, RESULT]},
            "messages[].tool_calls[].a%2Cb",
        ),
        ({"response_format": {"type": "json_object", "grammar": "x"}}, "response_format.grammar"),
        ({"reasoning": {"max_tokens": 5}}, "reasoning.max_tokens"),
    ],
)
def test_a_field_of_a_chat_is_reported_wherever_it_stands(fields: dict[str, Any], path: str) -> None:
    assert ignored(**fields) == (path,)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"reasoning": {"budget": 5}}, "reasoning.budget"),
        ({"text": {"format": {"type": "text", "strict": True}}}, "text.format.strict"),
        ({"tools": [{"type": "function", **FUNCTION, "defer_loading": True}]}, "tools[].defer_loading"),
        ({"input": [{"role": "user", "content": [TEXT], "name": "Ada"}]}, "input[].name"),
        ({"input": [{"role": "user", "content": [{**TEXT, "cache_control": {}}]}]}, "input[].content[].cache_control"),
    ],
)
def test_so_is_one_of_a_response(fields: dict[str, Any], path: str) -> None:
    assert ignored_of_response(**fields) == (path,)


def test_so_is_one_of_a_completion() -> None:
    body = json.dumps({"prompt": "Hi", "stream_options": {"include_usage": True, "chunk": 1}, "top_k": 5}).encode()
    ignored = completions.read_turn(completions.parse_request(body), CATALOGUE).ignored
    assert ignored == ("stream_options.chunk", "top_k")


def test_the_same_field_of_many_is_reported_once_and_null_asks_for_nothing() -> None:
    assert ignored(messages=[{**USER, "a": 1, "b": None}, {**USER, "a": 2}], c=None) == ("messages[].a",)


def test_what_answers_of_chat_completions_contain_may_be_sent_back() -> None:
    answer = {
        "role": "assistant",
        "content": "Let me look.",
        "refusal": None,
        "audio": None,
        "annotations": [],
        "reasoning_content": "Hm.",
        "reasoning": "Hm.",
        "reasoning_details": [{"type": "reasoning.text"}],
        "thinking_blocks": [],
        "provider_specific_fields": {"a": 1},
        "parsed": {"a": 1},
        "function_call": None,
        "tool_calls": [{**CALL, "index": 0, "function": {**CALL["function"], "parsed_arguments": {}}}],  # type: ignore[dict-item]
    }
    assert ignored(messages=[USER, answer, {**RESULT, "name": "look"}]) == ()


def test_what_responses_contain_may_be_sent_back() -> None:
    text = {"type": "output_text", "text": "Let me look.", "annotations": [], "logprobs": []}
    items = [
        {"role": "user", "content": "Hi"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x", "status": "completed"},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]},
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "look",
            "arguments": "{}",
            "status": "completed",
        },
        {"type": "function_call_output", "id": "fco_1", "call_id": "call_1", "output": "Seen.", "status": "completed"},
    ]
    assert ignored_of_response(input=items) == ()
