"""Claude Code's messages as values, for both backends.

Upstream's stream events stay as upstream wrote them; the reader knows their shapes. `parent` is the id of the call that
a sub-agent works for, None for the conversation itself. Messages that say nothing about an answer have no value here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from claude_openai.core.events import AgentLimit


@dataclass(frozen=True, slots=True)
class SystemInit:
    """Claude Code begins to work on a prompt and offers the model `tools`."""

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
    where Claude Code wrote the text itself.
    """

    model: str
    calls: tuple[ToolUse, ...] = ()
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of the call `call_id` that the model gets; `content` as Claude Code wrote it, a text or blocks."""

    call_id: str
    content: str | list[dict[str, Any]] | None
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class ToolResults:
    """The results of calls."""

    results: tuple[ToolResult, ...]
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class ApiRetry:
    """Claude Code will repeat the request, `attempt` of `most`, in `delay` seconds. `status` is upstream's (None: no
    answer).
    """

    attempt: int
    most: int
    delay: float
    status: int | None = None


@dataclass(frozen=True, slots=True)
class ModelRefusal:
    """Upstream refused, and Claude Code tries nothing else."""

    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class RateLimitInfo:
    """The account's rate limit: Claude Code's `status`, `rateLimitType`, `resetsAt`, `unifiedWindows` ..."""

    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TurnResult:
    """Claude Code is done with the prompt. `text` is the answer, or with `is_error` why there is none; `status` is
    upstream's where that failed. `cost_usd` is that of the whole process so far. `limit`: which of Claude Code's own
    limits ended the turn; `structured_output_failed`: the answer did not fit its schema in all tries.
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
"""The limit that the subtype of a result names."""


CliMessage = (
    SystemInit | UpstreamEvent | AssistantBlock | ToolResults | ApiRetry | ModelRefusal | RateLimitInfo | TurnResult
)
