"""Reads the stored runs and responses, in a server or in a command beside it.

It creates and changes no file and needs no writer. States are effective ones: a run whose server is dead has failed,
even if that is not written yet.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.limits import Spent
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Run, RunState
from claude_openai.core.search import Query, in_state
from claude_openai.core.statistics import HOUR_SECONDS, Dimension, Span
from claude_openai.jsontools.surrogates import without_surrogates
from claude_openai.store.memory_queries import find_by_prefix
from claude_openai.store.sqlite.database_files import NAME
from claude_openai.store.sqlite.ended import sums_by
from claude_openai.store.sqlite.errors import explained
from claude_openai.store.sqlite.rows import Row, run_of
from claude_openai.store.sqlite.schema import migrate, newest, query, schema_of
from claude_openai.store.sqlite.search import search
from claude_openai.store.sqlite.servers import attach_effective_view

BUSY_SECONDS = 5.0
"""SQLite's busy timeout: how long another program may lock the file, to stop or to delete runs."""

SEARCH_SECONDS = 5.0
"""How long a search may take: some ms, unless a common word is searched with a condition that few runs meet."""

STEPS_BETWEEN_CHECKS = 1000
"""Steps of SQLite's virtual machine, some hundredths of a ms."""

TOO_SLOW = Failure(
    Kind.INVALID_REQUEST,
    "The search takes too long, and was ended. Limit its time, for example with since:7d, or use longer words.",
    "q",
)

Answer = TypeVar("Answer")


class SqliteReader:
    """The runs and responses in a database file; none if there is no file.

    Each method raises `StoreError` if the file cannot be read.
    """

    def __init__(self, file: Path, search_seconds: float = SEARCH_SECONDS) -> None:
        self._file = file.absolute()
        self._search_seconds = search_seconds

    def size(self) -> int:
        """The bytes of the database and of its write-ahead log; 0 if there is none."""
        size = 0
        for file in (self._file, self._file.with_name(f"{self._file.name}-wal")):
            with suppress(OSError):
                size += file.stat().st_size
        return size

    def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        """As `core.ports.RunStore.find`."""
        parameters = {
            "wanted": without_surrogates(wanted),
            "principal": None if principal is None else without_surrogates(principal),
        }
        return find_by_prefix(self._select(lambda connection: connection.execute(query("find"), parameters)), wanted)

    def search(
        self, wanted: Query, limit: int, principal: str | None = None, after: Run | None = None
    ) -> tuple[Run, ...]:
        """As `core.ports.RunStore.search`.

        Raises:
            RequestFailed: it takes longer than `search_seconds`.
        """
        principal = None if principal is None else without_surrogates(principal)
        deadline = time.monotonic() + self._search_seconds

        def rows(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_BETWEEN_CHECKS)
            try:
                return search(connection, wanted, max(limit, 0), principal, after)
            except sqlite3.OperationalError as error:
                if time.monotonic() <= deadline:
                    raise
                raise RequestFailed(TOO_SLOW) from error

        return self._select(rows)

    def recent(self, limit: int, state: RunState | None = None, principal: str | None = None) -> tuple[Run, ...]:
        """As `core.ports.RunStore.recent`."""
        return self.search(in_state(state), limit, principal)

    def statistics(
        self, since: float, until: float, width: int, by: Dimension | None = None, principal: str | None = None
    ) -> tuple[Span, ...]:
        """As `core.ports.RunStore.statistics`."""
        parameters = {
            "begin": int(since // HOUR_SECONDS),
            "end": int(until // HOUR_SECONDS),
            "width": width,
            "principal": None if principal is None else without_surrogates(principal),
        }
        statement = sums_by(by)

        def select(connection: sqlite3.Connection) -> tuple[Span, ...]:
            found = connection.execute(statement, parameters)
            return tuple(Span(begin, group, values) for begin, group, *rest in found if (values := tuple(rest)))

        return self._read(select)

    def chain(self, response_id: str, principal: str, limit: int) -> tuple[StoredResponse, ...]:
        """As `core.ports.ResponseStore.chain`."""
        parameters = {
            "wanted": without_surrogates(response_id),
            "principal": without_surrogates(principal),
            "most": limit,
        }

        def select(connection: sqlite3.Connection) -> tuple[StoredResponse, ...]:
            return tuple(StoredResponse(*row) for row in connection.execute(query("response_chain"), parameters))

        return self._read(select)

    def usage(self) -> dict[str, dict[str, Spent]]:
        """What each name has used, by period."""

        def select(connection: sqlite3.Connection) -> tuple[tuple[str, str, int, float], ...]:
            return tuple(connection.execute("SELECT key, period, tokens, cost_usd FROM key_usage"))

        used: dict[str, dict[str, Spent]] = {}
        for key, period, tokens, cost_usd in self._read(select):
            used.setdefault(key, {})[period] = Spent(tokens, cost_usd)
        return used

    def _select(self, rows_of: Callable[[sqlite3.Connection], Iterable[tuple[Any, ...]]]) -> tuple[Run, ...]:
        def select(connection: sqlite3.Connection) -> tuple[Run, ...]:
            connection.execute("BEGIN")  # servers and runs of the same moment
            attach_effective_view(connection)
            return tuple(run_of(Row._make(row)) for row in rows_of(connection))

        return self._read(select)

    def _read(self, select: Callable[[sqlite3.Connection], tuple[Answer, ...]]) -> tuple[Answer, ...]:
        def select_migrated(connection: sqlite3.Connection) -> tuple[Answer, ...]:
            with _migrated(connection, self._file) as current:
                return select(current)

        with explained(self._file):
            return query_saved(self._file, select_migrated) if self._file.exists() else ()


def sqlite_reader(folder: Path) -> SqliteReader:
    """The runs in the folder of `sqlite_store`, for a command. The folder and the file may be missing."""
    return SqliteReader(folder / NAME)


def query_saved(file: Path, select: Callable[[sqlite3.Connection], Answer]) -> Answer:
    """What `select`, which only reads, returns for a connection to `file`.

    Opening a WAL database creates `-wal` and `-shm` files, unless it is opened `immutable=1`. If there is no `-wal`
    file, no writer is active: we open it immutable, and check afterwards that no `-wal` file has appeared.

    Raises:
        StoreError: `file` cannot be read.
    """
    log = file.with_name(file.name + "-wal")
    with explained(file):
        if not log.exists():
            try:
                answer = _connected(file, select, "immutable=1")
            except sqlite3.Error:
                if not log.exists():
                    raise
            else:
                if not log.exists():
                    return answer
        return _connected(file, select, "mode=ro")


def _connected(file: Path, select: Callable[[sqlite3.Connection], Answer], mode: str) -> Answer:
    uri = f"{file.as_uri()}?{mode}"
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA temp_store = MEMORY")
        return select(connection)


@contextmanager
def _migrated(connection: sqlite3.Connection, file: Path) -> Iterator[sqlite3.Connection]:
    """`connection`, or a migrated copy in memory: after an update no server may have migrated the file yet."""
    if schema_of(connection, file) == newest():
        yield connection
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        connection.backup(copy)
        migrate(copy, file)
        yield copy
