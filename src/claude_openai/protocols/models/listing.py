"""Describes a model for `/v1/models`: its limits, and the parameters it supports."""

from typing import Final

from claude_openai.core.models import Model
from claude_openai.protocols.chat_completions.parameters import PARAMETERS
from claude_openai.protocols.models.wire import ModelObject, TopProvider

CREATED: Final = 0
"""OpenAI's clients require a time, and Claude Code does not report when a model was made."""

_NO_CAPABILITY: Final = frozenset(
    {"messages", "model", "stream", "stream_options", "claude", "functions", "function_call"}
)
"""Parameters that every request has, that are extensions of this server, or that have a newer name."""

_CARRIED: Final = (
    *(row.name for row in PARAMETERS if row.treatment in ("carried", "partly") and row.name not in _NO_CAPABILITY),
    "structured_outputs",
)
"""The last one is OpenRouter's name for a schema as `response_format`."""


def model_object(model: Model, name: str, *, tools: bool = True) -> ModelObject:
    """`model` as the list has it under `name`; `tools`: this server passes on the client's tools."""
    lacking = {
        **{row.name: row.number.to not in model.facts.takes for row in PARAMETERS if row.number},
        "reasoning_effort": not set(model.facts.efforts) - {"none"},
        "n": model.agent,
        **dict.fromkeys(("tools", "tool_choice", "parallel_tool_calls"), not tools),
    }
    display_name = model.display_name
    if display_name and model.agent:
        display_name += " (agent)"  # so that people can distinguish it from the model itself
    listing = ModelObject(
        id=name,
        created=CREATED,
        name=display_name or name,
        context_length=model.facts.context_window,
        context_window=model.facts.context_window,
        max_model_len=model.facts.context_window,
        top_provider=TopProvider(
            context_length=model.facts.context_window, max_completion_tokens=model.facts.most_output
        ),
        supported_parameters=[parameter for parameter in _CARRIED if not lacking.get(parameter)],
    )
    known = {"description": model.description, "max_completion_tokens": model.facts.most_output}
    return listing.model_copy(update={key: value for key, value in known.items() if value is not None})
