"""How each parameter of a response is treated: the table, and the sampling of the turn."""

from dataclasses import replace
from typing import Final

from claude_openai.core.models import Model
from claude_openai.core.turn import ReplyFormat
from claude_openai.protocols.common.content import marks_cache, parts_of
from claude_openai.protocols.common.parameter_checks import ignored_parameters, unknown_paths
from claude_openai.protocols.common.reply_format import read_schema
from claude_openai.protocols.common.sampling import EFFORT_NOTE, LENGTH_NOTE, SamplingParameters, resolve_sampling
from claude_openai.protocols.common.shared_parameters import Parameter, parameter_table
from claude_openai.protocols.common.wire.request_base import JsonObjectFormat
from claude_openai.protocols.responses.wire.request import (
    ImagePart,
    JsonSchemaFormat,
    MessageItem,
    ResponsesRequest,
)

_OWN: Final = (
    Parameter("input", "carried", "Text, or items: messages, calls, their outputs; thinking is left out."),
    Parameter(
        "instructions", "carried", "The system prompt. Those of the previous response do not count, as with OpenAI."
    ),
    Parameter("previous_response_id", "carried", "The conversation up to that response, where it was stored."),
    Parameter("stream", "carried", "Token by token, as Claude sends, in numbered events."),
    Parameter("stream_options", "partly", "Streams are never padded: `include_obfuscation: true` is reported."),
    Parameter("max_output_tokens", "carried", LENGTH_NOTE),
    Parameter("text", "partly", "`format` is carried in every form. `verbosity` has no effect and is reported."),
    Parameter("tools", "carried", "Up to 128 functions. Hosted tools, MCP servers and custom tools are a 400."),
    Parameter("tool_choice", "carried", "In every form for functions; a 400 where it asks for what is not offered."),
    Parameter("store", "carried", "`true`, which is the default: the response can be fetched and continued later."),
    Parameter("metadata", "carried", "Stored with the response and repeated in it."),
    Parameter("include", "partly", "There is nothing to include; what is asked for is reported."),
    Parameter(
        "reasoning",
        "partly",
        f"`effort`: {EFFORT_NOTE} `summary`: thinking is shown, in the one form that Claude has, as `auto`. `context` "
        "and `mode` have no effect and are reported.",
    ),
    Parameter("background", "refused", "A response is answered while its request is open.", unless=(False,)),
    Parameter("conversation", "refused", "Use `previous_response_id`, or send the conversation."),
    Parameter("prompt", "refused", "There are no stored prompts here."),
    Parameter("context_management", "refused", "Nothing is dropped from a conversation.", unless=([],)),
    Parameter(
        "truncation",
        "ignored",
        "Nothing is dropped from a conversation: one that is longer than the context is an error.",
        unless=("disabled",),
    ),
    Parameter("access_programs", "ignored", "They are OpenAI's."),
    Parameter("background_options", "ignored", "A response is answered while its request is open.", unless=({},)),
    Parameter("image", "ignored", "Images reach Claude as they are.", unless=({},)),
    Parameter("max_tool_calls", "ignored", "It counts built-in tools, of which there are none."),
)

PARAMETERS: Final = parameter_table(ResponsesRequest, _OWN)


def read_format(request: ResponsesRequest) -> ReplyFormat | None:
    """The reply format of the request; None for any text.

    Raises:
        RequestFailed: `INVALID_REQUEST`, naming a schema that upstream does not accept.
    """
    match request.text.format if request.text else None:
        case JsonObjectFormat(content=schema):
            return read_schema(schema, "text.format.schema")
        case JsonSchemaFormat() as form:
            return read_schema(form.content, "text.format.schema", form.description)
        case _:
            return None


def summary_form(request: ResponsesRequest) -> str | None:
    """The form in which the answer shows thinking; the parameter has two names."""
    reasoning = request.reasoning
    return (reasoning.summary or reasoning.generate_summary) if reasoning else None


def read_sampling(request: ResponsesRequest, model: Model) -> SamplingParameters:
    """The generation parameters of `request`, as far as `model` takes them; another form of summary is adjusted."""
    effort = request.reasoning.effort if request.reasoning else None
    limit = ("max_output_tokens", request.max_output_tokens)
    parsed = resolve_sampling(request, model, limit=limit, effort=("reasoning.effort", effort))
    form = ("reasoning.summary=auto",) if summary_form(request) not in (None, "auto") else ()
    return replace(parsed, adjusted=parsed.adjusted + form)


def ignored_fields(request: ResponsesRequest) -> tuple[str, ...]:
    """The names, fit for a header, of fields without effect: ignored parameters, then unknown fields."""
    text, reasoning, options = request.text, request.reasoning, request.stream_options
    messages = [item for item in parts_of(request.input) if isinstance(item, MessageItem)]
    parts = [part for item in messages for part in parts_of(item.content)]
    details = any(part.detail not in (None, "auto") for part in parts if isinstance(part, ImagePart))
    in_part = {
        "text.verbosity": bool(text and text.verbosity not in (None, "medium")),
        "reasoning.context": bool(reasoning and reasoning.context not in (None, "auto")),
        "reasoning.mode": bool(reasoning and reasoning.mode not in (None, "standard")),
        "stream_options.include_obfuscation": bool(options and options.include_obfuscation),
        "include": bool(request.include),
        "input[].content[].detail": details,
        "input[].content[].prompt_cache_breakpoint": marks_cache(parts),
    }
    return (
        *ignored_parameters(request, PARAMETERS),
        *(name for name, sent in in_part.items() if sent),
        *unknown_paths(request),
    )
