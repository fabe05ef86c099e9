"""The command lines of Claude Code for the SDK backend: the chat profile's options and the client's tools.

It does not load the SDK, since a start of the server runs the first command before it does (`waiting`).
"""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Final

from claude_openai.claude_code.processes.child import Command
from claude_openai.claude_code.processes.late_history import LateHistory
from claude_openai.claude_code.processes.scratch import Scratch
from claude_openai.claude_code.stream_json.launch import ClaudeCodeExecutable, LaunchSpec

SERVER: Final = "client"
"""The name of the MCP server with the client's tools; the model sees the tools without it
(`CLAUDE_AGENT_SDK_MCP_NO_PREFIX`)."""

SDK_ENVIRONMENT: Mapping[str, str] = {
    # The values that the SDK's own transport sets.
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
    "CLAUDE_AGENT_SDK_VERSION": version("claude-agent-sdk"),
    # The model sees the client's own names of tools.
    "CLAUDE_AGENT_SDK_MCP_NO_PREFIX": "1",
    # Claude Code sends every tool's schema at once, and does not wait until the model searches for the tool.
    "ENABLE_TOOL_SEARCH": "false",
    # A tool's description reaches the model whole: Claude Code's own limit is 4 kB.
    "CLAUDE_CODE_MAX_MCP_DESCRIPTION_LENGTH": "1000000000",
    # A long result reaches the model whole, not as a summary and a file; see also `calls.MAX_RESULT_CHARACTERS`.
    "MAX_MCP_OUTPUT_TOKENS": "1000000",
}

CLIENT_TOOLS = f"mcp__{SERVER}__*"
"""The rule that allows the client's tools: otherwise Claude Code would ask a person."""

_OPTIONS = (f"--allowedTools={CLIENT_TOOLS}",)

TOOLS = f"--mcp-config={json.dumps({'mcpServers': {SERVER: {'type': 'sdk', 'name': SERVER}}})}"
"""The option that names the MCP server with the client's tools."""


GATE: Final = ("/bin/sh", "-c", 'read -r _ && exec "$@"', "sh")
"""The gate: starts Claude Code once a line has come. An interrupted history is answered at once, before Claude Code
reads a schema or hooks from its stdin (measured); behind the gate it reads those first. Windows has no such program."""

GATED_HERE: Final = os.name != "nt"


def command_of_warm_process(
    claude_code: ClaudeCodeExecutable, scratch: Scratch, history: LateHistory | None = None
) -> Command:
    """Return the command of a warm process, which gets its conversation over the pipe (`transport.SessionSetup`), after
    what it reads from `history`.
    """
    resume = (f"--resume={history.path}",) if history else ()
    return claude_code.command(scratch, (*_OPTIONS, "--system-prompt=", *resume), SDK_ENVIRONMENT)


def command_for_history(
    claude_code: ClaudeCodeExecutable, scratch: Scratch, spec: LaunchSpec, *, has_tools: bool, waits: bool
) -> Command:
    """Return the command for the history and the instructions that were handed over to `scratch`.

    Everything goes on the command line: Claude Code answers an interrupted history before it reads stdin, unless the
    process is started behind the gate (`waits`).
    """
    options = (*_OPTIONS, *spec.options(scratch), *((TOOLS,) if has_tools else ()))
    command = claude_code.command(scratch, options, {**SDK_ENVIRONMENT, **spec.environment()})
    return gated(command) if waits else command


def gated(command: Command) -> Command:
    """Put `command` behind the gate: it starts with the first line of its input. Not on Windows."""
    return replace(command, argv=(*GATE, *command.argv))


def is_gated(command: Command) -> bool:
    """Whether `command` is behind the gate."""
    return command.argv[: len(GATE)] == GATE
