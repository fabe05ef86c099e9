"""The SQL of the store, which is kept in files of its own."""

import sqlite3
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

_SQL = files("claude_openai.store.sqlite").joinpath("sql")


@cache
def query(name: str) -> str:
    """One statement."""
    return _SQL.joinpath("queries", f"{name}.sql").read_text("utf-8")


@cache
def effective_runs_view() -> tuple[str, ...]:
    """What a connection needs to see runs as they stand."""
    return tuple(_split(_SQL.joinpath("standing.sql").read_text("utf-8")))


@cache
def migrations() -> tuple[tuple[str, ...], ...]:
    """What leads from each schema to the next; the first one makes schema 1."""
    scripts = sorted(_SQL.joinpath("migrations").iterdir(), key=lambda script: script.name)
    return tuple(tuple(_split(script.read_text("utf-8"))) for script in scripts)


def _split(script: str) -> Iterator[str]:
    """Its statements one by one: `executescript` would commit what was begun before it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
