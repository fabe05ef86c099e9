"""Plays an answer to one client, as a stream or as a whole document.

An `Exchange` is the response of one request: it sends bytes, notices when the client disconnects, and drops the
connection where a fault asks for that. However it ends, it marks the request as finished.
"""

import json
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Self, assert_never

import anyio
from starlette.types import Receive, Scope, Send

from claude_openai.simulator.recorded import JsonObject, RecordedRequest
from claude_openai.simulator.render import Emit, Pause, Step
from claude_openai.simulator.script import Cut, Failure, Gate, Malformed, Stall, StreamError

DROP = "claude_openai.drop"
"""The ASGI extension that closes the connection of a request; `serving` provides it."""

EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}

NOT_JSON = '{"type":"content_block_delta","index":0,"delta":{"ty'
"""The data of a malformed event, and a malformed document."""

STATUS_OF_ERROR = {"invalid_request_error": 400, "rate_limit_error": 429, "overloaded_error": 529}
"""The status of a document in place of a stream that ends with an error of this type; any other type is a 500."""


class Exchange:
    """Sends one response. `headers` come after those that every response has."""

    def __init__(
        self, request: RecordedRequest, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._request = request
        self._headers = headers
        self._scope = scope
        self._receive = receive
        self._send = send
        self._started = False

    @asynccontextmanager
    async def until_disconnect(self) -> AsyncIterator[Self]:
        """Run the block until it ends or the client disconnects."""

        async def cancel_on_disconnect(scope: anyio.CancelScope) -> None:
            while (await self._receive())["type"] != "http.disconnect":
                pass
            if not self._request.finished.is_set():
                self._request.closed.set()
            scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(cancel_on_disconnect, group.cancel_scope)
            try:
                yield self
            finally:
                self._request.finished.set()
                group.cancel_scope.cancel()

    async def event(self, name: str, data: str) -> None:
        """Send one server-sent event; the first one starts the stream."""
        if not self._started:
            await self._start(200, EVENT_STREAM)
        await self._write(f"event: {name}\ndata: {data}\n\n".encode())

    async def end(self) -> None:
        await self._write(b"", more=False)

    async def document(self, text: str, status: int = 200) -> None:
        await self._start(status, {"content-type": "application/json"})
        await self._write(text.encode(), more=False)

    async def half_a_document(self, text: str) -> None:
        body = text.encode()
        await self._start(200, {"content-type": "application/json", "content-length": str(len(body))})
        await self._write(body[: len(body) // 2])

    async def drop(self) -> None:
        """Close the connection in the middle. The request counts as finished, not as closed by its client."""
        self._request.finished.set()
        self._scope["extensions"][DROP]()
        await anyio.sleep_forever()

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self._started = True
        named = {"request-id": f"req_sim_{self._request.index + 1:06}", **headers, **self._headers}
        raw = [(name.encode(), value.encode()) for name, value in named.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def _write(self, body: bytes, more: bool = True) -> None:
        now = time.monotonic()
        self._request.first_byte_at = self._request.first_byte_at or now
        self._request.last_byte_at = now
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


async def play_stream(steps: Iterable[Step], exchange: Exchange) -> None:
    """Send the events of a reply as a stream, and break it where the steps have a fault."""
    for step in steps:
        match step:
            case Emit(event):
                await exchange.event(event["type"], dump(event))
            case Malformed():
                await exchange.event("content_block_delta", NOT_JSON)
            case StreamError(type=kind, message=text):
                await exchange.event("error", dump(error(kind, text)))
                break
            case Cut():
                await exchange.drop()
            case Pause() | Gate() | Stall():
                await _wait(step)
            case _:
                assert_never(step)
    await exchange.end()


async def play_message(steps: Iterable[Step], message: JsonObject, exchange: Exchange) -> None:
    """Send the whole message at once, after the time that its stream would take, with the same fault."""
    for step in steps:
        match step:
            case Emit():
                continue
            case Malformed():
                await exchange.document(NOT_JSON)
                return
            case StreamError(type=kind, message=text):
                await play_failure(Failure(STATUS_OF_ERROR.get(kind, 500), kind, text), exchange)
                return
            case Cut():
                await exchange.half_a_document(dump(message))
                await exchange.drop()
            case Pause() | Gate() | Stall():
                await _wait(step)
            case _:
                assert_never(step)
    await exchange.document(dump(message))


async def play_failure(failure: Failure, exchange: Exchange) -> None:
    await exchange.document(dump(error(failure.type, failure.message)), failure.status)


def error(kind: str, text: str) -> JsonObject:
    """An error as Anthropic's API writes it, in documents and streams alike."""
    return {"type": "error", "error": {"type": kind, "message": text}}


def dump(value: JsonObject) -> str:
    """Encode as ASCII JSON, which can hold even a lone surrogate."""
    return json.dumps(value, separators=(",", ":"))


async def _wait(step: Pause | Gate | Stall) -> None:
    match step:
        case Pause(seconds):
            await anyio.sleep(seconds)
        case Gate():
            await step.wait()
        case Stall():
            await anyio.sleep_forever()
