"""The messages of a conversation, as values that are independent of any protocol.

Content is always a tuple of blocks. A block holds what the client sent, unchanged; nothing here trims or joins text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, assert_never

ImageType = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]
"""What the Messages API accepts (Anthropic reference: Vision)."""


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text, exactly as sent."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image, inline: `data` is base64 without line breaks."""

    media_type: ImageType
    data: str


@dataclass(frozen=True, slots=True)
class ImageUrl:
    """An image that upstream fetches; http(s) only."""

    url: str


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF, inline: `data` is base64 without line breaks."""

    data: str
    filename: str | None = None


Block = Text | Image | ImageUrl | Document
"""Content of a user message or a tool result."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model made. `arguments` is a JSON object as text, as the client holds it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """Instructions of the client (OpenAI roles `system` and `developer`)."""

    text: str


@dataclass(frozen=True, slots=True)
class UserMessage:
    """A message of the client's user."""

    content: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """An earlier answer: its text, then the calls it made."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """The client's result for one call, named by the call's id."""

    tool_call_id: str
    content: tuple[Block, ...]


Message = SystemMessage | UserMessage | AssistantMessage | ToolMessage

LARGE_CHARACTERS: Final = 64 * 1024
"""Messages with more text take some milliseconds to process, for a fingerprint or a transcript."""

_MESSAGE_CHARACTERS: Final = 100
"""The fixed cost of a message or a block, in characters."""


def are_large(messages: Iterable[Message]) -> bool:
    """Whether processing `messages` takes too long for the event loop. Stops counting as soon as that is clear."""
    left = LARGE_CHARACTERS
    for message in messages:
        left -= _MESSAGE_CHARACTERS
        for text in _texts(message):
            left -= _MESSAGE_CHARACTERS + len(text)
            if left < 0:
                return True
    return False


def _texts(message: Message) -> Iterator[str]:
    match message:
        case SystemMessage(text):
            yield text
        case AssistantMessage(text, calls):
            yield text
            yield from (call.arguments for call in calls)
        case UserMessage(content) | ToolMessage(content=content):
            for block in content:
                match block:
                    case Text(text) | ImageUrl(text):
                        yield text
                    case Image(data=data) | Document(data):
                        yield data
                    case _:
                        assert_never(block)
        case _:
            assert_never(message)
