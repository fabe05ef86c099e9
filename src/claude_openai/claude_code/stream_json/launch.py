"""Options and environment of Claude Code for the chat profile: a faithful model endpoint without the user's machine.

The reason of each option was measured. The tests show the outcome: the model sees no tools, CLAUDE.md, settings,
hooks, MCP servers or environment of the server. Each backend adds its own options.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

from claude_openai.claude_code.processes.child import Command, dying_with_parent
from claude_openai.claude_code.processes.scratch import HISTORY, INSTRUCTIONS, Scratch
from claude_openai.claude_code.stream_json.structured_output_schema import to_draft7_schema
from claude_openai.claude_code.stream_json.transcript import Json, system_prompt, transcript
from claude_openai.core.messages import LARGE_CHARACTERS
from claude_openai.core.tools import AUTO, ToolChoice
from claude_openai.core.turn import DEFAULT_SAMPLING, Sampling, Turn
from claude_openai.logs import CUT, logger, shows
from claude_openai.system.descriptors import as_before

log = logger(__name__)

CHAT_ENVIRONMENT: Mapping[str, str] = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # No notes beside the client's messages.
    "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",
    # Claude Code requests an older model by its full id as it is, not its successor.
    "CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP": "1",
    # No hidden compaction: each variable alone let Claude Code make further requests, or fail "Prompt is too long".
    "DISABLE_COMPACT": "1",
    "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "10000000",
    # No hidden change of model after a refusal, no second request.
    "CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK": "1",
    "CLAUDE_CODE_DISABLE_REFUSAL_RETRY": "1",
    # Claude Code does not repeat a broken stream without streaming, which would send its output twice.
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
}

CHAT_OPTIONS = (
    "--output-format=stream-json",
    "--input-format=stream-json",
    "--verbose",  # required for stream-json output
    "--include-partial-messages",
    "--thinking-display=summarized",  # thinking comes as text, where the model thinks
    "--tools=",
    "--setting-sources=",
    "--strict-mcp-config",
    "--no-session-persistence",  # so Claude Code does not copy images to files and name those to the model either
)

_KEY_VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


MIN_THINKING_BUDGET = 1024
"""Tokens that thinking has at least, where it has a budget (Anthropic reference: Extended thinking); the answer's limit
must be above."""

_FORCED = frozenset({"required", "tool"})

_MODES = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}
"""The Messages API's names of the modes of a tool choice."""


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """Sampling, tool choice and thinking, which may differ from one request of a conversation to the next."""

    sampling: Sampling = DEFAULT_SAMPLING
    tool_choice: ToolChoice = AUTO
    thinking_has_budget: bool = False
    can_skip_thinking: bool = False

    @classmethod
    def of(cls, turn: Turn) -> Self:
        return cls(
            turn.sampling,
            turn.tool_choice if turn.tools else AUTO,
            turn.model.facts.thinks_by_budget,
            "none" in turn.model.facts.efforts,
        )

    @property
    def thinks(self) -> bool:
        """Whether the model may think. Upstream refuses thinking together with a temperature; for models with a budget
        for it also where the budget would exceed the answer's limit, or a tool call is forced. For a newer model that
        `can_skip_thinking`, this server switches it off where thinking could use up the answer's whole limit.
        """
        sampling = self.sampling
        if sampling.excludes_thinking or sampling.effort == "none":
            return False
        short = sampling.max_tokens is not None and sampling.max_tokens <= MIN_THINKING_BUDGET
        if self.thinking_has_budget:
            return not (short or self.tool_choice.mode in _FORCED)
        return not (short and self.can_skip_thinking and sampling.effort is None)

    @property
    def effort(self) -> str | None:
        """The effort that Claude Code is started with; None for the model's default."""
        return None if self.sampling.effort == "none" else self.sampling.effort

    def options(self) -> tuple[str, ...]:
        """Return the command line options, for a process that gets everything at its start."""
        return (
            *(() if self.thinks else ("--thinking=disabled",)),
            *((f"--effort={self.effort}",) if self.effort else ()),
        )

    def environment(self) -> Mapping[str, str]:
        """Return the variables with the sampling parameters and the tool choice.

        Both variables are always set, to overwrite the earlier values of a running process ("{}" and "" mean none). The
        first one could replace any part of the request upstream; it is used for these parameters only.
        """
        sampling = self.sampling
        tool_choice: dict[str, object] | None = None
        if self.tool_choice != AUTO:  # upstream's default
            mode = self.tool_choice.mode
            tool_choice = {"type": _MODES[mode]}
            if mode == "tool":
                tool_choice["name"] = self.tool_choice.tool
            if not self.tool_choice.parallel and mode != "none":
                tool_choice["disable_parallel_tool_use"] = True
        given = {**sampling.upstream_fields, **({"tool_choice": tool_choice} if tool_choice else {})}
        limit = "" if sampling.max_tokens is None else str(sampling.max_tokens)
        return {"CLAUDE_CODE_EXTRA_BODY": json.dumps(given), "CLAUDE_CODE_MAX_OUTPUT_TOKENS": limit}


@dataclass(frozen=True, slots=True)
class ResumeFiles:
    """The files that a process reads at its start: the lines of a session file, and the client's instructions."""

    history: bytes | bytearray
    instructions: str

    @property
    def are_large(self) -> bool:
        """Whether to write them takes long: 65 ms for 20 MB (measured)."""
        return len(self.history) + len(self.instructions) > LARGE_CHARACTERS

    @classmethod
    def of(cls, turn: Turn, history: list[Json]) -> Self:
        """Encode the files of a process that answers `turn` after `history`."""
        lines = transcript(history, uuid4(), upstream_model(turn)) if history else b""
        return cls(lines, system_prompt(turn.messages, turn.reply_format))

    def write_to(self, scratch: Scratch) -> None:
        """Hand the files over to the process, without empty ones."""
        if self.history:
            scratch.hand_over(HISTORY, self.history)
        if self.instructions:
            scratch.hand_over(INSTRUCTIONS, self.instructions.encode())


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """The options of a process that gets everything at its start.

    It continues the history in its folder, if there is one; without `has_prompt` it answers that history as it is.
    """

    model: str
    generation: GenerationOptions
    has_prompt: bool
    schema: str | None = None

    @classmethod
    def of(cls, turn: Turn, *, prompted: bool) -> Self:
        return cls(upstream_model(turn), GenerationOptions.of(turn), prompted, turn.schema)

    def options(self, scratch: Scratch) -> tuple[str, ...]:
        """Return the command line options, with the history and the instructions that were handed over to `scratch`.

        The system prompt is in a file: it has no length limit there and does not show in `ps`.
        """
        return (
            *((f"--resume={path}",) if (path := scratch.handed_over(HISTORY)) else ()),
            f"--system-prompt-file={path}" if (path := scratch.handed_over(INSTRUCTIONS)) else "--system-prompt=",
            *self.options_without_files(),
        )

    def options_without_files(self) -> tuple[str, ...]:
        """Return the options that name no file."""
        schema = self.schema
        form = (f"--json-schema={json.dumps(to_draft7_schema(schema), ensure_ascii=False)}",) if schema else ()
        return (f"--model={self.model}", *self.generation.options(), *form)

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables that belong to the options."""
        unprompted = {} if self.has_prompt else {"CLAUDE_CODE_RESUME_INTERRUPTED_TURN": "1"}
        return {**self.generation.environment(), **unprompted}


@dataclass(frozen=True, slots=True)
class ClaudeCodeExecutable:
    """The executable, and the settings that all its processes share.

    `environment` is the part of the server's environment that Claude Code needs to sign in and reach its API.
    `request_timeout` is in seconds.
    """

    program: tuple[str, ...]
    environment: Mapping[str, str]
    max_retries: int
    request_timeout: float

    @classmethod
    def supervised(cls, cli: str, environment: Mapping[str, str], max_retries: int, request_timeout: float) -> Self:
        """The executable `cli`. Its processes die with this program, and have the descriptor limit of its caller."""
        return cls(dying_with_parent(as_before((cli,))), environment, max_retries, request_timeout)

    def command(self, scratch: Scratch, options: tuple[str, ...], environment: Mapping[str, str]) -> Command:
        """Return a command in `scratch`: the chat profile's options and variables, `options` and `environment`."""
        # Without Claude Code's note on the environment. That variable refuses every login but a key in the environment
        # ("Not logged in"); with other logins the note stays, and describes an empty folder.
        has_key = any(self.environment.get(name) for name in _KEY_VARIABLES)
        simple = {"CLAUDE_CODE_SIMPLE": "1"} if has_key else {}
        environment = {**CHAT_ENVIRONMENT, **simple, **environment}
        return self.command_in(scratch, scratch.work, (*CHAT_OPTIONS, *options), environment)

    def command_in(
        self, scratch: Scratch, folder: Path, options: tuple[str, ...], environment: Mapping[str, str]
    ) -> Command:
        """Return a command in `folder` with `options` only; its temporary files and stderr go to `scratch`."""
        environment = {
            **self.environment,
            **environment,
            "CLAUDE_CODE_MAX_RETRIES": str(self.max_retries),
            "API_TIMEOUT_MS": str(round(self.request_timeout * 1000)),
            **dict.fromkeys(("CLAUDE_CODE_TMPDIR", "TMPDIR", "TEMP", "TMP"), str(scratch.temporary)),
            "PWD": str(folder),
        }
        if shows("debug"):
            log.debug(
                "adapter.claude_args", argv=[*self.program, *map(_loggable_option, options)], env=sorted(environment)
            )
        return Command((*self.program, *options), environment, folder, scratch.stderr, scratch.descriptors)


def _loggable_option(option: str) -> str:
    """Return `option` for the log, without the client's instructions; the path of their file may be logged."""
    name, equals, _ = option.partition("=")
    return f"{name}={CUT}" if equals and name.endswith("system-prompt") and not option.endswith("=") else option


def upstream_model(turn: Turn) -> str:
    """Return the model's name upstream, or the client's name where that is not known."""
    return turn.model.resolved or turn.model.id
