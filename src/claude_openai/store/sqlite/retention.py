"""What is forgotten: runs that are too old, and the oldest as long as there is too much.

It is done in bites, each a short transaction, so that a run to save never waits for long.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from claude_openai.store.sqlite.queries import query

BITE_RUNS = 20
"""Deleting this many takes some ms, and of runs with long answers not many more go than have to."""

BITE_PAGES = 500
"""Given back at a time: 2 MB, some ms."""

SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Retention:
    """How long runs are kept, and how much of them on disk; looked after every so many seconds."""

    days: float
    max_bytes: int
    every: float = 600.0


def forget(connection: sqlite3.Connection, retention: Retention, now: float) -> Iterator[None]:
    """Forget what `retention` does not keep, one bite at a step. A run that is not over is never forgotten."""
    before = now - retention.days * SECONDS_PER_DAY
    while connection.execute(query("forget_old"), {"before": before, "most": BITE_RUNS}).rowcount:
        yield
    while _used_bytes(connection) > retention.max_bytes:
        if not connection.execute(query("forget_oldest"), {"most": BITE_RUNS}).rowcount:
            break
        yield
    yield from _give_back(connection)


def _give_back(connection: sqlite3.Connection) -> Iterator[None]:
    """Cut free pages off the file. The file itself changes when what was written last is moved into it."""
    free = _pragma(connection, "freelist_count")
    while free:
        connection.execute(f"PRAGMA incremental_vacuum({BITE_PAGES})").fetchall()
        before, free = free, _pragma(connection, "freelist_count")
        if free >= before:
            break  # the file was not made by us, and cannot shrink
        yield
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages = _pragma(connection, "page_count") - _pragma(connection, "freelist_count")
    return pages * _pragma(connection, "page_size")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
