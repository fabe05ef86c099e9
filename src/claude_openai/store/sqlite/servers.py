"""Which servers use a store now: each is a row from its start to its end, and a run that is not over names its own.

A row whose process is dead is what a crash leaves. A process is told by its id and the time it began, as far as this
machine's processes can be seen: where another cannot see ours (from another container, say) it takes our runs for
abandoned until our next word about them.
"""

import os
import sqlite3
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from claude_openai.store.sqlite.queries import effective_runs_view, query
from claude_openai.system.process_identity import create_time, is_running


@dataclass(frozen=True, slots=True)
class Registration:
    """The row of one server."""

    id: int
    pid: int
    started_at: float


def register(connection: sqlite3.Connection) -> Registration:
    """Take this process in."""
    pid = os.getpid()
    started_at = create_time(pid) or 0.0
    added = connection.execute("INSERT INTO servers (pid, started_at) VALUES (?, ?)", (pid, started_at))
    return Registration(added.lastrowid or 0, pid, started_at)


def assert_presence(connection: sqlite3.Connection, server: Registration) -> None:
    """Put back our row, if somebody who cannot see this process took it for dead."""
    row = (server.id, server.pid, server.started_at)
    connection.execute("INSERT OR IGNORE INTO servers (id, pid, started_at) VALUES (?, ?, ?)", row)


def end_abandoned(connection: sqlite3.Connection, *, leaving: Registration | None = None) -> None:
    """Write down that the runs of dead servers are over, and those of `leaving`, which is about to be one."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        _fill_living(connection, living(connection) - ({leaving.id} if leaving else set()))
        connection.execute(query("end_abandoned"))
        connection.execute("DELETE FROM servers WHERE id NOT IN (SELECT server FROM living)")


def attach_effective_view(connection: sqlite3.Connection) -> None:
    """Let this connection see `standing`: the runs as they stand, by the servers that live at this moment."""
    for statement in effective_runs_view():
        connection.execute(statement)
    _fill_living(connection, living(connection))


def living(connection: sqlite3.Connection) -> set[int]:
    """The servers whose process runs."""
    rows = connection.execute("SELECT id, pid, started_at FROM servers").fetchall()
    return {server for server, pid, started_at in rows if is_running(pid, started_at)}


def _fill_living(connection: sqlite3.Connection, alive: AbstractSet[int]) -> None:
    connection.execute("DELETE FROM living")
    connection.executemany("INSERT INTO living VALUES (?)", [(server,) for server in alive])
