"""Messages into a conversation that the Messages API takes, without changing what was said or who said it.

Four things differ between the two protocols, and are decided here:

- Instructions within the conversation stay at their place as a marked block of a user message, because Claude Code
  keeps system messages at the beginning only.
- User messages in a row are one message with all their blocks.
- Results of calls stand right behind the message that made the calls, however the client has ordered them.
- Blank text is left out, and a message that has nothing else with it.
"""

from dataclasses import dataclass, field
from typing import Literal, assert_never

from claude_openai.core.messages import (
    AssistantMessage,
    Block,
    Message,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from claude_openai.core.strict_json import NotJson, parse
from claude_openai.core.surrogates import mended_json
from claude_openai.translate.call_ids import CallIds
from claude_openai.translate.chat_completions.content import is_blank, read_blocks, read_result, read_text
from claude_openai.translate.faults import invalid, unsupported
from claude_openai.wire import chat_completions as wire


def read_messages(sent: list[wire.Message]) -> tuple[Message, ...]:
    """The conversation: instructions first, a user message or a tool result last.

    Raises:
        RequestFailed: naming the message that cannot be carried, or the call or result that lacks the other.
    """
    conversation = _Conversation()
    for index, message in enumerate(sent):
        conversation.add(message, f"messages[{index}]")
    return conversation.finished()


@dataclass(slots=True)
class _Said:
    """What the user's side says in one go."""

    blocks: list[Block]

    def messages(self) -> tuple[Message, ...]:
        return (UserMessage(tuple(self.blocks)),)


@dataclass(slots=True)
class _Answered:
    """One earlier answer, and the results of its calls so far."""

    message: AssistantMessage
    path: str
    results: list[ToolMessage] = field(default_factory=list)

    def messages(self) -> tuple[Message, ...]:
        return (self.message, *self.results)


@dataclass(frozen=True, slots=True)
class _OpenCall:
    """A call without a result."""

    id: str
    path: str
    answer: _Answered


_CallKey = tuple[Literal["id", "function"], str]
"""What a client names a call by: its id or, before there were ids, the function's name."""

_MOST_SHOWN = 80
"""Characters of such a name that are repeated to the client."""


def _shown(key: _CallKey) -> str:
    return repr(key[1][:_MOST_SHOWN])


@dataclass(slots=True)
class _Conversation:
    instructions: list[Message] = field(default_factory=list)
    turns: list[_Said | _Answered] = field(default_factory=list)
    open_calls: dict[_CallKey, _OpenCall] = field(default_factory=dict)
    call_ids: CallIds = field(default_factory=CallIds)
    blank_user: str | None = None
    """The path of the newest user message, where there is nothing in it."""

    def add(self, message: wire.Message, path: str) -> None:
        match message:
            case wire.SystemMessage():
                self._instruct(read_text(message.content, f"{path}.content"))
            case wire.UserMessage():
                self._say(read_blocks(message.content, f"{path}.content"), path)
            case wire.AssistantMessage():
                self._answer(message, path)
            case wire.ToolMessage():
                self._result(("id", message.tool_call_id), message.content, path, "tool_call_id")
            case wire.FunctionMessage():
                self._result(("function", message.name), message.content, path, "name")
            case _:
                assert_never(message)

    def finished(self) -> tuple[Message, ...]:
        self._close_calls()
        if self.blank_user:
            raise invalid(f"{self.blank_user}.content", "the newest user message is empty or only white space")
        messages = tuple(message for turn in self.turns for message in turn.messages())
        if not any(isinstance(message, UserMessage | ToolMessage) for message in messages):
            raise invalid("messages", "there is no user message to answer")
        last = self.turns[-1]
        if isinstance(last, _Answered) and not last.results:
            raise invalid(f"{last.path}.role", "Claude continues only after a user or tool message")
        return (*self.instructions, *messages)

    def _instruct(self, text: str) -> None:
        if not text:
            return
        if not self.turns:
            self.instructions.append(SystemMessage(text))
        else:
            self._append(Text(f"<system>\n{text}\n</system>"))

    def _say(self, blocks: tuple[Block, ...], path: str) -> None:
        self.blank_user = None if blocks else path
        if blocks:
            self._close_calls()
            self._append(*blocks)

    def _append(self, *blocks: Block) -> None:
        match self.turns:
            case [*_, _Said() as before]:
                before.blocks += blocks
            case _:
                self.turns.append(_Said(list(blocks)))

    def _answer(self, message: wire.AssistantMessage, path: str) -> None:
        if message.audio is not None:
            raise unsupported(f"{path}.audio", "earlier audio answers are not known here")
        calls = _calls(message, path)
        made = tuple(ToolCall(self.call_ids.assign(call.id), call.name, call.arguments) for call in calls)
        text = _answer_text(message, path)
        if not text and not made:
            return
        answer = _Answered(AssistantMessage(text, made), path)
        self.turns.append(answer)
        for call, native in zip(calls, made, strict=True):
            if call.key in self.open_calls:
                raise invalid(call.path, f"an earlier call {_shown(call.key)} still lacks its result")
            self.open_calls[call.key] = _OpenCall(native.id, call.path, answer)

    def _result(self, key: _CallKey, content: wire.Content | None, path: str, field_name: str) -> None:
        call = self.open_calls.pop(key, None)
        if call is None:
            missing = f"no assistant message before it has a call {_shown(key)} that lacks its result"
            raise invalid(f"{path}.{field_name}", missing)
        call.answer.results.append(ToolMessage(call.id, read_result(content, f"{path}.content")))

    def _close_calls(self) -> None:
        for key, call in self.open_calls.items():
            raise invalid(call.path, f"the call {_shown(key)} has no result among the messages that follow")


@dataclass(frozen=True, slots=True)
class _Call:
    """A call as the client tells it; `path` is where its name for the call stands."""

    key: _CallKey
    id: str
    name: str
    arguments: str
    path: str


def _calls(message: wire.AssistantMessage, path: str) -> list[_Call]:
    calls = []
    for index, call in enumerate(message.tool_calls or []):
        at = f"{path}.tool_calls[{index}]"
        arguments = _arguments(call.function, f"{at}.function")
        calls.append(_Call(("id", call.id), call.id, call.function.name, arguments, f"{at}.id"))
    if message.function_call is not None:
        at = f"{path}.function_call"
        name = message.function_call.name
        arguments = _arguments(message.function_call, at)
        calls.append(_Call(("function", name), f"function_{name}", name, arguments, f"{at}.name"))
    return calls


def _arguments(function: wire.FunctionCall, path: str) -> str:
    if is_blank(function.arguments):
        return "{}"
    try:
        arguments = parse(function.arguments)
    except NotJson as error:
        raise invalid(f"{path}.arguments", f"expected a JSON object as text, but {error}") from None
    if not isinstance(arguments, dict):
        raise invalid(f"{path}.arguments", "expected a JSON object as text")
    return mended_json(function.arguments)


def _answer_text(message: wire.AssistantMessage, path: str) -> str:
    said = read_text(message.content, f"{path}.content")
    refused = read_text(message.refusal, f"{path}.refusal")
    return "\n\n".join(text for text in (said, refused) if text)
