"""The ports: what a backend and a store of runs and responses must provide."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from claude_openai.core.events import Event
from claude_openai.core.failures import Failure
from claude_openai.core.limits import Spent
from claude_openai.core.load import NO_WARM_POOL, WarmPoolLoad
from claude_openai.core.models import Model, ModelFacts, no_facts
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Run, RunState
from claude_openai.core.search import Query
from claude_openai.core.statistics import Dimension, Span
from claude_openai.core.turn import Turn

SessionStart = Literal["warm", "cold", "rebuilt"]
"""How a session began: in a warm process, in a new one, or in one of either kind that was given the history."""


@dataclass(frozen=True, slots=True)
class Login:
    """How Claude Code is signed in. `method` is a short phrase for people; None if it is not signed in.

    `stored_at` is when Claude Code last wrote the login to its file, in Unix seconds; None if it is in no file.
    `is_subscription` is whether it belongs to a subscription to Claude, whose terms are for its buyer's own use.
    """

    method: str | None
    stored_at: float | None = None
    is_subscription: bool = False

    @property
    def ready(self) -> bool:
        """Whether Claude Code is signed in."""
        return self.method is not None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The turns that a backend can answer beside plain ones: `tools`, turns with the client's tools; `agent`, turns
    with an agent profile. `model_facts` returns what it knows of a model by its full id.
    """

    tools: bool = True
    agent: bool = False
    model_facts: Callable[[str], ModelFacts] = no_facts


@dataclass(frozen=True, slots=True)
class Description:
    """The name, the version, the login, the models and the capabilities of a backend."""

    name: str
    version: str
    login: Login
    models: tuple[Model, ...]
    capabilities: Capabilities = field(default_factory=Capabilities)


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """The warm processes, and the failure that prevents new ones from starting.

    `start_failures` counts processes that did not start; `valid_calls` and `invalid_calls` count the model's calls of
    the client's tools by whether they fit the tool's schema. All three count since the start of the server.
    """

    warm_pool: WarmPoolLoad = NO_WARM_POOL
    start_failure: Failure | None = None
    start_failures: int = 0
    valid_calls: int = 0
    invalid_calls: int = 0


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """The runs that wait to be written, those that were lost since the start, and the bytes on disk (None: no disk)."""

    unwritten: int = 0
    lost: int = 0
    bytes: int | None = None


class Session(Protocol):
    """One conversation in a backend, which ends with the block that opened it.

    A turn's failures are events, never exceptions; an exception out of the iterator is a defect. A session that ends
    before it begins an answer reports `TurnFailed(..., session_lost=True)`.
    """

    @property
    def start(self) -> SessionStart:
        """How the session began."""
        ...

    def events(self) -> AsyncGenerator[Sequence[Event], None]:
        """The events of the current turn, including the last one (see `core.events` for their order).

        They come in batches of at least one: the events that are ready at the same time.
        """
        ...

    async def resume(self, turn: Turn) -> bool:
        """After an answer: send the new messages at the end of `turn`; `events` then yields the next answer.

        False if the session cannot (it died, or the results are too large for it): then nothing was sent.
        """
        ...

    def is_resumable(self) -> bool:
        """Whether the session can be resumed after the answer that is complete."""
        ...

    def should_recycle(self) -> bool:
        """Whether the session should end after this answer, because its process has reached a limit."""
        ...

    async def wait_closed(self) -> None:
        """Return when the session has ended by itself; wait while it can be resumed."""
        ...


class Backend(Protocol):
    """Answers turns.

    `open` starts a turn in a new session. Leaving the block for any reason, cancellation included, ends the turn
    upstream and releases its resources within a bounded time.
    """

    async def describe(self) -> Description:
        """The description of this backend, which asks Claude Code once and remembers the answer.

        Raises:
            RequestFailed: `CLAUDE_CODE_FAILED` if Claude Code cannot be started.
        """
        ...

    def status(self) -> BackendStatus:
        """The current status, without waiting."""
        ...

    def open(self, turn: Turn) -> AbstractAsyncContextManager[Session]:
        """A context manager with a new session that answers `turn`."""
        ...


class RunStore(Protocol):
    """Stores runs, as long as the block that opened it. It has one writer and never fails a request: it logs and drops
    runs that it cannot store.
    """

    def save(self, run: Run) -> None:
        """Store `run` in place of the run with the same id. Returns at once; later reads see it."""
        ...

    def status(self) -> StoreStatus:
        """What waits and what was lost, without waiting."""
        ...

    async def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        """The runs whose `id`, `answer_id` or `request_id` begins with `wanted`: an exact match alone, else at most
        two, which means that `wanted` is not unique. With a `principal`, only its runs.
        """
        ...

    async def search(
        self, query: Query, limit: int, principal: str | None = None, after: Run | None = None
    ) -> tuple[Run, ...]:
        """The first `limit` runs that match `query`, in its order; with a `principal`, only its runs.

        With `after`, a run of this list, only those behind it. That needs an order by time (`sort` "new" or "old").
        """
        ...

    async def statistics(
        self, since: float, until: float, width: int, by: Dimension | None = None, principal: str | None = None
    ) -> tuple[Span, ...]:
        """What the answered runs add up to that arrived from the hour of `since` to before the hour of `until`.

        The sums are of spans of `width` seconds, a multiple of an hour, by the dimension `by`; with a `principal`, of
        its runs only. They outlive the runs where the store is on disk.
        """
        ...

    async def recent(self, limit: int, state: RunState | None = None, principal: str | None = None) -> tuple[Run, ...]:
        """The `limit` runs that arrived last, latest first; with a `state` or a `principal`, only those."""
        ...


class ResponseStore(Protocol):
    """Stores responses beside the runs of a `RunStore`, under the same rules: one writer, no request fails.

    A response is deleted with its run, when retention deletes that.
    """

    def begin(self, response: StoredResponse) -> None:
        """Store a response whose answer has begun. Returns at once; later reads see it."""
        ...

    async def save(self, response: StoredResponse, run: Run) -> None:
        """Store `response` and `run`, which has ended, in one transaction.

        Returns when every reader of the store sees both. Where they cannot be written now, that is logged, and it
        returns after a bounded time; reads of this server see them all the same.
        """
        ...

    async def delete(self, response_id: str, run: Run) -> None:
        """Delete a response and store `run` in one transaction. Returns as `save` does."""
        ...

    async def chain(self, response_id: str, principal: str, limit: int) -> tuple[StoredResponse, ...]:
        """The response of `principal` with this id, then the response that it continues, and so on: at most `limit`.

        It is empty if there is no such response, and ends before the first one that is not there any more.
        """
        ...


class UsageStore(Protocol):
    """Remembers what the keys of a name have used in each period (`core.limits.period_at`), from several servers."""

    @property
    def at_start(self) -> Mapping[str, Mapping[str, Spent]]:
        """What each name had used when the store was opened, by period."""
        ...

    @property
    def is_written(self) -> bool:
        """Whether everything that was added can be read."""
        ...

    def add(self, key: str, spent: Mapping[str, Spent]) -> None:
        """Add to what `key` has used, by period. Returns at once."""
        ...

    async def spent(self, key: str) -> Mapping[str, Spent]:
        """What `key` has used, by period, as far as that is written; `StoreError` if it cannot be read."""
        ...


class Store(RunStore, Protocol):
    """A store of runs and, beside them, of responses and of the usage of keys."""

    @property
    def usage(self) -> UsageStore:
        """What the keys of a name have used."""
        ...

    @property
    def responses(self) -> ResponseStore:
        """The responses of its runs."""
        ...
