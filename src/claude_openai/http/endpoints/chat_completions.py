"""`POST /v1/chat/completions`, and `POST /v1/completions`, its older form, as protocols of the generation driver.

Of several answers (`n`) each is a turn and a run of its own; the failure of one is that of all.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from claude_openai.core.agent import AgentRules
from claude_openai.core.events import Event, TurnFailed
from claude_openai.core.models import Catalogue
from claude_openai.core.runs import Caller
from claude_openai.core.turn import Turn
from claude_openai.http.generation.context import GenerationContext, run_in_thread_if_large
from claude_openai.logs import logger
from claude_openai.protocols.chat_completions import request as chat
from claude_openai.protocols.chat_completions.choices import ChoicesEncoder, interleave
from claude_openai.protocols.chat_completions.request import ParsedRequest
from claude_openai.protocols.chat_completions.stream import ChunkEncoder
from claude_openai.protocols.chat_completions.whole import Collector
from claude_openai.protocols.chat_completions.wire import ChatCompletion, ChatCompletionChunk
from claude_openai.protocols.common.errors import OPENAI_ERRORS, ErrorFormat, details
from claude_openai.protocols.common.wire import sse
from claude_openai.protocols.common.wire.reply import Reply
from claude_openai.protocols.completions import answer as completions_answer
from claude_openai.protocols.completions import request as completions

log = logger(__name__)

Request = TypeVar("Request")


@dataclass(frozen=True, slots=True)
class ChatForm(Generic[Request]):
    """A form of chat completions: implements `http.generation.driver.GenerationProtocol`.

    `encode_whole` and `encode_chunk` convert a chat completion, or one of its chunks, to the endpoint's own format;
    None drops a chunk.
    """

    id_prefix: str
    parse: Callable[[bytes], Request]
    read_turn: Callable[[Request, Catalogue, str, AgentRules | None], ParsedRequest]
    encode_whole: Callable[[ChatCompletion], Reply]
    encode_chunk: Callable[[ChatCompletionChunk], Reply | None]
    keep_alive: bytes = sse.comment()
    errors: ErrorFormat = OPENAI_ERRORS

    async def read(self, body: bytes, caller: Caller, context: GenerationContext) -> "ChatRequest":
        """See `GenerationProtocol.read`."""
        request = await run_in_thread_if_large(len(body), self.parse, body)
        catalogue = await context.gateway.catalogue()
        read = partial(self.read_turn, request, catalogue, caller.principal, context.agent_rules)
        return ChatRequest(self, await run_in_thread_if_large(len(body), read), context.now())


CHAT: Final = ChatForm("chatcmpl-", chat.parse_request, chat.read_turn, lambda answer: answer, lambda chunk: chunk)
COMPLETIONS: Final = ChatForm(
    "cmpl-",
    completions.parse_request,
    completions.read_turn,
    completions_answer.completion,
    completions_answer.completion_chunk,
)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Implements `http.generation.driver.GenerationRequest`; `created` is in Unix seconds."""

    form: ChatForm[Any]
    parsed: ParsedRequest
    created: int

    @property
    def turns(self) -> Sequence[Turn]:
        return self.parsed.answers

    @property
    def stream(self) -> bool:
        return self.parsed.stream

    @property
    def ignored(self) -> Sequence[str]:
        return self.parsed.ignored

    @property
    def adjusted(self) -> Sequence[str]:
        return self.parsed.adjusted

    def writer(self, caller: Caller) -> AbstractContextManager["ChunkWriter | ObjectWriter"]:
        """For a stream or a whole answer, as the request asks."""
        return nullcontext((ChunkWriter if self.stream else ObjectWriter)(self, caller))


class ChunkWriter:
    """Writes a stream of chunks."""

    def __init__(self, request: ChatRequest, caller: Caller) -> None:
        encoder = partial(ChunkEncoder, caller.answer_id, request.created, request.parsed.answer_format)
        encoders = [encoder(index=index) for index in range(len(request.turns))]
        self._encoder = ChoicesEncoder(encoders, request.parsed.choices)
        self._form = request.form
        self._failed = False

    def feed(self, choice: int, event: Event) -> bytes:
        """See `AnswerWriter.feed`."""
        if isinstance(event, TurnFailed):
            self._failed = True
            return self._form.errors.event(details(event.failure))
        encoded = [(self._form.encode_chunk(chunk), chunk.event_name) for chunk in self._encoder.feed(choice, event)]
        framed = b"".join(sse.event(chunk.to_json(), name) for chunk, name in encoded if chunk)
        if not self._encoder.over:
            return framed
        if self._encoder.calls:
            log.info("openai.stream_tool_calls", calls=self._encoder.calls)
        return framed + sse.DONE

    @property
    def is_complete(self) -> bool:
        return self._failed or self._encoder.over

    async def save(self) -> None:
        """Chat completions are not stored."""

    def body(self) -> str:
        raise AssertionError("a stream has no body")


class ObjectWriter:
    """Collects one object."""

    def __init__(self, request: ChatRequest, caller: Caller) -> None:
        self._collectors = [
            Collector(caller.answer_id, request.created, request.parsed.answer_format) for _ in request.turns
        ]
        self._choices = request.parsed.choices
        self._form = request.form

    def feed(self, choice: int, event: Event) -> bytes:
        """See `AnswerWriter.feed`."""
        self._collectors[choice].feed(event)
        return b""

    @property
    def is_complete(self) -> bool:
        return False

    async def save(self) -> None:
        """Chat completions are not stored."""

    def body(self) -> str:
        whole = interleave([collector.result() for collector in self._collectors], self._choices)
        return self._form.encode_whole(whole).to_json()
