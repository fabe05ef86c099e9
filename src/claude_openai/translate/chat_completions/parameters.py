"""What becomes of each parameter of a request: one table, which the code obeys and the documentation is made from.

A row decides by itself unless the parameter is carried. What is carried only in part (ranges, models that do not take
a value) is worked out by `read_sampling`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.models import Model
from claude_openai.core.turn import Sampling
from claude_openai.translate.content import is_blank
from claude_openai.translate.faults import invalid
from claude_openai.wire.chat_completions import (
    AssistantMessage,
    ChatCompletionRequest,
    ResponseFormat,
    SystemMessage,
    UserMessage,
)

Treatment = Literal["carried", "partly", "ignored", "refused"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a request: carried to Claude, carried in part, ignored and reported, or refused with a 400.

    `unless` are the values that ask for nothing but what happens anyway; they, null and absence are all one.
    """

    name: str
    treatment: Treatment
    note: str
    unless: tuple[object, ...] = ()


PARAMETERS: Final = (
    Parameter("messages", "carried", "As native messages; see below."),
    Parameter("model", "carried", "A model of `/v1/models`, an alias or a full `claude-...` id; absent: the default."),
    Parameter("stream", "carried", "Token by token, as Claude sends."),
    Parameter(
        "stream_options",
        "partly",
        "`include_usage` is carried. Streams are never padded: `include_obfuscation: true` is reported.",
    ),
    Parameter("max_completion_tokens", "carried", "Bounds the answer, thinking included."),
    Parameter("max_tokens", "carried", "The same; reported where a different `max_completion_tokens` wins over it."),
    Parameter(
        "temperature",
        "partly",
        "Claude's range ends at 1: above, it is carried as 1 and reported as adjusted. Without effect on models that "
        "do not take it (from Claude 4.7 on).",
    ),
    Parameter(
        "top_p",
        "partly",
        "Models refuse it beside `temperature`: then the one that differs from 1 is carried, and of two such "
        "`temperature`. Without effect on models that do not take it.",
    ),
    Parameter("stop", "carried", "Up to four; one that is empty or only white space is a 400."),
    Parameter("n", "refused", "There is one answer to a request.", unless=(1,)),
    Parameter(
        "response_format", "refused", "This version answers in plain text only.", unless=(ResponseFormat(type="text"),)
    ),
    Parameter("tools", "carried", "Up to 128 functions; see below. Custom tools are a 400."),
    Parameter("tool_choice", "carried", "In every form; a 400 where it asks for a tool that is not offered."),
    Parameter("parallel_tool_calls", "carried", "`false`: Claude makes one call at a time."),
    Parameter("functions", "carried", "Like `tools`, and answered in kind: one call at a time, as `function_call`."),
    Parameter("function_call", "carried", "In every form; a 400 where it asks for a function that is not offered."),
    Parameter("modalities", "refused", "Claude answers in text.", unless=(["text"], [])),
    Parameter("audio", "refused", "Claude answers in text."),
    Parameter("logprobs", "refused", "Claude gives no probabilities.", unless=(False,)),
    Parameter("top_logprobs", "refused", "Claude gives no probabilities.", unless=(0,)),
    Parameter("logit_bias", "refused", "Claude's tokens cannot be weighted.", unless=({},)),
    Parameter("prediction", "refused", "Claude takes no predicted output."),
    Parameter("web_search_options", "refused", "Answers do not search the web."),
    Parameter("moderation", "refused", "Answers are not moderated."),
    Parameter("frequency_penalty", "ignored", "Claude has no penalties.", unless=(0,)),
    Parameter("presence_penalty", "ignored", "Claude has no penalties.", unless=(0,)),
    Parameter("seed", "ignored", "Claude draws without a seed."),
    Parameter("reasoning_effort", "ignored", "This version does not carry it yet."),
    Parameter("verbosity", "ignored", "Claude has no such setting.", unless=("medium",)),
    Parameter("service_tier", "ignored", "The tier is that of the login.", unless=("auto", "default")),
    Parameter("store", "ignored", "Answers are not stored.", unless=(False,)),
    Parameter("metadata", "ignored", "There is nothing stored to attach it to.", unless=({},)),
    Parameter("user", "ignored", "Claude Code names its own user upstream."),
    Parameter("safety_identifier", "ignored", "Claude Code names its own user upstream."),
    Parameter("prompt_cache_key", "ignored", "Claude Code caches prompts by itself."),
    Parameter("prompt_cache_options", "ignored", "Claude Code caches prompts by itself."),
    Parameter("prompt_cache_retention", "ignored", "Claude Code caches prompts by itself."),
)

HIGHEST_TEMPERATURE = 1.0
"""The end of Claude's range; OpenAI's ends at 2."""

_NAMED = (SystemMessage, UserMessage, AssistantMessage)
"""Messages whose `name` tells who speaks; a function's is the function's."""

_MOST_UNKNOWN = 16
"""How many unknown fields are reported by name: more is no oversight, and a header has a bounded length."""

_LONGEST_NAME = 64
"""Characters of an unknown field's name that are reported, for the same reason."""


def refuse_unsupported(request: ChatCompletionRequest) -> None:
    """See that the request asks for nothing that cannot be given.

    Raises:
        RequestFailed: `UNSUPPORTED_PARAMETER`, naming the first such parameter.
    """
    for parameter in _effective(request, "refused"):
        sentence = f"Unsupported parameter: '{parameter.name}'. {parameter.note}"
        raise RequestFailed(Failure(Kind.UNSUPPORTED_PARAMETER, sentence, param=parameter.name))


def without_effect(request: ChatCompletionRequest) -> tuple[str, ...]:
    """The names of what the request asks for in vain: ignored parameters, then unknown ones. Fit for a header."""
    known = [parameter.name for parameter in _effective(request, "ignored")]
    if request.stream_options and request.stream_options.include_obfuscation:
        known.append("stream_options.include_obfuscation")
    if any(message.name for message in request.messages if isinstance(message, _NAMED)):
        known.append("messages[].name")
    unknown = [_header_safe(name) for name in request.unknown_fields[:_MOST_UNKNOWN]]
    more = len(request.unknown_fields) - len(unknown)
    return (*known, *unknown, *([f"({more} more)"] if more else []))


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the answer is to be drawn, and which of the request's wishes for that were ignored or adjusted."""

    sampling: Sampling
    ignored: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()


def read_sampling(request: ChatCompletionRequest, model: Model) -> Drawing:
    """What the request wants of the answer's length, randomness and end, as far as `model` takes it.

    Raises:
        RequestFailed: `INVALID_REQUEST`, naming a stop sequence that Claude would refuse.
    """
    limit, overruled = _max_tokens(request)
    temperature, top_p, unwelcome = _randomness(request, model)
    above = model.takes_temperature and request.temperature is not None and request.temperature > HIGHEST_TEMPERATURE
    return Drawing(
        Sampling(max_tokens=limit, temperature=temperature, top_p=top_p, stop=_stop(request)),
        ignored=overruled + unwelcome,
        adjusted=(f"temperature={HIGHEST_TEMPERATURE:g}",) if above else (),
    )


def markdown_table() -> str:
    """The table as the documentation shows it."""
    rows = ["| Parameter | What happens | Note |", "|---|---|---|"]
    rows += [f"| `{row.name}` | {_happens(row)} | {row.note} |" for row in PARAMETERS]
    return "\n".join(rows) + "\n"


def _effective(request: ChatCompletionRequest, treatment: Treatment) -> Iterator[Parameter]:
    for parameter in PARAMETERS:
        value: object = getattr(request, parameter.name)
        if parameter.treatment == treatment and value is not None and value not in parameter.unless:
            yield parameter


def _happens(parameter: Parameter) -> str:
    match parameter.treatment:
        case "carried":
            return "carried"
        case "partly":
            return "carried in part"
        case "ignored":
            return f"no effect, reported{_but_for(parameter)}"
        case "refused":
            return f"400{_but_for(parameter)}"


def _but_for(parameter: Parameter) -> str:
    """The values that pass without a word, as a phrase."""
    return f" unless {' or '.join(f'`{_shown(value)}`' for value in parameter.unless)}" if parameter.unless else ""


def _shown(value: object) -> str:
    return json.dumps(value.model_dump() if isinstance(value, ResponseFormat) else value)


def _header_safe(name: str) -> str:
    return quote(name[:_LONGEST_NAME], safe="", errors="replace")


def _max_tokens(request: ChatCompletionRequest) -> tuple[int | None, tuple[str, ...]]:
    newer, older = request.max_completion_tokens, request.max_tokens
    if newer is None:
        return older, ()
    return newer, () if older in (None, newer) else ("max_tokens",)


def _randomness(request: ChatCompletionRequest, model: Model) -> tuple[float | None, float | None, tuple[str, ...]]:
    """Temperature, top_p, and the names of those without effect. 1 is the default of both, here and upstream."""
    temperature, top_p = request.temperature, request.top_p
    if not model.takes_temperature:
        wishes = {"temperature": temperature, "top_p": top_p}
        return None, None, tuple(name for name, value in wishes.items() if value not in (None, 1))
    if temperature is not None:
        temperature = min(temperature, HIGHEST_TEMPERATURE)
    if temperature is None or top_p is None:
        return temperature, top_p, ()
    if temperature == 1:
        return None, top_p, ()
    return temperature, None, () if top_p == 1 else ("top_p",)


def _stop(request: ChatCompletionRequest) -> tuple[str, ...]:
    match request.stop:
        case None:
            return ()
        case str(one):
            _check_stop(one, "stop")
            return (one,)
        case several:
            for index, one in enumerate(several):
                _check_stop(one, f"stop[{index}]")
            return tuple(several)


def _check_stop(sequence: str, path: str) -> None:
    if is_blank(sequence):
        raise invalid(path, "Claude takes no stop sequence that is empty or only white space")
