"""Events into a response: the events of its stream as they come, and the response as it then stands.

There is one way for both: the answer that is not streamed is `ResponseEncoder.response` at the end of the same events.
What the model thinks, says and calls are items, in the order in which they begin; one is complete before the next
begins.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypedDict, assert_never

from claude_openai.core.events import (
    Activity,
    Event,
    RateLimitReported,
    ReasoningDelta,
    Retrying,
    TextDelta,
    TextWithdrawn,
    ToolCalled,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    UsageReported,
    Working,
)
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import ToolCall
from claude_openai.jsontools.surrogates import SurrogateJoiner, json_without_surrogates, without_surrogates
from claude_openai.protocols.common.agent import activity_as_reasoning
from claude_openai.protocols.responses.ending import error_of, incomplete, status_of, usage_of
from claude_openai.protocols.responses.wire import events as wire
from claude_openai.protocols.responses.wire.reply import (
    ClaudeExtension,
    OutputFunctionCall,
    OutputItem,
    OutputMessage,
    OutputPart,
    OutputReasoning,
    OutputRefusal,
    OutputText,
    Response,
    SummaryText,
)

Events = list[wire.StreamEvent]
_ItemKind = Literal["response.output_item.added", "response.output_item.done"]
_PartKind = Literal["response.content_part.added", "response.content_part.done"]
_SummaryKind = Literal["response.reasoning_summary_part.added", "response.reasoning_summary_part.done"]
_Whole = Literal[
    "response.created", "response.in_progress", "response.completed", "response.incomplete", "response.failed"
]


class _Place(TypedDict):
    sequence_number: int
    item_id: str
    output_index: int


@dataclass(slots=True)
class _Item:
    """An item that is not complete: text of a message, or thinking."""

    kind: Literal["message", "reasoning"]
    id: str
    pieces: list[str] = field(default_factory=list)
    joiner: SurrogateJoiner = field(default_factory=SurrogateJoiner)


@dataclass(slots=True)
class ResponseEncoder:
    """One response. `response` is how it stands: at first as asked for, with nothing in it yet.

    `new_id` makes the rest of an item's id. `now` is only asked when the response ends.
    """

    response: Response
    new_id: Callable[[], str]
    now: Callable[[], int]
    shows_thinking: bool = False
    shows_activity: bool = False
    _number: int = field(default=0, init=False)
    _begun: bool = field(default=False, init=False)
    _open: _Item | None = field(default=None, init=False)
    _items: list[OutputItem] = field(default_factory=list, init=False)

    @property
    def calls(self) -> int:
        """How many calls the model has made."""
        return sum(isinstance(item, OutputFunctionCall) for item in self._items)

    def feed(self, event: Event) -> Events:
        """The events that `event` makes."""
        match event:
            case TurnStarted():
                signature = ClaudeExtension(session_id=event.session_id, model=event.model, cost_usd=None)
                self._now(claude=signature)
                return self._opening()
            case TextDelta() | TextWithdrawn():
                return self._worded(event)
            case ReasoningDelta(text) if self.shows_thinking:
                return [*self._opening(), *self._in("reasoning"), *self._said(text)]
            case ToolCalled(call):
                return [*self._opening(), *self._closed(), *self._called(call)]
            case UsageReported():
                self._used(event)
                return []
            case TurnFinished():
                return [*self._opening(), *self._closed(event), *self._refused(event), *self._finished(event)]
            case TurnFailed(failure):
                return [*self._opening(), *self._closed(incomplete_items=True), *self._failed(failure)]
            case Activity() if self.shows_activity and (line := activity_as_reasoning(event, self._last_thought)):
                return [*self._opening(), *self._in("reasoning"), *self._said(line)]
            case ReasoningDelta() | Activity() | Retrying() | Working() | RateLimitReported():
                return []
            case _:
                assert_never(event)

    @property
    def _last_thought(self) -> str:
        return "".join(self._open.pieces[-1:]) if self._open and self._open.kind == "reasoning" else ""

    def _worded(self, event: TextDelta | TextWithdrawn) -> Events:
        if isinstance(event, TextDelta):
            return [*self._opening(), *self._in("message"), *self._said(event.text)]
        self._open = None  # a stream never hears of this: it fails (`core.stop_sequences`)
        return []

    # --- What there is for each event of the stream

    def _opening(self) -> Events:
        if self._begun:
            return []
        self._begun = True
        return [self._whole("response.created"), self._whole("response.in_progress")]

    def _in(self, kind: Literal["message", "reasoning"]) -> Events:
        """An item of that kind is open: the one there is, or a new one."""
        if self._open and self._open.kind == kind:
            return []
        closed = self._closed()
        prefix = "msg" if kind == "message" else "rs"
        self._open = _Item(kind, f"{prefix}_{self.new_id()}")
        begun: OutputItem
        if kind == "message":
            begun = OutputMessage(id=self._open.id, status="in_progress", content=[])
            return [
                *closed,
                self._item("response.output_item.added", begun),
                self._part("response.content_part.added", self._open.id, OutputText(text="")),
            ]
        begun = OutputReasoning(id=self._open.id, status="in_progress", summary=[])
        return [
            *closed,
            self._item("response.output_item.added", begun),
            self._summary("response.reasoning_summary_part.added", self._open.id, SummaryText(text="")),
        ]

    def _said(self, text: str) -> Events:
        item = self._open
        if item is None:
            return []
        piece = item.joiner.feed(text)
        item.pieces.append(piece)
        return [self._delta(item, piece)] if piece else []

    def _delta(self, item: _Item, piece: str) -> wire.StreamEvent:
        if item.kind == "message":
            return wire.TextDeltaEvent(**self._place(item.id), content_index=0, delta=piece)
        return wire.SummaryDeltaEvent(**self._place(item.id), summary_index=0, delta=piece)

    def _closed(self, end: TurnFinished | None = None, *, incomplete_items: bool = False) -> Events:
        """The open item, if there is one, is complete; or it ends where the answer was cut."""
        item, self._open = self._open, None
        if item is None:
            return []
        cut = incomplete_items or (end is not None and incomplete(end) is not None)
        status: Literal["incomplete", "completed"] = "incomplete" if cut else "completed"
        rest = item.joiner.finish()
        events = [self._delta(item, rest)] if rest else []
        item.pieces.append(rest)
        text = "".join(item.pieces)
        done: OutputItem
        if item.kind == "message":
            part = OutputText(text=text)
            done = OutputMessage(id=item.id, status=status, content=[part])
            events += [
                wire.TextDoneEvent(**self._place(item.id), content_index=0, text=text),
                self._part("response.content_part.done", item.id, part),
            ]
        else:
            summary = SummaryText(text=text)
            done = OutputReasoning(id=item.id, status=status, summary=[summary])
            events += [
                wire.SummaryDoneEvent(**self._place(item.id), summary_index=0, text=text),
                self._summary("response.reasoning_summary_part.done", item.id, summary),
            ]
        return [*events, self._complete(done)]

    def _called(self, call: ToolCall) -> Events:
        """Calls come whole: their arguments are one piece."""
        written = json_without_surrogates(without_surrogates(call.arguments))
        arguments = written if written.strip() else "{}"
        item_id = f"fc_{self.new_id()}"
        begun = OutputFunctionCall(id=item_id, status="in_progress", call_id=call.id, name=call.name, arguments="")
        done = begun.model_copy(update={"status": "completed", "arguments": arguments})
        return [
            self._item("response.output_item.added", begun),
            wire.ArgumentsDeltaEvent(**self._place(item_id), delta=arguments),
            wire.ArgumentsDoneEvent(**self._place(item_id), name=call.name, arguments=arguments),
            self._complete(done),
        ]

    def _refused(self, end: TurnFinished) -> Events:
        """What the model says of its refusal: a message of its own."""
        if not end.refusal:
            return []
        declined = without_surrogates(end.refusal)
        item_id = f"msg_{self.new_id()}"
        begun = OutputMessage(id=item_id, status="in_progress", content=[])
        part = OutputRefusal(refusal=declined)
        return [
            self._item("response.output_item.added", begun),
            self._part("response.content_part.added", item_id, OutputRefusal(refusal="")),
            wire.RefusalDeltaEvent(**self._place(item_id), content_index=0, delta=declined),
            wire.RefusalDoneEvent(**self._place(item_id), content_index=0, refusal=declined),
            self._part("response.content_part.done", item_id, part),
            self._complete(OutputMessage(id=item_id, status="completed", content=[part])),
        ]

    def _finished(self, end: TurnFinished) -> Events:
        details = incomplete(end)
        status = status_of(end)
        self._now(status=status, incomplete_details=details, completed_at=None if details else self.now())
        return [self._whole("response.incomplete" if details else "response.completed")]

    def _failed(self, failure: Failure) -> Events:
        """One that was cancelled has no error, as OpenAI keeps it; a stream says all the same why it ends."""
        was_cancelled = failure.kind is Kind.CANCELLED
        self._now(status="cancelled" if was_cancelled else "failed", error=error_of(failure))
        told = self._whole("response.failed")
        if was_cancelled:
            self._now(error=None)
        return [told]

    def _used(self, reported: UsageReported) -> None:
        claude = self.response.claude
        if claude:
            claude = claude.model_copy(update={"cost_usd": reported.cost_usd})
        self._now(usage=usage_of(reported.usage), claude=claude)

    # --- How they are made

    def _complete(self, item: OutputItem) -> wire.ItemEvent:
        event = self._item("response.output_item.done", item)
        self._items.append(item)
        self._now(output=list(self._items))
        return event

    def _now(self, **fields: object) -> None:
        self.response = self.response.model_copy(update=fields)

    def _next(self) -> int:
        number, self._number = self._number, self._number + 1
        return number

    def _place(self, item_id: str) -> _Place:
        return {"sequence_number": self._next(), "item_id": item_id, "output_index": len(self._items)}

    def _whole(self, kind: _Whole) -> wire.ResponseEvent:
        return wire.ResponseEvent(type=kind, sequence_number=self._next(), response=self.response)

    def _item(self, kind: _ItemKind, item: OutputItem) -> wire.ItemEvent:
        index = len(self._items)
        return wire.ItemEvent(type=kind, sequence_number=self._next(), output_index=index, item=item)

    def _part(self, kind: _PartKind, item_id: str, part: OutputPart) -> wire.PartEvent:
        return wire.PartEvent(type=kind, **self._place(item_id), content_index=0, part=part)

    def _summary(self, kind: _SummaryKind, item_id: str, part: SummaryText) -> wire.SummaryPartEvent:
        return wire.SummaryPartEvent(type=kind, **self._place(item_id), summary_index=0, part=part)
