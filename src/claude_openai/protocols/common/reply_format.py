"""Reads response formats, in any protocol: JSON that fits a schema, or any JSON object."""

import json
from collections.abc import Mapping
from typing import Any, Final

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.tools import AUTO, STRUCTURED_OUTPUT, Tool, ToolChoice
from claude_openai.core.turn import ReplyFormat
from claude_openai.jsontools.schema import InvalidSchema, check_schema
from claude_openai.protocols.common.functions import check_properties
from claude_openai.protocols.common.invalid import invalid

ANY_OBJECT: Final = ReplyFormat(None)
"""JSON mode. A schema without properties would not do: the model answers `{}` through a tool that names no field, even
if the prompt describes the fields.
"""

_LARGEST: Final = 100_000
"""Bytes of a schema: it may become one argument of a command line, which Linux limits to 128 KiB."""

_CHOICES: Final = ("anyOf", "oneOf", "allOf")

_SAYS_NOTHING: Final = frozenset({"type", "title", "$schema", "$id", "$comment"})
"""Keywords of a schema that every object fits."""


def read_schema(schema: Mapping[str, Any] | None, path: str, description: str | None = None) -> ReplyFormat:
    """The reply format of the `schema` at `path`; JSON mode if every object fits it.

    Raises:
        RequestFailed: `INVALID_REQUEST`, naming `path`: it is not a schema, or upstream does not accept it.
    """
    if schema is None or (schema.get("type", "object") == "object" and schema.keys() <= _SAYS_NOTHING):
        return ANY_OBJECT
    if any(choice in schema for choice in _CHOICES):
        raise _invalid_schema("anyOf, oneOf and allOf at its root are not supported; put them into a property", path)
    described = {"description": description} if description and "description" not in schema else {}
    text = json.dumps({"type": "object", **schema, **described}, ensure_ascii=False)
    if len(text.encode("utf-8", "replace")) > _LARGEST:
        raise _invalid_schema(f"it is larger than {_LARGEST} bytes", path)
    try:
        check_schema(text)
        check_properties(schema)
    except InvalidSchema as error:
        raise _invalid_schema(str(error), path) from None
    return ReplyFormat(text)


def reconcile_tools_and_format(
    form: ReplyFormat | None, tools: tuple[Tool, ...], choice: ToolChoice
) -> tuple[ReplyFormat | None, tuple[Tool, ...], ToolChoice]:
    """The reply format, tools and tool choice of a turn. With a schema the answer itself is a call of a tool.

    A request that requires a call of one of the client's tools must not get that one instead, so this turn has no reply
    format; the next one has it.

    Raises:
        RequestFailed: `INVALID_REQUEST`: a tool has the name of that call.
    """
    if form is None or form.schema is None:
        return form, tools, choice
    if any(tool.name == STRUCTURED_OUTPUT for tool in tools):
        raise invalid("tools", f"a function named '{STRUCTURED_OUTPUT}' cannot stand beside a response format")
    if choice.mode == "none":
        return form, (), AUTO
    return None if choice.mode == "required" else form, tools, choice


def _invalid_schema(fault: str, path: str) -> RequestFailed:
    return RequestFailed(Failure(Kind.INVALID_REQUEST, f"Invalid schema for response_format: {fault}.", param=path))
