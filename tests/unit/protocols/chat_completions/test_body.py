"""A body that is no valid request: one sentence, and the path to the fault."""

import json

import pytest
from inline_snapshot import snapshot

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.protocols.chat_completions.request import parse_request
from tests.unit.protocols.chat_completions.asking import HELLO, refusal, refusal_of


def faulty(body: bytes) -> Failure:
    with pytest.raises(RequestFailed) as raised:
        parse_request(body)
    return raised.value.failure


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The request's body is not valid JSON: Expecting value at line 1, column 1."),
        (b'{"model":\n  }', "The request's body is not valid JSON: Expecting value at line 2, column 3."),
        (b'{"n": NaN}', "The request's body is not valid JSON: NaN is no number in JSON."),
        (b'{"n": 1, "n": 2}', 'The request\'s body is not valid JSON: the name "n" stands twice in one object.'),
        (b'{"model": "\xff"}', "The request's body is not UTF-8: invalid start byte at byte 11."),
        (b"[" * 100_000, "The request's body is not valid JSON: it is nested more than 200 levels deep."),
        (b"[]", "The request's body must be a JSON object, but is an array."),
        (b"null", "The request's body must be a JSON object, but is null."),
    ],
    ids=["nothing", "place", "nan", "twice", "not utf-8", "deep", "array", "null"],
)
def test_a_body_that_is_no_json_object_is_told_with_a_reason(body: bytes, sentence: str) -> None:
    assert faulty(body) == Failure(Kind.INVALID_REQUEST, sentence)


def test_a_byte_order_mark_is_no_fault() -> None:
    body = json.dumps({"messages": [HELLO]}).encode("utf-8-sig")
    assert parse_request(body) == parse_request(body.removeprefix(b"\xef\xbb\xbf"))


@pytest.mark.parametrize("body", [{}, {"messages": []}, {"messages": None}, {"messages": {}}])
def test_missing_messages_are_named(body: object) -> None:
    assert refusal_of(body).param == "messages"


@pytest.mark.parametrize(
    ("message", "path", "sentence"),
    [
        ("Hello", "messages[0]", "Invalid type for 'messages[0]': expected an object, but got a string instead."),
        ({}, "messages[0].role", "Missing required parameter: 'messages[0].role'."),
        (
            {"role": "robot"},
            "messages[0].role",
            (
                "Invalid value for 'messages[0].role': 'robot'. "
                "Supported values are: 'system', 'developer', 'user', 'assistant', 'tool', 'function'."
            ),
        ),
        ({"role": "user"}, "messages[0].content", "Missing required parameter: 'messages[0].content'."),
        (
            {"role": "user", "content": 1.5},
            "messages[0].content",
            (
                "Invalid type for 'messages[0].content': "
                "expected a string or an array of content parts, but got a decimal number (1.5) instead."
            ),
        ),
        (
            {"role": "user", "content": ["Hello"]},
            "messages[0].content[0]",
            "Invalid type for 'messages[0].content[0]': expected an object, but got a string instead.",
        ),
        (
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "video"}]},
            "messages[0].content[1].type",
            (
                "Invalid value for 'messages[0].content[1].type': 'video'. "
                "Supported values are: 'text', 'image_url', 'file', 'refusal', 'input_audio'."
            ),
        ),
        (
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": True}}]},
            "messages[0].content[0].image_url.url",
            (
                "Invalid type for 'messages[0].content[0].image_url.url': "
                "expected a string, but got a boolean (true) instead."
            ),
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "a", "type": "retrieval"}]},
            "messages[0].tool_calls[0].type",
            (
                "Invalid value for 'messages[0].tool_calls[0].type': 'retrieval'. "
                "Supported values are: 'function', 'custom'."
            ),
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "a", "type": "custom"}]},
            "messages[0].tool_calls[0].custom",
            "Missing required parameter: 'messages[0].tool_calls[0].custom'.",
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": {}}}]},
            "messages[0].tool_calls[0].function.arguments",
            (
                "Invalid type for 'messages[0].tool_calls[0].function.arguments': "
                "expected a string, but got an object instead."
            ),
        ),
        (
            {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f.g", "arguments": ""}}]},
            "messages[0].tool_calls[0].function.name",
            (
                "Invalid 'messages[0].tool_calls[0].function.name': "
                "expected a string that matches ^[a-zA-Z0-9_-]{1,128}$, but got 'f.g' instead."
            ),
        ),
        (
            {"role": "tool", "content": "a"},
            "messages[0].tool_call_id",
            "Missing required parameter: 'messages[0].tool_call_id'.",
        ),
    ],
)
def test_a_fault_in_a_message_is_told_with_the_path_to_it(message: object, path: str, sentence: str) -> None:
    assert refusal(messages=[message]) == Failure(Kind.INVALID_REQUEST, sentence, param=path)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("model", 1, "a string, but got an integer (1)"),
        ("stream", "true", "a boolean, but got a string ('true')"),
        ("temperature", "1", "a number, but got a string ('1')"),
        ("max_tokens", 1.0, "an integer, but got a decimal number (1.0)"),
        ("max_tokens", True, "an integer, but got a boolean (true)"),
        ("stop", 1, "a string or an array of strings, but got an integer (1)"),
        ("tools", {}, "an array, but got an object"),
        ("logit_bias", [], "an object, but got an array"),
        ("stream_options", "include_usage", "an object, but got a string ('include_usage')"),
        ("seed", [], "an integer, but got an array"),
    ],
)
def test_a_parameter_of_a_wrong_type_is_named(name: str, value: object, expected: str) -> None:
    sentence = f"Invalid type for '{name}': expected {expected} instead."
    assert refusal(**{name: value}) == Failure(Kind.INVALID_REQUEST, sentence, param=name)


@pytest.mark.proves("errors.wrong-type")
def test_a_parameter_out_of_its_range_is_named_with_the_range() -> None:
    out_of_range: dict[str, object] = {
        "temperature": 2.1,
        "top_p": -0.1,
        "max_tokens": 0,
        "max_completion_tokens": 2**31,
        "n": 0,
        "frequency_penalty": 2.5,
        "presence_penalty": -3,
        "top_logprobs": 21,
        "stop": ["a", "b", "c", "d", "e"],
        "metadata": {f"key{number}": "" for number in range(17)},
    }
    failures = {name: refusal(**{name: value}) for name, value in out_of_range.items()}
    assert {failure.param for failure in failures.values()} == set(out_of_range)
    assert [failure.message for failure in failures.values()] == snapshot(
        [
            "Invalid 'temperature': expected a value of at most 2, but got 2.1 instead.",
            "Invalid 'top_p': expected a value of at least 0, but got -0.1 instead.",
            "Invalid 'max_tokens': expected a value of at least 1, but got 0 instead.",
            "Invalid 'max_completion_tokens': expected a value of at most 2147483647, but got 2147483648 instead.",
            "Invalid 'n': expected a value of at least 1, but got 0 instead.",
            "Invalid 'frequency_penalty': expected a value of at most 2, but got 2.5 instead.",
            "Invalid 'presence_penalty': expected a value of at least -2, but got -3 instead.",
            "Invalid 'top_logprobs': expected a value of at most 20, but got 21 instead.",
            "Invalid 'stop': expected at most 4 entries, but got an array of 5 entries instead.",
            "Invalid 'metadata': expected at most 16 entries, but got an object of 17 entries instead.",
        ]
    )


def test_a_fault_within_an_object_or_a_list_has_its_own_path() -> None:
    assert refusal(metadata={"a": 1}).param == "metadata.a"
    assert refusal(metadata={"k" * 65: "a"}).param == f"metadata.{'k' * 64}"
    assert refusal(stop=["a", 1]).param == "stop[1]"
    assert refusal(stream_options={"include_usage": 1}).param == "stream_options.include_usage"
    assert refusal(modalities=["text", "smell"]).param == "modalities[1]"


def test_a_body_full_of_faults_is_told_by_its_first() -> None:
    assert refusal(messages=[1] * 100_000).param == "messages[0]"
