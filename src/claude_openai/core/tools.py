"""The client's tools: what the model may call, and whether a call fits.

A tool's schema is kept as the JSON text that the client sent, so that it can be compared, hashed and passed on
untouched.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jsonschema.exceptions import SchemaError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

_OFFLINE: Registry[Any] = Registry()
"""Resolves nothing outside the schema itself: the default one would fetch a `$ref` to a URL."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the client. `schema` is the JSON Schema of its arguments, as JSON text."""

    name: str
    schema: str
    description: str = ""
    strict: bool = False


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Whether the model may, must or must not call; `tool` is the one it must. Without `parallel`, one at most."""

    mode: Literal["auto", "none", "required", "tool"] = "auto"
    tool: str | None = None
    parallel: bool = True


AUTO = ToolChoice()


class InvalidSchema(ValueError):  # noqa: N818 -- says what the schema is
    """A tool's schema is no JSON Schema; the message says where."""


class Toolbox:
    """The tools of one turn, ready to check calls against; their schemas have passed `check_schema`."""

    def __init__(self, tools: tuple[Tool, ...]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._validators: dict[str, Validator] = {}

    def problem(self, name: str, arguments: str) -> str | None:
        """Why the model's call cannot be handed to the client, in words the model can mend it by; None if it can."""
        tool = self._tools.get(name)
        if tool is None:
            return f"There is no tool named {name!r}. Available: {', '.join(self._tools)}."
        try:
            decoded = json.loads(arguments or "{}")
        except ValueError as error:
            return f"The arguments of {name} are not valid JSON: {error}."
        if not isinstance(decoded, dict):
            return f"The arguments of {name} must be a JSON object."
        return self._misfit(tool, decoded)

    def _misfit(self, tool: Tool, arguments: dict[str, Any]) -> str | None:
        try:
            error = best_match(self._validator(tool).iter_errors(arguments))
        except Unresolvable:
            return None  # a reference to somewhere else says nothing we could check
        if error is None:
            return None
        place = "/".join(str(part) for part in error.absolute_path)
        where = f" at {place!r}" if place else ""
        return f"The arguments of {tool.name} do not fit its schema{where}: {error.message}."

    def _validator(self, tool: Tool) -> Validator:
        if tool.name not in self._validators:
            self._validators[tool.name] = _validator(json.loads(tool.schema))
        return self._validators[tool.name]


def check_schema(schema: object) -> None:
    """Whether `schema` describes the arguments of a function.

    Raises:
        InvalidSchema: it is no JSON Schema, or one of something else than an object.
    """
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise InvalidSchema('must be a JSON Schema of type "object"')
    try:
        _dialect(schema).check_schema(schema)
    except SchemaError as error:
        place = "/".join(str(part) for part in error.absolute_path)
        raise InvalidSchema(
            f"is no valid JSON Schema: {error.message}" + (f" (at {place})" if place else "")
        ) from error


def _validator(schema: Mapping[str, Any]) -> Validator:
    dialect = _dialect(schema)
    return dialect(schema, registry=_OFFLINE, format_checker=dialect.FORMAT_CHECKER)


def _dialect(schema: Mapping[str, Any]) -> type[Validator]:
    dialect: type[Validator] = validator_for(schema, default=Draft202012Validator)
    return dialect
