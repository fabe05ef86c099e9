"""What the chunks of an answer and its one object have in common: how it ends, what it used, and who gave it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from claude_openai.core import events
from claude_openai.core.agent import Shown
from claude_openai.core.messages import ToolCall
from claude_openai.jsontools.surrogates import json_without_surrogates, without_surrogates
from claude_openai.protocols.chat_completions.wire import (
    ChatCompletion,
    ChatCompletionChunk,
    ClaudeActivity,
    ClaudeExtension,
    CompletionTokensDetails,
    CompletionUsage,
    FinishReason,
    PromptTokensDetails,
)

Answer = TypeVar("Answer", ChatCompletion, ChatCompletionChunk)

_FINISH_REASONS: Mapping[events.FinishReason, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "refusal": "content_filter",
}


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """How an answer is told, which is the same for all of one reply.

    `model` is the name that it carries. `legacy`: the client knows functions, not tools. `shown` is how it sees what
    Claude Code does with its own tools; `thoughts`: it sees the model's thinking. `formed`: the answer has a form.
    """

    model: str
    include_usage: bool = False
    legacy: bool = False
    shown: Shown | None = None
    thoughts: bool = True
    formed: bool = False

    def finish_reason(self, end: events.TurnFinished) -> FinishReason:
        """How the answer ends.

        A refusal with words ends an answer that was to have a form as OpenAI's does: official clients take
        "content_filter" there for an error, and show its words to nobody.
        """
        if self.legacy and end.reason == "tool_calls":
            return "function_call"
        if self.formed and end.refusal:
            return "stop"
        return _FINISH_REASONS[end.reason]


def arguments(call: ToolCall) -> str:
    """The call's arguments as the client gets them: always a JSON object as text."""
    written = json_without_surrogates(without_surrogates(call.arguments))
    return written if written.strip() else "{}"


def refusal(end: events.TurnFinished) -> str | None:
    """Why the model would not answer, if that is how it ended and it said so."""
    return without_surrogates(end.refusal) if end.refusal else None


def with_usage(answer: Answer, reported: events.UsageReported | None) -> Answer:
    """`answer` with what it used; as it is where that is not known."""
    if reported is None:
        return answer
    return answer.model_copy(update={"usage": _usage(reported.usage)})


def signed(
    answer: Answer,
    started: events.TurnStarted | None,
    reported: events.UsageReported | None,
    end: events.TurnFinished,
    activity: Sequence[ClaudeActivity] = (),
) -> Answer:
    """`answer` with the `claude` object; as it is where no model ever began to answer."""
    if started is None:
        return answer
    cost = reported.cost_usd if reported else None
    claude = ClaudeExtension(session_id=started.session_id, model=started.model, cost_usd=cost)
    further = {"limit": end.limit, "activity": list(activity)}
    claude = claude.model_copy(update={name: value for name, value in further.items() if value})
    return answer.model_copy(update={"claude": claude})


def told_activity(activity: events.Activity) -> ClaudeActivity:
    """As the client's events and the answer's list have it."""
    told = ClaudeActivity(
        call_id=activity.call_id, tool=activity.tool, arguments=without_surrogates(activity.arguments)
    )
    outcome = {} if activity.result is None else _outcome(activity.result, failed=activity.failed)
    parent = {"parent_call_id": activity.parent} if activity.parent else {}
    return told.model_copy(update={**outcome, **parent})


def _outcome(result: str, *, failed: bool) -> dict[str, object]:
    return {"status": "failed" if failed else "done", "result": without_surrogates(result)}


def _usage(usage: events.Usage) -> CompletionUsage:
    return CompletionUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.prompt_tokens + usage.output_tokens,
        prompt_tokens_details=PromptTokensDetails(
            cached_tokens=usage.cache_read_tokens, cache_write_tokens=usage.cache_creation_tokens
        ),
        completion_tokens_details=CompletionTokensDetails(reasoning_tokens=usage.reasoning_tokens),
    )
