"""Events into chunks: as they come, never held back, never merged.

A text delta is a chunk. What opens the stream (the role) stands before the first thing the model says, so that an
answer that fails before it has said anything can still be told as an error with a status.
"""

from dataclasses import dataclass, field
from typing import assert_never

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
from claude_openai.core.messages import ToolCall
from claude_openai.jsontools.surrogates import SurrogateJoiner
from claude_openai.protocols.chat_completions.answer import (
    AnswerFormat,
    arguments,
    refusal,
    signed,
    told_activity,
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
    """One stream. `id` and `created` are the same in all its chunks, `index` is the answer's among several."""

    id: str
    created: int
    telling: AnswerFormat
    index: int = 0
    _opened: bool = field(default=False, init=False)
    _has_content: bool = field(default=False, init=False)
    _calls: int = field(default=0, init=False)
    _text: SurrogateJoiner = field(default_factory=SurrogateJoiner, init=False)
    _thought: SurrogateJoiner = field(default_factory=SurrogateJoiner, init=False)
    _last_thought: str = field(default="", init=False)
    _started: TurnStarted | None = field(default=None, init=False)
    _reported: UsageReported | None = field(default=None, init=False)

    @property
    def calls(self) -> int:
        """How many calls the model has made."""
        return self._calls

    def feed(self, event: Event) -> list[ChatCompletionChunk]:
        """The chunks that `event` makes. A failure makes none: it is an error event (`protocols.common.errors`)."""
        match event:
            case TurnStarted():
                self._started = event
                return []
            case TextDelta(text):
                opening, self._has_content = self._opening(""), True
                return [*opening, self._said(Delta(content=self._text.feed(text)))]
            case ReasoningDelta(text):
                return self._reasoned(text) if self.telling.thoughts else []
            case ToolCalled(call):
                return self._called(call)
            case Activity():
                return self._acted(event)
            case UsageReported():
                self._reported = event
                return []
            case TurnFinished():
                return [*self._last_words(event), *self._closing(event)]
            case Retrying() | Working() | RateLimitReported() | TurnFailed() | TextWithdrawn():
                return []
            case _:
                assert_never(event)

    def opening(self) -> list[ChatCompletionChunk]:
        """What opens this answer, where another one has to wait for that; nothing if it is open."""
        return self._opening(None)

    def _opening(self, content: str | None) -> list[ChatCompletionChunk]:
        if self._opened:
            return []
        self._opened, self._has_content = True, content is not None
        return [self._said(Delta(role="assistant", content=content, refusal=None))]

    def _rest(self) -> list[ChatCompletionChunk]:
        deltas = [Delta(reasoning_content=self._thought.finish()), Delta(content=self._text.finish())]
        return [self._said(delta) for delta in deltas if delta.reasoning_content or delta.content]

    def _called(self, call: ToolCall) -> list[ChatCompletionChunk]:
        """The call's name, then its arguments, as OpenAI sends them: what begins a call has no arguments yet."""
        index, self._calls = self._calls, self._calls + 1
        if self.telling.legacy and index > 0:
            return []  # the old form has room for one
        begun = FunctionDelta(name=call.name, arguments="")
        told = FunctionDelta(arguments=arguments(call))
        if self.telling.legacy:
            deltas = [Delta(function_call=begun), Delta(function_call=told)]
        else:
            deltas = [
                Delta(tool_calls=[ToolDelta(index=index, id=call.id, type="function", function=begun)]),
                Delta(tool_calls=[ToolDelta(index=index, function=told)]),
            ]
        return [*self._opening(None), *self._rest(), *(self._said(delta) for delta in deltas)]

    def _acted(self, activity: Activity) -> list[ChatCompletionChunk]:
        if self.telling.shown == "events":
            told = self._said(Delta()).model_copy(update={"claude_activity": told_activity(activity)})
            return [*self._opening(""), told]
        if self.telling.shown == "reasoning":
            return self._reasoned(activity_as_reasoning(activity, self._last_thought))
        return []

    def _reasoned(self, text: str) -> list[ChatCompletionChunk]:
        if not text:
            return []
        self._last_thought = text
        return [*self._opening(None), self._said(Delta(reasoning_content=self._thought.feed(text)))]

    def _last_words(self, end: TurnFinished) -> list[ChatCompletionChunk]:
        declined = refusal(end)
        chunks = [*self._opening("" if declined is None else None), *self._rest()]
        if declined is not None:
            chunks.append(self._said(Delta(refusal=declined)))
        elif not (self._has_content or self._calls):
            chunks.append(self._said(Delta(content="")))
        return chunks

    def _closing(self, end: TurnFinished) -> list[ChatCompletionChunk]:
        finishing = self._said(Delta(), self.telling.finish_reason(end))
        if self.telling.include_usage and self._reported:
            usage = with_usage(self._chunk([]), self._reported)
            return [finishing, signed(usage, self._started, self._reported, end)]
        return [signed(finishing, self._started, self._reported, end)]

    def _said(self, delta: Delta, finish: FinishReason | None = None) -> ChatCompletionChunk:
        return self._chunk([ChunkChoice(index=self.index, delta=delta, logprobs=None, finish_reason=finish)])

    def _chunk(self, choices: list[ChunkChoice]) -> ChatCompletionChunk:
        chunk = ChatCompletionChunk(id=self.id, created=self.created, model=self.telling.model, choices=choices)
        return chunk.model_copy(update={"usage": None}) if self.telling.include_usage else chunk
