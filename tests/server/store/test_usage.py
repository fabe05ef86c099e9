"""What the keys of a name have used: every store adds it up, and one on disk keeps it."""

from pathlib import Path

import pytest

from claude_openai.core.limits import Spent
from claude_openai.server.stores import STORES
from claude_openai.settings import Settings
from claude_openai.settings.values import StoreKind
from claude_openai.store import sqlite_reader
from claude_openai.system.places import Places


@pytest.mark.proves("limits.period")
@pytest.mark.parametrize("kind", STORES)
async def test_it_is_added_up_by_name_and_period(tmp_path: Path, kind: StoreKind) -> None:
    settings = Settings(store=kind, data_dir=str(tmp_path))
    places = Places.of(settings)
    total = {"2026-12-01": Spent(40, 0.75), "2026-12": Spent(30, 0.5)}
    async with STORES[kind].open(settings, places) as store, STORES[kind].open(settings, places) as another:
        store.usage.add("ann", {"2026-12-01": Spent(10, 0.25), "2026-12": Spent(10, 0.25)})
        store.usage.add("ann", {"2026-12-01": Spent(20, 0.25), "2026-12": Spent(20, 0.25)})
        same = another if STORES[kind].is_on_disk else store  # two servers with one file
        same.usage.add("ann", {"2026-12-01": Spent(10, 0.25)})
        assert store.usage.at_start == {}
        if not STORES[kind].is_on_disk:
            assert store.usage.is_written
            assert await store.usage.spent("ann") == total
    if STORES[kind].is_on_disk:
        async with STORES[kind].open(settings, places) as store:
            assert store.usage.at_start == {"ann": total}
            assert await store.usage.spent("ann") == total
            assert await store.usage.spent("bob") == {}
        assert sqlite_reader(places.data).usage() == {"ann": total}
