"""Errors of opening and reading a store, with a message and a hint for the operator. A store in use logs instead."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claude_openai.errors import LaunchError

ELSEWHERE = "name another folder with --data-dir, or keep nothing on disk with --store memory"


class StoreError(LaunchError):
    """Runs cannot be stored, or the stored runs cannot be read."""


@contextmanager
def explained(file: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the operating system in this block into a `StoreError` about `file`."""
    try:
        yield
    except OSError as error:
        raise StoreError(f"the store of runs {file} cannot be used: {error.strerror or error}", ELSEWHERE) from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
            message = f"the store of runs {file} is damaged: {error}"
            raise StoreError(message, f"move it away, or {ELSEWHERE}") from error
        raise StoreError(f"the store of runs {file} cannot be used: {error}", ELSEWHERE) from error


def newer(file: Path, found: int, known: int) -> StoreError:
    """The error of a file with a later schema: this program cannot know what it means, and leaves it unchanged."""
    return StoreError(
        f"the store of runs {file} was written by a newer claude-openai (schema {found}, this one knows {known})",
        f"upgrade claude-openai, or {ELSEWHERE}",
    )


def foreign(file: Path) -> StoreError:
    """The error of a database that is not a store of runs, which is left unchanged too."""
    return StoreError(f"{file} is not a store of runs", f"move it away, or {ELSEWHERE}")
