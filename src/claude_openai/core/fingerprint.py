"""Fingerprints of sessions, which decide whether a request continues a session exactly: digests of everything that
configures the session, and of every message in it.

Messages are compared in a canonical form, without the differences that a client may legitimately introduce when it
sends an answer back: white space around the text, and in a call's arguments the order of keys, the white space and the
form of numbers. Everything else counts. There is no matching by similarity, and no session is shared between
principals: other servers have leaked one user's context to another that way.

Generation parameters (sampling, the choice of tools) are not part of it: a session takes new ones with each request.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from itertools import accumulate
from typing import Any, Final, Literal

from claude_openai.core.agent import AgentProfile
from claude_openai.core.messages import AssistantMessage, Message, SystemMessage, ToolCall, ToolMessage, UserMessage
from claude_openai.core.turn import Turn
from claude_openai.jsontools.incremental import encode_pieces
from claude_openai.jsontools.strict import parse
from claude_openai.jsontools.surrogates import without_surrogates

Difference = Literal["model", "profile", "format", "instructions", "tools", "history"]

_SPACE: Final = "\ufeff" + "".join(filter(str.isspace, map(chr, range(0x3001))))
"""The characters that clients trim: white space in Python or (U+FEFF) in JavaScript. None is beyond U+3000."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The fingerprint of a session. Each part is a hexadecimal SHA-256; `messages` has one for each message, which
    covers that message and all before it.

    System messages count as instructions, at any position.
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
        """One digest of all parts: two sessions with the same key can answer the same next request."""
        return _digest(replace(self, messages=self.messages[-1:]))

    def before(self, newest: int) -> "Fingerprint":
        """The fingerprint of the session without its last `newest` messages."""
        return replace(self, messages=self.messages[: len(self.messages) - newest])

    def after(self, message: Message) -> "Fingerprint":
        """The fingerprint of the session with `message` appended."""
        return replace(self, messages=(*self.messages, _chained("".join(self.messages[-1:]), message)))

    def starts_with(self, other: "Fingerprint") -> bool:
        """Whether `other` is the fingerprint of an earlier point of this session."""
        return self.before(len(self.messages) - len(other.messages)) == other

    def difference(self, other: "Fingerprint") -> Difference | None:
        """The first part in which this differs from `other`; None if they are equal or of different conversations.

        One conversation has the same principal and the same first message.
        """
        if self.principal != other.principal or self.messages[:1] != other.messages[:1]:
            return None
        if self.messages != other.messages:
            return "history"
        parts: tuple[Difference, ...] = ("model", "profile", "format", "instructions", "tools")
        return next((part for part in parts if getattr(self, part) != getattr(other, part)), None)


def fingerprint(turn: Turn) -> Fingerprint:
    """The fingerprint of a session that is configured as `turn` is and has all its messages."""
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
    """`messages` without the system messages."""
    return tuple(message for message in messages if not isinstance(message, SystemMessage))


def newest(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The messages after the last answer, which a session with all earlier ones must still get: user messages, or tool
    results.

    Empty if there is no answer yet, and if user messages follow results: no session takes both at once.
    """
    dialogue = spoken(messages)
    answers = (n for n, message in enumerate(reversed(dialogue)) if isinstance(message, AssistantMessage))
    new = dialogue[len(dialogue) - next(answers, len(dialogue)) :]
    of_one_kind = any(all(isinstance(message, kind) for message in new) for kind in (UserMessage, ToolMessage))
    return new if of_one_kind and len(new) < len(dialogue) else ()


def _shape(agent: AgentProfile | None) -> object:
    """The parts of a profile that configure the process; how activity is shown does not."""
    return replace(agent, show_activity=None) if agent else None


def _digest(part: object) -> str:
    digest = hashlib.sha256()
    for piece in encode_pieces(part, sort_keys=True, default=_fields):
        digest.update(piece)
    return digest.hexdigest()


def _chained(before: str, message: Message) -> str:
    """The digest of `message` and, through the digest `before`, of all messages before it."""
    return _digest([before, _digest(_canonical(message))])


def _fields(value: Any) -> dict[str, object]:
    """The fields of a dataclass; `asdict` would copy all nested values first."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _canonical(message: Message) -> object:
    if isinstance(message, AssistantMessage):
        text = without_surrogates(message.text).strip(_SPACE)
        return ["AssistantMessage", text, [_canonical_call(call) for call in message.tool_calls]]
    return [type(message).__name__, message]


def _canonical_call(call: ToolCall) -> object:
    return [call.id, call.name, _canonical_json(parse(without_surrogates(call.arguments.strip() or "{}")))]


def _canonical_json(value: object) -> object:
    """`value` with integral floats as integers: JavaScript has one type of number, and writes 1.0 as 1."""
    match value:
        case dict():
            return {name: _canonical_json(each) for name, each in value.items()}
        case list():
            return [_canonical_json(each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
