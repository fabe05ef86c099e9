"""Which schema a file has, and how it gets the newest: whole and at once, or not at all."""

import sqlite3
from pathlib import Path

from claude_openai.store.sqlite.errors import foreign, newer
from claude_openai.store.sqlite.queries import migrations

APPLICATION_ID = 0x636F7273
"""What `0001_runs.sql` writes into the file's head, by which a store of runs is told from any other database."""


def newest() -> int:
    return len(migrations())


def schema_of(connection: sqlite3.Connection, file: Path) -> int:
    """The schema that `file` has, 0 for none yet.

    Raises:
        StoreError: it has one this program does not know, or holds something else.
    """
    schema, application = _pragma(connection, "user_version"), _pragma(connection, "application_id")
    if application not in {0, APPLICATION_ID}:
        raise foreign(file)
    if application == 0 and (schema or connection.execute("SELECT 1 FROM sqlite_master").fetchone()):
        raise foreign(file)
    if schema > newest():
        raise newer(file, schema, newest())
    return schema


def migrate(connection: sqlite3.Connection, file: Path) -> None:
    """Bring `file` to the newest schema. Of several programs that want to, one does it and the others wait.

    Raises:
        StoreError: as `schema_of`; nothing is done then.
    """
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for number in range(schema_of(connection, file), newest()):
            for statement in migrations()[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
