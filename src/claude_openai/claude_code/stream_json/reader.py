"""What Claude Code says, read into events: one answer, from its first `message_start` to its `result`.

The chat profile's answer is exactly one upstream message, or one that calls tools of the client. Claude Code would ask
again by itself after `max_tokens`, an empty or a thinking-only answer; `goes_on` says that it has to be stopped. What
comes after a complete message is never passed on, unless `go_on` asked for it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import chain, count
from typing import Any, assert_never

from claude_openai.claude_code.stream_json.failures import process_failure, upstream_failure
from claude_openai.claude_code.stream_json.messages import (
    ApiRetry,
    AssistantBlock,
    CliMessage,
    ModelRefusal,
    RateLimitInfo,
    SystemInit,
    ToolResults,
    TurnResult,
    UpstreamEvent,
)
from claude_openai.core.events import (
    Event,
    FinishReason,
    RateLimitReported,
    ReasoningDelta,
    Retrying,
    TextDelta,
    ToolCalled,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    Usage,
    UsageReported,
    Working,
)
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import ToolCall

MAX_RETRY_WAIT_SECONDS = 5.0
"""Between all tries of a request: Claude Code would wait up to a minute each time, where upstream asks for it. A longer
wait is the client's, who is told; and it must be told before the first keep-alive decides the status."""

THINKING_SEPARATOR = "\n\n"
"""What sets one block of thinking apart from another of the same answer."""

TRUNCATED_STOP_REASONS = frozenset({"max_tokens", "model_context_window_exceeded"})
"""How a message ends that has not come to its end."""

_FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    **dict.fromkeys(TRUNCATED_STOP_REASONS, "length"),
    "refusal": "refusal",
}


class AnswerReader:
    """Feed it what Claude Code says in one turn, in order; `wall_clock` gives Unix seconds (for rate limits).

    `offered` are the names of the client's tools. `done` is set with the last event; `complete` when upstream's message
    has ended: then `calls` are those it made, or only the result is missing.
    """

    ends_when_truncated = True
    """Whether an answer that was cut is told as such, and Claude Code not let go on."""

    correction: str | None = None
    """What Claude Code is to be told now, for the answer to go on."""

    fault: str | None = None
    """Why the answer does not fit the schema that it must: what a check of `unchecked` found."""

    exact = True
    """Whether what Claude Code remembers of the answer is what the client was given of it."""

    is_resumable = False
    """Once `done`: whether there was an answer after which the session can go on. Chat's answers are done before."""

    def __init__(self, model: str, offered: frozenset[str], wall_clock: Callable[[], float]) -> None:
        self.done = False
        self.complete = False
        self._model = model
        self._offered = offered
        self._calls: list[_CallInProgress] = []
        self._spent = Usage(0, 0)
        self._wall_clock = wall_clock
        self._started = False
        self._said_something = False
        self._said_text = False
        self._thought = False
        self._apart = ""
        self._stop_reason: str | None = None
        self._refusal: str | None = None
        self._usage = Usage(0, 0)
        self._rate_limit: RateLimitReported | None = None
        self._waited = 0.0

    @property
    def is_our_turn(self) -> bool:
        """Whether it is for us to go on: the answer is complete, or its calls are for the client to run."""
        return self.complete

    @property
    def must_be_stopped(self) -> bool:
        """Whether Claude Code answers this answer with another request (measured: see the module's words)."""
        ends_by_itself = self._stop_reason in {"refusal", "tool_use"} or (
            self._stop_reason in {"end_turn", "stop_sequence"} and self._said_text
        )
        return self.complete and not ends_by_itself

    @property
    def can_park(self) -> bool:
        """Whether the session can go on once the client has run the calls: upstream takes no two of one id back."""
        ids = [call.id for call in self.calls]
        return len(set(ids)) == len(ids)

    @property
    def calls(self) -> list[ToolCall]:
        """The calls of the message that is complete, in order, their arguments as upstream wrote them."""
        return [call.made() for call in self._calls] if self._stop_reason == "tool_use" else []

    @property
    def _cut(self) -> bool:
        return self.ends_when_truncated and self.complete and self._stop_reason in TRUNCATED_STOP_REASONS

    def unchecked(self, said: CliMessage) -> tuple[str, str] | None:  # noqa: ARG002 -- for those whose answers have a form
        """A schema and the answer that must fit it, where the events of `said` depend on that: `fault` is set first."""
        return None

    def feed(self, said: CliMessage) -> list[Event]:
        """The events that `said` makes; nothing once `done`."""
        if self.done:
            return []
        match said:
            case UpstreamEvent(event, session_id, parent=None):
                return self._streamed(event, session_id)
            case SystemInit(tools=tools) if not self._offered.issuperset(tools):
                return self._fail(process_failure("offered the model tools of its own, which this profile rules out"))
            case ApiRetry():
                return self._retried(said)
            case ModelRefusal(explanation):
                # Where nothing was said before, the only word of it: `message_delta` then has no stop reason.
                self._stop_reason = "refusal"
                self._refusal = explanation or self._refusal
            case RateLimitInfo(report):
                self._rate_limit = _reported(report)
            case TurnResult():
                return self._ended(said)
            case UpstreamEvent() | SystemInit() | AssistantBlock() | ToolResults():
                pass
            case _:
                assert_never(said)
        return []

    def continue_answer(self) -> None:
        """The calls of this message go back to the model: its next message belongs to the same answer."""
        self._spent = self._used()
        self._calls = []
        self._stop_reason = None
        self.complete = self._said_something = self._said_text = False

    def park(self) -> list[Event]:
        """The last events, where the client is to run the calls: what they cost comes with the answer that ends it."""
        called = [ToolCalled(call) for call in _told_apart(self.calls)]
        return self._last(*called, UsageReported(self._used()), TurnFinished("tool_calls"))

    def abandoned(self, why: Failure) -> list[Event]:
        """The last events, where no result came: the answer if it is complete, else `why` there is none."""
        if self.done:
            return []
        if self._stop_reason is None:
            return self._fail(_INTERRUPTED if self._said_something else why, session_lost=True)
        return self._finish(cost_usd=None)

    def _streamed(self, event: Mapping[str, Any], session_id: str) -> list[Event]:
        if self.complete:
            return []  # this is Claude Code going on by itself
        match event:
            case {"type": "message_start", "message": message}:
                return self._message_started(message, session_id)
            case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(text)}} if text:
                self._said_something = self._said_text = True
                return [TextDelta(text)]
            case {
                "type": "content_block_delta",
                "delta": {"type": "thinking_delta", "thinking": str(text)},
            } if text:
                self._said_something = self._thought = True
                apart, self._apart = self._apart, ""
                return [ReasoningDelta(apart + text)]
            case {"type": "content_block_start", "content_block": {**block}}:
                self._block_started(block)
            case {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": piece}}:
                self._calls[-1].pieces.append(piece)
                return [Working()]
            case {"type": "message_delta", "delta": {**delta}}:
                self._conclude(delta, event.get("usage") or {})
            case {"type": "message_stop"}:
                self.complete = self._stop_reason is not None
            case {"type": "content_block_delta" | "ping"}:
                return [Working()]
            case _:
                pass
        return []

    def _block_started(self, block: Mapping[Any, Any]) -> None:
        match block:
            case {"type": "tool_use", "id": call_id, "name": name}:
                self._said_something = True
                self._calls.append(_CallInProgress(call_id, name))
            case {"type": "thinking"} if self._thought:
                self._apart = THINKING_SEPARATOR

    def _message_started(self, message: Mapping[str, Any], session_id: str) -> list[Event]:
        if self._said_something:
            return self._fail(_INTERRUPTED)
        self._usage = _merged(Usage(0, 0), message.get("usage") or {})
        self._calls = []
        if self._started:
            return []  # a second try before anything was said, or what follows upon `go_on`
        self._started = True
        return [TurnStarted(model=message.get("model") or self._model, session_id=session_id)]

    def _conclude(self, delta: Mapping[Any, Any], usage: Mapping[str, Any]) -> None:
        # A stream that was cut has a made-up `message_delta` without a stop reason: that is no end of an answer.
        self._stop_reason = delta.get("stop_reason") or self._stop_reason
        self._usage = _merged(self._usage, usage)
        details = delta.get("stop_details")
        if isinstance(details, dict):
            self._refusal = details.get("explanation") or self._refusal

    def _retried(self, announced: ApiRetry) -> list[Event]:
        if self._said_something:
            return self._fail(_INTERRUPTED)  # the retry would say it all again
        self._waited += announced.delay
        if self._waited > MAX_RETRY_WAIT_SECONDS:
            told = f"Upstream asks to wait {announced.delay:.0f} s before the next try."
            return self._fail(upstream_failure(announced.status, told, model=self._model, retry_after=announced.delay))
        return [Retrying(announced.attempt, announced.most, announced.status)]

    def _ended(self, end: TurnResult) -> list[Event]:
        if self._stop_reason is None:
            return self._fail(self._why_not(end), session_lost=not end.is_error)
        return self._finish(end.cost_usd)

    def _finish(self, cost_usd: float | None) -> list[Event]:
        reason = _FINISH.get(self._stop_reason or "", "stop")
        return self._last(
            UsageReported(self._used(), cost_usd),
            TurnFinished(reason, refusal=self._refusal if reason == "refusal" else None),
        )

    def _used(self) -> Usage:
        return _sum(self._spent, self._usage)

    def _why_not(self, end: TurnResult) -> Failure:
        if self._said_something:
            return _INTERRUPTED
        if not end.is_error:
            return process_failure("ended the turn without an answer")
        return upstream_failure(end.status, end.text, model=self._model, retry_after=self._retry_after())

    def _retry_after(self) -> float | None:
        limit = self._rate_limit
        if limit is None or limit.status != "rejected" or limit.resets_at is None:
            return None
        return max(0.0, limit.resets_at - self._wall_clock())

    def _fail(self, failure: Failure, *, session_lost: bool = False) -> list[Event]:
        """The last events. `session_lost` is reported only where the answer had not begun."""
        return self._last(TurnFailed(failure, session_lost=session_lost and not self._started))

    def _last(self, *events: Event) -> list[Event]:
        """With the rate limit before them: Claude Code reports it between the answer's end and the result."""
        self.done = True
        return [*events] if self._rate_limit is None else [self._rate_limit, *events]


def _told_apart(calls: Iterable[ToolCall]) -> list[ToolCall]:
    """`calls`, each under an id of its own: clients match results by it."""
    taken: dict[str, ToolCall] = {}
    for call in calls:
        candidates = chain([call.id], (f"{call.id}-{number}" for number in count(2)))
        own = next(candidate for candidate in candidates if candidate not in taken)
        taken[own] = replace(call, id=own)
    return list(taken.values())


_INTERRUPTED = Failure(
    Kind.STREAM_INTERRUPTED,
    "Upstream's stream broke off before the answer was complete. The request can be repeated.",
)


@dataclass(slots=True)
class _CallInProgress:
    """A call while its arguments arrive."""

    id: str
    name: str
    pieces: list[str] = field(default_factory=list)

    def made(self) -> ToolCall:
        return ToolCall(self.id, self.name, "".join(self.pieces) or "{}")


def _reported(report: Mapping[str, Any]) -> RateLimitReported:
    """Requests may go on where a window has "rejected", at extra cost."""
    status = report["status"]
    window = report.get("rateLimitType")
    return RateLimitReported(
        "overage" if status == "rejected" and report.get("isUsingOverage") else status,
        window,
        _utilization(report, window),
        report.get("resetsAt"),
    )


def _utilization(report: Mapping[str, Any], window: str | None) -> float | None:
    """The report itself has it with a warning only, the windows it lists have it always (measured)."""
    if (used := report.get("utilization")) is not None:
        return float(used)
    match (report.get("unifiedWindows") or {}).get(window):
        case {"utilization": float() | int() as utilization}:
            return utilization
        case _:
            return None


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(*(getattr(one, each.name) + getattr(other, each.name) for each in fields(Usage)))


def _merged(usage: Usage, reported: Mapping[str, Any]) -> Usage:
    """`usage` with what upstream reports now: `message_delta` is cumulative and may leave out what did not change."""
    named = {
        "input_tokens": reported.get("input_tokens"),
        "output_tokens": reported.get("output_tokens"),
        "cache_creation_tokens": reported.get("cache_creation_input_tokens"),
        "cache_read_tokens": reported.get("cache_read_input_tokens"),
        "reasoning_tokens": (reported.get("output_tokens_details") or {}).get("thinking_tokens"),
    }
    return replace(usage, **{name: value for name, value in named.items() if value is not None})
