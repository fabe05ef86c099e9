"""How Claude Code is started where the SDK speaks to it: as for the chat profile anyway, with the client's tools."""

import json
from collections.abc import Mapping

import claude_agent_sdk

from claude_openai.backends.claude.command import ClaudeCode, Order
from claude_openai.backends.process import Command
from claude_openai.backends.scratch import Scratch
from claude_openai.backends.sdk.calls import SERVER

SDK_ENVIRONMENT: Mapping[str, str] = {
    # What the SDK's own transport says of itself.
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
    "CLAUDE_AGENT_SDK_VERSION": claude_agent_sdk.__version__,
    # The model sees the client's own names of tools.
    "CLAUDE_AGENT_SDK_MCP_NO_PREFIX": "1",
    # Every schema is sent as it is, none is put off until the model searches for it.
    "ENABLE_TOOL_SEARCH": "false",
    # A tool's description reaches the model whole: Claude Code's own limit is 4 kB.
    "CLAUDE_CODE_MAX_MCP_DESCRIPTION_LENGTH": "1000000000",
    # A long result reaches the model whole, not as a summary and a file; see also `calls.MAX_RESULT_CHARACTERS`.
    "MAX_MCP_OUTPUT_TOKENS": "1000000",
}

CLIENT_TOOLS = f"mcp__{SERVER}__*"
"""The rule that allows the client's tools: else a person would be asked."""

_OPTIONS = (f"--allowedTools={CLIENT_TOOLS}",)

TOOLS = f"--mcp-config={json.dumps({'mcpServers': {SERVER: {'type': 'sdk', 'name': SERVER}}})}"
"""The option that tells of the MCP server with the client's tools."""


def fresh(claude_code: ClaudeCode, scratch: Scratch) -> Command:
    """For a new conversation: what that needs is told later, over the pipe (`transport.Introduction`)."""
    return claude_code.command(scratch, (*_OPTIONS, "--system-prompt="), SDK_ENVIRONMENT)


def rebuilt(claude_code: ClaudeCode, scratch: Scratch, order: Order, *, has_tools: bool) -> Command:
    """For the history and the instructions that lie ready in `scratch`.

    All is told at the start, because a history that is answered as it stands is answered before anything is read.
    """
    options = (*_OPTIONS, *order.options(scratch), *((TOOLS,) if has_tools else ()))
    return claude_code.command(scratch, options, {**SDK_ENVIRONMENT, **order.environment()})
