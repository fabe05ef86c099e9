"""The two stores of runs (`core.ports.RunStore`): a SQLite database of this user, or memory.

A store keeps `core.runs.Run` values and nothing else. It checks no permissions: the caller names the principal.
"""

from claude_openai.store.memory import MemoryRuns
from claude_openai.store.sqlite.errors import StoreError
from claude_openai.store.sqlite.reader import SavedRuns, saved_runs
from claude_openai.store.sqlite.retention import Retention
from claude_openai.store.sqlite.store import SqliteRuns, sqlite_runs

__all__ = ["MemoryRuns", "Retention", "SavedRuns", "SqliteRuns", "StoreError", "saved_runs", "sqlite_runs"]
