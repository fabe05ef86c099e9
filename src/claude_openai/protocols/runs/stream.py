"""Runs on the wire: a run as an object, and what is said in one as server-sent events."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, assert_never

from claude_openai.core.events import Activity, ReasoningDelta, TextDelta, ToolCalled, Usage
from claude_openai.core.messages import ToolCall
from claude_openai.core.runs import Run, Visible
from claude_openai.jsontools.surrogates import SurrogateJoiner, json_without_surrogates, without_surrogates
from claude_openai.protocols.common.errors import TABLE
from claude_openai.protocols.common.wire import sse
from claude_openai.protocols.common.wire.reply import Reply
from claude_openai.protocols.runs.wire import RunActivity, RunCall, RunError, RunList, RunObject, RunText, RunUsage

SHOWN: Final = len("key-") + 8
"""Characters of whose request it was that are shown: for people, who tell few keys apart. Nothing is found by them."""


def run_object(run: Run) -> RunObject:
    """`run` without its text and its calls, as it stands in a list."""
    return RunObject(
        id=run.id,
        answer_id=run.answer_id,
        request_id=run.request_id,
        key=run.principal[:SHOWN],
        client=run.client,
        model=run.model,
        profile=run.profile,
        state=run.state.value,
        way=run.session_start,
        place=run.queue_position,
        arrived_at=run.arrived_at,
        began_at=run.began_at,
        first_token_at=run.first_token_at,
        ended_at=run.ended_at,
        finish_reason="content_filter" if run.finish == "refusal" else run.finish,
        error=_error(run),
        usage=_usage(run.usage) if run.usage else None,
        cost_usd=run.cost_usd,
    )


def whole_run(run: Run) -> RunObject:
    """All that is known of `run`."""
    said = {"text": without_surrogates(run.text), "tool_calls": [_call(call) for call in run.calls]}
    return run_object(run).model_copy(update=said)


def run_list(runs: Iterable[Run]) -> RunList:
    """Several, in the order given."""
    return RunList(data=[run_object(run) for run in runs])


@dataclass(slots=True)
class RunEncoder:
    """What is said in one run as it is told to a follower; text that comes together is one event."""

    _text: SurrogateJoiner = field(default_factory=SurrogateJoiner, init=False)
    _reasoning: SurrogateJoiner = field(default_factory=SurrogateJoiner, init=False)

    def feed(self, said: Iterable[Visible]) -> bytes:
        """The events that tell what was `said`."""
        return b"".join(map(self._event, said))

    def finish(self, run: Run) -> bytes:
        """The last event."""
        rest = _text("reasoning", self._reasoning.finish()) + _text("text", self._text.finish())
        return rest + _framed("end", whole_run(run))

    def _event(self, said: Visible) -> bytes:
        match said:
            case TextDelta(text):
                return _text("text", self._text.feed(text))
            case ReasoningDelta(text):
                return _text("reasoning", self._reasoning.feed(text))
            case ToolCalled(call):
                return _framed("tool_call", _call(call))
            case Activity():
                return _framed("activity", _activity(said))
            case _:
                assert_never(said)


def _text(name: str, text: str) -> bytes:
    return _framed(name, RunText(text=text)) if text else b""


def _framed(name: str, told: Reply) -> bytes:
    return sse.event(told.to_json(), name)


def _error(run: Run) -> RunError | None:
    if run.error_code is None:
        return None
    return RunError(code=_code(run.error_code), message=without_surrogates(run.error or ""))


def _code(kind: str) -> str:
    """As the client was told; what no request of ours can end with (a crash of the server, say) is its own code."""
    return next((row.code for known, row in TABLE.items() if known == kind), None) or kind


def _usage(usage: Usage) -> RunUsage:
    return RunUsage(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cache_read_tokens,
        completion_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
    )


def _activity(activity: Activity) -> RunActivity:
    return RunActivity(
        id=activity.call_id,
        tool=activity.tool,
        arguments=json_without_surrogates(without_surrogates(activity.arguments)),
        result=None if activity.result is None else without_surrogates(activity.result),
        failed=activity.failed,
        parent=activity.parent,
    )


def _call(call: ToolCall) -> RunCall:
    return RunCall(
        id=call.id,
        name=call.name,
        arguments=json_without_surrogates(without_surrogates(call.arguments)).strip() or "{}",
    )
