"""What Claude Code says, as values: the messages that matter, whichever way they arrived.

Upstream's stream events stay as upstream wrote them; the reader knows their shapes. `parent` is the id of the call that
a sub-agent works for, None for the conversation itself. What is not in here says nothing about an answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claude_openai.core.events import AgentLimit


@dataclass(frozen=True, slots=True)
class SystemInit:
    """It begins to work on a prompt, with `tools` to offer."""

    session_id: str
    tools: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UpstreamEvent:
    """One event of upstream's stream."""

    event: Mapping[str, Any]
    session_id: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A call that the model made."""

    id: str
    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AssistantBlock:
    """One finished block of the model's message, after its stream events: the calls in it. `model` is "<synthetic>"
    where the words are Claude Code's own.
    """

    model: str
    calls: tuple[ToolUse, ...] = ()
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the model is told of the call `call_id`; `content` as Claude Code wrote it, a text or blocks."""

    call_id: str
    content: str | list[dict[str, Any]] | None
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class ToolResults:
    """What became of calls."""

    results: tuple[ToolResult, ...]
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class ApiRetry:
    """It will repeat the request, `attempt` of `most`, in `delay` seconds; `status` is upstream's (None: no answer)."""

    attempt: int
    most: int
    delay: float
    status: int | None = None


@dataclass(frozen=True, slots=True)
class ModelRefusal:
    """Upstream refused, and nothing else will be tried."""

    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class RateLimitInfo:
    """How the account stands, as Claude Code has it: `status`, `rateLimitType`, `resetsAt`, `unifiedWindows` ..."""

    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TurnResult:
    """It is done with the prompt. `text` is the answer, or with `is_error` why there is none; `status` is upstream's
    where that failed. `cost_usd` is that of the whole process so far. `limit` is which of its own limits ended it;
    `unfit`: the answer did not fit its schema, however often it was sent back.
    """

    is_error: bool
    text: str = ""
    status: int | None = None
    cost_usd: float | None = None
    limit: AgentLimit | None = None
    structured_output_failed: bool = False


STRUCTURED_OUTPUT_RETRIES_EXHAUSTED = "error_max_structured_output_retries"
"""The subtype of the result where an answer does not fit."""

LIMITS: Mapping[str, AgentLimit] = {"error_max_turns": "max_turns", "error_max_budget_usd": "max_budget_usd"}
"""What the subtype of a result tells of that."""


CliMessage = (
    SystemInit | UpstreamEvent | AssistantBlock | ToolResults | ApiRetry | ModelRefusal | RateLimitInfo | TurnResult
)
