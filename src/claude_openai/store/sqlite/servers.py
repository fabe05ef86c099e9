"""The servers that use a store: each has a row from its start to its end, and an unfinished run names its server.

A crash leaves a row whose process is dead. A process is identified by its id and its identity
(`system.process_identity`), which the column `started_at` has; rows of earlier versions have a create time there. A
server that cannot see our process (from another container, say) takes our runs for abandoned, until we write the next
time.
"""

import os
import sqlite3
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from claude_openai.store.sqlite.ended import note_ended
from claude_openai.store.sqlite.rows import Row, run_of
from claude_openai.store.sqlite.schema import effective_runs_view, query
from claude_openai.system.process_identity import identity_of, is_running


@dataclass(frozen=True, slots=True)
class Registration:
    """The row of one server."""

    id: int
    pid: int
    identity: str


def register(connection: sqlite3.Connection) -> Registration:
    """Insert the row of this process."""
    pid = os.getpid()
    identity = identity_of(pid) or ""
    added = connection.execute("INSERT INTO servers (pid, started_at) VALUES (?, ?)", (pid, identity))
    return Registration(added.lastrowid or 0, pid, identity)


def assert_presence(connection: sqlite3.Connection, server: Registration) -> None:
    """Insert our row again, if a server that cannot see this process has removed it."""
    row = (server.id, server.pid, server.identity)
    connection.execute("INSERT OR IGNORE INTO servers (id, pid, started_at) VALUES (?, ?, ?)", row)


def end_abandoned(connection: sqlite3.Connection, *, leaving: Registration | None = None) -> None:
    """Mark the unfinished runs of dead servers as ended, and those of `leaving`, which is about to stop."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        fill_living(connection, living(connection) - ({leaving.id} if leaving else set()))
        abandoned = connection.execute(query("abandoned")).fetchall()
        connection.execute(query("end_abandoned"))
        for (run_id,) in abandoned:
            columns = connection.execute(query("run"), (run_id,)).fetchone()
            note_ended(connection, run_of(Row._make(columns)))
        connection.execute("DELETE FROM servers WHERE id NOT IN (SELECT server FROM living)")


def attach_effective_view(connection: sqlite3.Connection) -> None:
    """Create the view `effective_runs` in this connection: the runs with their effective state at this moment."""
    for statement in effective_runs_view():
        connection.execute(statement)
    fill_living(connection, living(connection))


def living(connection: sqlite3.Connection) -> set[int]:
    """The ids of the servers whose process runs."""
    rows = connection.execute("SELECT id, pid, started_at FROM servers").fetchall()
    return {server for server, pid, recorded in rows if is_running(pid, recorded)}


def fill_living(connection: sqlite3.Connection, alive: AbstractSet[int]) -> None:
    """Put the ids of the living servers into the table that the view `effective_runs` reads."""
    connection.execute("DELETE FROM living")
    connection.executemany("INSERT INTO living VALUES (?)", [(server,) for server in alive])
