"""Events into one object: what the chunks of the same events add up to, and never a word more."""

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
from claude_openai.core.failures import RequestFailed
from claude_openai.core.messages import ToolCall
from claude_openai.jsontools.surrogates import without_surrogates
from claude_openai.protocols.chat_completions.answer import (
    AnswerFormat,
    arguments,
    refusal,
    signed,
    told_activity,
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
    """One answer, fed until it is complete."""

    id: str
    created: int
    telling: AnswerFormat
    _texts: list[str] = field(default_factory=list, init=False)
    _thoughts: list[str] = field(default_factory=list, init=False)
    _activity: list[Activity] = field(default_factory=list, init=False)
    _calls: list[ToolCall] = field(default_factory=list, init=False)
    _started: TurnStarted | None = field(default=None, init=False)
    _reported: UsageReported | None = field(default=None, init=False)
    _finished: TurnFinished | None = field(default=None, init=False)

    def feed(self, event: Event) -> None:
        """Take in `event`.

        Raises:
            RequestFailed: the turn failed; what it said before is no answer.
        """
        match event:
            case TurnStarted():
                self._started = event
            case TextDelta() | TextWithdrawn():
                self._said(event)
            case ToolCalled(call):
                self._calls.append(call)
            case ReasoningDelta(text):
                self._reasoned(text if self.telling.thoughts else "")
            case Activity():
                self._acted(event)
            case UsageReported():
                self._reported = event
            case TurnFinished():
                self._finished = event
            case TurnFailed(failure):
                raise RequestFailed(failure)
            case Retrying() | Working() | RateLimitReported():
                pass
            case _:
                assert_never(event)

    def result(self) -> ChatCompletion:
        """The answer. Only once the turn has finished: half an answer is none."""
        if self._finished is None:
            raise ValueError("the turn has not finished")
        choice = Choice(
            message=self._message(self._finished),
            logprobs=None,
            finish_reason=self.telling.finish_reason(self._finished),
        )
        answer = ChatCompletion(id=self.id, created=self.created, model=self.telling.model, choices=[choice])
        activity = [told_activity(each) for each in self._activity] if self.telling.shown == "events" else []
        return signed(with_usage(answer, self._reported), self._started, self._reported, self._finished, activity)

    def _message(self, finished: TurnFinished) -> ResponseMessage:
        declined = refusal(finished)
        content = (
            None
            if not self._texts and (self._calls or declined is not None)
            else without_surrogates("".join(self._texts))
        )
        message = ResponseMessage(content=content, refusal=declined)
        further = self._called() if self._calls else {}
        reasoned = {"reasoning_content": without_surrogates("".join(self._thoughts))} if self._thoughts else {}
        return message.model_copy(update={**further, **reasoned})

    def _said(self, event: TextDelta | TextWithdrawn) -> None:
        if isinstance(event, TextDelta):
            self._texts.append(event.text)
        else:
            self._texts.clear()

    def _acted(self, activity: Activity) -> None:
        self._activity.append(activity)
        if self.telling.shown == "reasoning":
            self._reasoned(activity_as_reasoning(activity, "".join(self._thoughts[-1:])))

    def _reasoned(self, text: str) -> None:
        if text:
            self._thoughts.append(text)

    def _called(self) -> dict[str, object]:
        functions = [CalledFunction(name=call.name, arguments=arguments(call)) for call in self._calls]
        if self.telling.legacy:
            return {"function_call": functions[0]}  # the old form has room for one
        pairs = zip(self._calls, functions, strict=True)
        return {"tool_calls": [CalledTool(id=call.id, function=function) for call, function in pairs]}
