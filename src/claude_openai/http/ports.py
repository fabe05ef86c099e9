"""What the HTTP layer needs of the use cases below it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Protocol

from claude_openai.core.events import Event, RateLimitReported
from claude_openai.core.failures import Failure
from claude_openai.core.load import Load, Outage
from claude_openai.core.models import Catalogue
from claude_openai.core.ports import Description
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Caller, Run, RunState, Visible
from claude_openai.core.turn import Turn


class Follower(Protocol):
    """Reads what is said in a run."""

    @property
    def run(self) -> Run:
        """It as it stands."""
        ...

    async def receive(self) -> tuple[Visible, ...]:
        """What is new, waiting for it if need be; nothing once all is said."""
        ...


class RunRegistry(Protocol):
    """What has become of requests."""

    async def find(self, wanted: str, principal: str) -> tuple[Run, ...]:
        """Those of `principal` that `wanted` names or begins to name: one, or two where it is not clear which."""
        ...

    async def recent(self, limit: int, state: RunState | None, principal: str) -> tuple[Run, ...]:
        """The latest of `principal`, in `state` if one is named; the last to arrive first."""
        ...

    def follow(self, run: Run) -> Follower:
        """What is said in `run`, from its beginning to its end."""
        ...

    def cancel(self, run: Run) -> Run | None:
        """End `run` now: it as it is then; None where it is over already."""
        ...


class ResponseRecord(Protocol):
    """Stores one response while it is answered."""

    def begin(self, response: StoredResponse) -> None:
        """Store the response as it begins, so that it can be found and cancelled; only the first call has an effect."""
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
        """End `run`; its response is stored as cancelled. None where it had ended already."""
        ...

    async def delete(self, response: StoredResponse, run: Run) -> None:
        """Delete `response`, and what its `run` has of the answer."""
        ...


class Gateway(Protocol):
    """Answers turns, and knows the models. `catalogue` and `description` raise `RequestFailed` where nothing runs."""

    @property
    def runs(self) -> RunRegistry:
        """Every turn there is or was."""
        ...

    @property
    def responses(self) -> ResponseRegistry:
        """The stored responses."""
        ...

    @property
    def places(self) -> int:
        """How many turns run at once."""
        ...

    async def until_stopped(self) -> Failure:
        """Wait until no turn is answered any more: what is said to requests from then on."""
        ...

    def open(self, turn: Turn, caller: Caller) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Start `turn` for `caller`: the block yields its events, the last one of which says how it ended."""
        ...

    def rate_limit(self) -> RateLimitReported | None:
        """How the account stands with upstream's rate limit, as any turn last reported it."""
        ...

    def load(self) -> Load:
        """How busy it is."""
        ...

    async def catalogue(self) -> Catalogue: ...

    async def description(self) -> Description: ...

    def outage(self, description: Description) -> Outage | None:
        """Why no request is answered at present."""
        ...
