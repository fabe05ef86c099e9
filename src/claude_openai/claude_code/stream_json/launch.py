"""How Claude Code is started for the chat profile: a faithful model endpoint with nothing of the user's machine in it.

Each option is here for a reason that was measured; the tests show the outcome (no tool offered, no CLAUDE.md, settings,
hooks, MCP servers or environment of the server in what the model sees). What belongs to one way of speaking to it only
is added there.
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
    # A broken stream is not asked for again without streaming: what was already sent would be said twice.
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
    """How an answer is to be drawn: what may differ from one request of a conversation to the next."""

    sampling: Sampling = DEFAULT_SAMPLING
    tool_choice: ToolChoice = AUTO
    thinking_has_budget: bool = False
    can_do_without: bool = False

    @classmethod
    def of(cls, turn: Turn) -> Self:
        return cls(
            turn.sampling,
            turn.tool_choice if turn.tools else AUTO,
            turn.model.thinks_by_budget,
            "none" in turn.model.efforts,
        )

    @property
    def thinks(self) -> bool:
        """Upstream refuses to think where it is told a temperature; models with a budget for it (`by_budget`) also
        where that would be more than the answer may have, or a call is forced. A newer model that `can_do_without` does
        not think of its own accord where its thinking could take all that the answer may have.
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
        """How much effort Claude Code is told; None leaves it to the model's default."""
        return None if self.sampling.effort == "none" else self.sampling.effort

    def options(self) -> tuple[str, ...]:
        """For a process that is told everything at its start."""
        return (
            *(() if self.thinks else ("--thinking=disabled",)),
            *((f"--effort={self.effort}",) if self.effort else ()),
        )

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
class ResumeFiles:
    """What a process reads at its start: the lines of a session file, and the client's instructions."""

    history: bytes
    instructions: str

    @classmethod
    def of(cls, turn: Turn, history: list[Json]) -> Self:
        """For a process that answers `turn` after `history`."""
        lines = transcript(history, uuid4(), upstream_model(turn)) if history else b""
        return cls(lines, system_prompt(turn.messages, turn.reply_format))

    def write_to(self, scratch: Scratch) -> None:
        """Hand it over; nothing where there is nothing of it."""
        if self.history:
            scratch.hand_over(HISTORY, self.history)
        if self.instructions:
            scratch.hand_over(INSTRUCTIONS, self.instructions.encode())


@dataclass(frozen=True, slots=True)
class LaunchSpec:
    """What a process is started for that is told everything at its start.

    It goes on with the history in its folder, if there is one; without `prompted` it answers that as it stands.
    """

    model: str
    generation: GenerationOptions
    has_prompt: bool
    schema: str | None = None

    @classmethod
    def of(cls, turn: Turn, *, prompted: bool) -> Self:
        return cls(upstream_model(turn), GenerationOptions.of(turn), prompted, turn.schema)

    def options(self, scratch: Scratch) -> tuple[str, ...]:
        """With the history and the instructions that were handed over to `scratch`.

        A system prompt is a file: it has no length limit there and does not show in `ps`.
        """
        return (
            *((f"--resume={path}",) if (path := scratch.handed_over(HISTORY)) else ()),
            f"--system-prompt-file={path}" if (path := scratch.handed_over(INSTRUCTIONS)) else "--system-prompt=",
            *self.options_without_files(),
        )

    def options_without_files(self) -> tuple[str, ...]:
        """Those that need nothing else."""
        schema = self.schema
        form = (f"--json-schema={json.dumps(to_draft7_schema(schema), ensure_ascii=False)}",) if schema else ()
        return (f"--model={self.model}", *self.generation.options(), *form)

    def environment(self) -> Mapping[str, str]:
        """What goes with the options."""
        unprompted = {} if self.has_prompt else {"CLAUDE_CODE_RESUME_INTERRUPTED_TURN": "1"}
        return {**self.generation.environment(), **unprompted}


@dataclass(frozen=True, slots=True)
class ClaudeCodeExecutable:
    """The executable and what is the same for each of its processes.

    `login` is the part of the server's own environment that Claude Code needs to sign in and reach its API.
    `request_timeout` is in seconds.
    """

    program: tuple[str, ...]
    environment: Mapping[str, str]
    max_retries: int
    request_timeout: float

    def command(self, scratch: Scratch, options: tuple[str, ...], environment: Mapping[str, str]) -> Command:
        """A process in `scratch`, with what all of the chat profile have and `options` and `environment` besides."""
        environment = {**CHAT_ENVIRONMENT, **_simple(self.environment), **environment}
        return self.command_in(scratch, scratch.work, (*CHAT_OPTIONS, *options), environment)

    def command_in(
        self, scratch: Scratch, folder: Path, options: tuple[str, ...], environment: Mapping[str, str]
    ) -> Command:
        """A process that works in `folder`, with `options` only; what it leaves goes to `scratch`."""
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
    """For the log, which has no instructions; where their file is may be told."""
    name, equals, _ = option.partition("=")
    return f"{name}={CUT}" if equals and name.endswith("system-prompt") and not option.endswith("=") else option


def upstream_model(turn: Turn) -> str:
    """The model, as upstream has it where that is known."""
    return turn.model.resolved or turn.model.id


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
