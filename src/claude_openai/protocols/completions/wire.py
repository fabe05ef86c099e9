"""The bodies of `POST /v1/completions` (OpenAI reference: Create completion, legacy)."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from claude_openai.protocols.chat_completions.wire import (
    ClaudeExtension,
    CompletionUsage,
    Penalty,
    Stop,
    StreamOptions,
)
from claude_openai.protocols.common.wire.claude import ClaudeOptions
from claude_openai.protocols.common.wire.reply import Reply, ReplyWithConstants
from claude_openai.protocols.common.wire.request import RequestBody, Temperature, TokenLimit, TopP, shape


class CompletionRequest(RequestBody):
    """A request. The table in `protocols.completions.parameters` states how each field is treated."""

    prompt: Annotated[
        Annotated[str, Tag("<string>")] | Annotated[list[object], Tag("<list>")],
        shape("a string or an array of strings"),
    ]
    model: str | None = None
    best_of: Annotated[int, Field(ge=0, le=20)] | None = None
    claude: ClaudeOptions | None = None
    echo: bool | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, int] | None = None
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    max_tokens: TokenLimit | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    presence_penalty: Penalty | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: Stop | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    suffix: str | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    user: str | None = None


CompletionEnd = Literal["stop", "length", "content_filter"]


class CompletionChoice(Reply):
    """An answer, or a piece of it; `finish_reason` is null until it is complete."""

    index: int
    text: str
    logprobs: None
    finish_reason: CompletionEnd | None


class Completion(ReplyWithConstants):
    """An answer as one object, or one event of a stream: they look the same."""

    id: str
    object: Literal["text_completion"] = "text_completion"
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: CompletionUsage | None = None
    claude: ClaudeExtension | None = None
