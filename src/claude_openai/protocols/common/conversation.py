"""Builds a conversation as the Messages API takes it, from the entries that a protocol has read of a request.

Everything stays in the client's order, with its role and unchanged. What differs between the protocols is decided here:

- Instructions within the conversation stay at their place as a marked block of a user message, because Claude Code
  keeps system messages at the beginning only. Instructions alone are such blocks, too: there is nothing else to answer.
- Consecutive user messages are one message with all their blocks.
- Results of calls directly follow the message that made the calls, however the client has ordered them.
- After an earlier answer at the end, a marked block asks Claude to continue it: Claude Code makes no request for a
  transcript that ends in an assistant message (measured).
- Arguments of earlier calls that are not a JSON object are wrapped in one, as the Messages API takes nothing else.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, assert_never

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
_INDEX: Final = re.compile(r"\[\d+\]")

INVALID_ARGUMENTS: Final = "invalid_arguments"
"""The one property of arguments that were not a JSON object: its value is their text as the client sent it."""

CONTINUE: Final = (
    "Your last message was cut off. Continue it from exactly where it ends: write only what follows, without repeating "
    "anything of it and without any words before."
)
"""The newest message of a conversation that ends in an earlier answer."""


# --- The entries of a conversation -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Instructions:
    """The text of a system message; an empty text is skipped."""

    text: str


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text that neither the user nor the model wrote: it becomes a marked block of that `kind`, at its place."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class UserInput:
    """A message of the user; one without blocks is skipped. `path` is the path of its content in the request."""

    blocks: Sequence[Block]
    path: str


@dataclass(frozen=True, slots=True)
class CallKey:
    """By what a client refers to a call: its id or, before there were ids, the function's name (`is_function`)."""

    name: str
    is_function: bool = False

    def __str__(self) -> str:
        return repr(self.name[:_MOST_SHOWN])


@dataclass(frozen=True, slots=True)
class Call:
    """A call as the client sent it. `path` is the path of the field that `key` was read from; reports name the
    arguments by `field`.
    """

    key: CallKey
    id: str
    name: str
    arguments: str
    path: str
    field: str


@dataclass(frozen=True, slots=True)
class EarlierAnswer:
    """An earlier answer of the model; one without text and calls is skipped."""

    text: str
    calls: Sequence[Call]


@dataclass(frozen=True, slots=True)
class CallResult:
    """The result of a call; `path` is the path of the field that `key` was read from."""

    key: CallKey
    content: tuple[Text | Image, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Reports that `name` is carried as `value`. Both are from a fixed set, fit for a header."""

    name: str
    value: str


Entry: TypeAlias = Instructions | MarkedText | UserInput | EarlierAnswer | CallResult | Adjusted


# --- The conversation of these entries -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Conversation:
    """The messages that Claude gets: instructions first, a user message or a tool result last. `adjusted` names what is
    carried as something else than was sent (`messages=continued`), each once.
    """

    messages: tuple[Message, ...]
    adjusted: tuple[str, ...] = ()


def build_conversation(field: str, entries: Iterable[Entry], model: Model) -> Conversation:
    """The conversation of these `entries`, which the request has in its `field` (`messages`).

    Raises:
        RequestFailed: an entry does not fit those before it, a call has no result, there is nothing to answer, or there
            are more images and files than `model` gets.
    """
    builder = _Builder(field)
    for entry in entries:
        builder.add(entry)
    built = builder.finish()
    contents = (message.content for message in built.messages if isinstance(message, UserMessage | ToolMessage))
    count = sum(not isinstance(block, Text) for blocks in contents for block in blocks)
    if count > model.facts.most_media:
        raise invalid(
            field, f"there are {count} images and files, and {model.id} is given {model.facts.most_media} at most"
        )
    return built


def marked(kind: str, text: str) -> Text:
    """A block of a user message that is not the user's own text but of that `kind`."""
    return Text(f"<{kind}>\n{text}\n</{kind}>")


def tool_name(sent: str) -> str:
    """The name of another model's tool as upstream takes names: that of a custom tool may be any text."""
    return _NOT_IN_A_NAME.sub("_", sent)[:_LONGEST_NAME] or "_"


@dataclass(frozen=True, slots=True)
class _Answered:
    """An earlier answer, and the results of its calls so far."""

    message: AssistantMessage
    results: list[ToolMessage] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _OpenCall:
    """A call without a result."""

    id: str
    path: str
    answer: _Answered


@dataclass(slots=True)
class _Builder:
    """A turn is an earlier answer with its results, or the blocks of consecutive user messages."""

    whole: str
    _adjusted: dict[str, None] = field(default_factory=dict, init=False)
    _instructions: list[SystemMessage] = field(default_factory=list, init=False)
    _turns: list[list[Block] | _Answered] = field(default_factory=list, init=False)
    _open_calls: dict[CallKey, list[_OpenCall]] = field(default_factory=dict, init=False)
    """Calls without a result, in order. Several of one answer may have the same key: some models reuse an id. OpenAI's
    documentation does not say what it does with them; here the first result belongs to the first call.
    """
    _call_ids: CallIds = field(default_factory=CallIds, init=False)
    _values: int = field(default=0, init=False)
    """JSON values in the arguments of all calls."""
    _blank_user: str | None = field(default=None, init=False)
    """The path of the newest user message, if that is blank."""

    def add(self, entry: Entry) -> None:
        match entry:
            case Instructions(text) if not self._turns:
                self._instructions += [SystemMessage(text)] if text else []
            case Instructions(text):
                self._add_blocks([marked("system", text)] if text else [])
            case MarkedText(kind, text):
                self._add_blocks([marked(kind, text)])
            case UserInput(blocks, path):
                self._blank_user = None if blocks else path
                if blocks:
                    self._check_results()
                    self._add_blocks(blocks)
            case EarlierAnswer(text, calls):
                self._add_answer(text, calls)
            case CallResult(key, content, path):
                waiting = self._open_calls.get(key)
                if not waiting:
                    raise invalid(path, f"no assistant message before it has a call {key} that lacks its result")
                call = waiting.pop(0)
                call.answer.results.append(ToolMessage(call.id, content))
            case Adjusted(name, value):
                self._adjusted[f"{name}={value}"] = None
            case _:
                assert_never(entry)

    def finish(self) -> Conversation:
        self._check_results()
        if not self._turns:
            if not self._instructions and self._blank_user:
                raise invalid(self._blank_user, "the newest user message is empty or only white space")
            if not self._instructions:
                raise invalid(self.whole, "there is no message to answer")
            blocks = tuple(marked("system", each.text) for each in self._instructions)
            return Conversation((UserMessage(blocks),), tuple(self._adjusted))
        messages: list[Message] = [*self._instructions]
        for turn in self._turns:
            messages += [turn.message, *turn.results] if isinstance(turn, _Answered) else [UserMessage(tuple(turn))]
        if isinstance(messages[-1], AssistantMessage):
            self._adjusted[f"{self.whole}=continued"] = None
            messages.append(UserMessage((marked("system", CONTINUE),)))
        return Conversation(tuple(messages), tuple(self._adjusted))

    def _add_blocks(self, blocks: Sequence[Block]) -> None:
        if self._turns and isinstance(last := self._turns[-1], list):
            last += blocks
        elif blocks:
            self._turns.append([*blocks])

    def _add_answer(self, text: str, calls: Sequence[Call]) -> None:
        made = tuple(ToolCall(self._call_ids.assign(call.id), call.name, self._arguments(call)) for call in calls)
        if not text and not made:
            return
        answer = _Answered(AssistantMessage(text, made))
        self._turns.append(answer)
        for call, native in zip(calls, made, strict=True):
            same = self._open_calls.setdefault(call.key, [])
            if any(other.answer is not answer for other in same):
                raise invalid(call.path, f"an earlier call {call.key} still lacks its result")
            if same:
                self._adjusted[f"{_INDEX.sub('[]', call.path)}=unique"] = None
            same.append(_OpenCall(native.id, call.path, answer))

    def _arguments(self, call: Call) -> str:
        """The call's arguments as the text of a JSON object."""
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
        self._adjusted[f"{call.field}=object"] = None
        if arguments is None:
            return "{}"
        return json.dumps({INVALID_ARGUMENTS: without_surrogates(call.arguments)}, ensure_ascii=False)

    def _check_results(self) -> None:
        for key, calls in self._open_calls.items():
            if calls:
                raise invalid(calls[0].path, f"the call {key} has no result among the messages that follow")
