"""A recorded request, with its times and its usage, for the assertions of tests."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object as it was sent. Requests have no model here: any client may send any field."""


@dataclass(eq=False)
class RecordedRequest:
    """A request to `/v1/messages`. Times are seconds of the monotonic clock, None until the event."""

    index: int
    body: JsonObject
    headers: Mapping[str, str]
    received_at: float
    first_byte_at: float | None = None
    last_byte_at: float | None = None
    usage: JsonObject | None = None
    """The usage in its response."""
    closed: anyio.Event = field(default_factory=anyio.Event)
    """Set when the connection ended before the answer was complete, and not by a scripted fault."""
    finished: anyio.Event = field(default_factory=anyio.Event)
    """Set when the response has ended, for any reason."""

    @property
    def stream(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @property
    def messages(self) -> list[JsonObject]:
        messages: list[JsonObject] = self.body["messages"]
        return messages

    @property
    def system(self) -> str:
        """The system prompt as one text, its blocks joined by newlines."""
        return "\n".join(texts(self.body.get("system")))

    @property
    def tools(self) -> list[JsonObject]:
        return self.body.get("tools") or []


@dataclass(frozen=True)
class UnscriptedPath:
    """A request to another path than `/v1/messages`, or one to it whose body is not JSON."""

    method: str
    path: str
    status: int


def blocks(content: object) -> list[JsonObject]:
    """The blocks of a message's content. A string is short for one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def texts(content: object) -> list[str]:
    return [block["text"] for block in blocks(content) if block.get("type") == "text"]
