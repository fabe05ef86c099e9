"""Reads items of OpenAI's own tools, which this server does not have, in a conversation that began at OpenAI.

Claude gets them as calls and results of a tool with the item's name, or with that of its kind (`web_search`), and with
the item's fields as arguments. An item that is not a call becomes a marked block of text.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from claude_openai.core.failures import RequestFailed
from claude_openai.core.messages import Image, Text
from claude_openai.protocols.common.content import image_data, read_parts, text_blocks
from claude_openai.protocols.common.conversation import tool_name
from claude_openai.protocols.responses.content import result_part
from claude_openai.protocols.responses.wire.request import Content, OtherItem

Outcome = tuple[Text | Image, ...]

CALLS: Final = frozenset(
    {
        "apply_patch_call",
        "computer_call",
        "custom_tool_call",
        "local_shell_call",
        "program",
        "shell_call",
        "tool_search_call",
    }
)
"""Calls whose result is another item with the same `call_id`."""

OUTPUTS: Final = frozenset(
    {
        "apply_patch_call_output",
        "computer_call_output",
        "custom_tool_call_output",
        "local_shell_call_output",
        "program_output",
        "shell_call_output",
        "tool_search_output",
    }
)
"""The results of `CALLS`."""

DONE: Final = frozenset(
    {"code_interpreter_call", "file_search_call", "image_generation_call", "mcp_call", "web_search_call"}
)
"""Calls that OpenAI has run: the same item has the result."""

NOTES: Final = frozenset(
    {"additional_tools", "compaction", "mcp_approval_request", "mcp_approval_response", "mcp_list_tools"}
)
"""Items that are not calls."""

_ENVELOPE: Final = frozenset({"call_id", "caller", "created_by", "id", "name", "namespace", "status"})
"""Fields that are neither arguments of a call nor part of a result."""

_RESULTS: Final = ("output", "outputs", "result", "results", "error")
"""Fields that have the result of a call."""

_ENCRYPTED: Final = "encrypted_content"
"""The field that only OpenAI can read."""

_UNREADABLE: Final = "(left out: not readable here)"

_CONTENT: TypeAdapter[Content] = TypeAdapter(Content)


@dataclass(frozen=True, slots=True)
class ForeignCall:
    """A call as the Messages API takes it. `arguments` is a JSON object as text, `id` the client's id."""

    id: str
    name: str
    arguments: str


def call_of(item: OtherItem) -> ForeignCall:
    """The call in an item of `CALLS` or `DONE`."""
    fields = item.fields
    own = item.type in CALLS
    given = {
        name: value
        for name, value in fields.items()
        if name not in _ENVELOPE and (own or name not in _RESULTS) and value is not None
    }
    kind = item.type.removesuffix("_call")
    sent = _text(fields.get("call_id")) if own else item.type  # a stored item gets an id that it was not sent with
    match given:
        case {"arguments": str(arguments), **rest} if not rest.keys() - {"server_label", "approval_request_id"}:
            pass
        case _:
            arguments = _json(given)
    return ForeignCall(sent, tool_name(_text(fields.get("name")) or kind), arguments)


def output_id(item: OtherItem) -> str:
    """The id of the call to which an item of `OUTPUTS` belongs: for local shells OpenAI's reference has it in `id`."""
    fields = item.fields
    return _text(fields.get("call_id")) or (_text(fields.get("id")) if item.type.startswith("local_shell") else "")


def outcome_of(item: OtherItem, path: str) -> Outcome:
    """The result in an item of `OUTPUTS` or `DONE`: text and images, or the fields as JSON.

    Raises:
        RequestFailed: naming a part of its output that a tool result cannot have.
    """
    fields = item.fields
    own = item.type in OUTPUTS
    result = {
        name: value
        for name, value in fields.items()
        if value is not None and name not in _ENVELOPE and (own or name in _RESULTS)
    }
    status = fields.get("status")
    if status is not None and (status != "completed" or not result):
        result["status"] = status
    match result:
        case {**nothing} if not nothing:
            return ()
        case {"output": str(text), **rest} if not rest:
            return text_blocks(text)
        case {"output": list(parts), **rest} if not rest and item.type == "custom_tool_call_output":
            try:
                return read_parts(_CONTENT.validate_python(parts), f"{path}.output", result_part)
            except ValidationError:
                return (Text(_json(parts)),)
        case {"output": {"image_url": str(data)}} | {"result": str(data)} if picture := _picture(data):
            return (picture,)
        case {"result": str(), **rest} if item.type == "image_generation_call":
            result = {**rest, "result": _UNREADABLE}  # megabytes of data that is not an image for Claude
    return (Text(_json(result)),)


def note_of(item: OtherItem) -> str:
    """The text of an item of `NOTES`."""
    result = {name: _UNREADABLE if name == _ENCRYPTED else value for name, value in item.fields.items()}
    return _json({name: value for name, value in result.items() if value is not None})


def _picture(data: str) -> Image | None:
    try:
        return image_data(data, "")
    except RequestFailed:
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _json(value: Mapping[str, object] | list[object]) -> str:
    return json.dumps(value, ensure_ascii=False)
