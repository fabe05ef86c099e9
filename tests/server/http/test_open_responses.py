"""The compliance cases of the Open Responses specification (openresponses.org/compliance), asked for as it asks."""

import json
from typing import Any

import pytest

from claude_openai.core.events import ToolCalled, TurnFinished
from claude_openai.core.messages import ToolCall
from claude_openai.testing.scripted_backend import Step
from tests.server.http.conftest import Serve
from tests.server.http.exchange import STARTED, USED, Json, said

pytestmark = pytest.mark.proves("responses.compliance")

NUMBERS = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty", "top_logprobs", "created_at"})
TEXTS = frozenset({"id", "object", "status", "model", "truncation", "service_tier"})
FLAGS = frozenset({"parallel_tool_calls", "store", "background"})
LISTS = frozenset({"output", "tools"})
NULLABLE = frozenset(
    {
        "completed_at",
        "error",
        "incomplete_details",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "previous_response_id",
        "prompt_cache_key",
        "reasoning",
        "safety_identifier",
        "usage",
        "user",
    }
)
"""Each key that the specification requires of a response, by what it may hold; `text`, `tool_choice` and `metadata`
are required, too.
"""

ITEM_KEYS = {
    "message": {"type", "id", "status", "role", "content"},
    "function_call": {"type", "id", "call_id", "name", "arguments", "status"},
    "reasoning": {"type", "id", "summary"},
}

WEATHER: Json = {
    "type": "function",
    "name": "get_weather",
    "description": "Get the current weather for a location",
    "parameters": {"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]},
}
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJg"
    "gg=="
)
CALLED: tuple[Step, ...] = (
    STARTED,
    ToolCalled(ToolCall("call_1", "get_weather", '{"location":"San Francisco, CA"}')),
    USED,
    TurnFinished("tool_calls"),
)


def message(role: str, content: object) -> Json:
    return {"type": "message", "role": role, "content": content}


def image_and_text() -> list[Json]:
    return [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": PICTURE}]


CASES: dict[str, Json] = {
    "basic-response": {"input": [message("user", "Say hello in exactly 3 words.")]},
    "system-prompt": {"input": [message("system", "You are a pirate."), message("user", "Say hello.")]},
    "image-input": {"input": [message("user", image_and_text())]},
    "multi-turn": {
        "input": [message("user", "I am Alice."), message("assistant", "Hello Alice!"), message("user", "Who am I?")]
    },
}


@pytest.mark.parametrize("case", CASES)
async def test_an_answer_has_all_that_the_specification_requires(serve: Serve, case: str) -> None:
    answer = await serve(said("Hello")).client.post("/v1/responses", json={"model": "sonnet", **CASES[case]})
    response = answer.json()
    check(response)
    assert (answer.status_code, response["status"]) == (200, "completed")
    assert [item["type"] for item in response["output"]] == ["message"]
    assert {"type", "text", "annotations", "logprobs"} <= response["output"][0]["content"][0].keys()


async def test_a_function_is_called(serve: Serve) -> None:
    asked = {"model": "sonnet", "input": [message("user", "Weather?")], "tools": [WEATHER]}
    response = (await serve(CALLED).client.post("/v1/responses", json=asked)).json()
    check(response)
    assert [item["type"] for item in response["output"]] == ["function_call"]


async def test_a_stream_ends_in_such_a_response(serve: Serve) -> None:
    asked = {"model": "sonnet", "input": [message("user", "Count from 1 to 5.")], "stream": True}
    events = await streamed(serve, said("1 2 ", "3 4 5"), asked)
    check(events[-1]["response"])
    assert events[-1]["response"]["status"] == "completed"


async def test_a_call_is_streamed_with_its_arguments(serve: Serve) -> None:
    asked = {"model": "sonnet", "input": [message("user", "Weather?")], "tools": [WEATHER], "stream": True}
    events = await streamed(serve, CALLED, asked)
    check(events[-1]["response"])
    kinds = [event["type"] for event in events if event.get("item", {}).get("type") != "message"]
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]


async def streamed(serve: Serve, script: tuple[Step, ...], asked: Json) -> list[Json]:
    """Its events; each is named as its data says, and numbered."""
    answer = await serve(script).client.post("/v1/responses", json=asked)
    blocks = [block.split("\n") for block in answer.text.split("\n\n") if block.startswith("event: ")]
    events: list[dict[str, Any]] = [json.loads(data.removeprefix("data: ")) for _, data in blocks]
    assert [event["type"] for event in events] == [name.removeprefix("event: ") for name, _ in blocks]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def check(response: Json) -> None:
    required = NUMBERS | TEXTS | FLAGS | LISTS | NULLABLE | {"text", "tool_choice", "metadata"}
    assert required - response.keys() == set()
    assert {key: response[key] for key in NUMBERS if type(response[key]) not in (int, float)} == {}
    assert {key: response[key] for key in TEXTS if not isinstance(response[key], str)} == {}
    assert {key: response[key] for key in FLAGS if not isinstance(response[key], bool)} == {}
    assert {key: response[key] for key in LISTS if not isinstance(response[key], list)} == {}
    for item in response["output"]:
        assert ITEM_KEYS[item["type"]] - item.keys() == set()
    for tool in response["tools"]:
        assert {"type", "name", "description", "parameters", "strict"} - tool.keys() == set()
