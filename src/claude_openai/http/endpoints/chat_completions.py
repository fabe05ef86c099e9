"""`POST /v1/chat/completions`, and `POST /v1/completions`, its older form: a request becomes a turn, and the turn's
events one object or a stream of chunks.

Both ways read the same events, and only while the client listens. The status tells the truth as long as nothing has
been sent: a failure up to then is the whole answer, and afterwards the stream's last event. Of several answers each is
a turn and a run of its own, and the failure of one is that of all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Generic, TypeVar

from anyio.abc import ObjectReceiveStream
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_openai.core.agent import AgentRules
from claude_openai.core.events import Event, TurnFailed, TurnFinished
from claude_openai.core.models import Catalogue
from claude_openai.core.runs import Caller
from claude_openai.http.generation.context import GenerationContext, run_in_thread_if_large
from claude_openai.http.generation.event_stream import EventStream
from claude_openai.http.generation.request_events import log_effective_request, log_request
from claude_openai.http.generation.turns import caller_of, run_turns
from claude_openai.http.middleware.auth import principal
from claude_openai.http.middleware.errors import failure_event, failure_response
from claude_openai.http.middleware.rate_limits import with_rate_limit_headers
from claude_openai.logs import logger
from claude_openai.protocols.chat_completions import request as chat
from claude_openai.protocols.chat_completions.choices import ChoicesEncoder, interleave
from claude_openai.protocols.chat_completions.request import ParsedRequest
from claude_openai.protocols.chat_completions.stream import ChunkEncoder
from claude_openai.protocols.chat_completions.whole import Collector
from claude_openai.protocols.chat_completions.wire import ChatCompletion, ChatCompletionChunk
from claude_openai.protocols.common.wire import sse
from claude_openai.protocols.common.wire.reply import Reply
from claude_openai.protocols.completions import answer as older_answer
from claude_openai.protocols.completions import request as older

log = logger(__name__)

Request = TypeVar("Request")
Numbered = tuple[int, Event]


@dataclass(frozen=True, slots=True)
class Form(Generic[Request]):
    """How requests are read and answers look. `prefix` begins an answer's id; a `piece` may have nothing to say."""

    prefix: str
    parse: Callable[[bytes], Request]
    read: Callable[[Request, Catalogue, str, AgentRules | None], ParsedRequest]
    whole: Callable[[ChatCompletion], Reply]
    piece: Callable[[ChatCompletionChunk], Reply | None]


CHAT: Final = Form("chatcmpl-", chat.parse_request, chat.read_turn, lambda answer: answer, lambda chunk: chunk)
OLDER: Final = Form("cmpl-", older.parse_request, older.read_turn, older_answer.whole, older_answer.piece)


class ChatCompletions:
    """The endpoint."""

    def __init__(self, means: GenerationContext, form: Form[Any] = CHAT) -> None:
        self._means = means
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._means.bodies.read(scope, receive) as body:
            await self._answer(body, scope, receive, send)

    async def _answer(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        with self._means.understanding() as elapsed:
            await run_in_thread_if_large(len(body), log_request, scope, body)
            reading = await self._read(body, principal(scope))
        headers = self._means.not_honoured_headers(reading.ignored, reading.adjusted)
        send = with_rate_limit_headers(send, self._means.gateway, self._means.now)
        caller, created = caller_of(scope, self._means.new_id(), self._form.prefix), self._means.now()
        callers = self._callers(replace(caller, understood_in=elapsed()), len(reading.answers))
        asked = list(zip(callers, reading.answers, strict=True))
        async with run_turns(self._means.gateway, asked, receive) as events:
            for turn in reading.turns:
                log_effective_request(turn, stream=reading.stream, ignored=reading.ignored, adjusted=reading.adjusted)
            if reading.stream:
                encoder = _encoder(reading, caller.answer_id, created)
                stream = EventStream(send, headers, self._means.keep_alive_seconds)
                answer = await self._streamed(events, encoder, stream)
            else:
                collectors = [Collector(caller.answer_id, created, reading.telling) for _ in callers]
                answer = await self._collected(events, collectors, reading.choices)
            if answer is not None:
                answer.headers.update(headers)
                await answer(scope, receive, send)

    async def _read(self, body: bytes, asked_by: str) -> ParsedRequest:
        request = await run_in_thread_if_large(len(body), self._form.parse, body)
        catalogue = await self._means.gateway.catalogue()
        return await run_in_thread_if_large(
            len(body), self._form.read, request, catalogue, asked_by, self._means.agent_rules
        )

    def _callers(self, first: Caller, choices: int) -> list[Caller]:
        """One for each answer: the run of the first has the id of the reply, the others have their own."""
        ids = [first.run_id, *(self._means.new_id() for _ in range(1, choices))]
        return [
            replace(first, run_id=run_id, answer_id=self._form.prefix + run_id, choice=choice, choices=choices)
            for choice, run_id in enumerate(ids)
        ]

    async def _collected(
        self, events: ObjectReceiveStream[Numbered], collectors: Sequence[Collector], choices: int
    ) -> Response:
        unfinished = len(collectors)
        while unfinished:
            choice, event = await events.receive()
            if isinstance(event, TurnFailed):
                return failure_response(event.failure)
            collectors[choice].feed(event)
            unfinished -= isinstance(event, TurnFinished)
        whole = interleave([collector.result() for collector in collectors], choices)
        return Response(self._form.whole(whole).to_json(), media_type="application/json")

    async def _streamed(
        self, events: ObjectReceiveStream[Numbered], encoder: ChoicesEncoder, stream: EventStream
    ) -> Response | None:
        """The answer where it has not begun as a stream: it failed before there was anything to send."""
        while True:
            choice, event = await stream.next(events)
            if isinstance(event, TurnFailed):
                if not stream.begun:
                    return failure_response(event.failure)
                await stream.write(failure_event(event.failure), last=True)
                return None
            framed = self._framed(encoder.feed(choice, event))
            if encoder.over:
                await stream.write(framed + sse.DONE, last=True)
                if encoder.calls:
                    log.info("openai.stream_tool_calls", calls=encoder.calls)
                return None
            if framed:
                await stream.write(framed)

    def _framed(self, chunks: list[ChatCompletionChunk]) -> bytes:
        told = [(self._form.piece(chunk), chunk.event_name) for chunk in chunks]
        return b"".join(sse.event(piece.to_json(), name) for piece, name in told if piece)


def _encoder(reading: ParsedRequest, answer_id: str, created: int) -> ChoicesEncoder:
    alike = partial(ChunkEncoder, answer_id, created, reading.telling)
    return ChoicesEncoder([alike(index=index) for index in range(len(reading.answers))], reading.choices)
