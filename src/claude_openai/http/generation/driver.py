"""The one driver of every endpoint that calls the model: read, start the turns, then stream or collect.

What differs between protocols is a `GenerationProtocol` with its `ProtocolFormat`: how a body becomes turns, how events
become bytes, and how a failure looks. The status is decided as late as possible: until the first byte of a stream has
left, a failure is an ordinary error response; afterwards it is the last event of the stream.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from anyio.abc import ObjectReceiveStream
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_openai.core.events import Event, ToolCalled, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, RequestFailed
from claude_openai.core.runs import Caller
from claude_openai.http.generation.context import GenerationContext, run_in_thread_if_large
from claude_openai.http.generation.event_stream import EventStream
from claude_openai.http.generation.request_events import log_effective_request, log_request, note_asked_model
from claude_openai.http.generation.turns import caller_of, run_turns
from claude_openai.http.middleware.auth import identity
from claude_openai.http.middleware.errors import HttpError, failure_response, report
from claude_openai.http.middleware.rate_limits import with_rate_limit_headers
from claude_openai.http.middleware.request_log import request_id
from claude_openai.logs import logger
from claude_openai.protocols.common.protocol import AnswerWriter, GenerationRequest, ProtocolFormat

log = logger(__name__)

FailureResponse = Callable[[Failure], Response]
"""Makes the error response to a failure, in the protocol's format, and logs the failure."""


class GenerationProtocol(Protocol):
    """One HTTP protocol, such as chat completions."""

    @property
    def id_prefix(self) -> str:
        """Begins the id of an answer, such as "chatcmpl-"."""
        ...

    @property
    def format(self) -> ProtocolFormat: ...

    async def read(self, body: bytes, caller: Caller, context: GenerationContext) -> GenerationRequest:
        """Parse a request.

        Raises:
            RequestFailed, HttpError: it cannot be answered.
        """
        ...


class Generation:
    """An endpoint that calls the model, in `protocol`; `name` is its short name in the log and in metrics."""

    def __init__(self, context: GenerationContext, protocol: GenerationProtocol, name: str) -> None:
        self._context = context
        self._protocol = protocol
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gateway, who = self._context.gateway, identity(scope)
        send = with_rate_limit_headers(send, gateway, self._context.now, who)
        async with self._context.bodies.read(scope, receive) as body:
            if refused := await gateway.limiter.admit(who):
                gateway.note_refused(self._name, refused.kind)
                response = failure_response(refused, self._protocol.format.errors, request_id(scope))
                await response(scope, receive, send)
            else:
                await self._answer(body, scope, receive, send)

    async def _answer(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        context, protocol = self._context, self._protocol
        caller = caller_of(scope, context.new_id(), protocol.id_prefix, self._name)
        async with context.parsing(receive) as elapsed:
            await run_in_thread_if_large(len(body), log_request, scope, body, protocol.format.header_prefixes)
            try:
                request = await protocol.read(body, caller, context)
                if (who := identity(scope)).limits.given:
                    context.gateway.limiter.require_allowed(who, request.turns, await context.gateway.catalogue())
            except (RequestFailed, HttpError):
                note_asked_model(scope, body)
                raise
        headers = context.not_honoured_headers(request.ignored, request.adjusted)
        caller = replace(caller, parse_seconds=elapsed(), choices=len(request.turns))
        callers = [caller]  # its id is that of the whole answer; each further answer is a run of its own
        for choice in range(1, len(request.turns)):
            run_id = context.new_id()
            callers.append(replace(caller, run_id=run_id, answer_id=protocol.id_prefix + run_id, choice=choice))
        asked = list(zip(callers, request.turns, strict=True))
        fails = partial(failure_response, errors=protocol.format.errors, request_id=caller.request_id)
        with request.writer(caller) as writer:
            async with run_turns(context.gateway, asked, receive) as batches:
                for turn in {id(turn): turn for turn in request.turns}.values():  # with `n` the same turn several times
                    log_effective_request(
                        turn, stream=request.stream, ignored=request.ignored, adjusted=request.adjusted
                    )
                if request.stream:
                    stream = EventStream(send, headers, context.keep_alive_seconds, protocol.format.keep_alive)
                    response = await _stream(batches, writer, stream, fails)
                else:
                    response = await _collect(batches, writer, len(request.turns), fails)
                if response is not None:
                    response.headers.update(headers)
                    await response(scope, receive, send)


async def _collect(
    batches: ObjectReceiveStream[tuple[int, Sequence[Event]]],
    writer: AnswerWriter,
    unfinished: int,
    fails: FailureResponse,
) -> Response:
    while unfinished:
        choice, batch = await batches.receive()
        if isinstance(last := batch[-1], TurnFailed):
            return fails(last.failure)
        for event in batch:
            writer.feed(choice, event)
        unfinished -= isinstance(last, TurnFinished)
    await writer.save()
    return Response(writer.body(), media_type="application/json")


async def _stream(
    batches: ObjectReceiveStream[tuple[int, Sequence[Event]]],
    writer: AnswerWriter,
    stream: EventStream,
    fails: FailureResponse,
) -> Response | None:
    """The error response if the turn failed before anything was sent; None if a stream was sent."""
    calls = 0
    while True:
        choice, batch = await stream.next(batches)
        *others, last = batch
        data = b"".join(writer.feed(choice, event) for event in others)
        if isinstance(last, TurnFailed):
            if not (stream.begun or data):
                return fails(last.failure)
            report(last.failure)
        data += writer.feed(choice, last)
        complete = writer.is_complete
        calls += sum(isinstance(event, ToolCalled) for event in batch)
        if complete:
            if calls and isinstance(last, TurnFinished):
                log.info("openai.stream_tool_calls", calls=calls)
            await writer.save()
        if data:
            await stream.write(data, last=complete)
        if complete:
            return None
