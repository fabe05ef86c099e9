"""What was said: the messages of a conversation, as values that no wire format owns.

Content is always a tuple of blocks. A block holds what the client sent, unchanged; nothing here trims or joins text.
"""

from dataclasses import dataclass
from typing import Literal

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
    """What the client's user says."""

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
