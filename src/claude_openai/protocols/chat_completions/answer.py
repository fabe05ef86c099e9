"""What the chunks of an answer and its one object share: the finish reason, the usage and the `claude` object."""

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
    """How an answer is encoded, the same for all choices of a reply.

    `model` is the name in the reply. `legacy`: the client knows functions, not tools. `activity` is how the client sees
    what Claude Code does with its own tools; `shows_thinking`: it sees the model's thinking. `has_reply_format`: the
    request has a response format.
    """

    model: str
    include_usage: bool = False
    legacy: bool = False
    activity: Shown | None = None
    shows_thinking: bool = True
    has_reply_format: bool = False

    def finish_reason(self, end: events.TurnFinished) -> FinishReason:
        """OpenAI's finish reason for `end`.

        With a response format, a refusal that has text ends with "stop", as OpenAI's does: official clients take
        "content_filter" for an error there, and do not show the text.
        """
        if self.legacy and end.reason == "tool_calls":
            return "function_call"
        if self.has_reply_format and end.refusal:
            return "stop"
        return _FINISH_REASONS[end.reason]


def encode_arguments(call: ToolCall) -> str:
    """The call's arguments for the client: always a JSON object as text."""
    written = json_without_surrogates(without_surrogates(call.arguments))
    return written if written.strip() else "{}"


def refusal_text(end: events.TurnFinished) -> str | None:
    """The text of the model's refusal, if the answer ended in one and has a text."""
    return without_surrogates(end.refusal) if end.refusal else None


def with_usage(answer: Answer, reported: events.UsageReported | None) -> Answer:
    """`answer` with what it used; unchanged if that is not known."""
    if reported is None:
        return answer
    usage = reported.usage
    counted = CompletionUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.prompt_tokens + usage.output_tokens,
        prompt_tokens_details=PromptTokensDetails(
            cached_tokens=usage.cache_read_tokens, cache_write_tokens=usage.cache_creation_tokens
        ),
        completion_tokens_details=CompletionTokensDetails(reasoning_tokens=usage.reasoning_tokens),
    )
    return answer.model_copy(update={"usage": counted})


def with_claude_extension(
    answer: Answer,
    started: events.TurnStarted | None,
    reported: events.UsageReported | None,
    end: events.TurnFinished,
    activity: Sequence[ClaudeActivity] = (),
) -> Answer:
    """`answer` with the `claude` object; unchanged if no model began to answer."""
    if started is None:
        return answer
    cost = reported.cost_usd if reported else None
    claude = ClaudeExtension(session_id=started.session_id, model=started.model, cost_usd=cost)
    further = {"limit": end.limit, "activity": list(activity)}
    claude = claude.model_copy(update={name: value for name, value in further.items() if value})
    return answer.model_copy(update={"claude": claude})


def encode_activity(activity: events.Activity) -> ClaudeActivity:
    """`activity` for an event of the stream, or for the list in the whole answer."""
    optional: dict[str, object] = {}
    if activity.result is not None:
        optional["status"] = "failed" if activity.failed else "done"
        optional["result"] = without_surrogates(activity.result)
    if activity.parent:
        optional["parent_call_id"] = activity.parent
    arguments = without_surrogates(activity.arguments)
    encoded = ClaudeActivity(call_id=activity.call_id, tool=activity.tool, arguments=arguments)
    return encoded.model_copy(update=optional)
