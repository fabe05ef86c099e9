"""Options and environment of Claude Code for the chat profile: a faithful model endpoint without the user's machine.

Each option has a reason that was measured; the tests show the outcome: the model sees no tools, CLAUDE.md, settings,
hooks, MCP servers or environment of the server. Each backend adds what only it needs.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from uuid import uuid4

from claude_openai.claude_code.processes.child import Command
from claude_openai.claude_code.processes.scratch import HISTORY, INSTRUCTIONS, Scratch
from claude_openai.claude_code.stream_json.structured_output_schema import to_draft7_schema
from claude_openai.claude_code.stream_json.transcript import Json, system_prompt, transcript
from claude_openai.core.tools import AUTO, ToolChoice
from claude_openai.core.turn import DEFAULT_SAMPLING, Sampling, Turn
from claude_openai.logs import CUT, logger, shows

log = logger(__name__)

CHAT_ENVIRONMENT: Mapping[str, str] = {
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
    # A broken stream is not asked for again without streaming: what was already sent would be sent twice.
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
}

CHAT_OPTIONS = (
    "--output-format=stream-json",
    "--input-format=stream-json",
    "--verbose",  # stream-json output asks for it
    "--include-partial-messages",
    "--thinking-display=summarized",  # thinking comes as text, where the model thinks
    "--tools=",
    "--setting-sources=",
    "--strict-mcp-config",
    "--no-session-persistence",  # nor does Claude Code then copy images to files, and tell the model where
)

_KEY_VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


MIN_THINKING_BUDGET = 1024
"""Tokens that thinking has at least, where it has a budget (Anthropic reference: Extended thinking); the answer's limit
must be above."""

_FORCED = frozenset({"required", "tool"})


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """Sampling, tool choice and thinking: what may differ from one request of a conversation to the next."""

    sampling: Sampling = DEFAULT_SAMPLING
    tool_choice: ToolChoice = AUTO
    thinking_has_budget: bool = False
    can_do_without: bool = False

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
        `can_do_without`, this server switches it off where thinking could use up the answer's whole limit.
        """
        sampling = self.sampling
        if sampling.temperature is not None or sampling.top_p is not None or sampling.effort == "none":
            return False
        short = sampling.max_tokens is not None and sampling.max_tokens <= MIN_THINKING_BUDGET
        if self.thinking_has_budget:
            return not (short or self.tool_choice.mode in _FORCED)
        return not (short and self.can_do_without and sampling.effort is None)

    @property
    def effort(self) -> str | None:
        """The effort that Claude Code is started with; None for the model's default."""
        return None if self.sampling.effort == "none" else self.sampling.effort

    def options(self) -> tuple[str, ...]:
        """The command line options, for a process that gets everything at its start."""
        return (
            *(() if self.thinks else ("--thinking=disabled",)),
            *((f"--effort={self.effort}",) if self.effort else ()),
        )

    def environment(self) -> Mapping[str, str]:
        """Sampling parameters only: the first variable could replace the whole request, and is not used for that.

        Always both, so that the earlier values of a running process are overwritten ("{}" and "" mean none).
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
class ResumeFiles:
    """The files that a process reads at its start: the lines of a session file, and the client's instructions."""

    history: bytes
    instructions: str

    @classmethod
    def of(cls, turn: Turn, history: list[Json]) -> Self:
        """For a process that answers `turn` after `history`."""
        lines = transcript(history, uuid4(), upstream_model(turn)) if history else b""
        return cls(lines, system_prompt(turn.messages, turn.reply_format))

    def write_to(self, scratch: Scratch) -> None:
        """Hand the files over to the process; those that are empty are left out."""
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
        """The command line options, with the history and the instructions that were handed over to `scratch`.

        The system prompt is in a file: it has no length limit there and does not show in `ps`.
        """
        return (
            *((f"--resume={path}",) if (path := scratch.handed_over(HISTORY)) else ()),
            f"--system-prompt-file={path}" if (path := scratch.handed_over(INSTRUCTIONS)) else "--system-prompt=",
            *self.options_without_files(),
        )

    def options_without_files(self) -> tuple[str, ...]:
        """The options that name no file."""
        schema = self.schema
        form = (f"--json-schema={json.dumps(to_draft7_schema(schema), ensure_ascii=False)}",) if schema else ()
        return (f"--model={self.model}", *self.generation.options(), *form)

    def environment(self) -> Mapping[str, str]:
        """The environment variables that belong to the options."""
        unprompted = {} if self.has_prompt else {"CLAUDE_CODE_RESUME_INTERRUPTED_TURN": "1"}
        return {**self.generation.environment(), **unprompted}


@dataclass(frozen=True, slots=True)
class ClaudeCodeExecutable:
    """The executable and what is the same for each of its processes.

    `environment` is the part of the server's environment that Claude Code needs to sign in and reach its API.
    `request_timeout` is in seconds.
    """

    program: tuple[str, ...]
    environment: Mapping[str, str]
    max_retries: int
    request_timeout: float

    def command(self, scratch: Scratch, options: tuple[str, ...], environment: Mapping[str, str]) -> Command:
        """A process in `scratch`, with the options and variables of the chat profile, `options` and `environment`."""
        environment = {**CHAT_ENVIRONMENT, **_simple(self.environment), **environment}
        return self.command_in(scratch, scratch.work, (*CHAT_OPTIONS, *options), environment)

    def command_in(
        self, scratch: Scratch, folder: Path, options: tuple[str, ...], environment: Mapping[str, str]
    ) -> Command:
        """A process that works in `folder`, with `options` only; its temporary files and stderr go to `scratch`."""
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
    """`option` for the log, without the client's instructions; the path of their file may be logged."""
    name, equals, _ = option.partition("=")
    return f"{name}={CUT}" if equals and name.endswith("system-prompt") and not option.endswith("=") else option


def upstream_model(turn: Turn) -> str:
    """The model's name upstream, where that is known."""
    return turn.model.resolved or turn.model.id


_MODES = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}


def _tool_choice(choice: ToolChoice) -> Mapping[str, object] | None:
    """The Messages API's `tool_choice`; None where it is upstream's default."""
    if choice == AUTO:
        return None
    name = {"name": choice.tool} if choice.mode == "tool" else {}
    parallel = {} if choice.parallel or choice.mode == "none" else {"disable_parallel_tool_use": True}
    return {"type": _MODES[choice.mode], **name, **parallel}


def _simple(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The variable that leaves out Claude Code's note on the environment from the prompt, where it can be used.

    `CLAUDE_CODE_SIMPLE` refuses every login but a key in the environment ("Not logged in"). With other logins the note
    stays, and describes an empty folder.
    """
    return {"CLAUDE_CODE_SIMPLE": "1"} if any(environment.get(name) for name in _KEY_VARIABLES) else {}
