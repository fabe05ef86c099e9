"""`POST /v1/chat/completions`: a request becomes a turn, and the turn's events one object or a stream of chunks.

Both ways read the same events, and only while the client listens. The status tells the truth as long as nothing has
been sent: a failure up to then is the whole answer, and afterwards the stream's last event.
"""

from anyio.abc import ObjectReceiveStream
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_openai.core.events import Event, TurnFailed, TurnFinished
from claude_openai.http.auth import principal
from claude_openai.http.body import read_body
from claude_openai.http.errors import failure_answer, failure_event
from claude_openai.http.rate_limits import telling
from claude_openai.http.reading import Answering, considerately, reported
from claude_openai.http.streaming import EventStream
from claude_openai.http.told import tell_effective_request, tell_request
from claude_openai.http.turns import attended, calling
from claude_openai.logs import logger
from claude_openai.translate.chat_completions.collector import Collector
from claude_openai.translate.chat_completions.encoder import ChunkEncoder
from claude_openai.translate.chat_completions.inbound import Reading, parse_request, read_turn
from claude_openai.wire import sse
from claude_openai.wire.chat_completions import ChatCompletionChunk

log = logger(__name__)

ANSWER_PREFIX = "chatcmpl-"


class ChatCompletions:
    """The endpoint."""

    def __init__(self, means: Answering) -> None:
        self._means = means

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(scope, receive, self._means.max_request_bytes)
        await considerately(len(body), tell_request, scope, body)
        reading = await self._read(body, principal(scope))
        headers = reported(reading.ignored, reading.adjusted)
        send = telling(send, self._means.gateway, self._means.now)
        caller, created = calling(scope, self._means.new_id(), ANSWER_PREFIX), self._means.now()
        async with attended(self._means.gateway, reading.turn, caller, receive) as events:
            tell_effective_request(
                reading.turn, stream=reading.stream, ignored=reading.ignored, adjusted=reading.adjusted
            )
            if reading.stream:
                encoder = ChunkEncoder(
                    caller.answer_id, created, reading.model, reading.include_usage, reading.legacy, reading.shown
                )
                stream = EventStream(send, headers, self._means.keep_alive_seconds)
                answer = await _streamed(events, encoder, stream)
            else:
                collector = Collector(caller.answer_id, created, reading.model, reading.legacy, reading.shown)
                answer = await _collected(events, collector)
            if answer is not None:
                answer.headers.update(headers)
                await answer(scope, receive, send)

    async def _read(self, body: bytes, asked_by: str) -> Reading:
        request = await considerately(len(body), parse_request, body)
        catalogue = await self._means.gateway.catalogue()
        return await considerately(len(body), read_turn, request, catalogue, asked_by, self._means.agents)


async def _collected(events: ObjectReceiveStream[Event], collector: Collector) -> Response:
    while True:
        event = await events.receive()
        if isinstance(event, TurnFailed):
            return failure_answer(event.failure)
        collector.feed(event)
        if isinstance(event, TurnFinished):
            return Response(collector.result().to_json(), media_type="application/json")


async def _streamed(events: ObjectReceiveStream[Event], encoder: ChunkEncoder, stream: EventStream) -> Response | None:
    """The answer where it has not begun as a stream: it failed before there was anything to send."""
    while True:
        event = await stream.next(events)
        if isinstance(event, TurnFailed):
            if not stream.begun:
                return failure_answer(event.failure)
            await stream.write(failure_event(event.failure), last=True)
            return None
        chunks = encoder.feed(event)
        if isinstance(event, TurnFinished):
            await stream.write(_framed(chunks) + sse.DONE, last=True)
            if event.reason == "tool_calls":
                log.info("openai.stream_tool_calls", calls=encoder.calls)
            return None
        if chunks:
            await stream.write(_framed(chunks))


def _framed(chunks: list[ChatCompletionChunk]) -> bytes:
    return b"".join(sse.event(chunk.to_json(), chunk.event_name) for chunk in chunks)
