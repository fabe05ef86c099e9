"""How Claude Code is started for the chat profile: a faithful model endpoint with nothing of the user's machine in it.

Each option is here for a reason that was measured; the tests show the outcome (no tool offered, no CLAUDE.md, settings,
hooks, MCP servers or environment of the server in what the model sees).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import claude_agent_sdk

from claude_openai.backends.process import Command
from claude_openai.backends.scratch import Scratch
from claude_openai.backends.sdk.calls import SERVER
from claude_openai.core.tools import AUTO, ToolChoice
from claude_openai.core.turn import DEFAULT_SAMPLING, Sampling, Turn

CHAT_ENVIRONMENT: Mapping[str, str] = {
    # What the SDK's own transport says of itself.
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
    "CLAUDE_AGENT_SDK_VERSION": claude_agent_sdk.__version__,
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # No notes beside the client's messages.
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
    # The model sees the client's own names of tools.
    "CLAUDE_AGENT_SDK_MCP_NO_PREFIX": "1",
    # Every schema is sent as it is, none is put off until the model searches for it.
    "ENABLE_TOOL_SEARCH": "false",
    # A tool's description reaches the model whole: Claude Code's own limit is 4 kB.
    "CLAUDE_CODE_MAX_MCP_DESCRIPTION_LENGTH": "1000000000",
    # A long result reaches the model whole, not as a summary and a file; see also `calls.MAX_RESULT_CHARACTERS`.
    "MAX_MCP_OUTPUT_TOKENS": "1000000",
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
    f"--allowedTools=mcp__{SERVER}__*",  # else a person would be asked
)

_TOOLS = f"--mcp-config={json.dumps({'mcpServers': {SERVER: {'type': 'sdk', 'name': SERVER}}})}"

_KEY_VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


@dataclass(frozen=True, slots=True)
class Drawing:
    """How an answer is to be drawn: what may differ from one request of a conversation to the next."""

    sampling: Sampling = DEFAULT_SAMPLING
    tool_choice: ToolChoice = AUTO

    @classmethod
    def of(cls, turn: Turn) -> Self:
        return cls(turn.sampling, turn.tool_choice if turn.tools else AUTO)

    @property
    def thinks(self) -> bool:
        """Upstream refuses to think where it is told a temperature."""
        return self.sampling.temperature is None and self.sampling.top_p is None

    def environment(self) -> Mapping[str, str]:
        """Sampling parameters only: the first variable could replace the whole request, and is not used for that.

        Always both, so that what a running process was told before is overwritten ("{}" and "" are nothing).
        """
        sampling = self.sampling
        body = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "stop_sequences": list(sampling.stop) or None,
            "tool_choice": _tool_choice(self.tool_choice),
        }
        given = {name: value for name, value in body.items() if value is not None}
        limit = "" if sampling.max_tokens is None else str(sampling.max_tokens)
        return {"CLAUDE_CODE_EXTRA_BODY": json.dumps(given), "CLAUDE_CODE_MAX_OUTPUT_TOKENS": limit}


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """What a process is started for that goes on with a history. Without `prompted` it answers that as it stands."""

    model: str
    drawing: Drawing
    has_tools: bool
    prompted: bool


def bundled_cli() -> Path:
    """The Claude Code executable that ships in the SDK's wheel (`SubprocessCLITransport._find_bundled_cli`)."""
    folder = Path(claude_agent_sdk.__file__).parent / "_bundled"
    windows = folder / "claude.exe"
    return windows if windows.exists() else folder / "claude"


@dataclass(frozen=True, slots=True)
class ClaudeCode:
    """The executable and what is the same for each of its processes.

    `login` is the part of the server's own environment that Claude Code needs to sign in and reach its API.
    `request_timeout` is in seconds.
    """

    program: tuple[str, ...]
    login: Mapping[str, str]
    max_retries: int
    request_timeout: float

    def fresh(self, scratch: Scratch) -> Command:
        """For a new conversation: what that needs is told later, over the pipe (`transport.Introduction`)."""
        return self._command(scratch, ("--system-prompt=",), {})

    def rebuilt(self, scratch: Scratch, order: Rebuilding) -> Command:
        """For the history and the instructions that lie ready in `scratch`.

        All is told at the start, because a history that is answered as it stands is answered before anything is read.
        A system prompt is a file: it has no length limit there and does not show in `ps`.
        """
        has_instructions = scratch.instructions.exists()
        options = (
            f"--resume={scratch.history}",
            f"--system-prompt-file={scratch.instructions}" if has_instructions else "--system-prompt=",
            f"--model={order.model}",
            *((_TOOLS,) if order.has_tools else ()),
            *(() if order.drawing.thinks else ("--thinking=disabled",)),
        )
        unprompted = {} if order.prompted else {"CLAUDE_CODE_RESUME_INTERRUPTED_TURN": "1"}
        return self._command(scratch, options, {**order.drawing.environment(), **unprompted})

    def _command(self, scratch: Scratch, options: tuple[str, ...], told: Mapping[str, str]) -> Command:
        environment = {
            **self.login,
            **CHAT_ENVIRONMENT,
            **_simple(self.login),
            **told,
            "CLAUDE_CODE_MAX_RETRIES": str(self.max_retries),
            "API_TIMEOUT_MS": str(round(self.request_timeout * 1000)),
            **dict.fromkeys(("CLAUDE_CODE_TMPDIR", "TMPDIR", "TEMP", "TMP"), str(scratch.temporary)),
            "PWD": str(scratch.work),
        }
        return Command((*self.program, *_CHAT_OPTIONS, *options), environment, scratch.work, scratch.stderr)


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
