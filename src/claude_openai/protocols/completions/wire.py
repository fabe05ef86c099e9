"""The bodies of `POST /v1/completions` (OpenAI reference: Create completion, legacy)."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from claude_openai.protocols.chat_completions.wire import ClaudeExtension, CompletionUsage, StreamOptions
from claude_openai.protocols.common.shared_parameters import CompletionFields
from claude_openai.protocols.common.wire.reply import Reply, ReplyWithConstants
from claude_openai.protocols.common.wire.request_base import json_type_discriminator


class CompletionRequest(CompletionFields):
    """A request. The table in `protocols.completions.parameters` states how each field is treated."""

    prompt: Annotated[
        Annotated[str, Tag("<string>")] | Annotated[list[object], Tag("<list>")],
        json_type_discriminator("a string or an array of strings"),
    ]
    best_of: Annotated[int, Field(ge=0, le=20)] | None = None
    echo: bool | None = None
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    stream_options: StreamOptions | None = None
    suffix: str | None = None


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
