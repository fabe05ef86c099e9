"""The stores of runs and responses (`core.ports.Store`): a SQLite database of this user, or memory.

A store keeps `core.runs.Run` and `core.responses.StoredResponse` values and nothing else. It checks no permissions: the
caller names the principal.
"""

from claude_openai.store.memory import MemoryStore
from claude_openai.store.sqlite.errors import StoreError
from claude_openai.store.sqlite.reader import SqliteReader, sqlite_reader
from claude_openai.store.sqlite.retention import Retention
from claude_openai.store.sqlite.store import SqliteStore, sqlite_store

__all__ = ["MemoryStore", "Retention", "SqliteReader", "SqliteStore", "StoreError", "sqlite_reader", "sqlite_store"]
