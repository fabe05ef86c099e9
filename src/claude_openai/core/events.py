"""The events of an answer: every backend yields them, and every encoder reads them.

Order: `TurnStarted` once; deltas, with `ReasoningSigned`, `Working`, `Activity` and `TextWithdrawn` among them; then
`UsageReported` at most once; last, exactly one of `TurnFinished` and `TurnFailed`. `Retrying` may come at any time
before the first delta, `RateLimitReported` at any time before the last event. No event follows `TurnFailed` or
`TurnFinished`. A turn may fail before `TurnStarted`.
"""

from dataclasses import dataclass
from typing import Literal

from claude_openai.core.failures import Failure
from claude_openai.core.messages import ToolCall

FinishReason = Literal["stop", "length", "tool_calls", "refusal"]

AgentLimit = Literal["max_turns", "max_budget_usd"]

RateLimitStatus = Literal["allowed", "allowed_warning", "rejected", "overage"]
"""Whether upstream accepts requests: yes; yes, with the limit near; no; at extra cost, the window being used up."""


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

    @property
    def cached_share(self) -> float | None:
        """The part of the prompt that came from the cache, 0 to 1; None without a prompt."""
        return self.cache_read_tokens / self.prompt_tokens if self.prompt_tokens else None


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
    """Discard all text so far: it does not fit the reply format, and the model tries again."""


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the model's thinking, as far as upstream shows it."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningSigned:
    """The end of a block of thinking: upstream's signature of it, without which upstream does not take it back."""

    signature: str


@dataclass(frozen=True, slots=True)
class Working:
    """A sign of life: upstream generates output that is not shown yet, such as a call's arguments or thinking."""


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model calls one of the client's tools. The call is complete and its arguments fit the tool's schema.

    Calls of one message come in a row, right before `UsageReported` and `TurnFinished("tool_calls")`.
    """

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Activity:
    """Claude Code uses one of its own tools: it calls `tool` with `arguments` (a JSON object as text), or, later and
    under the same `call_id`, has its `result`. `failed`: the tool was denied or failed. Long texts are cut. `parent` is
    the call that started the sub-agent which calls the tool.
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
    """The state of the account's rate limit: of several windows of time, the one that limits it now.

    `window` is upstream's name of it ("five_hour"), `utilization` the share that is used (1.0 is all; it can be
    exceeded), `resets_at` its end in Unix seconds. Each is None where upstream does not report it.
    """

    status: RateLimitStatus
    window: str | None = None
    utilization: float | None = None
    resets_at: float | None = None


@dataclass(frozen=True, slots=True)
class UsageReported:
    """The tokens of the answer. `cost_usd` is Claude Code's own figure, None where it reports none."""

    usage: Usage
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The answer is complete. `refusal` is upstream's explanation, if any, of the reason "refusal". `limit` is the
    agent limit of the request that caused the reason "length"; None where the token limit did.
    """

    reason: FinishReason
    refusal: str | None = None
    limit: AgentLimit | None = None


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The turn ends without a (complete) answer, because of `failure`.

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
    | ReasoningSigned
    | Working
    | ToolCalled
    | Activity
    | Retrying
    | RateLimitReported
    | UsageReported
    | TurnFinished
    | TurnFailed
)
