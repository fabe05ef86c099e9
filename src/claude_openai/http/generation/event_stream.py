"""An answer as server-sent events: each is sent at once, and keep-alives while there is nothing to send.

The status is 200 as soon as the first bytes are sent, be they a keep-alive; until then the answer can be an error.
"""

from collections.abc import Mapping
from typing import Protocol, TypeVar

import anyio
from starlette.datastructures import MutableHeaders
from starlette.types import Send

from claude_openai.protocols.common.wire import sse

Item_co = TypeVar("Item_co", covariant=True)

HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",  # nginx would collect the stream otherwise
}
KEEP_ALIVE = sse.comment("keep-alive")


class Source(Protocol[Item_co]):
    """A source of items, such as a memory stream or a follower of a run."""

    async def receive(self) -> Item_co: ...


class EventStream:
    """One answer; each `write` is one ASGI message."""

    def __init__(
        self, send: Send, headers: Mapping[str, str], keep_alive_seconds: float, keep_alive: bytes = KEEP_ALIVE
    ) -> None:
        self._send = send
        self._headers = MutableHeaders({**HEADERS, **headers}).raw
        self._keep_alive = keep_alive
        self._keep_alive_seconds = keep_alive_seconds
        self._silent_at = anyio.current_time() + keep_alive_seconds
        self.begun = False

    async def next(self, events: Source[Item_co]) -> Item_co:
        """The next item. Keep-alives are sent while there is none, to the client and to the proxies before it."""
        while True:
            with anyio.CancelScope(deadline=self._silent_at):
                return await events.receive()
            await self.write(self._keep_alive)

    async def write(self, data: bytes, *, last: bool = False) -> None:
        if not self.begun:
            self.begun = True
            await self._send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await self._send({"type": "http.response.body", "body": data, "more_body": not last})
        self._silent_at = anyio.current_time() + self._keep_alive_seconds
