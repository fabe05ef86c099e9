"""Runs remembered on disk, for as long as the block that opened them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio import to_thread

from claude_openai.core.runs import Run, RunState
from claude_openai.store.matching import find_by_prefix, latest
from claude_openai.store.sqlite.connection import opened
from claude_openai.store.sqlite.reader import SavedRuns
from claude_openai.store.sqlite.retention import Retention
from claude_openai.store.sqlite.rows import utf8_safe
from claude_openai.store.sqlite.writer import Writer


class SqliteRuns:
    """A `core.ports.RunStore`. What waits to be written lies over what is in the file, so it is seen at once.

    `find` and `recent` raise `StoreError` where the file cannot be read.
    """

    def __init__(self, writer: Writer, saved: SavedRuns) -> None:
        self._writer = writer
        self._saved = saved

    def save(self, run: Run) -> None:
        self._writer.save(utf8_safe(run))

    async def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        unwritten = self._writer.unwritten()  # before the file is read: what leaves this table is in the file
        saved = await to_thread.run_sync(self._saved.find, wanted, principal)
        found = _by_id(saved) | {run.id: run for run in find_by_prefix(unwritten.values(), wanted, principal)}
        return find_by_prefix(found.values(), wanted, principal)

    async def recent(self, limit: int, state: RunState | None = None, principal: str | None = None) -> tuple[Run, ...]:
        unwritten = self._writer.unwritten()
        most = limit + len(unwritten)  # so many at most are no longer as the file has them
        saved = await to_thread.run_sync(self._saved.recent, most, state, principal)
        return latest((_by_id(saved) | unwritten).values(), limit, state, principal)


@asynccontextmanager
async def sqlite_runs(folder: Path, retention: Retention) -> AsyncIterator[SqliteRuns]:
    """The runs in `folder`, which is made if it is not there.

    Leaving the block writes what waits, within a bound.

    Raises:
        StoreError: it cannot be used.
    """
    store = await to_thread.run_sync(opened, folder)
    writer = Writer(store.connection, store.server, retention)
    try:
        yield SqliteRuns(writer, SavedRuns(store.file))
    finally:
        with anyio.CancelScope(shield=True):  # bounded by the writer itself
            await to_thread.run_sync(writer.close)


def _by_id(runs: tuple[Run, ...]) -> dict[str, Run]:
    return {run.id: run for run in runs}
