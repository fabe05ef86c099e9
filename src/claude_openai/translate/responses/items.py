"""Input items into a conversation that the Messages API takes.

An earlier answer comes back as several items: its text, then its calls. What stands next to each other, of one answer,
is one message of the assistant's again. Thinking is left out: upstream only takes back what it has signed itself.
"""

from dataclasses import dataclass, field
from typing import assert_never

from claude_openai.core.messages import Block, Document, Image, Text
from claude_openai.translate.content import (
    document,
    image,
    image_data,
    is_blank,
    not_a_users,
    numbered,
    text_blocks,
    text_of,
    words,
)
from claude_openai.translate.conversation import Call, CallKey, Conversation, Understood
from claude_openai.translate.faults import invalid, unsupported
from claude_openai.wire.responses import request as wire
from claude_openai.wire.sent import AudioPart, RefusalPart


def read_input(sent: wire.Input, instructions: str | None, *, known: int = 0) -> Understood:
    """The conversation: instructions first, a user message or the result of a call last. So many items as are `known`
    come before those of this request.

    Raises:
        RequestFailed: naming the item that cannot be carried, or the call or result that lacks the other.
    """
    conversation = Conversation("input")
    conversation.instruct("" if is_blank(instructions or "") else instructions or "")
    if isinstance(sent, str):
        conversation.say(text_blocks(sent), "input")
        return conversation.finished()
    answer = _Answer(conversation)
    for index, item in enumerate(sent):
        _add(conversation, answer, item, f"input[{index - known}]" if index >= known else "input")
    answer.told()
    return conversation.finished()


@dataclass(slots=True)
class _Answer:
    """What has come so far of an earlier answer."""

    conversation: Conversation
    texts: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    path: str = ""

    def say(self, text: str, path: str) -> None:
        """Text after calls is another answer's."""
        if self.calls:
            self.told()
        self.path = self.path or path
        self.texts.append(text)

    def call(self, call: Call, path: str) -> None:
        self.path = self.path or path
        self.calls.append(call)

    def told(self) -> None:
        """It is complete."""
        if self.path:
            self.conversation.answer("\n\n".join(filter(None, self.texts)), self.calls, self.path)
        self.texts, self.calls, self.path = [], [], ""


def _add(conversation: Conversation, answer: _Answer, item: wire.Item, path: str) -> None:
    match item:
        case wire.MessageItem(role="assistant"):
            answer.say(text_of(item.content, f"{path}.content"), path)
        case wire.FunctionCallItem():
            key, at = CallKey(item.call_id), f"{path}.call_id"
            answer.call(Call(key, item.call_id, item.name, item.arguments, at, "input[].arguments"), path)
        case wire.ReasoningItem():
            pass
        case wire.MessageItem(role="user"):
            answer.told()
            conversation.say(_blocks(item.content, f"{path}.content"), f"{path}.content")
        case wire.MessageItem():
            answer.told()
            conversation.instruct(text_of(item.content, f"{path}.content"))
        case wire.FunctionCallOutputItem():
            answer.told()
            conversation.result(CallKey(item.call_id), _outcome(item.output, f"{path}.output"), f"{path}.call_id")
        case wire.ItemReference():
            raise invalid(f"{path}.id", f"no stored response has the item '{item.id[:_MOST_SHOWN]}': send it as it was")
        case wire.OtherItem():
            raise unsupported(f"{path}.type", f"Claude cannot be given items of type '{item.type[:_MOST_SHOWN]}' here")
        case _:
            assert_never(item)


_MOST_SHOWN = 80
"""Characters of a type that are repeated to the client."""


def _blocks(content: wire.Content, path: str) -> tuple[Block, ...]:
    if isinstance(content, str):
        return text_blocks(content)
    return tuple(block for part, at in numbered(content, path) for block in _block(part, at))


def _block(part: wire.Part, path: str) -> tuple[Block, ...]:
    match part:
        case wire.TextPart():
            return text_blocks(part.text)
        case wire.ImagePart():
            return (image(_image_url(part, path), f"{path}.image_url"),)
        case wire.FilePart():
            return (_document(part, path),)
        case AudioPart() | RefusalPart():
            raise not_a_users(part, path)
        case _:
            assert_never(part)


def _outcome(content: wire.Content, path: str) -> tuple[Text | Image, ...]:
    """What a call came to: text, and images whose data is there."""
    if isinstance(content, str):
        return text_blocks(content)
    return tuple(block for part, at in numbered(content, path) for block in _of_outcome(part, at))


def _of_outcome(part: wire.Part, path: str) -> tuple[Text | Image, ...]:
    if isinstance(part, wire.ImagePart):
        return (image_data(_image_url(part, path), f"{path}.image_url"),)
    return text_blocks(words(part, path))


def _image_url(part: wire.ImagePart, path: str) -> str:
    if part.image_url is not None:
        return part.image_url
    if part.file_id is None:
        raise invalid(f"{path}.image_url", "expected an http(s) URL or a data URI")
    raise unsupported(f"{path}.file_id", "files cannot be uploaded here: send the image as 'image_url'")


def _document(part: wire.FilePart, path: str) -> Document:
    if part.file_data is not None:
        return document(part.file_data, part.filename, f"{path}.file_data")
    if part.file_url is not None:
        raise unsupported(f"{path}.file_url", "files are not fetched here: send the data as 'file_data'")
    if part.file_id is not None:
        raise unsupported(f"{path}.file_id", "files cannot be uploaded here: send the data as 'file_data'")
    raise invalid(f"{path}.file_data", "expected the file's data")
