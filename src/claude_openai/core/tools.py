"""The client's tools: what the model may call, and whether a call fits.

A tool's schema is kept as the JSON text that the client sent, so that it can be compared, hashed and passed on
untouched.
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
    """Whether the model may, must or must not call; `tool` is the one it must. Without `parallel`, one at most."""

    mode: Literal["auto", "none", "required", "tool"] = "auto"
    tool: str | None = None
    parallel: bool = True


AUTO = ToolChoice()

STRUCTURED_OUTPUT: Final = "StructuredOutput"
"""Claude Code's own tool, through which the model answers in JSON. No tool of a client can have this name then."""


class Toolbox:
    """The tools of one turn, to check calls against; their schemas have passed `schemas.check_schema`."""

    def __init__(self, tools: tuple[Tool, ...]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    def schema(self, name: str) -> str | None:
        """Of the arguments of the tool `name`, as JSON text; None where there is no such tool."""
        tool = self._tools.get(name)
        return tool.schema if tool else None

    def problem(self, name: str, arguments: str, patterns: Patterns = "all") -> str | None:
        """Why the model's call cannot be handed to the client, in words the model can mend it by; None if it can.

        Raises:
            TooMuch: see `Schema.misfits`.
        """
        if (schema := self.schema(name)) is None:
            return f"There is no tool named {name!r}. Available: {', '.join(self._tools)}."
        return call_fault(name, schema, arguments, patterns)


def call_fault(name: str, schema: str, arguments: str, patterns: Patterns = "all") -> str | None:
    """The same for a tool that there is."""
    try:
        decoded = parse(arguments.strip() or "{}")  # as it will be when the client sends the call back
    except NotJson as error:
        return f"The arguments of {name} are not valid JSON: {error}."
    if not isinstance(decoded, dict):
        return f"The arguments of {name} must be a JSON object."
    misfits = Schema(schema).violations(decoded, patterns)
    return f"The arguments of {name} do not fit its schema: {'; '.join(misfits)}." if misfits else None
