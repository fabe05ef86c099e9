"""Collects events into one object: the same content as the chunks of these events, and nothing more."""

from dataclasses import dataclass, field
from typing import assert_never

from claude_openai.core import events
from claude_openai.core.failures import RequestFailed
from claude_openai.core.messages import ToolCall
from claude_openai.jsontools.surrogates import without_surrogates
from claude_openai.protocols.chat_completions.answer import (
    AnswerFormat,
    encode_activity,
    encode_arguments,
    refusal_text,
    with_claude_extension,
    with_usage,
)
from claude_openai.protocols.chat_completions.wire import (
    CalledFunction,
    CalledTool,
    ChatCompletion,
    Choice,
    ResponseMessage,
)
from claude_openai.protocols.common.agent import activity_as_reasoning


@dataclass(slots=True)
class Collector:
    """Collects one answer, until it is complete."""

    id: str
    created: int
    format: AnswerFormat
    _texts: list[str] = field(default_factory=list, init=False)
    _thoughts: list[str] = field(default_factory=list, init=False)
    _activity: list[events.Activity] = field(default_factory=list, init=False)
    _calls: list[ToolCall] = field(default_factory=list, init=False)
    _started: events.TurnStarted | None = field(default=None, init=False)
    _reported: events.UsageReported | None = field(default=None, init=False)
    _finished: events.TurnFinished | None = field(default=None, init=False)

    def feed(self, event: events.Event) -> None:
        """Collect `event`.

        Raises:
            RequestFailed: the turn failed; the text before that is no answer.
        """
        match event:
            case events.TurnStarted():
                self._started = event
            case events.TextDelta(text):
                self._texts.append(text)
            case events.TextWithdrawn():
                self._texts.clear()
            case events.ToolCalled(call):
                self._calls.append(call)
            case events.ReasoningDelta(text):
                if text and self.format.shows_thinking:
                    self._thoughts.append(text)
            case events.Activity():
                self._activity.append(event)
                if self.format.activity == "reasoning":
                    line = activity_as_reasoning(event, "".join(self._thoughts[-1:]))
                    self._thoughts += [line] if line else []
            case events.UsageReported():
                self._reported = event
            case events.TurnFinished():
                self._finished = event
            case events.TurnFailed(failure):
                raise RequestFailed(failure)
            case events.ReasoningSigned() | events.Retrying() | events.Working() | events.RateLimitReported():
                pass
            case _:
                assert_never(event)

    def result(self) -> ChatCompletion:
        """The answer, once the turn has finished: half an answer is none."""
        if self._finished is None:
            raise ValueError("the turn has not finished")
        choice = Choice(
            index=0,
            message=self._message(self._finished),
            logprobs=None,
            finish_reason=self.format.finish_reason(self._finished),
        )
        answer = ChatCompletion(id=self.id, created=self.created, model=self.format.model, choices=[choice])
        activity = [encode_activity(each) for each in self._activity] if self.format.activity == "events" else []
        return with_claude_extension(
            with_usage(answer, self._reported), self._started, self._reported, self._finished, activity
        )

    def _message(self, finished: events.TurnFinished) -> ResponseMessage:
        declined = refusal_text(finished)
        has_content = bool(self._texts) or not (self._calls or declined is not None)
        content = without_surrogates("".join(self._texts)) if has_content else None
        functions = [CalledFunction(name=call.name, arguments=encode_arguments(call)) for call in self._calls]
        optional: dict[str, object] = {}
        if self.format.legacy and functions:
            optional["function_call"] = functions[0]  # the old form has room for one
        elif functions:
            pairs = zip(self._calls, functions, strict=True)
            optional["tool_calls"] = [CalledTool(id=call.id, function=function) for call, function in pairs]
        if self._thoughts:
            optional["reasoning_content"] = without_surrogates("".join(self._thoughts))
        return ResponseMessage(content=content, refusal=declined).model_copy(update=optional)
