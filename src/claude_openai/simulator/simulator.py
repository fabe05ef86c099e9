"""The simulated Messages API: receives requests, records them, and lets a script or the simulated model answer."""

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
from claude_openai.simulator.model import simulated_model
from claude_openai.simulator.playback import Exchange, error, play_failure, play_message, play_stream
from claude_openai.simulator.recorded import JsonObject, RecordedRequest, UnscriptedPath
from claude_openai.simulator.render import Envelope, message, steps
from claude_openai.simulator.script import Answer, Failure, Refused, Reply, Script, ToolUse
from claude_openai.simulator.serving import serving
from claude_openai.simulator.usage import PromptCache, prompt_tokens, usage
from claude_openai.simulator.validation import check_key, read_object, validate
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
"""The models that `/v1/models` lists. Requests may name any other model, too."""


class Simulator:
    """A Messages API without a real model.

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
        """Without `remember` the simulator stores no requests, so that it can run for ever. The work on each request
        runs within a `bound`, since the client decides its size: where that raises `TooMuch`, the answer is a 400.
        """
        self.script = script
        self.requests: list[RecordedRequest] = []
        self.other_requests: list[UnscriptedPath] = []
        self._api_key = api_key
        self._remember = remember
        self._bound = bound
        self._arrived = 0
        self._prompt_cache = PromptCache()
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
        """Wait for the request number `index`. The wait has no timeout: the caller sets one."""
        while len(self.requests) <= index:
            await self._arrival.wait()
        return self.requests[index]

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve while the block runs, and yield the base URL. Port 0 takes any free port.

        Raises:
            ValueError: `host` is not a loopback address, and there is no key.
        """
        from claude_openai.settings import is_loopback  # noqa: PLC0415 -- pydantic, which `serve_on` need not wait for

        if self._api_key is None and not is_loopback(host):
            raise ValueError(f"A simulator without an api_key listens on loopback only, not on {host}.")
        with listening(host, port) as listener:
            async with self.serve_on(listener) as base_url:
                yield base_url

    @asynccontextmanager
    async def serve_on(self, listener: socket.socket) -> AsyncIterator[str]:
        """Serve on a listening socket, which is closed with the block."""
        async with serving(self._app, listener) as base_url:
            yield base_url

    async def _messages(self, request: Request) -> ASGIApp:
        received_at = time.monotonic()
        body = await read_object(request)
        if isinstance(body, Failure):
            return self._document_of(request, body)
        record = RecordedRequest(self._arrived, body, dict(request.headers), received_at)
        self._arrived += 1
        if self._remember:
            self.requests.append(record)
        arrival, self._arrival = self._arrival, anyio.Event()
        arrival.set()
        answer: Answer
        try:
            with self._bound():
                refused = check_key(request, self._api_key) or validate(body)
                answer = refused or (self.script or simulated_model)(record)
                if isinstance(answer, Reply):
                    record.usage = usage(self._prompt_cache.account(body), answer)
        except TooMuch:
            answer = TOO_MUCH
        return partial(self._play, record, answer)

    async def _play(self, record: RecordedRequest, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {} if isinstance(answer, Refused) else answer.headers
        async with Exchange(record, headers, scope, receive, send).until_disconnect() as exchange:
            match answer:
                case Reply():
                    blocks = list(answer.blocks)
                    for index, block in enumerate(blocks):
                        if isinstance(block, ToolUse) and block.id is None:
                            self._tool_uses += 1
                            blocks[index] = replace(block, id=f"toolu_sim_{self._tool_uses:06}")
                    reply = replace(answer, blocks=tuple(blocks))
                    envelope = Envelope(
                        f"msg_sim_{record.index + 1:06}", reply.model or record.model, record.usage or {}
                    )
                    if record.stream:
                        await play_stream(steps(reply, envelope), exchange)
                    else:
                        await play_message(steps(reply, envelope), message(reply, envelope), exchange)
                case Failure():
                    await play_failure(answer, exchange)
                case Refused():
                    await exchange.drop()

    async def _elsewhere(self, request: Request) -> ASGIApp:
        if request.url.path.startswith("/v1/") and (refused := check_key(request, self._api_key)):
            return self._document_of(request, refused)
        match request.method, request.url.path:
            case "GET" | "HEAD", "/" | "/api/hello":
                return self._document_of(request, {})
            case "GET", "/v1/models":
                listed = [
                    {"type": "model", "id": model, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
                    for model, name in MODELS.items()
                ]
                ends = {"first_id": listed[0]["id"], "last_id": listed[-1]["id"]}
                return self._document_of(request, {"data": listed, "has_more": False, **ends})
            case "POST", "/v1/messages/count_tokens":
                body = await read_object(request)
                if isinstance(body, Failure):
                    return self._document_of(request, body)
                try:
                    with self._bound():
                        return self._document_of(request, {"input_tokens": prompt_tokens(body)})
                except TooMuch:
                    return self._document_of(request, TOO_MUCH)
            case _:
                problem = f"the simulator does not serve {request.method} {request.url.path}"
                return self._document_of(request, Failure.of(404, problem))

    def _document_of(self, request: Request, result: JsonObject | Failure) -> ASGIApp:
        """The response to a request that no script answers. It is recorded in `other_requests`."""
        status = result.status if isinstance(result, Failure) else 200
        if self._remember:
            self.other_requests.append(UnscriptedPath(request.method, request.url.path, status))
        return JSONResponse(error(result.type, result.message) if isinstance(result, Failure) else result, status)
