"""Checks the model's calls of the client's tools against their schemas.

`claude_code.sdk.session` has each call checked before the client sees it, through `claude_code.schema_checks`, which
bounds the time.
"""

from claude_openai.core.tools import Tool
from claude_openai.jsontools.schema import Patterns, Schema
from claude_openai.jsontools.strict import NotJson, parse


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
