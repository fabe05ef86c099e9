"""What the tests say to the server and how they read what it says: requests, scripts, and streams event by event."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypedDict

import anyio
import httpx2
from anyio.abc import SocketStream
from starlette.types import ASGIApp

from claude_openai.core.events import Event, TextDelta, TurnFinished, TurnStarted, Usage, UsageReported
from claude_openai.testing.scripted_backend import Performance, ScriptedBackend

Json = dict[str, Any]

CHAT = "/v1/chat/completions"
HELLO: Json = {"model": "sonnet", "messages": [{"role": "user", "content": "Hello"}]}
STREAMED: Json = {**HELLO, "stream": True}

STARTED = TurnStarted("claude-sonnet-4-5", "session-1")
USED = UsageReported(Usage(10, 5, cache_creation_tokens=3, cache_read_tokens=7, reasoning_tokens=2), cost_usd=0.25)
FINISHED = TurnFinished("stop")


def said(*texts: str) -> tuple[Event, ...]:
    """A turn that says `texts`, each in a delta of its own."""
    return (STARTED, *map(TextDelta, texts), USED, FINISHED)


class Configuration(TypedDict, total=False):
    """What a test may change of `Services`."""

    hosts: tuple[str, ...]
    owner_token: str | None
    allowed_hosts: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    max_request_bytes: int
    max_total_request_bytes: int
    keep_alive_seconds: float
    send_seconds: float
    simulated: bool
    metrics_open: bool
    strict: bool
    new_id: Callable[[], str]
    now: Callable[[], int]
    clock: Callable[[], float]


@dataclass(frozen=True)
class Served:
    """A server with its scripted backend, and a client of it."""

    backend: ScriptedBackend
    client: httpx2.AsyncClient
    app: ASGIApp

    @property
    def performance(self) -> Performance:
        """The one turn there was."""
        [performance] = self.backend.performances
        return performance

    async def chat(self, body: Json = HELLO, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(CHAT, json=body, headers=named)

    async def connect(self) -> SocketStream:
        """A bare connection, for what no HTTP client would do."""
        url = self.client.base_url
        assert url.port is not None
        return await anyio.connect_tcp(url.host, url.port)

    async def runs(self, query: str = "", **headers: str) -> list[Json]:
        """The list of them."""
        answer = await self.client.get(f"/runs{query}", headers=headers)
        assert answer.status_code == 200
        listed: list[Json] = answer.json()["data"]
        return listed

    def stream(self, body: Json = STREAMED) -> AbstractAsyncContextManager[httpx2.Response]:
        return self.client.stream("POST", CHAT, json=body)


class Blocks:
    """A stream's server-sent events and comments, one at a time, as they arrive."""

    def __init__(self, response: httpx2.Response) -> None:
        self._arriving = response.aiter_text()
        self._received = ""

    async def next(self) -> str:
        while "\n\n" not in self._received:
            self._received += await anext(self._arriving)
        block, self._received = self._received.split("\n\n", 1)
        return block

    async def chunk(self) -> Json:
        """The next event's data; comments are passed over."""
        while (block := await self.next()).startswith(":"):
            pass
        return data(block)

    async def rest(self) -> list[str]:
        self._received += "".join([text async for text in self._arriving])
        *blocks, after = self._received.split("\n\n")
        assert after == ""
        return blocks


def data(block: str) -> Json:
    value: Json = json.loads(block.removeprefix("data: "))
    return value


def chunks(response: httpx2.Response) -> list[Json]:
    """All chunks of a stream that finished and was read to its end."""
    *blocks, done, after = response.text.split("\n\n")
    assert (done, after) == ("data: [DONE]", "")
    return [data(block) for block in blocks if not block.startswith(":")]
