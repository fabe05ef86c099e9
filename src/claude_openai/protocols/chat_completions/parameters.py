"""What becomes of each parameter of a chat completion: the table, and what is carried of it."""

from dataclasses import dataclass
from typing import Final

from claude_openai.core.agent import AgentProfile
from claude_openai.core.models import Model
from claude_openai.core.turn import ReplyFormat, Sampling
from claude_openai.protocols.chat_completions.wire import (
    AssistantMessage,
    ChatCompletionRequest,
    ImagePart,
    JsonSchemaFormat,
    SystemMessage,
    UserMessage,
)
from claude_openai.protocols.common.content import is_blank, marks_cache, parts_of
from claude_openai.protocols.common.invalid import invalid, unsupported
from claude_openai.protocols.common.parameters import (
    CACHING,
    EFFORT_NOTE,
    FREQUENCY_PENALTY,
    LENGTH_NOTE,
    LOGIT_BIAS,
    MODEL,
    MODERATION,
    PARALLEL_TOOL_CALLS,
    PRESENCE_PENALTY,
    SAFETY_IDENTIFIER,
    SEED,
    SERVICE_TIER,
    TEMPERATURE,
    TOP_LOGPROBS,
    TOP_P,
    USER,
    Parameter,
    WishedEffort,
    clamped_limit,
    ignored,
    resolve_effort,
    resolve_sampling,
    unknown,
)
from claude_openai.protocols.common.reply_format import read_schema
from claude_openai.protocols.common.wire.request import JsonObjectFormat

PARAMETERS: Final = (
    Parameter("messages", "carried", "As native messages; see below."),
    MODEL,
    Parameter("stream", "carried", "Token by token, as Claude sends."),
    Parameter(
        "stream_options",
        "partly",
        "`include_usage` is carried. Streams are never padded: `include_obfuscation: true` is reported.",
    ),
    Parameter("max_completion_tokens", "carried", LENGTH_NOTE),
    Parameter("max_tokens", "carried", "The same; reported where a different `max_completion_tokens` wins over it."),
    TEMPERATURE,
    TOP_P,
    Parameter("reasoning_effort", "partly", EFFORT_NOTE),
    Parameter(
        "reasoning",
        "partly",
        "OpenRouter's form of it: `effort`, over which `reasoning_effort` wins; `enabled: false` is `none`; with "
        "`exclude: true` thinking is not told. What else is in it has no effect and is reported.",
    ),
    Parameter("include_reasoning", "carried", "OpenRouter's: with `false` thinking is not told."),
    Parameter(
        "stop",
        "carried",
        "Up to four; an empty one is a 400. Claude takes none of white space alone, and none where the answer has a "
        "`response_format`: such a one ends the answer here, and what the answer used is then not known.",
    ),
    Parameter(
        "n", "carried", "Up to 8 answers, each a run of its own; see below. More, and several of agents, are a 400."
    ),
    Parameter("response_format", "carried", "In every form; see below. A schema that Claude does not take is a 400."),
    Parameter("tools", "carried", "Up to 128 functions; see below. Custom tools are a 400."),
    Parameter("tool_choice", "carried", "In every form; a 400 where it asks for a tool that is not offered."),
    PARALLEL_TOOL_CALLS,
    Parameter("functions", "carried", "Like `tools`, and answered in kind: one call at a time, as `function_call`."),
    Parameter("function_call", "carried", "In every form; a 400 where it asks for a function that is not offered."),
    Parameter("claude", "carried", "The agent profile; see [agent.md](agent.md). An unknown field of it is a 400."),
    Parameter("modalities", "refused", "Claude answers in text.", unless=(["text"], [])),
    Parameter("audio", "refused", "Claude answers in text."),
    Parameter("logprobs", "refused", "Claude gives no probabilities.", unless=(False,)),
    TOP_LOGPROBS,
    LOGIT_BIAS,
    Parameter("prediction", "refused", "Claude takes no predicted output."),
    Parameter(
        "web_search_options",
        "refused",
        "A chat completion has the client's own tools only. An agent can search the web; see `claude`.",
    ),
    MODERATION,
    FREQUENCY_PENALTY,
    PRESENCE_PENALTY,
    SEED,
    Parameter("verbosity", "ignored", "Claude has no such setting.", unless=("medium",)),
    SERVICE_TIER,
    Parameter(
        "store",
        "ignored",
        "Chat completions are not kept for fetching; [responses](responses.md) are.",
        unless=(False,),
    ),
    Parameter("metadata", "ignored", "There is nothing stored to attach it to.", unless=({},)),
    USER,
    SAFETY_IDENTIFIER,
    *CACHING,
)

MOST_CHOICES = 8
"""Answers to one request: each takes a place, and a process."""

_NAMED = (SystemMessage, UserMessage, AssistantMessage)
"""Messages whose `name` tells who speaks; a function's is the function's."""


def read_format(request: ChatCompletionRequest) -> ReplyFormat | None:
    """The form that the answer must have; None for any text.

    Raises:
        RequestFailed: `INVALID_REQUEST`, naming a schema that cannot be had.
    """
    match request.response_format:
        case JsonObjectFormat(content=schema):
            return read_schema(schema, "response_format.schema")
        case JsonSchemaFormat(json_schema=named):
            return read_schema(named.content, "response_format.json_schema.schema", named.description)
        case _:
            return None


def read_choices(wanted: int | None, agent: AgentProfile | None, *, prompts: int = 1) -> int:
    """How many answers are wanted to each of so many prompts.

    Raises:
        RequestFailed: `UNSUPPORTED_PARAMETER`, naming `n`, or `prompt` without it: more than can be given.
    """
    each = wanted or 1
    name = "n" if each > 1 else "prompt"
    if each * prompts > MOST_CHOICES:
        raise unsupported(name, f"at most {MOST_CHOICES} answers are given to a request")
    if each * prompts > 1 and agent:
        raise unsupported(name, "several agents would work in one folder at the same time")
    return each


def without_effect(request: ChatCompletionRequest) -> tuple[str, ...]:
    """The names of what the request asks for in vain: ignored parameters, then unknown ones. Fit for a header."""
    known = [*ignored(request, PARAMETERS)]
    if request.stream_options and request.stream_options.include_obfuscation:
        known.append("stream_options.include_obfuscation")
    if any(message.name for message in request.messages if isinstance(message, _NAMED)):
        known.append("messages[].name")
    parts = [part for message in request.messages for part in parts_of(message.content)]
    if any(part.image_url.detail not in (None, "auto") for part in parts if isinstance(part, ImagePart)):
        known.append("messages[].content[].image_url.detail")
    if marks_cache(parts):
        known.append("messages[].content[].prompt_cache_breakpoint")
    return (*known, *_reasoning_in_vain(request), *unknown(request))


def _reasoning_in_vain(request: ChatCompletionRequest) -> tuple[str, ...]:
    asked = request.reasoning
    if asked is None:
        return ()
    overruled = request.reasoning_effort is not None and asked.effort not in (None, request.reasoning_effort)
    return ("reasoning.effort",) if overruled else ()


@dataclass(frozen=True, slots=True)
class SamplingParameters:
    """How the answer is to be drawn, and which of the request's wishes for that were ignored or adjusted."""

    sampling: Sampling
    ignored: tuple[str, ...] = ()
    adjusted: tuple[str, ...] = ()


def read_sampling(request: ChatCompletionRequest, model: Model, form: ReplyFormat | None = None) -> SamplingParameters:
    """What the request wants of the answer's length, randomness, effort and end, as far as `model` takes it.

    With a `form` the answer is a call, and upstream looks for stop sequences in text.

    Raises:
        RequestFailed: `INVALID_REQUEST`, naming a stop sequence that is empty.
    """
    name, limit, overruled = _max_tokens(request)
    stops = _stop(request)
    upstream = () if form else tuple(sequence for sequence in stops if not is_blank(sequence))
    drawn = resolve_sampling(request.temperature, request.top_p, model)
    thought = resolve_effort(*_effort(request), model, drawn)
    return SamplingParameters(
        Sampling(
            limit,
            drawn.temperature,
            drawn.top_p,
            stop=upstream,
            effort=thought.effort,
            local_stop=tuple(sequence for sequence in stops if sequence not in upstream),
        ),
        ignored=overruled + drawn.ignored + thought.ignored,
        adjusted=clamped_limit(name, limit, model) + drawn.adjusted + thought.adjusted,
    )


def shows_thinking(request: ChatCompletionRequest) -> bool:
    """Whether the answer tells what the model thinks."""
    return not (request.include_reasoning is False or (request.reasoning and request.reasoning.exclude))


def _effort(request: ChatCompletionRequest) -> tuple[str, WishedEffort | None]:
    """Under which name it was asked for how much thinking, and how much that is."""
    asked = request.reasoning
    if request.reasoning_effort is not None or asked is None:
        return "reasoning_effort", request.reasoning_effort
    return "reasoning.effort", "none" if asked.enabled is False else asked.effort


def _max_tokens(request: ChatCompletionRequest) -> tuple[str, int | None, tuple[str, ...]]:
    """Under which name the limit was given, the limit, and what it overrules."""
    newer, older = request.max_completion_tokens, request.max_tokens
    if newer is None:
        return "max_tokens", older, ()
    return "max_completion_tokens", newer, () if older in (None, newer) else ("max_tokens",)


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
    if not sequence:
        raise invalid(path, "there is no empty stop sequence")
