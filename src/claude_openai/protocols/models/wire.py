"""`GET /v1/models` and `GET /v1/models/{id}` (OpenAI reference: Models), with further keys that clients look for.

Most of these are from OpenRouter's list of models; `context_window` and `max_model_len` are other servers' names for
the context length. A key whose value is not known is left out, prices among them.
"""

from typing import Literal

from claude_openai.protocols.common.wire.reply import ReplyWithConstants


class Architecture(ReplyWithConstants):
    """What a model reads and writes."""

    modality: str = "text+image+file->text"
    input_modalities: tuple[str, ...] = ("text", "image", "file")
    output_modalities: tuple[str, ...] = ("text",)
    tokenizer: str = "Claude"


class TopProvider(ReplyWithConstants):
    """The limits of a model on this server, in tokens."""

    context_length: int
    max_completion_tokens: int | None = None
    is_moderated: bool = False


class ModelObject(ReplyWithConstants):
    """One model."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "anthropic"
    name: str
    description: str | None = None
    context_length: int
    context_window: int
    max_model_len: int
    max_completion_tokens: int | None = None
    architecture: Architecture = Architecture()
    top_provider: TopProvider
    supported_parameters: list[str]


class ModelList(ReplyWithConstants):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ModelObject]
