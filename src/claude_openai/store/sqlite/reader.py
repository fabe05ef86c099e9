"""Reading what is on disk, by a server or beside it: nothing is made, nothing is changed, and no writer is needed.

What is read is true at that moment: a run whose server is dead has failed, though nobody has written that down yet.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from claude_openai.core.runs import Run, RunState
from claude_openai.jsontools.surrogates import without_surrogates
from claude_openai.store.matching import find_by_prefix
from claude_openai.store.sqlite.database_files import NAME
from claude_openai.store.sqlite.errors import explained
from claude_openai.store.sqlite.queries import query
from claude_openai.store.sqlite.rows import Row, run_of
from claude_openai.store.sqlite.schema import migrate, newest, schema_of
from claude_openai.store.sqlite.servers import attach_effective_view

BUSY_SECONDS = 5.0
"""How long another program may hold the file, be it to end or to tidy up, before that counts as trouble."""

Answer = TypeVar("Answer")


class SavedRuns:
    """The runs in a file, which may not be there: then there are none.

    Each method raises `StoreError` where the file cannot be read.
    """

    def __init__(self, file: Path) -> None:
        self._file = file.absolute()

    def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        """As `core.ports.RunStore.find`."""
        return find_by_prefix(self._ask("find", wanted=wanted, principal=principal), wanted)

    def recent(self, limit: int, state: RunState | None = None, principal: str | None = None) -> tuple[Run, ...]:
        """As `core.ports.RunStore.recent`."""
        return self._ask("recent", most=max(limit, 0), state=state and state.value, principal=principal)

    def _ask(self, name: str, **given: str | int | None) -> tuple[Run, ...]:
        parameters = {
            name: without_surrogates(value) if isinstance(value, str) else value for name, value in given.items()
        }

        def question(connection: sqlite3.Connection) -> tuple[Run, ...]:
            with _newest(connection, self._file) as current:
                current.execute("BEGIN")  # the servers and their runs as they were at one moment
                attach_effective_view(current)
                return tuple(run_of(Row._make(row)) for row in current.execute(query(name), parameters))

        with explained(self._file):
            return query_saved(self._file, question) if self._file.exists() else ()


def saved_runs(folder: Path) -> SavedRuns:
    """The runs in the folder of `sqlite_runs`, for a command; neither the folder nor the file need be there."""
    return SavedRuns(folder / NAME)


def query_saved(file: Path, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
    """The answer to `question`, which only reads.

    SQLite makes files beside the one it reads, except from one that is promised to lie still. Without a file of what
    was written last nobody writes, and whether it lay still while we read is looked at afterwards.

    Raises:
        StoreError: `file` cannot be read.
    """
    with explained(file):
        answer = None if _in_use(file) else _still(file, question)
        return _asked(file, question, "mode=ro") if answer is None else answer[0]


def _still(file: Path, question: Callable[[sqlite3.Connection], Answer]) -> tuple[Answer] | None:
    """The answer of a file that nobody uses; None if somebody began to."""
    try:
        answer = _asked(file, question, "immutable=1")
    except sqlite3.Error:
        if _in_use(file):
            return None
        raise
    return None if _in_use(file) else (answer,)


def _asked(file: Path, question: Callable[[sqlite3.Connection], Answer], how: str) -> Answer:
    address = f"{file.as_uri()}?{how}"
    with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA temp_store = MEMORY")
        return question(connection)


def _in_use(file: Path) -> bool:
    return file.with_name(file.name + "-wal").exists()


@contextmanager
def _newest(connection: sqlite3.Connection, file: Path) -> Iterator[sqlite3.Connection]:
    """`connection`, or a copy in memory with the newest schema, where no server has been started since an update."""
    if schema_of(connection, file) == newest():
        yield connection
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        connection.backup(copy)
        migrate(copy, file)
        yield copy
