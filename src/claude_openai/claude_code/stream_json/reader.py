"""Reads Claude Code's messages into events: one answer, from its first `message_start` to its `result`.

In the chat profile an answer is exactly one upstream message. After `max_tokens`, an empty or a thinking-only message,
Claude Code would send another request by itself; `must_be_stopped` reports that. Events after a complete message are
dropped, unless `continue_answer` was called.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import chain, count
from typing import Any, Final, assert_never

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
    ReasoningSigned,
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
"""The longest wait between all tries of a request together. Claude Code would wait up to a minute each time, where
upstream asks for it. A longer wait is left to the client (`Retry-After`); that error must come before the first
keep-alive decides the status."""

THINKING_SEPARATOR = "\n\n"
"""The text between two blocks of thinking of the same answer."""

TRUNCATED_STOP_REASONS = frozenset({"max_tokens", "model_context_window_exceeded"})
"""The stop reasons of a message that was cut."""

LONGEST_CORRECTED: Final = 500_000
"""Characters of calls or of an answer that do not fit their schema, and are corrected: some 128,000 tokens, the longest
answer of a model. Each try is streamed, checked and sent back whole."""

TOO_LONG: Final = f"the model is not asked to correct more than {LONGEST_CORRECTED:,} characters"
"""Why a try is the last one, as a clause."""

_FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    **dict.fromkeys(TRUNCATED_STOP_REASONS, "length"),
    "refusal": "refusal",
}


class AnswerReader:
    """Reads the messages of one turn, which `feed` gets in order. `wall_clock` returns Unix seconds (for rate limits).

    `offered` are the names of the client's tools. `done` is set with the last event; `complete` when upstream's message
    has ended: then `calls` are its tool calls, or only Claude Code's result is missing.
    """

    ends_when_truncated = True
    """Whether a message that was cut ends the answer, so that Claude Code must not go on."""

    correction: str | None = None
    """The text to send to Claude Code now, so that the model corrects its answer."""

    fault: str | None = None
    """The reason why the answer does not fit its schema: the result of the check of `unchecked_answer`."""

    exact = True
    """Whether Claude Code remembers the same answer that the client received."""

    is_resumable = False
    """Once `done`: whether the session can be resumed after the answer. Not used for chat, which ends before that."""

    def __init__(self, model: str, offered: frozenset[str], wall_clock: Callable[[], float]) -> None:
        self.done = False
        self.complete = False
        self._model = model
        self._offered = offered
        self._calls: list[_CallInProgress] = []
        self._earlier_usage = Usage(0, 0)
        self._wall_clock = wall_clock
        self._started = False
        self._has_output = False
        self._has_text = False
        self._has_reasoning = False
        self._reasoning_separator = ""
        self._stop_reason: str | None = None
        self._refusal: str | None = None
        self._usage = Usage(0, 0)
        self._rate_limit: RateLimitReported | None = None
        self._retry_seconds = 0.0

    @property
    def server_must_act(self) -> bool:
        """Whether the server has to act: the answer is complete, or the client has to run its calls."""
        return self.complete

    @property
    def must_be_stopped(self) -> bool:
        """Whether Claude Code follows this message with another request of its own (measured)."""
        ends_by_itself = self._stop_reason in {"refusal", "tool_use"} or (
            self._stop_reason in {"end_turn", "stop_sequence"} and self._has_text
        )
        return self.complete and not ends_by_itself

    @property
    def can_park(self) -> bool:
        """Whether the session can be parked on the calls: upstream does not accept two results with one id."""
        ids = [call.id for call in self.calls]
        return len(set(ids)) == len(ids)

    @property
    def calls(self) -> list[ToolCall]:
        """The calls of a complete message, in order, their arguments as upstream wrote them."""
        return [call.complete() for call in self._calls] if self._stop_reason == "tool_use" else []

    @property
    def _cut(self) -> bool:
        return self.ends_when_truncated and self.complete and self._stop_reason in TRUNCATED_STOP_REASONS

    def unchecked_answer(self, message: CliMessage) -> tuple[str, str] | None:  # noqa: ARG002 -- for subclasses
        """Return the schema and the answer to check before `message` is fed; the caller then sets `fault`."""
        return None

    def feed(self, message: CliMessage) -> list[Event]:
        """Return the events of `message`; none once `done`. While the answer streams, this runs for every token."""
        if self.done:
            return []
        match message:
            case UpstreamEvent(event, session_id, parent=None):
                return self._stream_event(event, session_id)
            case SystemInit(tools=tools) if not self._offered.issuperset(tools):
                return self._fail(process_failure("offered the model tools of its own, which this profile rules out"))
            case ApiRetry(attempt, most, delay, status):
                if self._has_output:
                    return self._fail(_INTERRUPTED)  # the retry would repeat the output
                self._retry_seconds += delay
                if self._retry_seconds > MAX_RETRY_WAIT_SECONDS:
                    text = f"Anthropic's API asks to wait {delay:.0f} s before the next try."
                    return self._fail(upstream_failure(status, text, model=self._model, retry_after=delay))
                return [Retrying(attempt, most, status)]
            case ModelRefusal(explanation):
                # Without output before it, no other message reports the refusal: `message_delta` has no stop reason.
                self._stop_reason = "refusal"
                self._refusal = explanation or self._refusal
            case RateLimitInfo(report):
                self._rate_limit = _rate_limit_event(report)
            case TurnResult():
                return self._result(message)
            case UpstreamEvent() | SystemInit() | AssistantBlock() | ToolResults():
                pass
            case _:
                assert_never(message)
        return []

    def continue_answer(self) -> None:
        """Read the model's next message as a part of the same answer, as after its calls were returned as errors."""
        self._earlier_usage = self._used()
        self._calls = []
        self._stop_reason = None
        self.complete = self._has_output = self._has_text = False

    def park(self) -> list[Event]:
        """Return the last events where the client has to run the calls. The cost is reported with the next answer."""
        called: dict[str, ToolCalled] = {}
        for call in self.calls:  # clients match results by the id, so each call gets an id of its own
            candidates = chain([call.id], (f"{call.id}-{number}" for number in count(2)))
            own = next(candidate for candidate in candidates if candidate not in called)
            called[own] = ToolCalled(replace(call, id=own))
        return self._last(*called.values(), UsageReported(self._used()), TurnFinished("tool_calls"))

    def abandoned(self, why: Failure) -> list[Event]:
        """Return the last events where Claude Code sent no result: the end of a complete answer, else `why`."""
        if self.done:
            return []
        if self._stop_reason is None:
            return self._fail(_INTERRUPTED if self._has_output else why, session_lost=True)
        return self._finish(cost_usd=None)

    def _stream_event(self, event: Mapping[str, Any], session_id: str) -> list[Event]:
        if self.complete:
            return []  # Claude Code goes on by itself
        match event:
            case {"type": "message_start", "message": message}:
                if self._has_output:
                    return self._fail(_INTERRUPTED)
                self._usage = _merged(Usage(0, 0), message.get("usage") or {})
                self._calls = []
                if not self._started:  # else a second try before any output, or the next message of the answer
                    self._started = True
                    return [TurnStarted(model=message.get("model") or self._model, session_id=session_id)]
            case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(text)}} if text:
                self._has_output = self._has_text = True
                return [TextDelta(text)]
            case {
                "type": "content_block_delta",
                "delta": {"type": "thinking_delta", "thinking": str(text)},
            } if text:
                self._has_output = self._has_reasoning = True
                separator, self._reasoning_separator = self._reasoning_separator, ""
                return [ReasoningDelta(separator + text)]
            case {"type": "content_block_start", "content_block": {"type": "tool_use", "id": call_id, "name": name}}:
                self._has_output = True
                self._calls.append(_CallInProgress(call_id, name))
            case {"type": "content_block_start", "content_block": {"type": "thinking"}} if self._has_reasoning:
                self._reasoning_separator = THINKING_SEPARATOR
            case {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": piece}}:
                self._calls[-1].pieces.append(piece)
                return [Working()]
            case {"type": "message_delta", "delta": dict() as delta}:
                # Where upstream's stream breaks off, Claude Code makes up a `message_delta` without a stop reason.
                self._stop_reason = delta.get("stop_reason") or self._stop_reason
                self._usage = _merged(self._usage, event.get("usage") or {})
                if isinstance(details := delta.get("stop_details"), dict):
                    self._refusal = details.get("explanation") or self._refusal
            case {"type": "message_stop"}:
                self.complete = self._stop_reason is not None
            case {"type": "content_block_delta" | "ping"}:
                signature = (event.get("delta") or {}).get("signature")  # of `signature_delta`
                return [ReasoningSigned(signature) if isinstance(signature, str) and signature else Working()]
            case _:
                pass
        return []

    def _result(self, end: TurnResult) -> list[Event]:
        if self._stop_reason is None:
            why = _INTERRUPTED if self._has_output else self._failure(end)
            return self._fail(why, session_lost=not end.is_error)
        return self._finish(end.cost_usd)

    def _finish(self, cost_usd: float | None) -> list[Event]:
        reason = _FINISH.get(self._stop_reason or "", "stop")
        return self._last(
            UsageReported(self._used(), cost_usd),
            TurnFinished(reason, refusal=self._refusal if reason == "refusal" else None),
        )

    def _used(self) -> Usage:
        """Return the tokens of all messages of the answer."""
        earlier, last = self._earlier_usage, self._usage
        return Usage(*(getattr(earlier, each.name) + getattr(last, each.name) for each in fields(Usage)))

    def _failure(self, end: TurnResult) -> Failure:
        """Return the failure of a turn that ends without an answer."""
        if not end.is_error:
            return process_failure("ended the turn without an answer")
        limit, retry_after = self._rate_limit, None
        if limit and limit.status == "rejected" and limit.resets_at is not None:
            retry_after = max(0.0, limit.resets_at - self._wall_clock())
        return upstream_failure(end.status, end.text, model=self._model, retry_after=retry_after)

    def _fail(self, failure: Failure, *, session_lost: bool = False) -> list[Event]:
        """Return the last events. `session_lost` is reported only where the answer had not begun."""
        return self._last(TurnFailed(failure, session_lost=session_lost and not self._started))

    def _last(self, *events: Event) -> list[Event]:
        """Return `events` as the last ones, after the rate limit that Claude Code reported before the result."""
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

    def complete(self) -> ToolCall:
        return ToolCall(self.id, self.name, "".join(self.pieces) or "{}")


def _rate_limit_event(report: Mapping[str, Any]) -> RateLimitReported:
    """Encode a report of the rate limit. A window with the status "rejected" may still let requests through, at extra
    cost ("overage"). The report itself has the utilization with a warning only; the windows that it lists always have
    it (measured).
    """
    status, window, used = report["status"], report.get("rateLimitType"), report.get("utilization")
    if used is None:
        match (report.get("unifiedWindows") or {}).get(window):
            case {"utilization": float() | int() as used}:
                pass
            case _:
                pass
    return RateLimitReported(
        "overage" if status == "rejected" and report.get("isUsingOverage") else status,
        window,
        None if used is None else float(used),
        report.get("resetsAt"),
    )


def _merged(usage: Usage, reported: Mapping[str, Any]) -> Usage:
    """Update `usage` by `reported`: `message_delta` is cumulative, and may leave out fields that did not change."""
    counts = {
        "input_tokens": reported.get("input_tokens"),
        "output_tokens": reported.get("output_tokens"),
        "cache_creation_tokens": reported.get("cache_creation_input_tokens"),
        "cache_read_tokens": reported.get("cache_read_input_tokens"),
        "reasoning_tokens": (reported.get("output_tokens_details") or {}).get("thinking_tokens"),
    }
    return replace(usage, **{name: value for name, value in counts.items() if value is not None})
