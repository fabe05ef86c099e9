"""The store in memory: runs and responses are kept while the server runs, and nothing is written to disk."""

from collections.abc import Mapping

from claude_openai.core.limits import NOTHING, Spent
from claude_openai.core.ports import StoreStatus
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import ACTIVE_STATES, Run, RunState
from claude_openai.core.search import Query, in_state
from claude_openai.core.statistics import HOUR_SECONDS, Dimension, Span, hour_of, summed
from claude_openai.store.memory_queries import find_by_prefix, search, utf8_safe, walk_chain

MOST_RUNS = 1000
"""With their answers some MB; the oldest are dropped first."""


class MemoryStore:
    """A `core.ports.Store` without a file."""

    def __init__(self, most: int = MOST_RUNS) -> None:
        self.responses = MemoryResponses(self)
        self.usage = MemoryUsage()
        self._most = most
        self._runs: dict[str, Run] = {}

    def save(self, run: Run) -> None:
        self._runs[run.id] = utf8_safe(run)
        if len(self._runs) > self._most:
            oldest = self._runs.pop(next(iter(self._runs)))
            self.responses.forget(oldest.id)

    def status(self) -> StoreStatus:
        return StoreStatus()

    async def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        return find_by_prefix(self._runs.values(), wanted, principal)

    async def search(
        self, query: Query, limit: int, principal: str | None = None, after: Run | None = None
    ) -> tuple[Run, ...]:
        return search(self._runs.values(), query, limit, principal, after)

    async def statistics(
        self, since: float, until: float, width: int, by: Dimension | None = None, principal: str | None = None
    ) -> tuple[Span, ...]:
        begin, end = since // HOUR_SECONDS, until // HOUR_SECONDS
        answered = (
            hour_of(run)
            for run in self._runs.values()
            if run.state not in ACTIVE_STATES and principal in {None, run.principal}
        )
        return summed((hour for hour in answered if begin <= hour.hour < end), width, by)

    async def recent(self, limit: int, state: RunState | None = None, principal: str | None = None) -> tuple[Run, ...]:
        return await self.search(in_state(state), limit, principal)


class MemoryResponses:
    """A `core.ports.ResponseStore` beside `runs`."""

    def __init__(self, runs: MemoryStore) -> None:
        self._runs = runs
        self._responses: dict[str, StoredResponse] = {}

    def begin(self, response: StoredResponse) -> None:
        response = utf8_safe(response)
        self._responses[response.id] = response

    async def save(self, response: StoredResponse, run: Run) -> None:
        self.begin(response)
        self._runs.save(run)

    async def delete(self, response_id: str, run: Run) -> None:
        self._responses.pop(response_id, None)
        self._runs.save(run)

    async def chain(self, response_id: str, principal: str, limit: int) -> tuple[StoredResponse, ...]:
        return walk_chain(self._responses.get, response_id, principal, limit)

    def forget(self, run_id: str) -> None:
        """Delete the response of a run that is dropped."""
        for response in [each for each in self._responses.values() if each.run_id == run_id]:
            del self._responses[response.id]


class MemoryUsage:
    """A `core.ports.UsageStore` without a file: every start begins at nothing."""

    is_written = True

    def __init__(self) -> None:
        self.at_start: Mapping[str, Mapping[str, Spent]] = {}
        self._spent: dict[str, dict[str, Spent]] = {}

    def add(self, key: str, spent: Mapping[str, Spent]) -> None:
        known = self._spent.setdefault(key, {})
        for period, more in spent.items():
            known[period] = known.get(period, NOTHING) + more

    async def spent(self, key: str) -> Mapping[str, Spent]:
        return dict(self._spent.get(key, {}))
