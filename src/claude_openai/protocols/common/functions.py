"""Reads the functions that a client offers, in any protocol. Schemas are carried unchanged, as JSON text."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.tools import Tool
from claude_openai.jsontools.schema import InvalidSchema, check_schema
from claude_openai.protocols.common.invalid import invalid

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
"""Upstream's rule. OpenAI's is the same for responses, and ends at 64 characters for chat completions."""

_PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
"""Upstream's rule for the names of the arguments themselves, not for names within them. Claude Code silently drops a
tool that breaks it (measured)."""

_MOST_SHOWN = 80
"""Characters of a faulty name that are repeated to the client."""


class Function(Protocol):
    """A function as OpenAI's protocols describe one."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str | None: ...
    @property
    def parameters(self) -> Mapping[str, Any] | None: ...
    @property
    def strict(self) -> bool | None: ...


def read_functions(functions: Iterable[tuple[Function, str]]) -> tuple[Tool, ...]:
    """The tools of these functions; each function comes with its path in the request.

    Raises:
        RequestFailed: naming the function that is faulty.
    """
    tools: dict[str, Tool] = {}
    for function, path in functions:
        name, parameters = function.name, function.parameters
        if not _NAME.fullmatch(name):
            raise invalid(f"{path}.name", f"{_shown(name)} does not match '{_NAME.pattern}'")
        if name in tools:
            raise invalid(f"{path}.name", f"there are two functions named {_shown(name)}")
        schema = {"properties": {}} if parameters is None else parameters
        # upstream requires the type in each schema
        text = json.dumps(schema if "type" in schema else {"type": "object", **schema}, ensure_ascii=False)
        try:
            check_schema(text)
            check_properties(schema)
        except InvalidSchema as error:
            sentence = f"Invalid schema for function '{name}': {error}."
            raise RequestFailed(Failure(Kind.INVALID_REQUEST, sentence, param=f"{path}.parameters")) from None
        tools[name] = Tool(name, text, function.description or "", bool(function.strict))
    return tuple(tools.values())


def check_offered(name: str, tools: Iterable[Tool], path: str) -> None:
    """Check that the function chosen by `name` at `path` is one of `tools`.

    Raises:
        RequestFailed: it is not.
    """
    if all(tool.name != name for tool in tools):
        raise invalid(path, f"there is no function named {_shown(name)} among those offered")


def allowed_tools(names: Collection[str], tools: Iterable[Tool]) -> tuple[Tool, ...]:
    """The tools that a tool choice allows by `names`.

    Raises:
        RequestFailed: it allows none, or one that is not offered.
    """
    tools = tuple(tools)
    for name in names:
        check_offered(name, tools, "tool_choice")
    if not names:
        raise invalid("tool_choice", "it allows no tool; for that there is 'none'")
    return tuple(tool for tool in tools if tool.name in names)


def check_properties(schema: Mapping[str, Any]) -> None:
    """Check that upstream accepts the names of the schema's properties.

    Raises:
        InvalidSchema: it does not accept one of them.
    """
    properties = schema.get("properties")
    for name in properties if isinstance(properties, dict) else ():
        if not _PROPERTY.fullmatch(name):
            raise InvalidSchema(f"the property {_shown(name)} does not match '{_PROPERTY.pattern}'")


def _shown(name: str) -> str:
    return repr(name[:_MOST_SHOWN])
