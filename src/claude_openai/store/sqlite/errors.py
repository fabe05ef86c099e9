"""Why a store cannot be used, for the person at the terminal. A store that is in use never raises; it logs."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claude_openai.errors import LaunchError

ELSEWHERE = "name another folder with --data-dir, or keep nothing on disk with --store memory"


class StoreError(LaunchError):
    """The runs cannot be remembered, or what was remembered cannot be read."""


@contextmanager
def explained(file: Path) -> Iterator[None]:
    """A block that raises in our words what SQLite and the system say about `file`."""
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
    """Nobody knows what a later schema means, so such a file is not touched."""
    return StoreError(
        f"the store of runs {file} was written by a newer claude-openai (schema {found}, this one knows {known})",
        f"upgrade claude-openai, or {ELSEWHERE}",
    )


def foreign(file: Path) -> StoreError:
    """A database of something else, which is not touched either."""
    return StoreError(f"{file} is not a store of runs", f"move it away, or {ELSEWHERE}")
