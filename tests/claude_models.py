"""Models of Claude as a backend describes them, with the facts of their versions."""

from typing import Any

from claude_openai.claude_code.model_facts import facts_of
from claude_openai.core.models import Effort, Model


def claude(
    model_id: str, resolved: str | None = None, *, listed_efforts: tuple[Effort, ...] | None = None, **fields: Any
) -> Model:
    """The model; `listed_efforts` as Claude Code lists them."""
    return Model(model_id, resolved, facts=facts_of(resolved or model_id, listed_efforts=listed_efforts), **fields)
