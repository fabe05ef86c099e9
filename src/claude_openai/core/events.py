"""What an answer is made of: the one stream that every backend speaks and every encoder reads.

Order: `TurnStarted` once; deltas, with `Working`, `Activity` and `TextWithdrawn` among them; then `UsageReported` at
most once; last, exactly one of `TurnFinished` and `TurnFailed`. `Retrying` may come at any time before the first delta,
`RateLimitReported` at any time before the last event. After `TurnFailed` or `TurnFinished` there is nothing. A turn may
fail before it started.
"""

from dataclasses import dataclass
from typing import Literal

from claude_openai.core.failures import Failure
from claude_openai.core.messages import ToolCall

FinishReason = Literal["stop", "length", "tool_calls", "refusal"]

AgentLimit = Literal["max_turns", "max_budget_usd"]

RateLimitStatus = Literal["allowed", "allowed_warning", "rejected", "overage"]
"""Whether requests are let through: yes, with the limit near, no, or at extra cost since the window is used up."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer, from upstream's own accounting (never an estimate).

    `input_tokens` are the uncached ones: the whole prompt is `prompt_tokens`.
    """

    input_tokens: int
    output_tokens: int
    cache_creation_tokens: int = 0
    cache_read_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        """All tokens of the prompt, cached or not."""
        return self.input_tokens + self.cache_creation_tokens + self.cache_read_tokens


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """Upstream began to answer: `model` is the model that answers, `session_id` Claude Code's session."""

    model: str
    session_id: str


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer's text, as upstream cut it."""

    text: str


@dataclass(frozen=True, slots=True)
class TextWithdrawn:
    """No text so far is part of the answer: it did not fit the form that was asked for, and the model tries again."""


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the model's thinking, as far as upstream shows it."""

    text: str


@dataclass(frozen=True, slots=True)
class Working:
    """A sign of life: upstream writes what is not shown yet, such as a call's arguments or thinking."""


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model calls a tool of the client's: valid against its schema, complete.

    Calls of one message come in a row, right before `UsageReported` and `TurnFinished("tool_calls")`.
    """

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Activity:
    """Claude Code uses one of its own tools: it calls `tool` with `arguments` (a JSON object as text), or, later and
    under the same `call_id`, has its `result`, of which `failed` says that the tool was refused or did not work. Long
    texts are cut. `parent` is the call that a sub-agent works for.
    """

    call_id: str
    tool: str
    arguments: str
    result: str | None = None
    failed: bool = False
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Retrying:
    """Claude Code repeats the request, `attempt` of `max_attempts`, after an upstream `status` (None: no answer)."""

    attempt: int
    max_attempts: int
    status: int | None = None


@dataclass(frozen=True, slots=True)
class RateLimitReported:
    """How the account stands with upstream's rate limit: of several windows of time, the one that limits it now.

    `window` is upstream's name for it ("five_hour"), `utilization` the share of it that is used (1.0 is all; it can be
    overdrawn), `resets_at` when it is over, in Unix seconds. Each is None where upstream did not tell.
    """

    status: RateLimitStatus
    window: str | None = None
    utilization: float | None = None
    resets_at: float | None = None


@dataclass(frozen=True, slots=True)
class UsageReported:
    """What the answer used; `cost_usd` is Claude Code's own figure, None where it gave none."""

    usage: Usage
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The answer is complete. `refusal` is upstream's explanation when `reason` is "refusal", where it gave one;
    `limit` which of the request's own limits ended it when `reason` is "length", where it was not its tokens.
    """

    reason: FinishReason
    refusal: str | None = None
    limit: AgentLimit | None = None


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """There is no (further) answer, and this is why.

    `session_lost`: the session ended, or can no longer be used, and gave nothing of the answer. Where it had been
    resumed, the gateway answers the turn in a new session and does not pass this event on.
    """

    failure: Failure
    session_lost: bool = False


Event = (
    TurnStarted
    | TextDelta
    | TextWithdrawn
    | ReasoningDelta
    | Working
    | ToolCalled
    | Activity
    | Retrying
    | RateLimitReported
    | UsageReported
    | TurnFinished
    | TurnFailed
)
