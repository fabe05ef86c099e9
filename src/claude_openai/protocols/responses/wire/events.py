"""The events of a streamed response (OpenAI reference: Streaming events). Each is numbered, beginning with 0."""

from typing import Literal, TypeAlias

from claude_openai.protocols.common.wire.reply import ReplyWithConstants
from claude_openai.protocols.responses.wire.reply import OutputItem, OutputPart, Response, SummaryText


class _Event(ReplyWithConstants):
    sequence_number: int


class ResponseEvent(_Event):
    """The response as a whole: as it begins, or as it ends."""

    type: Literal[
        "response.created",
        "response.in_progress",
        "response.completed",
        "response.incomplete",
        "response.failed",
    ]
    response: Response


class ItemEvent(_Event):
    """An item begins, or is complete."""

    type: Literal["response.output_item.added", "response.output_item.done"]
    output_index: int
    item: OutputItem


class _OfItem(_Event):
    item_id: str
    output_index: int


class PartEvent(_OfItem):
    """A part of a message begins, or is complete."""

    type: Literal["response.content_part.added", "response.content_part.done"]
    content_index: int
    part: OutputPart


class TextDeltaEvent(_OfItem):
    """A piece of text."""

    type: Literal["response.output_text.delta"] = "response.output_text.delta"
    content_index: int
    delta: str
    logprobs: tuple[()] = ()


class TextDoneEvent(_OfItem):
    """All of a part's text."""

    type: Literal["response.output_text.done"] = "response.output_text.done"
    content_index: int
    text: str
    logprobs: tuple[()] = ()


class RefusalDeltaEvent(_OfItem):
    """A piece of a refusal."""

    type: Literal["response.refusal.delta"] = "response.refusal.delta"
    content_index: int
    delta: str


class RefusalDoneEvent(_OfItem):
    """All of a refusal."""

    type: Literal["response.refusal.done"] = "response.refusal.done"
    content_index: int
    refusal: str


class ArgumentsDeltaEvent(_OfItem):
    """A piece of a call's arguments."""

    type: Literal["response.function_call_arguments.delta"] = "response.function_call_arguments.delta"
    delta: str


class ArgumentsDoneEvent(_OfItem):
    """All of a call's arguments."""

    type: Literal["response.function_call_arguments.done"] = "response.function_call_arguments.done"
    name: str
    arguments: str


class _OfSummary(_OfItem):
    summary_index: int


class SummaryPartEvent(_OfSummary):
    """A part of a summary begins, or is complete."""

    type: Literal["response.reasoning_summary_part.added", "response.reasoning_summary_part.done"]
    part: SummaryText


class SummaryDeltaEvent(_OfSummary):
    """A piece of thinking."""

    type: Literal["response.reasoning_summary_text.delta"] = "response.reasoning_summary_text.delta"
    delta: str


class SummaryDoneEvent(_OfSummary):
    """All of a part of thinking."""

    type: Literal["response.reasoning_summary_text.done"] = "response.reasoning_summary_text.done"
    text: str


StreamEvent: TypeAlias = (
    ResponseEvent
    | ItemEvent
    | PartEvent
    | TextDeltaEvent
    | TextDoneEvent
    | RefusalDeltaEvent
    | RefusalDoneEvent
    | ArgumentsDeltaEvent
    | ArgumentsDoneEvent
    | SummaryPartEvent
    | SummaryDeltaEvent
    | SummaryDoneEvent
)
