"""The use cases as the HTTP layer sees them; `gateway` implements them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

from claude_openai.core.events import Event, RateLimitReported
from claude_openai.core.failures import Failure
from claude_openai.core.keys import Identity
from claude_openai.core.limits import Left
from claude_openai.core.load import Load, Outage
from claude_openai.core.metrics import Metric, Samples
from claude_openai.core.models import Catalogue
from claude_openai.core.ports import Description
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Caller, Run, RunState, Visible
from claude_openai.core.search import Query
from claude_openai.core.statistics import Dimension, Span
from claude_openai.core.turn import Turn


class Follower(Protocol):
    """Reads the visible events of a run."""

    @property
    def run(self) -> Run:
        """The run as it is now."""
        ...

    async def receive(self) -> tuple[Visible, ...]:
        """The new events, after a wait if there are none; nothing once the run has ended."""
        ...


class RunRegistry(Protocol):
    """The runs: the records of requests."""

    async def find(self, wanted: str, principal: str | None) -> tuple[Run, ...]:
        """The runs of `principal` (None: of all) whose id is or begins with `wanted`: one, two if it is ambiguous."""
        ...

    async def recent(self, limit: int, state: RunState | None, principal: str | None) -> tuple[Run, ...]:
        """The latest runs of `principal` (None: of every one), in `state` if one is given; the last to arrive first."""
        ...

    async def search(
        self, query: Query, limit: int, principal: str | None, after: Run | None = None
    ) -> tuple[Run, ...]:
        """The first `limit` runs of `principal` (None: of every one) that match `query`, in its order.

        With `after`, a run of this list, only those behind it. That needs an order by time.
        """
        ...

    async def statistics(
        self, since: float, until: float, width: int, by: Dimension | None, principal: str | None
    ) -> tuple[Span, ...]:
        """What answered runs add up to (`core.ports.RunStore.statistics`)."""
        ...

    def follow(self, run: Run) -> Follower:
        """A follower of `run`, from its first event to its last."""
        ...

    def cancel(self, run: Run) -> Run | None:
        """End `run` now. Returns the run as it is then, or None if it had ended already."""
        ...


class ResponseRecord(Protocol):
    """Stores one response while it is answered."""

    def begin(self, response: StoredResponse) -> None:
        """Store the response as it begins, so that it can be found and cancelled."""
        ...

    async def save(self, response: StoredResponse) -> None:
        """Store the complete response and the end of its run in one transaction; returns when it is done."""
        ...


class ResponseRegistry(Protocol):
    """The stored responses."""

    def record(self, run_id: str) -> AbstractContextManager[ResponseRecord]:
        """A block that contains the whole of a run. Where the response is not saved in it, the run is saved alone."""
        ...

    async def chain(self, response_id: str, principal: str, limit: int = 1) -> tuple[StoredResponse, ...]:
        """The response with this id, then the one that it continues, and so on, at most `limit`."""
        ...

    async def run_of(self, response: StoredResponse) -> Run | None:
        """The run of `response`; None if it is not there any more."""
        ...

    def is_active(self, run: Run) -> bool:
        """Whether the response of `run` is still being answered."""
        ...

    def cancel(self, run: Run) -> Run | None:
        """End `run`; its response is stored as cancelled. None if it had ended already."""
        ...

    async def delete(self, response: StoredResponse, run: Run) -> None:
        """Delete `response`, and what its `run` has of the answer."""
        ...


class KeyLimiter(Protocol):
    """Holds the keys of names to their limits."""

    async def admit(self, who: Identity) -> Failure | None:
        """Count a request of `who`, or return why it is refused."""
        ...

    def require_allowed(self, who: Identity, turns: Sequence[Turn], catalogue: Catalogue) -> None:
        """Raise `RequestFailed` if `who` may not use the model or the profile of one of these turns."""
        ...

    def left(self, who: Identity) -> tuple[Left, ...]:
        """What is left of the limits of `who`."""
        ...


class Gateway(Protocol):
    """Answers turns. `catalogue` and `description` raise `RequestFailed` if Claude Code cannot be started."""

    @property
    def runs(self) -> RunRegistry:
        """All runs."""
        ...

    @property
    def responses(self) -> ResponseRegistry:
        """The stored responses."""
        ...

    @property
    def limiter(self) -> KeyLimiter:
        """The limits of the keys."""
        ...

    @property
    def places(self) -> int:
        """How many turns run at once."""
        ...

    async def until_stopped(self) -> Failure:
        """Wait until the server stops; the failure of requests from then on."""
        ...

    def open(self, turn: Turn, caller: Caller) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]:
        """Start `turn` for `caller`: the block yields its events in batches, and ends the turn when it is left."""
        ...

    def rate_limit(self) -> RateLimitReported | None:
        """The account's rate limit as the latest report of any turn has it."""
        ...

    def load(self) -> Load:
        """The numbers of turns, runs and sessions, by state."""
        ...

    def metrics(self) -> Mapping[Metric, Samples]:
        """The values of the metrics that the gateway knows, as copies."""
        ...

    def note_refused(self, endpoint: str, code: str) -> None:
        """Count a request that was refused before it became a turn."""
        ...

    async def catalogue(self) -> Catalogue: ...

    async def description(self) -> Description: ...

    def outage(self, description: Description) -> Outage | None:
        """Why no request can be answered at present; None if they can."""
        ...
