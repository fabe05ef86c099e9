"""Where runs are remembered: in SQLite for this user, or in memory for nothing on disk.

What is kept of a request is a `core.runs.Run` and nothing else. Who may see it is for the caller to say, by principal.
"""

from claude_openai.store.memory import MemoryRuns
from claude_openai.store.sqlite.errors import StoreError
from claude_openai.store.sqlite.reader import SavedRuns, saved_runs
from claude_openai.store.sqlite.retention import Retention
from claude_openai.store.sqlite.store import SqliteRuns, sqlite_runs

__all__ = ["MemoryRuns", "Retention", "SavedRuns", "SqliteRuns", "StoreError", "saved_runs", "sqlite_runs"]
