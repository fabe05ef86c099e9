"""Stored responses: each is saved once, together with the end of its run, and found by its key's own requests only."""

from collections.abc import Iterator
from contextlib import contextmanager

from claude_openai.core.ports import ResponseStore
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import ACTIVE_STATES, Run
from claude_openai.gateway.runs import RunRegistry


class ResponseRecord:
    """Stores one response while it is answered."""

    def __init__(self, runs: RunRegistry, store: ResponseStore | None) -> None:
        self._runs = runs
        self._store = store

    def begin(self, response: StoredResponse) -> None:
        """Store the response as it begins, so that it can be found and cancelled."""
        if self._store:
            self._store.begin(response)

    async def save(self, response: StoredResponse) -> None:
        """Store the complete response and the end of its run in one transaction; returns when it is done."""
        if self._store:
            await self._store.save(response, self._runs.release(response.run_id))


class ResponseRegistry:
    """The stored responses of all runs in `runs`. Without a store there are none."""

    def __init__(self, runs: RunRegistry, store: ResponseStore | None = None) -> None:
        self._runs = runs
        self._store = store

    @contextmanager
    def record(self, run_id: str) -> Iterator[ResponseRecord]:
        """A block that contains the whole of a run. Where the response is not saved in it, the run is saved alone."""
        with self._runs.hold(run_id):
            yield ResponseRecord(self._runs, self._store)

    async def chain(self, response_id: str, principal: str, limit: int = 1) -> tuple[StoredResponse, ...]:
        """The response with this id and those that it continues (`core.ports.ResponseStore.chain`)."""
        return await self._store.chain(response_id, principal, limit) if self._store else ()

    async def run_of(self, response: StoredResponse) -> Run | None:
        """The run of `response`; None if it is not there any more."""
        runs = await self._runs.find(response.run_id, response.principal)
        return next((run for run in runs if run.id == response.run_id), None)

    def is_active(self, run: Run) -> bool:
        """Whether the response of `run` is still being answered, or its end is about to be stored."""
        return run.state in ACTIVE_STATES or self._runs.is_held(run.id)

    def cancel(self, run: Run) -> Run | None:
        """End `run`; its response is stored as cancelled. None where it had ended already."""
        return self._runs.cancel(run)

    async def delete(self, response: StoredResponse, run: Run) -> None:
        """Delete `response`, and what its `run` has of the answer."""
        if self._store:
            await self._store.delete(response.id, self._runs.delete_content(run))
