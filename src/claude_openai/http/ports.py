"""What the HTTP layer needs of the use cases below it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from claude_openai.core.events import Event, RateLimitReported
from claude_openai.core.load import Load
from claude_openai.core.models import Catalogue
from claude_openai.core.ports import Description
from claude_openai.core.turn import Turn


class Gateway(Protocol):
    """Answers turns, and knows the models. `catalogue` and `description` raise `RequestFailed` where nothing runs."""

    def open(self, turn: Turn) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Start `turn`: the block yields its events, the last one of which says how it ended."""
        ...

    def rate_limit(self) -> RateLimitReported | None:
        """How the account stands with upstream's rate limit, as any turn last reported it."""
        ...

    def load(self) -> Load:
        """How busy it is."""
        ...

    async def catalogue(self) -> Catalogue: ...

    async def description(self) -> Description: ...
