"""Functions that a client offers, whatever protocol it speaks. Schemas are carried as they are, as JSON text."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.tools import Tool
from claude_openai.jsontools.schema import InvalidSchema, check_schema
from claude_openai.protocols.common.invalid import invalid

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
"""Upstream's rule. OpenAI's is the same for responses, and ends at 64 characters for chat completions."""

_PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
"""The arguments' own names, not those within them: upstream's rule, and Claude Code leaves out a tool that breaks it
without a word (measured)."""

_MOST_SHOWN = 80
"""Characters of a name at fault that are repeated to the client."""


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
    """Each function with the path it was sent at.

    Raises:
        RequestFailed: naming the one that is faulty.
    """
    tools: dict[str, Tool] = {}
    for function, path in functions:
        if not _NAME.fullmatch(function.name):
            raise invalid(f"{path}.name", f"{_shown(function.name)} does not match '{_NAME.pattern}'")
        if function.name in tools:
            raise invalid(f"{path}.name", f"there are two functions named {_shown(function.name)}")
        schema = _schema(function, f"{path}.parameters")
        tools[function.name] = Tool(function.name, schema, function.description or "", bool(function.strict))
    return tuple(tools.values())


def known(name: str, tools: Iterable[Tool], path: str) -> None:
    """The choice of `name` at `path` is one of `tools`.

    Raises:
        RequestFailed: it is not.
    """
    if all(tool.name != name for tool in tools):
        raise invalid(path, f"there is no function named {_shown(name)} among those offered")


def check_properties(schema: Mapping[str, Any]) -> None:
    """See that upstream takes the names of its properties.

    Raises:
        InvalidSchema: it does not take one of them.
    """
    properties = schema.get("properties")
    for name in properties if isinstance(properties, dict) else ():
        if not _PROPERTY.fullmatch(name):
            raise InvalidSchema(f"the property {_shown(name)} does not match '{_PROPERTY.pattern}'")


def _schema(function: Function, path: str) -> str:
    """The schema as text. It says that it is an object's, which upstream wants to read in each."""
    schema = {"properties": {}} if function.parameters is None else function.parameters
    text = json.dumps(schema if "type" in schema else {"type": "object", **schema}, ensure_ascii=False)
    try:
        check_schema(text)
        check_properties(schema)
    except InvalidSchema as error:
        raise _faulty(function, str(error), path) from None
    return text


def _faulty(function: Function, fault: str, path: str) -> RequestFailed:
    sentence = f"Invalid schema for function '{function.name}': {fault}."
    return RequestFailed(Failure(Kind.INVALID_REQUEST, sentence, param=path))


def _shown(name: str) -> str:
    return repr(name[:_MOST_SHOWN])
