"""A conversation as the Messages API takes it, put together from what a client sends, piece by piece and in its order.

Nothing of what was said, or who said it, is changed. What differs between the protocols is decided here:

- Instructions within the conversation stay at their place as a marked block of a user message, because Claude Code
  keeps system messages at the beginning only. Instructions alone are such blocks, too: there is nothing else to answer.
- User messages in a row are one message with all their blocks.
- Results of calls stand right behind the message that made the calls, however the client has ordered them.
- After an earlier answer at the end, a marked block asks Claude to continue it: Claude Code makes no request for a
  transcript that ends in an assistant message (measured).
- Arguments of earlier calls that are no JSON object are wrapped in one, as the Messages API takes nothing else.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from claude_openai.core.messages import (
    AssistantMessage,
    Block,
    Image,
    Message,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from claude_openai.core.models import Model
from claude_openai.jsontools.strict import MOST_VALUES, NotJson, count_values, parse
from claude_openai.jsontools.surrogates import json_without_surrogates, without_surrogates
from claude_openai.protocols.common.call_ids import CallIds
from claude_openai.protocols.common.content import is_blank
from claude_openai.protocols.common.invalid import invalid

_MOST_SHOWN = 80
"""Characters of a call's name that are repeated to the client."""

_NOT_IN_A_NAME: Final = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME: Final = 128

INVALID_ARGUMENTS: Final = "invalid_arguments"
"""The one property of arguments that were no JSON object: its value is their text as it was sent."""

CONTINUE: Final = (
    "Your last message was cut off. Continue it from exactly where it ends: write only what follows, without repeating "
    "anything of it and without any words before."
)
"""The newest words where the conversation ends in an earlier answer."""


@dataclass(frozen=True, slots=True)
class CallKey:
    """What a client names a call by: its id or, before there were ids, the function's name (`is_function`)."""

    name: str
    is_function: bool = False

    def __str__(self) -> str:
        return repr(self.name[:_MOST_SHOWN])


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the client tells it; `path` is where its name for the call stands, `field` what its arguments are
    called in reports.
    """

    key: CallKey
    id: str
    name: str
    arguments: str
    path: str
    field: str


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


@dataclass(slots=True)
class MessageBuilder:
    """Told piece by piece; each piece names the path it was sent at. All but `finished` raise `RequestFailed` where the
    piece does not fit what came before.
    """

    whole: str
    """Where the conversation as a whole stands: `messages`."""
    _adjusted: dict[str, None] = field(default_factory=dict, init=False)
    _instructions: list[SystemMessage] = field(default_factory=list, init=False)
    _turns: list[_Said | _Answered] = field(default_factory=list, init=False)
    _open_calls: dict[CallKey, _OpenCall] = field(default_factory=dict, init=False)
    _call_ids: CallIds = field(default_factory=CallIds, init=False)
    _values: int = field(default=0, init=False)
    """In the arguments of all calls."""
    _blank_user: str | None = field(default=None, init=False)
    """The path of the newest user message, where there is nothing in it."""

    def instruct(self, text: str) -> None:
        """Instructions; blank ones are none."""
        if not text:
            return
        if not self._turns:
            self._instructions.append(SystemMessage(text))
        else:
            self._append(marked("system", text))

    def note(self, kind: str, text: str) -> None:
        """What stands in the conversation and nobody said: at its place, as a marked block of that `kind`."""
        self._append(marked(kind, text))

    def say(self, blocks: Sequence[Block], path: str) -> None:
        """What the user says, where `path` leads to it; nothing at all is left out."""
        self._blank_user = None if blocks else path
        if blocks:
            self._close_calls()
            self._append(*blocks)

    def answer(self, text: str, calls: Sequence[Call], path: str) -> None:
        """An earlier answer; one without text and calls was none."""
        made = tuple(ToolCall(self._call_ids.assign(call.id), call.name, self._arguments(call)) for call in calls)
        if not text and not made:
            return
        answer = _Answered(AssistantMessage(text, made), path)
        self._turns.append(answer)
        for call, native in zip(calls, made, strict=True):
            if call.key in self._open_calls:
                raise invalid(call.path, f"an earlier call {call.key} still lacks its result")
            self._open_calls[call.key] = _OpenCall(native.id, call.path, answer)

    def result(self, key: CallKey, outcome: tuple[Text | Image, ...], path: str) -> None:
        """What a call came to; `path` is where its name for the call stands."""
        call = self._open_calls.pop(key, None)
        if call is None:
            raise invalid(path, f"no assistant message before it has a call {key} that lacks its result")
        call.answer.results.append(ToolMessage(call.id, outcome))

    def adjust(self, name: str, value: str) -> None:
        """Report that what is called `name` is carried as `value`. Both are from a fixed set, fit for a header."""
        self._adjusted[f"{name}={value}"] = None

    def finished(self) -> "Understood":
        """The whole conversation: instructions first, a user message or a tool result last.

        Raises:
            RequestFailed: there is nothing to answer, or a call has no result.
        """
        self._close_calls()
        messages = [message for turn in self._turns for message in turn.messages()]
        if not self._turns:
            messages.append(UserMessage(self._instructions_alone()))
        elif isinstance(last := self._turns[-1], _Answered) and not last.results:
            self.adjust(self.whole, "continued")
            messages.append(UserMessage((marked("system", CONTINUE),)))
        instructions = self._instructions if self._turns else []
        return Understood((*instructions, *messages), tuple(self._adjusted))

    def _instructions_alone(self) -> tuple[Text, ...]:
        if self._instructions:
            return tuple(marked("system", each.text) for each in self._instructions)
        if self._blank_user:
            raise invalid(self._blank_user, "the newest user message is empty or only white space")
        raise invalid(self.whole, "there is no message to answer")

    def _arguments(self, call: Call) -> str:
        """A JSON object as text; what is no such object is within one."""
        if is_blank(call.arguments):
            return "{}"
        self._values += count_values(call.arguments)
        if self._values > MOST_VALUES:
            raise invalid(self.whole, f"the arguments of its calls hold more than {MOST_VALUES} values")
        try:
            arguments = parse(call.arguments)
        except NotJson:
            arguments = call.arguments
        if isinstance(arguments, dict):
            return json_without_surrogates(call.arguments)
        self.adjust(call.field, "object")
        if arguments is None:
            return "{}"
        return json.dumps({INVALID_ARGUMENTS: without_surrogates(call.arguments)}, ensure_ascii=False)

    def _append(self, *blocks: Block) -> None:
        match self._turns:
            case [*_, _Said() as before]:
                before.blocks += blocks
            case _:
                self._turns.append(_Said(list(blocks)))

    def _close_calls(self) -> None:
        for key, call in self._open_calls.items():
            raise invalid(call.path, f"the call {key} has no result among the messages that follow")


@dataclass(frozen=True, slots=True)
class Understood:
    """A conversation as Claude is given it. `adjusted` names what is carried as something else than was sent
    (`messages=continued`), each once.
    """

    messages: tuple[Message, ...]
    adjusted: tuple[str, ...] = ()


def marked(kind: str, text: str) -> Text:
    """A block of a user message that is not the user's words but of that `kind`."""
    return Text(f"<{kind}>\n{text}\n</{kind}>")


def tool_name(sent: str) -> str:
    """The name of a tool of another model's, as upstream takes names: that of a custom tool may be any text."""
    return _NOT_IN_A_NAME.sub("_", sent)[:_LONGEST_NAME] or "_"


def with_all_media(messages: tuple[Message, ...], model: Model, path: str) -> tuple[Message, ...]:
    """`messages`, all of whose images and files reach `model`.

    Raises:
        RequestFailed: `INVALID_REQUEST`, naming `path`: there are more than it is given.
    """
    heard = (message.content for message in messages if isinstance(message, UserMessage | ToolMessage))
    count = sum(not isinstance(block, Text) for blocks in heard for block in blocks)
    if count > model.most_media:
        raise invalid(path, f"there are {count} images and files, and {model.id} is given {model.most_media} at most")
    return messages
