"""The simulated Messages API: takes requests, records them, lets a script or the simulated model answer."""

import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from claude_openai.jsontools.work_limit import TooMuch
from claude_openai.simulator.exchange import Exchange
from claude_openai.simulator.intake import read_object, refuse_key
from claude_openai.simulator.model import simulated_model
from claude_openai.simulator.playback import error, play_failure, play_message, play_stream
from claude_openai.simulator.recorded import JsonObject, RecordedRequest, UnscriptedPath
from claude_openai.simulator.render import Envelope, message, steps
from claude_openai.simulator.script import Answer, Block, Failure, Refused, Reply, Script, ToolUse
from claude_openai.simulator.serving import serving
from claude_openai.simulator.usage import Ledger, prompt_tokens, usage
from claude_openai.simulator.validation import validate
from claude_openai.system.serving import bound as listening

TOO_MUCH = Failure.of(
    400, "the simulator would work at this request for too long: its schemas or its texts are too large"
)

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

MODELS = {
    "claude-opus-4-8": "Simulated Opus",
    "claude-sonnet-5": "Simulated Sonnet",
    "claude-haiku-4-5": "Simulated Haiku",
}
"""The models that `/v1/models` lists. Any other name of Claude's is answered just as well."""


class Simulator:
    """A Messages API without a model behind it.

    >>> async with Simulator(Replies("Hello.")).serve() as base_url: ...
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        api_key: str | None = None,
        remember: bool = True,
        bound: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Without `remember` no request is kept, so that it can run for ever. The work on each request, whose size its
        client decides, is done within a `bound`: what ends that by `TooMuch` is answered with a 400.
        """
        self.script = script
        self.requests: list[RecordedRequest] = []
        self.other_requests: list[UnscriptedPath] = []
        self._api_key = api_key
        self._remember = remember
        self._bound = bound
        self._arrived = 0
        self._ledger = Ledger()
        self._arrival = anyio.Event()
        self._tool_uses = 0
        self._app = Starlette(
            routes=[
                Route("/v1/messages", self._messages, methods=["POST"]),
                Route("/{path:path}", self._elsewhere, methods=METHODS),
            ]
        )

    @property
    def app(self) -> ASGIApp:
        """The bare application. `Refused` and `Cut` need `serve`, which can close a connection."""
        return self._app

    async def request(self, index: int) -> RecordedRequest:
        """The request number `index`, as soon as it has arrived. Bound the wait where you call this."""
        while len(self.requests) <= index:
            await self._arrival.wait()
        return self.requests[index]

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Listens as long as the block lasts and yields the base URL. Port 0 is any free one."""
        from claude_openai.settings import is_loopback  # noqa: PLC0415 -- pydantic, which `serve_on` need not wait for

        if self._api_key is None and not is_loopback(host):
            raise ValueError(f"A simulator without an api_key listens on loopback only, not on {host}.")
        with listening(host, port) as listener:
            async with self.serve_on(listener) as base_url:
                yield base_url

    @asynccontextmanager
    async def serve_on(self, listener: socket.socket) -> AsyncIterator[str]:
        """The same on a socket that listens already, and that is closed with the block."""
        async with serving(self._app, listener) as base_url:
            yield base_url

    async def _messages(self, request: Request) -> ASGIApp:
        received_at = time.monotonic()
        body = await read_object(request)
        if isinstance(body, Failure):
            return self._failed(request, body)
        record = self._record(body, request, received_at)
        try:
            with self._bound():
                return partial(self._play, record, self._answer(record, request))
        except TooMuch:
            return partial(self._play, record, TOO_MUCH)

    def _answer(self, record: RecordedRequest, request: Request) -> Answer:
        refused = refuse_key(request, self._api_key) or validate(record.body)
        answer = refused or (self.script or simulated_model)(record)
        if isinstance(answer, Reply):
            record.usage = usage(self._ledger.account(record.body), answer)
        return answer

    def _record(self, body: JsonObject, request: Request, received_at: float) -> RecordedRequest:
        record = RecordedRequest(self._arrived, body, dict(request.headers), received_at)
        self._arrived += 1
        if self._remember:
            self.requests.append(record)
        arrival, self._arrival = self._arrival, anyio.Event()
        arrival.set()
        return record

    async def _play(self, record: RecordedRequest, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {} if isinstance(answer, Refused) else answer.headers
        async with Exchange(record, headers, scope, receive, send).attended() as exchange:
            match answer:
                case Reply():
                    await self._play_reply(record, self._numbered(answer), exchange)
                case Failure():
                    await play_failure(answer, exchange)
                case Refused():
                    await exchange.drop()

    async def _play_reply(self, record: RecordedRequest, reply: Reply, exchange: Exchange) -> None:
        envelope = Envelope(f"msg_sim_{record.index + 1:06}", reply.model or record.model, record.usage or {})
        if record.stream:
            await play_stream(steps(reply, envelope), exchange)
        else:
            await play_message(steps(reply, envelope), message(reply, envelope), exchange)

    def _numbered(self, reply: Reply) -> Reply:
        """The reply with an id for every tool use that the script gave none."""
        return replace(reply, blocks=tuple(self._identified(block) for block in reply.blocks))

    def _identified(self, block: Block) -> Block:
        if not isinstance(block, ToolUse) or block.id is not None:
            return block
        self._tool_uses += 1
        return replace(block, id=f"toolu_sim_{self._tool_uses:06}")

    async def _elsewhere(self, request: Request) -> ASGIApp:
        if request.url.path.startswith("/v1/") and (refused := refuse_key(request, self._api_key)):
            return self._failed(request, refused)
        match request.method, request.url.path:
            case "GET" | "HEAD", "/" | "/api/hello":
                return self._other(request, 200, {})
            case "GET", "/v1/models":
                return self._other(request, 200, _models())
            case "POST", "/v1/messages/count_tokens":
                return await self._count_tokens(request)
            case _:
                told = f"{request.method} {request.url.path} is nothing that the simulator answers"
                return self._failed(request, Failure.of(404, told))

    async def _count_tokens(self, request: Request) -> ASGIApp:
        body = await read_object(request)
        if isinstance(body, Failure):
            return self._failed(request, body)
        try:
            with self._bound():
                return self._other(request, 200, {"input_tokens": prompt_tokens(body)})
        except TooMuch:
            return self._failed(request, TOO_MUCH)

    def _failed(self, request: Request, failure: Failure) -> ASGIApp:
        return self._other(request, failure.status, error(failure.type, failure.message))

    def _other(self, request: Request, status: int, body: JsonObject) -> ASGIApp:
        if self._remember:
            self.other_requests.append(UnscriptedPath(request.method, request.url.path, status))
        return JSONResponse(body, status)


def _models() -> JsonObject:
    listed = [
        {"type": "model", "id": model, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
        for model, name in MODELS.items()
    ]
    return {"data": listed, "has_more": False, "first_id": listed[0]["id"], "last_id": listed[-1]["id"]}
