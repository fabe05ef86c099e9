"""Encodes events as a response: the events of its stream as they come, and the response as it then stands.

An answer that is not streamed is `ResponseEncoder.response` at the end of the same events. Thinking, text and calls
are items, in the order in which they begin; one is complete before the next begins.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final, Literal, TypedDict, assert_never

from claude_openai.core import events
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import ToolCall
from claude_openai.jsontools.surrogates import SurrogateJoiner, json_without_surrogates, without_surrogates
from claude_openai.protocols.common.agent import activity_as_reasoning
from claude_openai.protocols.common.errors import TABLE
from claude_openai.protocols.common.wire import sse
from claude_openai.protocols.common.wire.template import NUMBER_MARK, TEXT_MARK, EventTemplate, encode_text
from claude_openai.protocols.responses.wire import events as wire
from claude_openai.protocols.responses.wire.reply import (
    ClaudeExtension,
    ErrorCode,
    IncompleteDetails,
    InputTokensDetails,
    ItemStatus,
    OutputFunctionCall,
    OutputItem,
    OutputMessage,
    OutputPart,
    OutputReasoning,
    OutputRefusal,
    OutputText,
    OutputTokensDetails,
    Response,
    ResponseError,
    ResponseUsage,
    SummaryText,
)

Events = list[wire.StreamEvent]
_ItemKind = Literal["response.output_item.added", "response.output_item.done"]
_PartKind = Literal["response.content_part.added", "response.content_part.done"]
_SummaryKind = Literal["response.reasoning_summary_part.added", "response.reasoning_summary_part.done"]
_ResponseKind = Literal[
    "response.created", "response.in_progress", "response.completed", "response.incomplete", "response.failed"
]

_INCOMPLETE: Final[Mapping[events.FinishReason, IncompleteDetails]] = {
    "length": IncompleteDetails(reason="max_output_tokens"),
}
"""Why an answer was cut, by how the turn ended. A refusal is complete: the model has declined to answer."""

_ERROR_CODES: Final[Mapping[int, ErrorCode]] = {
    429: "rate_limit_exceeded",
    400: "invalid_prompt",
    413: "invalid_prompt",
}
"""OpenAI has few codes for the error of a response that had begun; any other HTTP status is a "server_error"."""


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
    template: EventTemplate | None = None


@dataclass(slots=True)
class ResponseEncoder:
    """Encodes one response. `response` is its current state: at first what the client asked for, without output.

    `new_id` makes the rest of an item's id. `now` is only called when the response ends.
    """

    response: Response
    new_id: Callable[[], str]
    now: Callable[[], int]
    shows_thinking: bool = False
    shows_activity: bool = False
    _numbers: Iterator[int] = field(default_factory=count, init=False)
    _begun: bool = field(default=False, init=False)
    _open: _Item | None = field(default=None, init=False)
    _items: list[OutputItem] = field(default_factory=list, init=False)

    def feed(self, event: events.Event) -> Events:
        """The stream's events for `event`."""
        match event:
            case events.TextDelta(text):
                return self._delta("message", text)
            case events.ReasoningDelta(text) if self.shows_thinking:
                return self._delta("reasoning", text)
            case events.Activity() if self.shows_activity:
                before = "".join(self._open.pieces[-1:]) if self._open and self._open.kind == "reasoning" else ""
                line = activity_as_reasoning(event, before)
                return self._delta("reasoning", line) if line else []
            case events.TurnStarted():
                self._update(claude=ClaudeExtension(session_id=event.session_id, model=event.model, cost_usd=None))
                return self._begin()
            case events.ToolCalled(call):
                return [*self._begin(), *self._close("completed"), *self._tool_call(call)]
            case events.UsageReported():
                self._use(event)
                return []
            case events.TurnFinished():
                return self._finish(event)
            case events.TurnFailed(failure):
                return self._fail(failure)
            case events.TextWithdrawn():
                self._open = None  # only in an answer that is not streamed: a stream fails (`core.stop_sequences`)
                return []
            case events.ReasoningDelta() | events.Activity() | events.Retrying() | events.Working():
                return []
            case events.ReasoningSigned() | events.RateLimitReported():
                return []
            case _:
                assert_never(event)

    def encode_delta(self, event: events.Event) -> bytes | None:
        """Encode `event` as a server-sent event, where it only adds to the open item; otherwise `feed` must take it.

        While an answer streams, this runs for every token.
        """
        match event:
            case events.TextDelta(text) if self._open and self._open.kind == "message":
                item = self._open
            case events.ReasoningDelta(text) if self._open and self._open.kind == "reasoning" and self.shows_thinking:
                item = self._open
            case _:
                return None
        piece = item.joiner.feed(text)
        item.pieces.append(piece)
        if not piece:
            return b""
        if item.template:
            return item.template.fill(str(next(self._numbers)).encode(), encode_text(piece))
        first = self._piece(item, piece)
        sample = first.model_copy(update={"sequence_number": NUMBER_MARK, "delta": TEXT_MARK})
        item.template = EventTemplate(sse.event(sample.to_json(), sample.type), str(NUMBER_MARK), f'"{TEXT_MARK}"')
        return sse.event(first.to_json(), first.type)

    # --- The events of the stream for each event of the turn

    def _begin(self) -> Events:
        if self._begun:
            return []
        self._begun = True
        return [self._whole("response.created"), self._whole("response.in_progress")]

    def _delta(self, kind: Literal["message", "reasoning"], text: str) -> Events:
        """A piece of an item of that `kind`: the open one, or a new one."""
        item = self._open
        encoded: Events = []
        if item is None or item.kind != kind:
            encoded = [*self._begin(), *self._close("completed")]
            item = self._open = _Item(kind, f"{'msg' if kind == 'message' else 'rs'}_{self.new_id()}")
            added: Literal["response.output_item.added"] = "response.output_item.added"
            if kind == "message":
                encoded += [
                    self._item(added, OutputMessage(id=item.id, status="in_progress", content=[])),
                    self._part("response.content_part.added", item.id, OutputText(text="")),
                ]
            else:
                encoded += [
                    self._item(added, OutputReasoning(id=item.id, status="in_progress", summary=[])),
                    self._summary("response.reasoning_summary_part.added", item.id, SummaryText(text="")),
                ]
        piece = item.joiner.feed(text)
        item.pieces.append(piece)
        if piece:
            encoded.append(self._piece(item, piece))
        return encoded

    def _piece(self, item: _Item, piece: str) -> wire.TextDeltaEvent | wire.SummaryDeltaEvent:
        if item.kind == "message":
            return wire.TextDeltaEvent(**self._place(item.id), content_index=0, delta=piece)
        return wire.SummaryDeltaEvent(**self._place(item.id), summary_index=0, delta=piece)

    def _close(self, status: ItemStatus) -> Events:
        """Ends the open item, if there is one; it is "incomplete" where the answer was cut."""
        item, self._open = self._open, None
        if item is None:
            return []
        rest = item.joiner.finish()
        encoded: Events = [self._piece(item, rest)] if rest else []
        text = "".join((*item.pieces, rest))
        done: OutputItem
        if item.kind == "message":
            part = OutputText(text=text)
            done = OutputMessage(id=item.id, status=status, content=[part])
            encoded += [
                wire.TextDoneEvent(**self._place(item.id), content_index=0, text=text),
                self._part("response.content_part.done", item.id, part),
            ]
        else:
            summary = SummaryText(text=text)
            done = OutputReasoning(id=item.id, status=status, summary=[summary])
            encoded += [
                wire.SummaryDoneEvent(**self._place(item.id), summary_index=0, text=text),
                self._summary("response.reasoning_summary_part.done", item.id, summary),
            ]
        return [*encoded, self._complete(done)]

    def _tool_call(self, call: ToolCall) -> Events:
        """A call is whole: its arguments are one piece."""
        arguments = json_without_surrogates(without_surrogates(call.arguments))
        arguments = arguments if arguments.strip() else "{}"
        item_id = f"fc_{self.new_id()}"
        begun = OutputFunctionCall(id=item_id, status="in_progress", call_id=call.id, name=call.name, arguments="")
        done = begun.model_copy(update={"status": "completed", "arguments": arguments})
        return [
            self._item("response.output_item.added", begun),
            wire.ArgumentsDeltaEvent(**self._place(item_id), delta=arguments),
            wire.ArgumentsDoneEvent(**self._place(item_id), name=call.name, arguments=arguments),
            self._complete(done),
        ]

    def _use(self, reported: events.UsageReported) -> None:
        usage, claude = reported.usage, self.response.claude
        self._update(
            usage=ResponseUsage(
                input_tokens=usage.prompt_tokens,
                input_tokens_details=InputTokensDetails(
                    cached_tokens=usage.cache_read_tokens, cache_write_tokens=usage.cache_creation_tokens
                ),
                output_tokens=usage.output_tokens,
                output_tokens_details=OutputTokensDetails(reasoning_tokens=usage.reasoning_tokens),
                total_tokens=usage.prompt_tokens + usage.output_tokens,
            ),
            claude=claude and claude.model_copy(update={"cost_usd": reported.cost_usd}),
        )

    def _finish(self, end: events.TurnFinished) -> Events:
        """The end of an answer. The text of a refusal is a message of its own."""
        details = _INCOMPLETE.get(end.reason)
        status: Literal["incomplete", "completed"] = "incomplete" if details else "completed"
        encoded = [*self._begin(), *self._close(status)]
        if end.refusal:
            declined = without_surrogates(end.refusal)
            item_id = f"msg_{self.new_id()}"
            begun = OutputMessage(id=item_id, status="in_progress", content=[])
            part = OutputRefusal(refusal=declined)
            encoded += [
                self._item("response.output_item.added", begun),
                self._part("response.content_part.added", item_id, OutputRefusal(refusal="")),
                wire.RefusalDeltaEvent(**self._place(item_id), content_index=0, delta=declined),
                wire.RefusalDoneEvent(**self._place(item_id), content_index=0, refusal=declined),
                self._part("response.content_part.done", item_id, part),
                self._complete(OutputMessage(id=item_id, status="completed", content=[part])),
            ]
        self._update(status=status, incomplete_details=details, completed_at=None if details else self.now())
        return [*encoded, self._whole("response.incomplete" if details else "response.completed")]

    def _fail(self, failure: Failure) -> Events:
        """A cancelled response has no error, as OpenAI keeps it; its stream reports all the same why it ends."""
        encoded = [*self._begin(), *self._close("incomplete")]
        row = TABLE[failure.kind]
        code = _ERROR_CODES.get(row.status, "server_error")
        error = ResponseError(code=code, type=row.code, message=failure.message)
        was_cancelled = failure.kind is Kind.CANCELLED
        self._update(status="cancelled" if was_cancelled else "failed", error=error)
        encoded.append(self._whole("response.failed"))
        if was_cancelled:
            self._update(error=None)
        return encoded

    # --- How these events are made

    def _complete(self, item: OutputItem) -> wire.ItemEvent:
        event = self._item("response.output_item.done", item)
        self._items.append(item)
        self._update(output=list(self._items))
        return event

    def _update(self, **fields: object) -> None:
        self.response = self.response.model_copy(update=fields)

    def _place(self, item_id: str) -> _Place:
        return {"sequence_number": next(self._numbers), "item_id": item_id, "output_index": len(self._items)}

    def _whole(self, kind: _ResponseKind) -> wire.ResponseEvent:
        return wire.ResponseEvent(type=kind, sequence_number=next(self._numbers), response=self.response)

    def _item(self, kind: _ItemKind, item: OutputItem) -> wire.ItemEvent:
        index = len(self._items)
        return wire.ItemEvent(type=kind, sequence_number=next(self._numbers), output_index=index, item=item)

    def _part(self, kind: _PartKind, item_id: str, part: OutputPart) -> wire.PartEvent:
        return wire.PartEvent(type=kind, **self._place(item_id), content_index=0, part=part)

    def _summary(self, kind: _SummaryKind, item_id: str, part: SummaryText) -> wire.SummaryPartEvent:
        return wire.SummaryPartEvent(type=kind, **self._place(item_id), summary_index=0, part=part)
