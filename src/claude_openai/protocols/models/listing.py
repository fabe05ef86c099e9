"""A model as clients see it in the list: what it takes and gives."""

from typing import Final

from claude_openai.core.models import Model
from claude_openai.protocols.chat_completions.parameters import PARAMETERS
from claude_openai.protocols.models.wire import ModelObject, TopProvider

CREATED: Final = 0
"""OpenAI's clients want a time here, and Claude Code does not say when a model was made."""

_NO_CAPABILITY: Final = frozenset(
    {"messages", "model", "stream", "stream_options", "claude", "functions", "function_call"}
)
"""What every request has, and what is ours or has a newer name."""

_CARRIED: Final = (
    *(row.name for row in PARAMETERS if row.treatment in ("carried", "partly") and row.name not in _NO_CAPABILITY),
    "structured_outputs",
)
"""The last is OpenRouter's word for a schema as `response_format`."""


def listed(model: Model, name: str, *, tools: bool = True) -> ModelObject:
    """`model` under the `name` that a client has for it; `tools`: it may offer its own."""
    answer = ModelObject(
        id=name,
        created=CREATED,
        name=_shown(model) or name,
        context_length=model.context_window,
        context_window=model.context_window,
        max_model_len=model.context_window,
        top_provider=TopProvider(context_length=model.context_window, max_completion_tokens=model.most_output),
        supported_parameters=[parameter for parameter in _CARRIED if parameter not in _lacking(model, tools=tools)],
    )
    known = {"description": model.description, "max_completion_tokens": model.most_output}
    return answer.model_copy(update={key: value for key, value in known.items() if value is not None})


def _shown(model: Model) -> str | None:
    """For people, who are to tell an agent from the model as it is."""
    return f"{model.display_name} (agent)" if model.display_name and model.agent else model.display_name


def _lacking(model: Model, *, tools: bool) -> frozenset[str]:
    drawn = () if model.takes_temperature else ("temperature",)
    weighed = () if model.takes_top_p else ("top_p",)
    thought = () if set(model.efforts) - {"none"} else ("reasoning_effort",)
    several = ("n",) if model.agent else ()
    called = () if tools else ("tools", "tool_choice", "parallel_tool_calls")
    return frozenset({*drawn, *weighed, *thought, *several, *called})
