"""The client's tools, and the check of the model's calls against their schemas.

A tool's schema stays the JSON text that the client sent, so that it can be compared, hashed and passed on unchanged.
"""

from dataclasses import dataclass
from typing import Final, Literal

from claude_openai.jsontools.schema import Patterns, Schema
from claude_openai.jsontools.strict import NotJson, parse


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the client. `schema` is the JSON Schema of its arguments, as JSON text."""

    name: str
    schema: str
    description: str = ""
    strict: bool = False


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Whether the model may, must or must not call tools; `tool` is the one it must. `parallel` allows several."""

    mode: Literal["auto", "none", "required", "tool"] = "auto"
    tool: str | None = None
    parallel: bool = True


AUTO = ToolChoice()

STRUCTURED_OUTPUT: Final = "StructuredOutput"
"""Claude Code's own tool, through which the model answers in JSON. No tool of a client can have this name then."""


class Toolbox:
    """The tools of one turn, to check calls against. Their schemas have passed `jsontools.schema.check_schema`."""

    def __init__(self, tools: tuple[Tool, ...]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def schema(self, name: str) -> str | None:
        """The JSON Schema of the arguments of the tool `name`, as JSON text; None if there is no such tool."""
        tool = self._tools.get(name)
        return tool.schema if tool else None

    def problem(self, name: str, arguments: str, patterns: Patterns = "all") -> str | None:
        """Check a call. Return an error text to send back to the model; None if the call is valid.

        Raises:
            TooMuch: see `Schema.violations`.
        """
        if (schema := self.schema(name)) is None:
            return f"There is no tool named {name!r}. Available: {', '.join(self._tools)}."
        return call_fault(name, schema, arguments, patterns)


def call_fault(name: str, schema: str, arguments: str, patterns: Patterns = "all") -> str | None:
    """Check the arguments of a call against `schema`. Return an error text for the model; None if they fit.

    Raises:
        TooMuch: see `Schema.violations`.
    """
    try:
        decoded = parse(arguments.strip() or "{}")  # as it is parsed when the client sends the call back
    except NotJson as error:
        return f"The arguments of {name} are not valid JSON: {error}."
    if not isinstance(decoded, dict):
        return f"The arguments of {name} must be a JSON object."
    violations = Schema(schema).violations(decoded, patterns)
    return f"The arguments of {name} do not fit its schema: {'; '.join(violations)}." if violations else None
