"""`GET /v1/models` and `GET /v1/models/{id}` (OpenAI reference: Models)."""

from typing import Literal

from claude_openai.wire.reply import Reply


class ModelObject(Reply):
    """One model."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "anthropic"


class ModelList(Reply):
    """All models."""

    object: Literal["list"] = "list"
    data: list[ModelObject]
