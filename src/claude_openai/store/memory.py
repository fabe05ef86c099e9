"""The store in memory: runs are kept while the server runs, and nothing is written to disk."""

from claude_openai.core.runs import Run, RunState
from claude_openai.store.matching import find_by_prefix, latest
from claude_openai.store.sqlite.rows import utf8_safe

MOST_RUNS = 1000
"""With their answers some MB; the oldest are dropped first."""


class MemoryRuns:
    """A `core.ports.RunStore` without a file."""

    def __init__(self, most: int = MOST_RUNS) -> None:
        self._most = most
        self._runs: dict[str, Run] = {}

    def save(self, run: Run) -> None:
        self._runs[run.id] = utf8_safe(run)
        if len(self._runs) > self._most:
            del self._runs[next(iter(self._runs))]

    async def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        return find_by_prefix(self._runs.values(), wanted, principal)

    async def recent(self, limit: int, state: RunState | None = None, principal: str | None = None) -> tuple[Run, ...]:
        return latest(self._runs.values(), limit, state, principal)
