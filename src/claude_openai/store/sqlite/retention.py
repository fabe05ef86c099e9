"""Retention: deletes runs that are too old, and the oldest ones while the file is too large.

It deletes in batches, each a short transaction, so that saving a run never waits for long.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from claude_openai.store.sqlite.schema import pragma, query

BATCH_RUNS = 20
"""Deleting this many takes some ms. A larger batch would delete more runs with long answers than necessary."""

BATCH_PAGES = 500
"""Pages returned to the file system at a time: 2 MB, some ms."""

HOURS_DAYS = 400
"""How long the sums by the hour are kept: a year and a month, some MB."""

SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Retention:
    """Runs are deleted after `days`, or when they use more than `max_bytes`; checked every `every` seconds."""

    days: float
    max_bytes: int
    every: float = 600.0


def forget(connection: sqlite3.Connection, retention: Retention, now: float) -> Iterator[None]:
    """Delete what `retention` does not keep, one batch a step. An unfinished run is never deleted."""
    before = now - retention.days * SECONDS_PER_DAY
    while connection.execute(query("forget_old"), {"before": before, "most": BATCH_RUNS}).rowcount:
        yield
    connection.execute("DELETE FROM hours WHERE hour < ?", (int((now - HOURS_DAYS * SECONDS_PER_DAY) // 3600),))
    page_bytes = pragma(connection, "page_size")
    while page_bytes * (pragma(connection, "page_count") - pragma(connection, "freelist_count")) > retention.max_bytes:
        if not connection.execute(query("forget_oldest"), {"most": BATCH_RUNS}).rowcount:
            break
        yield
    free = pragma(connection, "freelist_count")
    while free:
        connection.execute(f"PRAGMA incremental_vacuum({BATCH_PAGES})").fetchall()
        free_before, free = free, pragma(connection, "freelist_count")
        if free >= free_before:
            break  # another program created the file without auto_vacuum: it cannot shrink
        yield
    # The file itself shrinks when the write-ahead log is moved into it.
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
