"""How each parameter of a chat completion is treated: the table, and the sampling of the turn."""

from dataclasses import replace
from typing import Final

from claude_openai.core.agent import AgentProfile
from claude_openai.core.models import Model
from claude_openai.core.turn import ReplyFormat
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
from claude_openai.protocols.common.parameter_checks import ignored_parameters, unknown_paths
from claude_openai.protocols.common.reply_format import read_schema
from claude_openai.protocols.common.sampling import (
    EFFORT_NOTE,
    LENGTH_NOTE,
    RequestedEffort,
    SamplingParameters,
    resolve_sampling,
)
from claude_openai.protocols.common.shared_parameters import Parameter, parameter_table
from claude_openai.protocols.common.wire.request_base import JsonObjectFormat

_OWN: Final = (
    Parameter("messages", "carried", "As native messages; see below."),
    Parameter(
        "stream_options",
        "partly",
        "`include_usage` is carried. Streams are never padded: `include_obfuscation: true` is reported.",
    ),
    Parameter("max_completion_tokens", "carried", LENGTH_NOTE),
    Parameter("max_tokens", "carried", "The same; reported where a different `max_completion_tokens` wins over it."),
    Parameter("reasoning_effort", "partly", EFFORT_NOTE),
    Parameter(
        "reasoning",
        "partly",
        "OpenRouter's form of it: `effort`, over which `reasoning_effort` wins; `enabled: false` is `none`; with "
        "`exclude: true` thinking is not shown. What else is in it has no effect and is reported.",
    ),
    Parameter("include_reasoning", "carried", "OpenRouter's: with `false` thinking is not shown."),
    Parameter("response_format", "carried", "In every form; see below. A schema that Claude does not take is a 400."),
    Parameter("tools", "carried", "Up to 128 functions; see below. Custom tools are a 400."),
    Parameter("tool_choice", "carried", "In every form; a 400 where it asks for a tool that is not offered."),
    Parameter("functions", "carried", "Like `tools`, and answered in kind: one call at a time, as `function_call`."),
    Parameter("function_call", "carried", "In every form; a 400 where it asks for a function that is not offered."),
    Parameter("modalities", "refused", "Claude answers in text.", unless=(["text"], [])),
    Parameter("audio", "refused", "Claude answers in text."),
    Parameter("logprobs", "refused", "Claude gives no probabilities.", unless=(False,)),
    Parameter("prediction", "refused", "Claude takes no predicted output."),
    Parameter(
        "web_search_options",
        "refused",
        "A chat completion has the client's own tools only. An agent can search the web; see `claude`.",
    ),
    Parameter("verbosity", "ignored", "Claude has no such setting.", unless=("medium",)),
    Parameter(
        "store",
        "ignored",
        "Chat completions are not kept for fetching; [responses](responses.md) are.",
        unless=(False,),
    ),
    Parameter("metadata", "ignored", "There is nothing stored to attach it to.", unless=({},)),
)

PARAMETERS: Final = parameter_table(ChatCompletionRequest, _OWN)

MOST_CHOICES = 8
"""Answers to one request: each takes a place in the queue, and a process."""

_NAMED = (SystemMessage, UserMessage, AssistantMessage)
"""Messages whose `name` is that of the speaker; the name of a function message is the function's."""


def read_format(request: ChatCompletionRequest) -> ReplyFormat | None:
    """The reply format of the request; None for any text.

    Raises:
        RequestFailed: `INVALID_REQUEST`, naming a schema that upstream does not accept.
    """
    match request.response_format:
        case JsonObjectFormat(content=schema):
            return read_schema(schema, "response_format.schema")
        case JsonSchemaFormat(json_schema=named):
            return read_schema(named.content, "response_format.json_schema.schema", named.description)
        case _:
            return None


def read_choices(requested: int | None, agent: AgentProfile | None, *, prompts: int = 1) -> int:
    """The number of answers to each of so many `prompts`.

    Raises:
        RequestFailed: `UNSUPPORTED_PARAMETER`, naming `n`, or `prompt` if `n` is absent: there are too many.
    """
    each = requested or 1
    name = "n" if each > 1 else "prompt"
    if each * prompts > MOST_CHOICES:
        raise unsupported(name, f"at most {MOST_CHOICES} answers are given to a request, not {each * prompts}")
    if each * prompts > 1 and agent:
        raise unsupported(name, "several agents would work in one folder at the same time")
    return each


def ignored_fields(request: ChatCompletionRequest) -> tuple[str, ...]:
    """The names, fit for a header, of fields without effect: ignored parameters, then unknown fields."""
    parts = [part for message in request.messages for part in parts_of(message.content)]
    names = any(message.name for message in request.messages if isinstance(message, _NAMED))
    details = any(part.image_url.detail not in (None, "auto") for part in parts if isinstance(part, ImagePart))
    options, effort = request.stream_options, request.reasoning and request.reasoning.effort
    in_part = {
        "stream_options.include_obfuscation": bool(options and options.include_obfuscation),
        "messages[].name": names,
        "messages[].content[].image_url.detail": details,
        "messages[].content[].prompt_cache_breakpoint": marks_cache(parts),
        "reasoning.effort": request.reasoning_effort is not None and effort not in (None, request.reasoning_effort),
    }
    return (
        *ignored_parameters(request, PARAMETERS),
        *(name for name, sent in in_part.items() if sent),
        *unknown_paths(request),
    )


def read_sampling(
    request: ChatCompletionRequest, model: Model, reply_format: ReplyFormat | None = None
) -> SamplingParameters:
    """The generation parameters of `request`, as far as `model` takes them.

    With a `reply_format` the answer is a tool call, and upstream looks for stop sequences in text only.

    Raises:
        RequestFailed: `INVALID_REQUEST`, naming a stop sequence that is empty.
    """
    limit = ("max_tokens", request.max_tokens)
    overruled: tuple[str, ...] = ()
    if request.max_completion_tokens is not None:
        limit = ("max_completion_tokens", request.max_completion_tokens)
        overruled = () if request.max_tokens in (None, request.max_completion_tokens) else ("max_tokens",)
    effort: tuple[str, RequestedEffort | None] = ("reasoning_effort", request.reasoning_effort)
    if request.reasoning_effort is None and (asked := request.reasoning):
        effort = ("reasoning.effort", "none" if asked.enabled is False else asked.effort)
    stops = [request.stop] if isinstance(request.stop, str) else request.stop or []
    for index, sequence in enumerate(stops):
        if not sequence:
            path = "stop" if isinstance(request.stop, str) else f"stop[{index}]"
            raise invalid(path, "there is no empty stop sequence")
    upstream = () if reply_format else tuple(sequence for sequence in stops if not is_blank(sequence))
    local = tuple(sequence for sequence in stops if sequence not in upstream)
    parsed = resolve_sampling(request, model, limit=limit, effort=effort, stop=upstream, local_stop=local)
    return replace(parsed, ignored=(*overruled, *parsed.ignored))


def shows_thinking(request: ChatCompletionRequest) -> bool:
    """Whether the answer shows the model's thinking."""
    return not (request.include_reasoning is False or (request.reasoning and request.reasoning.exclude))
