"""Encodes events as chunks: each at once, never held back, never merged.

A text delta is one chunk. The chunk that opens the stream (the role) is sent with the first thing the model writes, so
that a failure before that can still be reported as an error response with a status.
"""

from dataclasses import dataclass, field
from typing import assert_never

from claude_openai.core import events
from claude_openai.core.messages import ToolCall
from claude_openai.jsontools.surrogates import SurrogateJoiner
from claude_openai.protocols.chat_completions.answer import (
    AnswerFormat,
    encode_activity,
    encode_arguments,
    refusal_text,
    with_claude_extension,
    with_usage,
)
from claude_openai.protocols.chat_completions.wire import (
    ChatCompletionChunk,
    ChunkChoice,
    Delta,
    FinishReason,
    FunctionDelta,
    ToolDelta,
)
from claude_openai.protocols.common.agent import activity_as_reasoning


@dataclass(slots=True)
class ChunkEncoder:
    """Encodes one stream. All its chunks have the same `id` and `created`; `index` is the answer's among several.

    `calls` counts the model's tool calls.
    """

    id: str
    created: int
    format: AnswerFormat
    index: int = 0
    calls: int = field(default=0, init=False)
    _opened: bool = field(default=False, init=False)
    _has_content: bool = field(default=False, init=False)
    _text: SurrogateJoiner = field(default_factory=SurrogateJoiner, init=False)
    _thought: SurrogateJoiner = field(default_factory=SurrogateJoiner, init=False)
    _last_thought: str = field(default="", init=False)
    _started: events.TurnStarted | None = field(default=None, init=False)
    _reported: events.UsageReported | None = field(default=None, init=False)

    def feed(self, event: events.Event) -> list[ChatCompletionChunk]:
        """The chunks of `event`. A failure has none: it is an error event (`protocols.common.errors`)."""
        match event:
            case events.TextDelta():
                return [*self.open(""), self.delta_chunk(event, self.join(event))]
            case events.ReasoningDelta():
                return self._reasoning(event) if self.format.shows_thinking else []
            case events.TurnStarted():
                self._started = event
                return []
            case events.ToolCalled(call):
                return self._tool_call(call)
            case events.Activity() if self.format.activity == "events":
                shown = self._chunk(Delta()).model_copy(update={"claude_activity": encode_activity(event)})
                return [*self.open(""), shown]
            case events.Activity() if self.format.activity == "reasoning":
                return self._reasoning(events.ReasoningDelta(activity_as_reasoning(event, self._last_thought)))
            case events.UsageReported():
                self._reported = event
                return []
            case events.TurnFinished():
                return self._end(event)
            case events.ReasoningSigned() | events.Activity() | events.Retrying() | events.Working():
                return []
            case events.RateLimitReported():
                return []
            case events.TurnFailed() | events.TextWithdrawn():
                return []
            case _:
                assert_never(event)

    def continues(self, event: events.Event) -> bool:
        """Whether `event` is one chunk, which differs in its text only from the one before of the same type."""
        return self._opened and (
            isinstance(event, events.TextDelta)
            or (isinstance(event, events.ReasoningDelta) and self.format.shows_thinking and event.text != "")
        )

    def join(self, delta: events.TextDelta | events.ReasoningDelta) -> str:
        """Return the text of the chunk for `delta`. With `delta_chunk` it replaces `feed`."""
        if isinstance(delta, events.TextDelta):
            self._has_content = True
            return self._text.feed(delta.text)
        self._last_thought = delta.text
        return self._thought.feed(delta.text)

    def delta_chunk(self, delta: events.TextDelta | events.ReasoningDelta, text: str) -> ChatCompletionChunk:
        """Return the chunk for `delta` with `text`."""
        is_text = isinstance(delta, events.TextDelta)
        return self._chunk(Delta(content=text) if is_text else Delta(reasoning_content=text))

    def open(self, content: str | None = None) -> list[ChatCompletionChunk]:
        """The chunk that opens this answer; none if it is open. `content` is None where a call or thinking follows."""
        if self._opened:
            return []
        self._opened, self._has_content = True, content is not None
        return [self._chunk(Delta(role="assistant", content=content, refusal=None))]

    def _reasoning(self, delta: events.ReasoningDelta) -> list[ChatCompletionChunk]:
        return [*self.open(), self.delta_chunk(delta, self.join(delta))] if delta.text else []

    def _tool_call(self, call: ToolCall) -> list[ChatCompletionChunk]:
        """The call's name, then its arguments, as OpenAI sends them: the first chunk of a call has no arguments."""
        index, self.calls = self.calls, self.calls + 1
        if self.format.legacy and index > 0:
            return []  # the old form has room for one
        begun, rest = FunctionDelta(name=call.name, arguments=""), FunctionDelta(arguments=encode_arguments(call))
        if self.format.legacy:
            deltas = [Delta(function_call=begun), Delta(function_call=rest)]
        else:
            deltas = [
                Delta(tool_calls=[ToolDelta(index=index, id=call.id, type="function", function=begun)]),
                Delta(tool_calls=[ToolDelta(index=index, function=rest)]),
            ]
        return [*self.open(), *self._waiting_halves(), *map(self._chunk, deltas)]

    def _end(self, end: events.TurnFinished) -> list[ChatCompletionChunk]:
        declined = refusal_text(end)
        chunks = [*self.open("" if declined is None else None), *self._waiting_halves()]
        if declined is not None:
            chunks.append(self._chunk(Delta(refusal=declined)))
        elif not (self._has_content or self.calls):
            chunks.append(self._chunk(Delta(content="")))
        last = self._chunk(Delta(), self.format.finish_reason(end))
        if self.format.include_usage and self._reported:
            chunks.append(last)
            last = with_usage(last.model_copy(update={"choices": []}), self._reported)
        return [*chunks, with_claude_extension(last, self._started, self._reported, end)]

    def _waiting_halves(self) -> list[ChatCompletionChunk]:
        """The halves of surrogate pairs that no delta has completed."""
        deltas = [Delta(reasoning_content=self._thought.finish()), Delta(content=self._text.finish())]
        return [self._chunk(delta) for delta in deltas if delta.reasoning_content or delta.content]

    def _chunk(self, delta: Delta, finish: FinishReason | None = None) -> ChatCompletionChunk:
        choice = ChunkChoice(index=self.index, delta=delta, logprobs=None, finish_reason=finish)
        model, created = self.format.model, self.created
        if self.format.include_usage:
            return ChatCompletionChunk(id=self.id, created=created, model=model, choices=[choice], usage=None)
        return ChatCompletionChunk(id=self.id, created=created, model=model, choices=[choice])
