"""Chat completions as a protocol of the generation driver. Older completions are another form of it.

Of several answers (`n`) each is a turn and a run of its own; the failure of one is that of all.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from claude_openai.core.agent import AgentRules
from claude_openai.core.events import Event, ReasoningDelta, TextDelta, TurnFailed
from claude_openai.core.models import Catalogue
from claude_openai.core.runs import Caller
from claude_openai.core.turn import Turn
from claude_openai.protocols.chat_completions.answer import AnswerFormat
from claude_openai.protocols.chat_completions.choices import ChoicesEncoder, interleave
from claude_openai.protocols.chat_completions.collector import Collector
from claude_openai.protocols.chat_completions.request import ParsedRequest, parse_request, read_turn
from claude_openai.protocols.chat_completions.stream import ChunkEncoder
from claude_openai.protocols.chat_completions.wire import ChatCompletion, ChatCompletionChunk
from claude_openai.protocols.common.errors import details
from claude_openai.protocols.common.protocol import OPENAI, AnswerWriter, ProtocolFormat
from claude_openai.protocols.common.wire import sse
from claude_openai.protocols.common.wire.reply import Reply
from claude_openai.protocols.common.wire.template import TEXT_MARK, EventTemplate, encode_text

Request = TypeVar("Request")


@dataclass(frozen=True, slots=True)
class ChatProtocol(Generic[Request]):
    """A form of chat completions: implements `protocols.common.protocol.StatelessProtocol`.

    `encode_answer` and `encode_chunk` convert a chat completion, or one of its chunks, to the endpoint's own format;
    None drops a chunk.
    """

    id_prefix: str
    parse: Callable[[bytes], Request]
    read_turn: Callable[[Request, Catalogue, str, AgentRules | None], ParsedRequest]
    encode_answer: Callable[[ChatCompletion], Reply]
    encode_chunk: Callable[[ChatCompletionChunk], Reply | None]
    format: ProtocolFormat = OPENAI

    def read(
        self, request: Request, catalogue: Catalogue, caller: Caller, rules: AgentRules | None, created: int
    ) -> "ChatRequest":
        """See `StatelessProtocol.read`."""
        parsed = self.read_turn(request, catalogue, caller.principal, rules)
        return ChatRequest(
            self,
            created,
            parsed.answers,
            parsed.answer_format,
            parsed.choices,
            stream=parsed.stream,
            ignored=parsed.ignored,
            adjusted=parsed.adjusted,
        )


CHAT: Final = ChatProtocol("chatcmpl-", parse_request, read_turn, lambda answer: answer, lambda chunk: chunk)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Implements `protocols.common.protocol.GenerationRequest`; `created` is in Unix seconds, `choices` the number of
    answers to each prompt.
    """

    protocol: ChatProtocol[Any]
    created: int
    turns: Sequence[Turn]
    format: AnswerFormat
    choices: int
    stream: bool
    ignored: Sequence[str]
    adjusted: Sequence[str]

    def writer(self, caller: Caller) -> AbstractContextManager["ChunkWriter | ObjectWriter"]:
        """For a stream or a whole answer, as the request asks."""
        return nullcontext((ChunkWriter if self.stream else ObjectWriter)(self, caller))


class ChunkWriter(AnswerWriter):
    """Writes a stream of chunks."""

    def __init__(self, request: ChatRequest, caller: Caller) -> None:
        encoder = partial(ChunkEncoder, caller.answer_id, request.created, request.format)
        encoders = [encoder(index=index) for index in range(len(request.turns))]
        self._encoder = ChoicesEncoder(encoders, request.choices)
        self._protocol = request.protocol
        self._request_id = caller.request_id
        self._templates: dict[tuple[int, type[Event]], EventTemplate | None] = {}
        self._failed = False

    def feed(self, choice: int, event: Event) -> bytes:
        """See `AnswerWriter.feed`. While an answer streams, this runs for every token."""
        encoder = self._encoder.encoders[choice]
        if isinstance(event, TextDelta | ReasoningDelta) and encoder.continues(event):
            key = choice, type(event)
            text = encoder.join(event)
            if not text:
                return self._framed([encoder.delta_chunk(event, text)])
            if key not in self._templates:
                sample = self._framed([encoder.delta_chunk(event, TEXT_MARK)])
                self._templates[key] = EventTemplate(sample, f'"{TEXT_MARK}"') if sample else None
            template = self._templates[key]
            return template.fill(encode_text(text)) if template else b""
        if isinstance(event, TurnFailed):
            self._failed = True
            return self._protocol.format.errors.event(details(event.failure, self._request_id))
        framed = self._framed(self._encoder.feed(choice, event))
        return framed + sse.DONE if self._encoder.over else framed

    def _framed(self, chunks: Sequence[ChatCompletionChunk]) -> bytes:
        encoded = [(self._protocol.encode_chunk(chunk), chunk.event_name) for chunk in chunks]
        return b"".join(sse.event(chunk.to_json(), name) for chunk, name in encoded if chunk)

    @property
    def is_complete(self) -> bool:
        return self._failed or self._encoder.over

    def body(self) -> str:
        raise AssertionError("a stream has no body")


class ObjectWriter(AnswerWriter):
    """Collects one object."""

    def __init__(self, request: ChatRequest, caller: Caller) -> None:
        self._collectors = [Collector(caller.answer_id, request.created, request.format) for _ in request.turns]
        self._choices = request.choices
        self._protocol = request.protocol

    def feed(self, choice: int, event: Event) -> bytes:
        """See `AnswerWriter.feed`."""
        self._collectors[choice].feed(event)
        return b""

    @property
    def is_complete(self) -> bool:
        return False

    def body(self) -> str:
        whole = interleave([collector.result() for collector in self._collectors], self._choices)
        return self._protocol.encode_answer(whole).to_json()
