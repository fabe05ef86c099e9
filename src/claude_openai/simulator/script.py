"""The answers of a scripted model, as values: replies made of blocks, failures before the first byte, and faults that
break a stream in the middle. A `Script` is any function from the recorded request to one of them.

This module sends nothing; `render` encodes a `Reply` as events.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Literal, Self, TypeAlias

import anyio

from claude_openai.simulator.recorded import JsonObject, RecordedRequest

StopReason: TypeAlias = Literal[
    "end_turn",
    "max_tokens",
    "model_context_window_exceeded",
    "pause_turn",
    "refusal",
    "stop_sequence",
    "tool_use",
]

FIRST_DELTA = 4
"""Events up to the first delta of a reply: message_start, ping, content_block_start, content_block_delta."""


@dataclass(frozen=True, eq=False)
class Gate:
    """A point in a reply at which the stream waits until the test opens the gate."""

    reached: anyio.Event = field(default_factory=anyio.Event)
    opened: anyio.Event = field(default_factory=anyio.Event)

    def open(self) -> None:
        self.opened.set()

    async def wait(self) -> None:
        self.reached.set()
        await self.opened.wait()


Piece: TypeAlias = str | Gate
"""One delta, or a gate before the next one."""


@dataclass(frozen=True)
class Text:
    """Assistant text, sent in exactly these deltas with `delay` seconds between two of them."""

    deltas: tuple[Piece, ...]
    delay: float = 0.0

    @classmethod
    def of(cls, text: str, pieces: int = 1, delay: float = 0.0) -> Self:
        return cls(split(text, pieces), delay)

    @property
    def text(self) -> str:
        return text_of(self.deltas)


@dataclass(frozen=True)
class Thinking:
    """A thinking block. The signature is opaque: clients only send it back."""

    deltas: tuple[Piece, ...]
    signature: str = "c2ltdWxhdGVkIHNpZ25hdHVyZQ=="
    delay: float = 0.0

    @classmethod
    def of(cls, text: str, pieces: int = 1, delay: float = 0.0) -> Self:
        return cls(split(text, pieces), delay=delay)

    @property
    def text(self) -> str:
        return text_of(self.deltas)


@dataclass(frozen=True)
class ToolUse:
    """A call of a client's tool. `raw` replaces the JSON of `input`: for chosen splits, gates or bad JSON."""

    name: str
    input: Mapping[str, object] = field(default_factory=dict)
    raw: tuple[Piece, ...] | None = None
    id: str | None = None
    delay: float = 0.0

    @property
    def deltas(self) -> tuple[Piece, ...]:
        """The pieces of the arguments' JSON, one for each delta."""
        if self.raw is not None:
            return self.raw
        arguments = json.dumps(self.input, ensure_ascii=False)
        return split(arguments, 1 + len(arguments) // ARGUMENTS_PIECE)

    @property
    def text(self) -> str:
        return text_of(self.deltas)


ARGUMENTS_PIECE = 24
"""Characters of tool arguments in one delta: short enough that a realistic call has several."""

Block: TypeAlias = Text | Thinking | ToolUse


@dataclass(frozen=True)
class Stall:
    """The stream stays open and sends nothing more. It ends when the client disconnects or the server stops."""

    after_events: int = FIRST_DELTA


@dataclass(frozen=True)
class Cut:
    """The connection is closed in the middle, without a `message_stop`."""

    after_events: int = FIRST_DELTA


@dataclass(frozen=True)
class Malformed:
    """One event between the others has data that is not JSON."""

    after_events: int = FIRST_DELTA


@dataclass(frozen=True)
class StreamError:
    """An `error` event, after which the stream ends."""

    after_events: int = FIRST_DELTA
    type: str = "overloaded_error"
    message: str = "Overloaded"


Fault: TypeAlias = Stall | Cut | Malformed | StreamError
"""A fault that happens after `after_events` events, pings included."""


@dataclass(frozen=True)
class Reply:
    """One assistant message. Its `stop_reason` defaults to "tool_use" if it calls a tool, to "end_turn" if not."""

    blocks: tuple[Block, ...] = ()
    stop_reason: StopReason | None = None
    stop_sequence: str | None = None
    stop_details: JsonObject | None = None
    """Upstream's reason for a refusal: `{"type": "refusal", "category": ..., "explanation": ...}`."""
    first_byte_delay: float = 0.0
    model: str | None = None
    """The model that the reply names; the requested model if None."""
    fault: Fault | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further response headers, such as `anthropic-ratelimit-unified-status`."""

    @classmethod
    def of(cls, text: str, pieces: int = 1, delay: float = 0.0, *, fault: Fault | None = None) -> Self:
        """A reply with one text block."""
        return cls((Text.of(text, pieces, delay),), fault=fault)

    @property
    def reason(self) -> StopReason:
        if self.stop_reason is not None:
            return self.stop_reason
        return "tool_use" if any(isinstance(block, ToolUse) for block in self.blocks) else "end_turn"


@dataclass(frozen=True)
class Failure:
    """An error response with a status, in Anthropic's format."""

    status: int
    type: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, status: int, message: str | None = None, *, retry_after: int | None = None) -> Self:
        """Upstream's usual response with this status."""
        usual_type, usual_message = USUAL_FAILURES[status]
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        return cls(status, usual_type, message or usual_message, headers)

    def final(self) -> Self:
        """The same failure, with the header that makes Anthropic's clients not retry."""
        return replace(self, headers={**self.headers, "x-should-retry": "false"})


USUAL_FAILURES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        400: ("invalid_request_error", "messages: the simulator was asked to find this request invalid"),
        401: ("authentication_error", "invalid x-api-key"),
        403: ("permission_error", "Your API key does not have permission to use the specified resource."),
        404: ("not_found_error", "model: the simulator was asked not to know this model"),
        413: ("request_too_large", "Request exceeds the maximum size"),
        429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
        500: ("api_error", "Internal server error"),
        529: ("overloaded_error", "Overloaded"),
    }
)

PROMPT_TOO_LONG = Failure.of(400, "prompt is too long: 213462 tokens > 200000 maximum")
CREDIT_BALANCE = Failure.of(
    400,
    "Your credit balance is too low to access the Anthropic API. "
    "Please go to Plans & Billing to upgrade or purchase credits.",
)


@dataclass(frozen=True)
class Refused:
    """The connection is closed without a single byte of an answer."""


Answer: TypeAlias = Reply | Failure | Refused
Script: TypeAlias = Callable[[RecordedRequest], Answer]


class Replies:
    """A script that plays these answers in order, whatever the requests are, and then answers with a 500."""

    def __init__(self, *answers: Answer | str) -> None:
        self._answers = tuple(Reply.of(answer) if isinstance(answer, str) else answer for answer in answers)
        self._played = 0

    def __call__(self, _: RecordedRequest) -> Answer:
        self._played += 1
        if self._played > len(self._answers):
            problem = f"the script has {len(self._answers)} answers and was asked for number {self._played}"
            return Failure.of(500, problem).final()
        return self._answers[self._played - 1]

    @property
    def left(self) -> int:
        return max(0, len(self._answers) - self._played)


def split(text: str, pieces: int) -> tuple[str, ...]:
    """Split the text into at most `pieces` parts of nearly equal length; an empty text into none."""
    count = max(1, min(pieces, len(text)))
    borders = [len(text) * i // count for i in range(count + 1)]
    return tuple(text[a:b] for a, b in pairwise(borders) if a < b)


def text_of(pieces: tuple[Piece, ...]) -> str:
    """The text of the deltas, without gates."""
    return "".join(piece for piece in pieces if isinstance(piece, str))
