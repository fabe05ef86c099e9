"""How Claude Code is started for the chat profile: a faithful model endpoint with nothing of the user's machine in it.

Each option is here for a reason that was measured; the tests show the outcome (no tool offered, no CLAUDE.md, settings,
hooks, MCP servers or environment of the server in what the model sees).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import claude_agent_sdk

from claude_openai.backends.process import Command
from claude_openai.backends.scratch import Scratch
from claude_openai.backends.sdk.calls import SERVER
from claude_openai.core.tools import AUTO, ToolChoice
from claude_openai.core.turn import DEFAULT_SAMPLING, Sampling

CHAT_ENVIRONMENT: Mapping[str, str] = {
    # What the SDK's own transport says of itself.
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
    "CLAUDE_AGENT_SDK_VERSION": claude_agent_sdk.__version__,
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # No notes beside the client's messages; the budget below would be one.
    "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",
    # A full id of an older model is asked for as it is, not for its successor.
    "CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP": "1",
    # No hidden compaction: each alone made further requests or a local "Prompt is too long".
    "DISABLE_COMPACT": "1",
    "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "10000000",
    # No hidden change of model after a refusal, no second request.
    "CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK": "1",
    "CLAUDE_CODE_DISABLE_REFUSAL_RETRY": "1",
    # A broken stream is not asked for again without streaming: what was already sent would be said twice.
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
}

_CHAT_OPTIONS = (
    "--output-format=stream-json",
    "--input-format=stream-json",
    "--verbose",  # stream-json output asks for it
    "--include-partial-messages",
    "--tools=",
    "--setting-sources=",
    "--strict-mcp-config",
    "--no-session-persistence",  # nor does Claude Code then copy images to files, and tell the model where
)

_ANSWER_OPTIONS = (
    # The first answer exceeds it, and ends the turn: Claude Code does not ask again by itself after `max_tokens` or an
    # empty answer. An interrupt instead came too late in 10 of 12 tries.
    "--max-budget-usd=0.0000001",
)

_TOOL_OPTIONS = (
    f"--mcp-config={json.dumps({'mcpServers': {SERVER: {'type': 'sdk', 'name': SERVER}}})}",
    f"--allowedTools=mcp__{SERVER}__*",  # else a person would be asked
)

TOOL_ENVIRONMENT: Mapping[str, str] = {
    # The model sees the client's own names.
    "CLAUDE_AGENT_SDK_MCP_NO_PREFIX": "1",
    # Every schema is sent as it is, none is put off until the model searches for it.
    "ENABLE_TOOL_SEARCH": "false",
    # A tool's description reaches the model whole: Claude Code's own limit is 4 kB.
    "CLAUDE_CODE_MAX_MCP_DESCRIPTION_LENGTH": "1000000000",
    # A long result reaches the model whole, not as a summary and a file; see also `calls.MAX_RESULT_CHARACTERS`.
    "MAX_MCP_OUTPUT_TOKENS": "1000000",
}

_KEY_VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


@dataclass(frozen=True, slots=True)
class Order:
    """What one process is started for. Where no prompt follows (`prompted`), the history is answered as it stands."""

    model: str | None = None
    sampling: Sampling = DEFAULT_SAMPLING
    tool_choice: ToolChoice = AUTO
    has_tools: bool = False
    prompted: bool = True


def bundled_cli() -> Path:
    """The Claude Code executable that ships in the SDK's wheel (`SubprocessCLITransport._find_bundled_cli`)."""
    folder = Path(claude_agent_sdk.__file__).parent / "_bundled"
    windows = folder / "claude.exe"
    return windows if windows.exists() else folder / "claude"


def chat_command(
    program: tuple[str, ...],
    login: Mapping[str, str],
    scratch: Scratch,
    order: Order,
    *,
    max_retries: int,
    request_timeout: float,
) -> Command:
    """The command line and the whole environment of one Claude Code process, for what lies ready in `scratch`.

    `login` is the part of the server's own environment that Claude Code needs to sign in and reach its API.
    `request_timeout` is in seconds. A system prompt is a file: it has no length limit there and does not show in `ps`.
    """
    argv = [*program, *_CHAT_OPTIONS]
    argv.append(f"--system-prompt-file={scratch.instructions}" if scratch.instructions.exists() else "--system-prompt=")
    argv += _TOOL_OPTIONS if order.has_tools else _ANSWER_OPTIONS
    if order.model is not None:
        argv.append(f"--model={order.model}")
    if order.sampling.temperature is not None or order.sampling.top_p is not None:
        argv.append("--thinking=disabled")  # upstream refuses both together
    if scratch.history.exists():
        argv.append(f"--resume={scratch.history}")
    environment = {
        **login,
        **CHAT_ENVIRONMENT,
        **(TOOL_ENVIRONMENT if order.has_tools else {}),
        **_simple(login),
        **request_environment(order.sampling, order.tool_choice if order.has_tools else None),
        **({} if order.prompted else {"CLAUDE_CODE_RESUME_INTERRUPTED_TURN": "1"}),
        "CLAUDE_CODE_MAX_RETRIES": str(max_retries),
        "API_TIMEOUT_MS": str(round(request_timeout * 1000)),
        **dict.fromkeys(("CLAUDE_CODE_TMPDIR", "TMPDIR", "TEMP", "TMP"), str(scratch.temporary)),
        "PWD": str(scratch.work),
    }
    return Command(tuple(argv), environment, scratch.work, scratch.stderr)


_MODES = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}


def _tool_choice(choice: ToolChoice) -> Mapping[str, object] | None:
    """In upstream's words; None where nothing differs from its default."""
    if choice == AUTO:
        return None
    named = {"name": choice.tool} if choice.mode == "tool" else {}
    alone = {} if choice.parallel or choice.mode == "none" else {"disable_parallel_tool_use": True}
    return {"type": _MODES[choice.mode], **named, **alone}


def _simple(login: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out the note on the environment, where that is possible.

    `CLAUDE_CODE_SIMPLE` refuses every login but a key in the environment ("Not logged in"). With the others the note
    stays, and tells of an empty folder.
    """
    return {"CLAUDE_CODE_SIMPLE": "1"} if any(login.get(name) for name in _KEY_VARIABLES) else {}


def request_environment(sampling: Sampling, choice: ToolChoice | None) -> Mapping[str, str]:
    """Sampling parameters only: the first variable could replace the whole request, and is not used for that.

    Always both, so that what a running process was told before is overwritten ("{}" and "" are nothing).
    """
    body = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "stop_sequences": list(sampling.stop) or None,
        "tool_choice": _tool_choice(choice) if choice else None,
    }
    given = {name: value for name, value in body.items() if value is not None}
    limit = "" if sampling.max_tokens is None else str(sampling.max_tokens)
    return {"CLAUDE_CODE_EXTRA_BODY": json.dumps(given), "CLAUDE_CODE_MAX_OUTPUT_TOKENS": limit}
