"""Whether a request goes on exactly where a session stands: digests of all that shaped the session and was said in it.

Canonical means: what a client may lawfully write differently when it sends a message back does not count (white space
around an answer's text, the order of keys, the white space and the form of numbers in a call's arguments). Everything
else does. No guessing by content, and nothing crosses principals: other servers have handed one user's context to
another that way.

How an answer is to be drawn (sampling, the choice of tools) is not part of it: a session takes that anew each time.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from itertools import accumulate
from typing import Any, Final, Literal

from claude_openai.core.agent import AgentProfile
from claude_openai.core.messages import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, UserMessage
from claude_openai.core.turn import Turn
from claude_openai.jsontools.strict import parse
from claude_openai.jsontools.surrogates import without_surrogates

Difference = Literal["model", "profile", "format", "instructions", "tools", "history"]

_SPACE: Final = "\ufeff" + "".join(filter(str.isspace, map(chr, range(0x3001))))
"""What clients trim: white space for Python or (U+FEFF) for JavaScript. None lies beyond U+3000."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Of a session: each part is a SHA-256, hexadecimal, `messages` has one for each message said and heard, which is
    of that message and all before it.

    System messages count as instructions, wherever they stand.
    """

    principal: str
    model: str
    profile: str
    format: str
    instructions: str
    tools: str
    messages: tuple[str, ...]

    @property
    def key(self) -> str:
        """All of it as one digest: two sessions with the same key are in the same place."""
        return _digest(replace(self, messages=self.messages[-1:]))

    def before(self, newest: int) -> "Fingerprint":
        """Of the session as it was `newest` messages earlier."""
        return replace(self, messages=self.messages[: len(self.messages) - newest])

    def after(self, message: Message) -> "Fingerprint":
        """Of the session once `message` was said, too."""
        return replace(self, messages=(*self.messages, _chained("".join(self.messages[-1:]), message)))

    def starts_with(self, other: "Fingerprint") -> bool:
        """Whether `other` is where a session like this stood at some time."""
        return self.before(len(self.messages) - len(other.messages)) == other

    def difference(self, other: "Fingerprint") -> Difference | None:
        """What keeps this from being `other`; None where they are not of one conversation.

        One conversation has the same principal and the same first message.
        """
        if self.principal != other.principal or self.messages[:1] != other.messages[:1]:
            return None
        if self.messages != other.messages:
            return "history"
        parts: tuple[Difference, ...] = ("model", "profile", "format", "instructions", "tools")
        return next((part for part in parts if getattr(self, part) != getattr(other, part)), None)


def fingerprint(turn: Turn) -> Fingerprint:
    """Of a session that was shaped by `turn` and has heard all its messages."""
    return Fingerprint(
        principal=_digest(turn.principal),
        model=_digest(turn.model.resolved or turn.model.id),
        profile=_digest(_shape(turn.agent)),
        format=_digest(turn.reply_format),
        instructions=_digest([message.text for message in turn.messages if isinstance(message, SystemMessage)]),
        tools=_digest(turn.tools),
        messages=tuple(accumulate(spoken(turn.messages), _chained, initial=""))[1:],
    )


def spoken(messages: Iterable[Message]) -> tuple[Message, ...]:
    """`messages` without the instructions."""
    return tuple(message for message in messages if not isinstance(message, SystemMessage))


def newest(messages: Iterable[Message]) -> tuple[Message, ...]:
    """What a session that heard everything before has still to hear: the user's words, or results, at the end.

    Empty where `messages` are a whole conversation, and where words follow results: no session can take both at once.
    """
    said = spoken(messages)
    count = next((n for n, message in enumerate(reversed(said)) if isinstance(message, AssistantMessage)), len(said))
    new = said[len(said) - count :]
    of_one_kind = any(all(isinstance(message, kind) for message in new) for kind in (UserMessage, ToolMessage))
    return new if of_one_kind and len(new) < len(said) else ()


def _shape(agent: AgentProfile | None) -> object:
    """All of a profile that a process is made for; how its activity is shown is nothing to it."""
    return replace(agent, show_activity=None) if agent else None


def _digest(part: object) -> str:
    return hashlib.sha256(_TEXT(part).encode()).hexdigest()


def _chained(before: str, message: Message) -> str:
    """Of `message` and, by the digest `before`, of all that was said before it."""
    return _digest([before, _digest(_canonical(message))])


def _fields(value: Any) -> dict[str, object]:
    """Of a dataclass: `asdict` would copy all that is in it first."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


_TEXT: Final = json.JSONEncoder(sort_keys=True, default=_fields).encode


def _canonical(message: Message) -> object:
    if isinstance(message, AssistantMessage):
        text = without_surrogates(message.text).strip(_SPACE)
        return ["AssistantMessage", text, [_canonical_call(call) for call in message.tool_calls]]
    return [type(message).__name__, message]


def _canonical_call(call: ToolCall) -> object:
    return [call.id, call.name, _canonical_json(parse(without_surrogates(call.arguments.strip() or "{}")))]


def _canonical_json(value: object) -> object:
    """JavaScript has one kind of number: it reads 1.0, and writes 1."""
    match value:
        case dict():
            return {name: _canonical_json(each) for name, each in value.items()}
        case list():
            return [_canonical_json(each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
