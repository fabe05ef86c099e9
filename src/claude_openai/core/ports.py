"""What the outside must provide to answer turns."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from claude_openai.core.events import Event
from claude_openai.core.models import Model
from claude_openai.core.turn import Turn


@dataclass(frozen=True, slots=True)
class Login:
    """How Claude Code is signed in. `method` is a short phrase for people; None when it is not signed in."""

    method: str | None

    @property
    def ready(self) -> bool:
        """Whether requests can be answered at all."""
        return self.method is not None


@dataclass(frozen=True, slots=True)
class Description:
    """What a backend says of itself once it runs."""

    name: str
    version: str
    login: Login
    models: tuple[Model, ...]


class Backend(Protocol):
    """Answers turns.

    `open` starts a turn: the block yields its events (see `core.events` for their order). Leaving the block for any
    reason, cancellation included, ends the turn upstream and frees what it held, within a bound. A turn's failures are
    events, never exceptions; an exception out of the iterator is a defect.
    """

    async def describe(self) -> Description:
        """What this backend is, asked of Claude Code itself once and remembered.

        Raises:
            RequestFailed: `CLAUDE_CODE_FAILED` where Claude Code cannot be started.
        """
        ...

    def open(self, turn: Turn) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Start `turn`; the block yields its events."""
        ...
