"""Encodes runs: a run as an object, and what happens in it as server-sent events."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, assert_never

from claude_openai.core.events import Activity, ReasoningDelta, TextDelta, ToolCalled
from claude_openai.core.keys import UNNAMED
from claude_openai.core.messages import ToolCall
from claude_openai.core.runs import Run, Visible
from claude_openai.jsontools.surrogates import SurrogateJoiner, json_without_surrogates, without_surrogates
from claude_openai.protocols.common.errors import TABLE
from claude_openai.protocols.common.wire import sse
from claude_openai.protocols.common.wire.reply import Reply
from claude_openai.protocols.runs.wire import RunActivity, RunCall, RunError, RunList, RunObject, RunText, RunUsage

CODES: Final = {kind.value: row.code for kind, row in TABLE.items() if row.code is not None}
"""The codes that clients see, by the failure kind that runs store."""

SHOWN: Final = len(UNNAMED) + 8
"""Characters that are shown of the principal of a key without a name. They are for people; no run is found by them."""


def run_object(run: Run) -> RunObject:
    """`run` without its text and its calls, as lists have it."""
    error, usage = None, None
    if run.error_code is not None:
        # an end that no request has, such as a crash of the server, is its own code
        code = next((row.code for kind, row in TABLE.items() if kind == run.error_code), None) or run.error_code
        error = RunError(code=code, message=without_surrogates(run.error or ""))
    if run.usage is not None:
        usage = RunUsage(
            prompt_tokens=run.usage.prompt_tokens,
            cached_tokens=run.usage.cache_read_tokens,
            cache_written_tokens=run.usage.cache_creation_tokens,
            completion_tokens=run.usage.output_tokens,
            reasoning_tokens=run.usage.reasoning_tokens,
        )
    return RunObject(
        id=run.id,
        answer_id=run.answer_id,
        request_id=run.request_id,
        key=run.principal[:SHOWN] if run.principal.startswith(UNNAMED) else run.principal,
        client=run.client,
        endpoint=run.endpoint,
        asked_model=run.asked_model,
        model=run.model,
        profile=run.profile,
        state=run.state.value,
        way=run.session_start,
        reason=run.reason,
        place=run.queue_position,
        arrived_at=run.arrived_at,
        began_at=run.began_at,
        first_token_at=run.first_token_at,
        ended_at=run.ended_at,
        finish_reason="content_filter" if run.finish == "refusal" else run.finish,
        error=error,
        usage=usage,
        cost_usd=run.cost_usd,
    )


def whole_run(run: Run) -> RunObject:
    """`run` with its text and its calls."""
    output = {"text": without_surrogates(run.text), "tool_calls": [_call(call) for call in run.calls]}
    return run_object(run).model_copy(update=output)


def run_list(runs: Iterable[Run], *, has_more: bool = False) -> RunList:
    """Several runs, in the order given; `has_more` is whether others come behind them."""
    return RunList(data=[run_object(run) for run in runs], has_more=has_more)


@dataclass(slots=True)
class RunEncoder:
    """Encodes the visible events of one run for a client that follows it."""

    _text: SurrogateJoiner = field(default_factory=SurrogateJoiner, init=False)
    _reasoning: SurrogateJoiner = field(default_factory=SurrogateJoiner, init=False)

    def feed(self, events: Iterable[Visible]) -> bytes:
        """The server-sent events for these `events`."""
        return b"".join(map(self._encode, events))

    def finish(self, run: Run) -> bytes:
        """The last event, and before it what the text still lacks."""
        rest = _text("reasoning", self._reasoning.finish()) + _text("text", self._text.finish())
        return rest + _event("end", whole_run(run))

    def _encode(self, event: Visible) -> bytes:
        match event:
            case TextDelta(text):
                return _text("text", self._text.feed(text))
            case ReasoningDelta(text):
                return _text("reasoning", self._reasoning.feed(text))
            case ToolCalled(call):
                return _event("tool_call", _call(call))
            case Activity():
                activity = RunActivity(
                    id=event.call_id,
                    tool=event.tool,
                    arguments=json_without_surrogates(without_surrogates(event.arguments)),
                    result=None if event.result is None else without_surrogates(event.result),
                    failed=event.failed,
                    parent=event.parent,
                )
                return _event("activity", activity)
            case _:
                assert_never(event)


def _text(name: str, text: str) -> bytes:
    return _event(name, RunText(text=text)) if text else b""


def _event(name: str, reply: Reply) -> bytes:
    return sse.event(reply.to_json(), name)


def _call(call: ToolCall) -> RunCall:
    return RunCall(
        id=call.id,
        name=call.name,
        arguments=json_without_surrogates(without_surrogates(call.arguments)).strip() or "{}",
    )
