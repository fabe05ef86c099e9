"""What is written of a run once it is answered: its words for full-text search, and its part of the roll-up by hours.

The writer does it in the transaction that saves the run. Runs without it (from before there was such a table, or whose
server died) get it in bites, the latest first, so that the store can be used meanwhile: `indexed_since` tells a search
which runs have it.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final

from claude_openai.core.runs import ACTIVE_STATES, Run
from claude_openai.core.search.words import searched_text
from claude_openai.core.statistics import COLUMNS, Dimension, hour_of
from claude_openai.store.sqlite.rows import Row, run_of

BITE_RUNS: Final = 50
"""Indexing this many takes some 30 ms, for which other servers' writes wait."""

_LATEST: Final = 1e12
"""Of later times the microseconds would not fit."""

KEYS: Final = ("hour", "principal", "model", "client", "way", "state")

_NAMES: Final = (*KEYS, *COLUMNS)

_SUMS: Final = ", ".join(f"{name} = {name} + excluded.{name}" for name in COLUMNS)

_ADD: Final = (
    f"INSERT INTO hours ({', '.join(_NAMES)}) VALUES ({', '.join('?' * len(_NAMES))}) "  # noqa: S608 -- names of ours
    f"ON CONFLICT ({', '.join(KEYS)}) DO UPDATE SET {_SUMS}"
)

_COLUMN: Final[Mapping[Dimension, str]] = {
    "key": "principal",
    "model": "model",
    "client": "client",
    "way": "way",
    "state": "state",
}

_LACKING: Final = f"""
SELECT {", ".join(Row._fields)} FROM runs
WHERE
    state NOT IN ('queued', 'running', 'parked') AND arrived_at <= ?
    AND NOT EXISTS (SELECT 1 FROM indexed WHERE indexed.run_id = runs.id)
ORDER BY arrived_at DESC, id DESC
LIMIT {BITE_RUNS}
"""  # noqa: S608 -- names of ours


def note_ended(connection: sqlite3.Connection, run: Run) -> None:
    """Write the words of `run` if it is answered, and count it if it was not counted yet."""
    if run.state in ACTIVE_STATES:
        return
    words = searched_text(run.text, run.error, run.calls)
    known = connection.execute(
        "SELECT number, words FROM indexed INNER JOIN words USING (number) WHERE run_id = ?", (run.id,)
    ).fetchone()
    if known is None:
        number = number_of(run.arrived_at)
        while connection.execute("SELECT 1 FROM indexed WHERE number = ?", (number,)).fetchone():
            number += 1
        connection.execute("INSERT INTO indexed (number, run_id) VALUES (?, ?)", (number, run.id))
        connection.execute("INSERT INTO words (number, words) VALUES (?, ?)", (number, words))
        hour = hour_of(run)
        connection.execute(_ADD, (*(getattr(hour, name) for name in KEYS), *hour.values))
    elif known[1] != words:
        connection.execute("UPDATE words SET words = ? WHERE number = ?", (words, known[0]))


def sums_by(by: Dimension | None) -> str:
    """The statement that adds up `hours` by spans of `:width` seconds and by a dimension."""
    sums = ", ".join(f"sum({name})" for name in COLUMNS)
    group = "''" if by is None else _COLUMN[by]
    return (
        f"SELECT hour * 3600 / :width * :width, {group}, {sums} FROM hours "  # noqa: S608 -- names of ours
        "WHERE hour >= :begin AND hour < :end AND (:principal IS NULL OR principal = :principal) "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )


def number_of(arrived_at: float) -> int:
    """The number of a run in the index, or one a little before it."""
    return int(min(max(arrived_at, 0.0), _LATEST) * 1_000_000)


def index_the_rest(connection: sqlite3.Connection) -> Iterator[None]:
    """Write what ended runs lack, the latest first, one bite a step."""
    while (since := indexed_since(connection)) is not None:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            rows = [Row._make(row) for row in connection.execute(_LACKING, (since,))]
            for row in rows:
                note_ended(connection, run_of(row))
            if len(rows) < BITE_RUNS:
                connection.execute("DELETE FROM progress WHERE name = 'indexed_since'")
            else:
                connection.execute("UPDATE progress SET value = ? WHERE name = 'indexed_since'", (rows[-1].arrived_at,))
        yield


def indexed_since(connection: sqlite3.Connection) -> float | None:
    """Ended runs that arrived later are indexed; those that did not may not be. None: all are."""
    found = connection.execute("SELECT value FROM progress WHERE name = 'indexed_since'").fetchone()
    return None if found is None else float(found[0])
