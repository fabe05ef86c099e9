"""A client of the Messages API for the tests of the simulator, and requests to send with it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from claude_openai.simulator import JsonObject, RecordedRequest, Simulator

SECONDS = 5
"""The bound of every wait: on loopback everything takes milliseconds."""

WEATHER: JsonObject = {
    "name": "get_weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
        "required": ["city", "unit"],
    },
}
TIME: JsonObject = {
    "name": "get_time",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@asynccontextmanager
async def served(simulator: Simulator) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        simulator.serve() as base_url,
        httpx2.AsyncClient(base_url=base_url, timeout=SECONDS, trust_env=False) as client,
    ):
        yield client


def asking(prompt: str, **fields: object) -> JsonObject:
    return said({"role": "user", "content": prompt}, **fields)


def said(*messages: JsonObject, **fields: object) -> JsonObject:
    return {"model": "claude-sonnet-5", "max_tokens": 1000, "messages": list(messages), **fields}


def recorded(body: JsonObject) -> RecordedRequest:
    return RecordedRequest(0, body, {}, 0.0)


async def post(client: httpx2.AsyncClient, body: JsonObject) -> httpx2.Response:
    return await client.post("/v1/messages", json=body)


async def stream(client: httpx2.AsyncClient, body: JsonObject) -> list[JsonObject]:
    """The events of a streamed answer, all of them."""
    response = await post(client, body | {"stream": True})
    return events_of(response.text)


@asynccontextmanager
async def streaming(client: httpx2.AsyncClient, body: JsonObject) -> AsyncIterator[AsyncIterator[JsonObject]]:
    """The events of a streamed answer, one by one as they come."""
    async with client.stream("POST", "/v1/messages", json=body | {"stream": True}) as response:
        yield _events(response)


async def _events(response: httpx2.Response) -> AsyncIterator[JsonObject]:
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def events_of(text: str) -> list[JsonObject]:
    """The events of a stream, each of which names itself twice."""
    frames = [frame.split("\n") for frame in text.split("\n\n") if frame]
    events = [json.loads(data.removeprefix("data: ")) for _, data in frames]
    assert [name for name, _ in frames] == [f"event: {event['type']}" for event in events]
    return events


def folded(events: list[JsonObject]) -> JsonObject:
    """The message that the events of a stream add up to, as a client of Anthropic's adds them."""
    message: JsonObject = {}
    for event in events:
        match event:
            case {"type": "message_start", "message": started}:
                message = dict(started)
            case {"type": "content_block_start", "content_block": block}:
                message["content"] = [*message["content"], dict(block)]
            case {"type": "content_block_delta", "index": index, "delta": delta}:
                _extend(message["content"][index], delta)
            case {"type": "content_block_stop", "index": index}:
                _close(message["content"][index])
            case {"type": "message_delta", "delta": delta, "usage": usage}:
                message |= delta | {"usage": usage}
            case _:
                assert event["type"] in {"ping", "message_stop"}
    return message


def _extend(block: JsonObject, delta: JsonObject) -> None:
    match delta:
        case {"type": "text_delta", "text": text}:
            block["text"] += text
        case {"type": "thinking_delta", "thinking": thinking}:
            block["thinking"] += thinking
        case {"type": "signature_delta", "signature": signature}:
            block["signature"] = signature
        case {"type": "input_json_delta", "partial_json": part}:
            block["json"] = block.get("json", "") + part
        case _:
            raise AssertionError(delta)


def _close(block: JsonObject) -> None:
    if "json" in block:
        block["input"] = json.loads(block.pop("json"))
