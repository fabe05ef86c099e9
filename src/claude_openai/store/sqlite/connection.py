"""How a server comes by its store: the file made or brought up to date, and the server registered in it."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from claude_openai.store.sqlite.database_files import private_file
from claude_openai.store.sqlite.errors import explained
from claude_openai.store.sqlite.reader import BUSY_SECONDS, query_saved
from claude_openai.store.sqlite.schema import migrate, schema_of
from claude_openai.store.sqlite.servers import Registration, attach_effective_view, register

WAL_BYTES = 4_000_000
"""What the file of what was written last is cut to; SQLite moves it into the main one at about this size."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A store that may be written, by any one thread at a time, as this server."""

    file: Path
    connection: sqlite3.Connection
    server: Registration


def opened(folder: Path) -> Opened:
    """The store in `folder`, which is made if it is not there.

    Raises:
        StoreError: it cannot be had. A file that is not ours, or is newer than this program, is as it was.
    """
    file = private_file(folder)
    query_saved(file, lambda connection: schema_of(connection, file))
    with explained(file):
        connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            return Opened(file, connection, _made_ready(connection, file))
        except BaseException:
            connection.close()
            raise


def _made_ready(connection: sqlite3.Connection, file: Path) -> Registration:
    for pragma in (
        "temp_store = MEMORY",
        "auto_vacuum = INCREMENTAL",  # of effect only before the file has anything in it
        "journal_mode = WAL",
        "synchronous = NORMAL",  # a power cut may cost the last runs, never the file
        f"journal_size_limit = {WAL_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    migrate(connection, file)
    attach_effective_view(connection)
    return register(connection)
