"""The store of runs in a SQLite database: opening it, and the `RunStore` over its writer and its reader."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio import to_thread

from claude_openai.core.runs import Run, RunState
from claude_openai.store.matching import find_by_prefix, latest
from claude_openai.store.sqlite.database_files import private_file
from claude_openai.store.sqlite.errors import explained
from claude_openai.store.sqlite.reader import BUSY_SECONDS, SavedRuns, query_saved
from claude_openai.store.sqlite.retention import Retention
from claude_openai.store.sqlite.rows import utf8_safe
from claude_openai.store.sqlite.schema import migrate, schema_of
from claude_openai.store.sqlite.servers import Registration, attach_effective_view, register
from claude_openai.store.sqlite.writer import Writer

WAL_BYTES = 4_000_000
"""Size to which SQLite truncates the write-ahead log; at about this size it moves the log into the database."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open store with this server's registration. One thread at a time may write with `connection`."""

    file: Path
    connection: sqlite3.Connection
    server: Registration


def opened(folder: Path) -> Opened:
    """Open the store in `folder` for writing: create it or migrate it, and register this server in it.

    Raises:
        StoreError: it cannot be used. A file that is not a store, or is newer than this program, is unchanged.
    """
    file = private_file(folder)
    query_saved(file, lambda connection: schema_of(connection, file))
    with explained(file):
        connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            for pragma in (
                "temp_store = MEMORY",
                "auto_vacuum = INCREMENTAL",  # takes effect only while the file is empty
                "journal_mode = WAL",
                "synchronous = NORMAL",  # a power cut may cost the last runs, never the file
                f"journal_size_limit = {WAL_BYTES}",
            ):
                connection.execute(f"PRAGMA {pragma}").fetchall()
            migrate(connection, file)
            attach_effective_view(connection)
            return Opened(file, connection, register(connection))
        except BaseException:
            connection.close()
            raise


class SqliteRuns:
    """A `core.ports.RunStore`. Reads merge the runs that are not written yet over those in the file.

    `find` and `recent` raise `StoreError` if the file cannot be read.
    """

    def __init__(self, writer: Writer, saved: SavedRuns) -> None:
        self._writer = writer
        self._saved = saved

    def save(self, run: Run) -> None:
        self._writer.save(utf8_safe(run))

    async def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        unwritten = self._writer.unwritten()  # before the file is read: a run that leaves this table is in it
        saved = await to_thread.run_sync(self._saved.find, wanted, principal)
        found = _by_id(saved) | {run.id: run for run in find_by_prefix(unwritten.values(), wanted, principal)}
        return find_by_prefix(found.values(), wanted, principal)

    async def recent(self, limit: int, state: RunState | None = None, principal: str | None = None) -> tuple[Run, ...]:
        unwritten = self._writer.unwritten()
        most = limit + len(unwritten)  # at most so many runs have another state in the file
        saved = await to_thread.run_sync(self._saved.recent, most, state, principal)
        return latest((_by_id(saved) | unwritten).values(), limit, state, principal)


@asynccontextmanager
async def sqlite_runs(folder: Path, retention: Retention) -> AsyncIterator[SqliteRuns]:
    """A context manager with the store in `folder`, which is created if it is missing.

    Leaving the block writes the waiting runs, for `CLOSE_SECONDS` of the writer at most.

    Raises:
        StoreError: the store cannot be used.
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
