"""What Claude Code says, read into events: one answer, from its first `message_start` to its `result`.

The chat profile's answer is exactly one upstream message, or one that calls tools of the client. Claude Code would ask
again by itself after `max_tokens`, an empty or a thinking-only answer; `goes_on` says that it has to be stopped. What
comes after a complete message is never passed on, unless `go_on` asked for it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from claude_agent_sdk import Message, RateLimitEvent, RateLimitInfo, ResultMessage, StreamEvent, SystemMessage

from claude_openai.backends.sdk.failures import process_failure, upstream_failure
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

LONGEST_WAIT_SECONDS = 5.0
"""Between all tries of a request: Claude Code would wait up to a minute each time, where upstream asks for it. A longer
wait is the client's, who is told; and it must be told before the first keep-alive decides the status."""

_FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refusal",
}


class AnswerReader:
    """Feed it the SDK's messages of one turn, in order; `wall_clock` gives Unix seconds (for rate limits).

    `offered` are the names of the client's tools. `done` is set with the last event; `complete` when upstream's message
    has ended: then `calls` are those it made, or only the result is missing.
    """

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
        self._stop_reason: str | None = None
        self._refusal: str | None = None
        self._usage = Usage(0, 0)
        self._rate_limit: RateLimitReported | None = None
        self._waited = 0.0

    @property
    def goes_on(self) -> bool:
        """Whether Claude Code answers this answer with another request (measured: see the module's words)."""
        ends_by_itself = self._stop_reason in {"refusal", "tool_use"} or (
            self._stop_reason in {"end_turn", "stop_sequence"} and self._said_text
        )
        return self.complete and not ends_by_itself

    @property
    def calls(self) -> list[ToolCall]:
        """The calls of the message that is complete, in order, their arguments as upstream wrote them."""
        return [call.made() for call in self._calls] if self._stop_reason == "tool_use" else []

    def feed(self, message: Message) -> list[Event]:
        """The events that `message` makes; nothing once `done`."""
        if self.done:
            return []
        match message:
            case StreamEvent(event=event, parent_tool_use_id=None, session_id=session_id):
                return self._streamed(event, session_id)
            case SystemMessage(subtype="init", data=data) if not self._offered.issuperset(data.get("tools") or ()):
                return self._fail(process_failure("offered the model tools of its own, which this profile rules out"))
            case SystemMessage(subtype="api_retry", data=data):
                return self._retried(data)
            case SystemMessage(subtype="model_refusal_no_fallback", data=data):
                # Where nothing was said before, the only word of it: `message_delta` then has no stop reason.
                self._stop_reason = "refusal"
                self._refusal = data.get("api_refusal_explanation") or self._refusal
            case RateLimitEvent(rate_limit_info=info):
                self._rate_limit = _reported(info)
            case ResultMessage():
                return self._ended(message)
            case _:
                pass
        return []

    def go_on(self) -> None:
        """The calls of this message go back to the model: its next message belongs to the same answer."""
        self._spent = _sum(self._spent, self._usage)
        self._calls = []
        self._stop_reason = None
        self.complete = self._said_something = self._said_text = False

    def park(self) -> list[Event]:
        """The last events, where the client is to run the calls: what they cost comes with the answer that ends it."""
        called = [ToolCalled(call) for call in self.calls]
        return self._last(*called, UsageReported(_sum(self._spent, self._usage)), TurnFinished("tool_calls"))

    def abandoned(self, why: Failure) -> list[Event]:
        """The last events, where no result came: the answer if it is complete, else `why` there is none."""
        if self.done:
            return []
        if self._stop_reason is None:
            return self._fail(_INTERRUPTED if self._said_something else why)
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
                self._said_something = True
                return [ReasoningDelta(text)]
            case {"type": "content_block_start", "content_block": {"type": "tool_use", "id": call_id, "name": name}}:
                self._said_something = True
                self._calls.append(_CallInProgress(call_id, name))
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

    def _retried(self, data: Mapping[str, Any]) -> list[Event]:
        if self._said_something:
            return self._fail(_INTERRUPTED)  # the retry would say it all again
        status = data.get("error_status")
        delay = (data.get("retry_delay_ms") or 0) / 1000
        self._waited += delay
        if self._waited > LONGEST_WAIT_SECONDS:
            told = f"Upstream asks to wait {delay:.0f} s before the next try."
            return self._fail(upstream_failure(status, told, model=self._model, retry_after=delay))
        return [Retrying(data.get("attempt") or 1, data.get("max_retries") or 1, status)]

    def _ended(self, result: ResultMessage) -> list[Event]:
        if self._stop_reason is None:
            return self._fail(self._why_not(result))
        return self._finish(result.total_cost_usd)

    def _finish(self, cost_usd: float | None) -> list[Event]:
        reason = _FINISH.get(self._stop_reason or "", "stop")
        return self._last(
            UsageReported(_sum(self._spent, self._usage), cost_usd),
            TurnFinished(reason, refusal=self._refusal if reason == "refusal" else None),
        )

    def _why_not(self, result: ResultMessage) -> Failure:
        if self._said_something:
            return _INTERRUPTED
        if not result.is_error:
            return process_failure("ended the turn without an answer")
        text = result.result or "; ".join(result.errors or [])
        return upstream_failure(result.api_error_status, text, model=self._model, retry_after=self._retry_after())

    def _retry_after(self) -> float | None:
        limit = self._rate_limit
        if limit is None or limit.status != "rejected" or limit.resets_at is None:
            return None
        return max(0.0, limit.resets_at - self._wall_clock())

    def _fail(self, failure: Failure) -> list[Event]:
        if failure.kind is Kind.CLAUDE_CODE_FAILED:
            self._rate_limit = None  # that is the first event then: whoever resumed the session begins a new one
        return self._last(TurnFailed(failure))

    def _last(self, *events: Event) -> list[Event]:
        """With the rate limit before them: Claude Code reports it between the answer's end and the result."""
        self.done = True
        return [*events] if self._rate_limit is None else [self._rate_limit, *events]


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


def _reported(info: RateLimitInfo) -> RateLimitReported:
    """Requests may go on where a window has "rejected", at extra cost: only the raw report says so."""
    status = "overage" if info.status == "rejected" and info.raw.get("isUsingOverage") else info.status
    return RateLimitReported(status, info.rate_limit_type, _utilization(info), info.resets_at)


def _utilization(info: RateLimitInfo) -> float | None:
    """The report itself has it with a warning only, the windows it lists have it always (measured)."""
    if info.utilization is not None:
        return info.utilization
    match (info.raw.get("unifiedWindows") or {}).get(info.rate_limit_type):
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
