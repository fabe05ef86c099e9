"""The client's tools, and its choice among them. `tool_call_checks` checks the model's calls of them.

A tool's schema stays the JSON text that the client sent, so that it can be compared, hashed and passed on unchanged.
"""

from dataclasses import dataclass
from typing import Final, Literal


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
