"""What the outside must provide to answer turns."""

from collections.abc import AsyncGenerator
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


class Session(Protocol):
    """One conversation that a backend holds, as long as the block that opened it.

    A turn's failures are events, never exceptions; an exception out of the iterator is a defect.
    """

    def events(self) -> AsyncGenerator[Event, None]:
        """What comes of the turn, up to and including its last event (see `core.events` for their order)."""
        ...

    async def resume(self, turn: Turn) -> bool:
        """After `TurnFinished("tool_calls")`: go on with the results at the end of `turn`; `events` has what follows.

        False where the session cannot take them (it died, or the results are too large for it): then nothing was done.
        """
        ...


class Backend(Protocol):
    """Answers turns.

    `open` starts a turn in a session of its own. Leaving the block for any reason, cancellation included, ends the turn
    upstream and frees what it held, within a bound.
    """

    async def describe(self) -> Description:
        """What this backend is, asked of Claude Code itself once and remembered.

        Raises:
            RequestFailed: `CLAUDE_CODE_FAILED` where Claude Code cannot be started.
        """
        ...

    def open(self, turn: Turn) -> AbstractAsyncContextManager[Session]:
        """Start `turn`; the block yields its session."""
        ...
