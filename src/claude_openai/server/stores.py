"""The values of the setting `store`: how each store is opened, and read without a server.

Nothing else asks for the name.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, Protocol

from claude_openai.core.ports import Store
from claude_openai.core.runs import Run, RunState
from claude_openai.core.search import Query
from claude_openai.settings import Settings
from claude_openai.settings.values import StoreKind
from claude_openai.store import MemoryStore, Retention, sqlite_reader, sqlite_store
from claude_openai.system.places import Places


class StoredRuns(Protocol):
    """The runs that a store has, read in a command while no server runs."""

    def find(self, wanted: str) -> tuple[Run, ...]:
        """As `core.ports.RunStore.find`, for every principal."""
        ...

    def search(self, wanted: Query, limit: int) -> tuple[Run, ...]:
        """As `core.ports.RunStore.search`, for every principal."""
        ...

    def recent(self, limit: int, state: RunState | None = None) -> tuple[Run, ...]:
        """As `core.ports.RunStore.recent`, for every principal."""
        ...


@dataclass(frozen=True, slots=True)
class StoreType:
    """One kind of store. `open` returns a context manager with the store of a server; it raises `StoreError`.
    `read` returns what a command reads, which raises it later. `is_on_disk`: backends may keep output on disk, too.
    """

    open: Callable[[Settings, Places], AbstractAsyncContextManager[Store]]
    read: Callable[[Settings, Places], StoredRuns]
    is_on_disk: bool


def _sqlite(settings: Settings, places: Places) -> AbstractAsyncContextManager[Store]:
    return sqlite_store(places.data, Retention(settings.retention_days, settings.max_store_bytes))


def _read_sqlite(_settings: Settings, places: Places) -> StoredRuns:
    return sqlite_reader(places.data)


STORES: Final[Mapping[StoreKind, StoreType]] = {
    "disk": StoreType(_sqlite, _read_sqlite, is_on_disk=True),
    # Nothing of it is left after its server: commands read what another server of this user has stored on disk.
    "memory": StoreType(lambda _settings, _places: nullcontext(MemoryStore()), _read_sqlite, is_on_disk=False),
}
