"""The form that an answer must have, whatever the protocol: JSON that fits a schema, or any JSON object."""

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
"""JSON mode. A bare schema would not do: asked by a tool that names no field, a model fills in none, whatever shape the
prompt describes, and answers `{}`.
"""

_LARGEST: Final = 100_000
"""Bytes of a schema: it may have to be one argument of a command line, which has 128 KiB at most on Linux."""

_CHOICES: Final = ("anyOf", "oneOf", "allOf")

_SAYS_NOTHING: Final = frozenset({"type", "title", "$schema", "$id", "$comment"})
"""Keywords of a schema that any object fits."""


def read_schema(schema: Mapping[str, Any] | None, path: str, description: str | None = None) -> ReplyFormat:
    """The form that `schema` describes, which was sent at `path`; JSON mode where it describes none.

    Raises:
        RequestFailed: `INVALID_REQUEST`, naming `path`: it is none, or none that upstream takes.
    """
    if schema is None or (schema.get("type", "object") == "object" and schema.keys() <= _SAYS_NOTHING):
        return ANY_OBJECT
    if any(choice in schema for choice in _CHOICES):
        raise _faulty("anyOf, oneOf and allOf at its root are not supported; put them into a property", path)
    described = {"description": description} if description and "description" not in schema else {}
    text = json.dumps({"type": "object", **schema, **described}, ensure_ascii=False)
    if len(text.encode("utf-8", "replace")) > _LARGEST:
        raise _faulty(f"it is larger than {_LARGEST} bytes", path)
    try:
        check_schema(text)
        check_properties(schema)
    except InvalidSchema as error:
        raise _faulty(str(error), path) from None
    return ReplyFormat(text)


def tools_beside_format(
    form: ReplyFormat | None, tools: tuple[Tool, ...], choice: ToolChoice
) -> tuple[ReplyFormat | None, tuple[Tool, ...], ToolChoice]:
    """The form, the client's tools and its choice as the model is to have them where the answer itself is a call, as it
    is with a schema.

    Who requires a call of one of the client's tools wants no other, so then there is no form: it is the next answer's.

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


def _faulty(fault: str, path: str) -> RequestFailed:
    return RequestFailed(Failure(Kind.INVALID_REQUEST, f"Invalid schema for response_format: {fault}.", param=path))
