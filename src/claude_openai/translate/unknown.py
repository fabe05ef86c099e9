"""Fields that a request has and its protocol does not, at every depth: each by its path, so that it can be reported.

What clients send back of an answer is no wish, though no request has a field for it: the table of `ECHOES`.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final
from urllib.parse import quote

from pydantic import BaseModel

from claude_openai.core.effort import spend
from claude_openai.wire import chat_completions as chat
from claude_openai.wire import sent
from claude_openai.wire.responses import request as responses

LONGEST_NAME: Final = 64
"""Characters of a field's name that are reported, since a header has a bounded length."""

ECHOES: Final[Mapping[type[BaseModel], frozenset[str]]] = {
    # Of answers: OpenAI's, those of its Python package (`parsed`), and what LiteLLM, OpenRouter and Gemini add to them.
    chat.AssistantMessage: frozenset(
        {"annotations", "reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "parsed"}
        | {"provider_specific_fields", "extra_content", "id", "claude"}
    ),
    chat.ToolCall: frozenset({"index", "provider_specific_fields", "extra_content"}),
    chat.FunctionCall: frozenset({"parsed_arguments", "provider_specific_fields"}),
    # The name of the function, as it was sent before `tool_call_id` said enough.
    chat.ToolMessage: frozenset({"name"}),
    # Items of a response.
    responses.MessageItem: frozenset({"id", "status", "phase"}),
    responses.TextPart: frozenset({"annotations", "logprobs", "parsed"}),
    responses.FunctionCallItem: frozenset({"id", "status", "parsed_arguments", "namespace"}),
    responses.FunctionCallOutputItem: frozenset({"id", "status"}),
    responses.ReasoningItem: frozenset({"id", "status", "summary", "content", "encrypted_content"}),
}

_UNREAD: Final = (responses.OtherItem, responses.OtherTool, sent.AudioPart)
"""They are refused by their type, or carried as a whole."""


def unknown_fields(sent: Mapping[str, object], read: BaseModel) -> tuple[str, ...]:
    """The paths of the fields of `sent` that the request `read` from it has no place for, each once, fit for a header.

    `tools[].cache_control` stands for all tools. A field that is null asks for nothing.
    """
    return tuple(dict.fromkeys(_within(sent, read, "")))


def _within(value: object, read: object, path: str) -> Iterator[str]:
    match value, read:
        case dict(), BaseModel() if not isinstance(read, _UNREAD):
            spend()
            known, echoed = _names(type(read)), ECHOES.get(type(read), frozenset())
            for key, each in value.items():
                if key in known:
                    yield from _within(each, getattr(read, known[key]), f"{path}.{key}" if path else key)
                elif each is not None and key not in echoed:
                    name = quote(key[:LONGEST_NAME], safe="", errors="replace")
                    yield f"{path}.{name}" if path else name
        case list(), list():
            for each, one in zip(value, read, strict=False):
                yield from _within(each, one, f"{path}[]")
        case _:
            pass


@cache
def _names(shape: type[BaseModel]) -> Mapping[str, str]:
    """How each field of `shape` is called on the wire."""
    fields = shape.model_fields.items()
    return {str(field.validation_alias or field.alias or name): name for name, field in fields}
