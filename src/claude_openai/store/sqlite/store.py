"""The store in a SQLite database: opening it, and the `core.ports.Store` over its writer and its reader."""

import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio import from_thread, to_thread
from anyio.lowlevel import current_token

from claude_openai.core.limits import Spent
from claude_openai.core.ports import StoreStatus
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Run, RunState
from claude_openai.core.search import Query, in_state
from claude_openai.core.statistics import Dimension, Span
from claude_openai.jsontools.surrogates import without_surrogates
from claude_openai.store.memory_queries import find_by_prefix, search, utf8_safe, walk_chain
from claude_openai.store.sqlite.database_files import private_file
from claude_openai.store.sqlite.errors import explained
from claude_openai.store.sqlite.reader import BUSY_SECONDS, SqliteReader, query_saved
from claude_openai.store.sqlite.retention import Retention
from claude_openai.store.sqlite.schema import migrate, schema_of
from claude_openai.store.sqlite.servers import Registration, attach_effective_view, register
from claude_openai.store.sqlite.writer import Batch, Writer

WAL_BYTES = 4_000_000
"""Size to which SQLite truncates the write-ahead log; at about this size it moves the log into the database."""

SAVE_SECONDS = 5.0
"""How long a request waits until its response is written. It takes some ms, unless another program locks the file."""


FORGET_USAGE = "DELETE FROM key_usage WHERE period < strftime('%Y-%m', 'now', '-400 days')"
"""A name has a row for each day and month: what is older than a year is of no use."""


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
            connection.execute(FORGET_USAGE)
            attach_effective_view(connection)
            return Opened(file, connection, register(connection))
        except BaseException:
            connection.close()
            raise


class SqliteStore:
    """A `core.ports.Store`. Lists merge the runs that are not written yet over those in the file.

    The methods that read raise `StoreError` if the file cannot be read.
    """

    def __init__(self, writer: Writer, saved: SqliteReader, usage: Mapping[str, Mapping[str, Spent]]) -> None:
        self.responses = SqliteResponses(writer, saved)
        self.usage = SqliteUsage(writer, saved, usage)
        self._writer = writer
        self._saved = saved

    def save(self, run: Run) -> None:
        run = utf8_safe(run)
        self._writer.save(Batch({run.id: run}))

    def status(self) -> StoreStatus:
        return StoreStatus(len(self._writer.unwritten().runs), self._writer.lost, self._saved.size())

    async def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        unwritten = self._writer.unwritten().runs  # before the file is read: a run that leaves this table is in it
        saved = await to_thread.run_sync(self._saved.find, wanted, principal)
        newer = find_by_prefix(unwritten.values(), wanted, principal)
        found = {run.id: run for run in (*saved, *newer)}
        return find_by_prefix(found.values(), wanted, principal)

    async def search(
        self, query: Query, limit: int, principal: str | None = None, after: Run | None = None
    ) -> tuple[Run, ...]:
        unwritten = self._writer.unwritten().runs
        most = limit + len(unwritten)  # at most so many runs are another in the file
        saved = await to_thread.run_sync(self._saved.search, query, most, principal, after)
        newest = unwritten.values()
        return search((*(run for run in saved if run.id not in unwritten), *newest), query, limit, principal, after)

    async def statistics(
        self, since: float, until: float, width: int, by: Dimension | None = None, principal: str | None = None
    ) -> tuple[Span, ...]:
        return await to_thread.run_sync(self._saved.statistics, since, until, width, by, principal)

    async def recent(self, limit: int, state: RunState | None = None, principal: str | None = None) -> tuple[Run, ...]:
        return await self.search(in_state(state), limit, principal)


class SqliteResponses:
    """A `core.ports.ResponseStore` over the same writer and reader. `chain` raises `StoreError` as `find` does."""

    def __init__(self, writer: Writer, saved: SqliteReader) -> None:
        self._writer = writer
        self._saved = saved

    def begin(self, response: StoredResponse) -> None:
        response = utf8_safe(response)
        self._writer.save(Batch(responses={response.id: response}))

    async def save(self, response: StoredResponse, run: Run) -> None:
        response = utf8_safe(response)
        await self._write(response.id, response, run)

    async def delete(self, response_id: str, run: Run) -> None:
        await self._write(response_id, None, run)

    async def chain(self, response_id: str, principal: str, limit: int) -> tuple[StoredResponse, ...]:
        unwritten = self._writer.unwritten().responses  # before the file is read, as in `SqliteStore.find`
        known: dict[str, StoredResponse | None] = {}
        wanted: str | None = without_surrogates(response_id)
        chain: tuple[StoredResponse, ...] = ()
        while wanted is not None and wanted not in known:
            # One query reads the whole chain; a further one is needed behind a response that is not written yet.
            saved = await to_thread.run_sync(self._saved.chain, wanted, principal, limit)
            known |= {wanted: None} | {response.id: response for response in saved} | unwritten
            chain = walk_chain(known.get, response_id, principal, limit)
            wanted = chain[-1].previous_id if chain and len(chain) < limit else None
        return chain

    async def _write(self, response_id: str, response: StoredResponse | None, run: Run) -> None:
        run, written, token = utf8_safe(run), anyio.Event(), current_token()

        def notify() -> None:
            with suppress(RuntimeError):  # the event loop has ended: nobody waits
                from_thread.run_sync(written.set, token=token)

        self._writer.save(Batch({run.id: run}, {response_id: response}), notify)
        with anyio.move_on_after(SAVE_SECONDS):
            await written.wait()


class SqliteUsage:
    """A `core.ports.UsageStore` over the same writer and reader. `spent` raises `StoreError` as `find` does."""

    def __init__(self, writer: Writer, saved: SqliteReader, at_start: Mapping[str, Mapping[str, Spent]]) -> None:
        self._writer = writer
        self._saved = saved
        self.at_start = at_start

    @property
    def is_written(self) -> bool:
        return not self._writer.unwritten().usage

    def add(self, key: str, spent: Mapping[str, Spent]) -> None:
        self._writer.save(Batch(usage={(key, period): more for period, more in spent.items()}))

    async def spent(self, key: str) -> Mapping[str, Spent]:
        return (await to_thread.run_sync(self._saved.usage)).get(key, {})


@asynccontextmanager
async def sqlite_store(folder: Path, retention: Retention) -> AsyncIterator[SqliteStore]:
    """A context manager with the store in `folder`, which is created if it is missing.

    Leaving the block writes the waiting runs, for `CLOSE_SECONDS` of the writer at most.

    Raises:
        StoreError: the store cannot be used.
    """
    store = await to_thread.run_sync(opened, folder)
    reader = SqliteReader(store.file)
    usage = await to_thread.run_sync(reader.usage)
    writer = Writer(store.connection, store.server, retention)
    try:
        yield SqliteStore(writer, reader, usage)
    finally:
        with anyio.CancelScope(shield=True):  # bounded by the writer itself
            await to_thread.run_sync(writer.close)
