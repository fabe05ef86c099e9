"""The SQL files of the store, the schema that a database has, and its migration to the newest one."""

import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

from claude_openai.store.sqlite.errors import foreign, newer

APPLICATION_ID = 0x636F7273
"""The `application_id` that `0001_runs.sql` sets: it distinguishes a store of runs from any other SQLite database."""

_SQL = files("claude_openai.store.sqlite").joinpath("sql")


@cache
def query(name: str) -> str:
    """The statement in `sql/queries/{name}.sql`."""
    return _SQL.joinpath("queries", f"{name}.sql").read_text("utf-8")


@cache
def effective_runs_view() -> tuple[str, ...]:
    """The statements that create the view `effective_runs` in a connection."""
    return tuple(_split(_SQL.joinpath("effective_runs.sql").read_text("utf-8")))


@cache
def migrations() -> tuple[tuple[str, ...], ...]:
    """The statements that lead from each schema to the next; the first ones create schema 1."""
    scripts = sorted(_SQL.joinpath("migrations").iterdir(), key=lambda script: script.name)
    return tuple(tuple(_split(script.read_text("utf-8"))) for script in scripts)


def _split(script: str) -> Iterator[str]:
    """The statements of `script` one by one: `executescript` would commit the open transaction first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def newest() -> int:
    """The number of the newest schema."""
    return len(migrations())


def schema_of(connection: sqlite3.Connection, file: Path) -> int:
    """The number of the schema that `file` has, 0 for an empty database.

    Raises:
        StoreError: the schema is newer than this program, or the database is not a store of runs.
    """
    schema, application = pragma(connection, "user_version"), pragma(connection, "application_id")
    if application not in {0, APPLICATION_ID}:
        raise foreign(file)
    if application == 0 and (schema or connection.execute("SELECT 1 FROM sqlite_master").fetchone()):
        raise foreign(file)
    if schema > newest():
        raise newer(file, schema, newest())
    return schema


def migrate(connection: sqlite3.Connection, file: Path) -> None:
    """Migrate `file` to the newest schema, in one transaction. Of several programs one does it, the others wait.

    Raises:
        StoreError: as `schema_of`; the file is unchanged then.
    """
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for number in range(schema_of(connection, file), newest()):
            for statement in migrations()[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """The value of a pragma that is a number."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
