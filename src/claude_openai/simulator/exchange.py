"""One request's way back to its client: bytes go out, the client's leaving is noticed, and the connection is
dropped on demand. Every way out of it marks the request finished.
"""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self

import anyio
from starlette.types import Receive, Scope, Send

from claude_openai.simulator.recorded import JsonObject, RecordedRequest

DROP = "claude_openai.drop"
"""The ASGI extension that closes the connection of a request; `serving` provides it."""

EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}


class Exchange:
    """`headers` are the answer's own, beside what every answer has."""

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
    async def attended(self) -> AsyncIterator[Self]:
        """The time in which the answer is given. It ends early when the client leaves."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._end_with_the_client, group.cancel_scope)
            try:
                yield self
            finally:
                self._request.finished.set()
                group.cancel_scope.cancel()

    async def event(self, name: str, data: str) -> None:
        """One server-sent event; the first one starts the stream."""
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
        """Closes the connection as it is. That is not the client's doing: finished, not closed."""
        self._request.finished.set()
        self._scope["extensions"][DROP]()
        await anyio.sleep_forever()

    async def _end_with_the_client(self, attended: anyio.CancelScope) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self._request.finished.is_set():
            self._request.closed.set()
        attended.cancel()

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


def dump(value: JsonObject) -> str:
    """JSON in ASCII, so that even a lone surrogate can be sent."""
    return json.dumps(value, separators=(",", ":"))
