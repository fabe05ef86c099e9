"""The client's tools: what the model may call, and whether a call fits.

A tool's schema is kept as the JSON text that the client sent, so that it can be compared, hashed and passed on
untouched.
"""

from dataclasses import dataclass
from typing import Literal

from claude_openai.core.schemas import Schema
from claude_openai.core.strict_json import NotJson, parse


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


class Toolbox:
    """The tools of one turn, ready to check calls against; their schemas have passed `schemas.check_schema`."""

    def __init__(self, tools: tuple[Tool, ...]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._schemas: dict[str, Schema] = {}

    def problem(self, name: str, arguments: str) -> str | None:
        """Why the model's call cannot be handed to the client, in words the model can mend it by; None if it can."""
        tool = self._tools.get(name)
        if tool is None:
            return f"There is no tool named {name!r}. Available: {', '.join(self._tools)}."
        try:
            decoded = parse(arguments.strip() or "{}")  # as it will be when the client sends the call back
        except NotJson as error:
            return f"The arguments of {name} are not valid JSON: {error}."
        if not isinstance(decoded, dict):
            return f"The arguments of {name} must be a JSON object."
        misfits = self._schema(tool).misfits(decoded)
        return f"The arguments of {name} do not fit its schema: {'; '.join(misfits)}." if misfits else None

    def _schema(self, tool: Tool) -> Schema:
        if tool.name not in self._schemas:
            self._schemas[tool.name] = Schema(tool.schema)
        return self._schemas[tool.name]
