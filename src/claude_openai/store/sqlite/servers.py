"""Which servers use a store now: each is a row from its start to its end, and a run that is not over names its own.

A row whose process is dead is what a crash leaves. A process is told by its id and the time it began, as far as this
machine's processes can be seen: where another cannot see ours (from another container, say) it takes our runs for
abandoned until our next word about them.
"""

import os
import sqlite3
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass

from claude_openai.store.sqlite.queries import effective_runs_view, query

SAME_TIME_SECONDS = 2.0
"""Linux counts create times from a boot time in whole seconds that moves with the clock. No id comes round so soon."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The row of one server."""

    id: int
    pid: int
    started_at: float


def register(connection: sqlite3.Connection) -> Registration:
    """Take this process in."""
    pid = os.getpid()
    started_at = _created_at(pid) or 0.0
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
    return {server for server, pid, started_at in rows if _lives(pid, started_at)}


def _fill_living(connection: sqlite3.Connection, alive: AbstractSet[int]) -> None:
    connection.execute("DELETE FROM living")
    connection.executemany("INSERT INTO living VALUES (?)", [(server,) for server in alive])


def _lives(pid: int, started_at: float) -> bool:
    created_at = _created_at(pid)
    return created_at is not None and abs(created_at - started_at) < SAME_TIME_SECONDS


def _created_at(pid: int) -> float | None:
    """None where there is no such process, or only what its parent has not taken note of."""
    import psutil  # noqa: PLC0415 -- 27 ms that a thread can spend while the server starts

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    return None
