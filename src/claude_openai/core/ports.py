"""What the outside must provide to answer turns."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from claude_openai.core.events import Event
from claude_openai.core.failures import Failure
from claude_openai.core.models import Model
from claude_openai.core.runs import Run, RunState
from claude_openai.core.turn import Turn

SessionStart = Literal["warm", "cold", "rebuilt"]
"""How a session began: in a process that was waiting, in a new one, or in a new one that was given a history."""


@dataclass(frozen=True, slots=True)
class Login:
    """How Claude Code is signed in. `method` is a short phrase for people; None when it is not signed in.

    `stored_at` is when the login was last written to Claude Code's file, in Unix seconds; None where it is in no file.
    """

    method: str | None
    stored_at: float | None = None

    @property
    def ready(self) -> bool:
        """Whether requests can be answered at all."""
        return self.method is not None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What turns a backend can answer beside plain ones: `tools`, those that offer the client's tools; `agent`, those
    with an agent profile.
    """

    tools: bool = True
    agent: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """What a backend reports of itself, once Claude Code could be started."""

    name: str
    version: str
    login: Login
    models: tuple[Model, ...]
    capabilities: Capabilities = field(default_factory=Capabilities)


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """How a backend is right now: how many processes wait for a new conversation, and why none can be started."""

    warm: int = 0
    start_failure: Failure | None = None


class Session(Protocol):
    """One conversation that a backend holds, as long as the block that opened it.

    A turn's failures are events, never exceptions; an exception out of the iterator is a defect. A session that ends
    before it begins an answer reports `TurnFailed(..., session_lost=True)`.
    """

    @property
    def start(self) -> SessionStart:
        """How it began."""
        ...

    def events(self) -> AsyncGenerator[Event, None]:
        """What comes of the turn, up to and including its last event (see `core.events` for their order)."""
        ...

    async def resume(self, turn: Turn) -> bool:
        """After an answer: go on with what is new at the end of `turn`; `events` has what follows.

        False where the session cannot (it died, or the results are too large for it): then nothing was done.
        """
        ...

    def is_resumable(self) -> bool:
        """Whether the answer that is complete left a session that can be resumed."""
        ...

    def should_recycle(self) -> bool:
        """Whether it has served enough and should end with this answer, though it could go on."""
        ...

    async def wait_closed(self) -> None:
        """Returns when the session has ended by itself, and never as long as it can be resumed."""
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

    def status(self) -> BackendStatus:
        """How it is right now; asks nobody."""
        ...

    def open(self, turn: Turn) -> AbstractAsyncContextManager[Session]:
        """Start `turn`; the block yields its session."""
        ...


class RunStore(Protocol):
    """Where runs are remembered, as long as the block that opened it. It has one writer and never hurts a request:
    what cannot be kept is logged and lost.
    """

    def save(self, run: Run) -> None:
        """Remember `run` in place of what was known under its id. Returns at once; reads see it from then on."""
        ...

    async def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        """Those whose id, answer's id or request's id begins with `wanted`: an exact one alone, else at most two,
        which is to say that it is not unique. Only those of `principal`, where one is named.
        """
        ...

    async def recent(self, limit: int, state: RunState | None = None, principal: str | None = None) -> tuple[Run, ...]:
        """The latest to arrive, latest first."""
        ...
