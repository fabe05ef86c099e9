"""Trouble with the disk: told once, and nobody who saves ever notices."""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread
from structlog.testing import capture_logs
from structlog.typing import EventDict

from claude_openai.core.limits import Spent
from claude_openai.core.runs import RunState
from claude_openai.store import SqliteReader, SqliteStore, StoreError, sqlite_reader, sqlite_store
from claude_openai.store.sqlite import writer
from claude_openai.store.sqlite.database_files import NAME
from claude_openai.store.sqlite.store import Opened, opened
from claude_openai.store.sqlite.writer import MOST_WAITING, Writer
from tests.patience import PATIENCE_SECONDS
from tests.server.store.samples import KEEPS_ALL, a_run, remember, response_of, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    with capture_logs() as events:
        yield events


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may pass is tried again soon."""
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.01)


@asynccontextmanager
async def written_by(store: Opened) -> AsyncIterator[SqliteStore]:
    """The runs over a connection that the test has something to do with."""
    by = Writer(store.connection, store.server, KEEPS_ALL)
    try:
        yield SqliteStore(by, SqliteReader(store.file), {})
    finally:
        await to_thread.run_sync(by.close)


def events(logged: list[EventDict]) -> list[tuple[Any, ...]]:
    return [(event["event"], event.get("reason")) for event in logged]


FULL = ("store.error", "database or disk is full")
LOCKED = ("store.error", "database is locked")
OVERFULL = ("store.error", "too many runs wait to be written")
RECOVERED = ("store.recovered", None)


@pytest.mark.proves("store.trouble")
@pytest.mark.usefixtures("impatient")
async def test_a_full_disk_is_told_once_and_what_waited_is_written_when_there_is_room(
    tmp_path: Path, logged: list[EventDict]
) -> None:
    store = opened(tmp_path)
    store.connection.execute("PRAGMA max_page_count = 1").fetchall()  # so it may not grow any more
    runs = [a_run(text="x" * 100_000) for _ in range(5)]
    async with written_by(store) as remembered:
        for run in runs:
            remembered.save(run)
        await until(lambda: logged)
        assert await remembered.recent(10) == tuple(reversed(runs))
        assert events(logged) == [FULL]
        store.connection.execute("PRAGMA max_page_count = 1000000").fetchall()
        await until(lambda: len(logged) == 2)
        assert events(logged) == [FULL, RECOVERED]
    assert sqlite_reader(tmp_path).recent(10) == tuple(reversed(runs))


@pytest.mark.proves("store.trouble")
@pytest.mark.usefixtures("impatient")
async def test_a_locked_file_is_told_once_and_what_finds_no_room_meanwhile_is_lost(
    tmp_path: Path, logged: list[EventDict]
) -> None:
    store = opened(tmp_path)
    store.connection.execute("PRAGMA busy_timeout = 1").fetchall()
    with closing(sqlite3.connect(store.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with written_by(store) as remembered:
            remembered.save(a_run())
            await until(lambda: logged)
            runs = [a_run() for _ in range(MOST_WAITING)]
            for run in runs:
                remembered.save(run)
            assert set(events(logged)) == {LOCKED, OVERFULL}
            assert len(logged) == 2
            assert (remembered.status().unwritten, remembered.status().lost) == (MOST_WAITING, 1)
            for _ in range(2):  # has room all the same, and is tried again as a whole, once
                remembered.usage.add("ann", {"2026-12": Spent(10, 0.25)})
            assert not remembered.usage.is_written
            other.execute("COMMIT")
            remembered.save(replace(runs[0], text="more"))
            await until(lambda: RECOVERED in events(logged))
            assert (await remembered.find(runs[0].id))[0].text == "more"
            assert await remembered.find(runs[-1].id) == ()
            await until(lambda: remembered.usage.is_written and not remembered.status().unwritten)
            assert await remembered.usage.spent("ann") == {"2026-12": Spent(20, 0.5)}
            assert remembered.status().lost == 1
            assert remembered.status().bytes


@pytest.mark.proves("store.trouble", "responses.stored")
async def test_a_response_that_cannot_be_written_now_holds_nobody_up_and_is_found_all_the_same(
    tmp_path: Path, logged: list[EventDict]
) -> None:
    store = opened(tmp_path)
    store.connection.execute("PRAGMA max_page_count = 1").fetchall()
    run = a_run(text="x" * 100_000)
    response, earlier = response_of(run, previous_id="resp_0"), response_of(run, id="resp_0")
    async with written_by(store) as remembered:
        remembered.responses.begin(earlier)
        with anyio.fail_after(PATIENCE_SECONDS):
            await remembered.responses.save(response, run)
        assert await remembered.responses.chain(response.id, "local", 10) == (response, earlier)
        assert events(logged) == [FULL]
        await remembered.responses.delete(earlier.id, run)
        assert await remembered.responses.chain(response.id, "local", 10) == (response,)
        store.connection.execute("PRAGMA max_page_count = 1000000").fetchall()
    assert sqlite_reader(tmp_path).chain(response.id, "local", 10) == (response,)


@pytest.mark.proves("store.trouble")
async def test_a_run_that_cannot_be_written_at_all_costs_no_other(tmp_path: Path, logged: list[EventDict]) -> None:
    async with sqlite_store(tmp_path, KEEPS_ALL) as store:
        store.save(a_run(queue_position=2**70))
        await until(lambda: logged)
        good = a_run()
        store.save(good)
    assert sqlite_reader(tmp_path).recent(10) == (good,)
    assert [name for name, _ in events(logged)] == ["store.error", "store.recovered"]


@pytest.mark.proves("store.trouble")
async def test_a_file_that_breaks_while_it_is_in_use_hurts_no_save(tmp_path: Path, logged: list[EventDict]) -> None:
    store = opened(tmp_path)
    store.connection.execute("PRAGMA cache_size = 0")  # so that it reads what it has written
    async with written_by(store) as remembered:
        for _ in range(100):
            remembered.save(a_run(text="x" * 5000))
        await until(lambda: len(sqlite_reader(tmp_path).recent(100)) == 100)
        break_files(tmp_path)
        remembered.save(a_run())
        await until(lambda: logged)
        remembered.save(a_run())
        with pytest.raises(StoreError):
            await remembered.recent(1)
    assert {event["event"] for event in logged} == {"store.error"}


def break_files(folder: Path) -> None:
    for path in (folder / NAME, folder / f"{NAME}-wal"):
        path.write_bytes(b"\xff" * path.stat().st_size)


@pytest.mark.proves("store.migrations")
def test_a_file_that_cannot_be_read_any_more_is_an_error_to_who_reads(tmp_path: Path) -> None:
    remember(tmp_path)
    (tmp_path / NAME).write_bytes(json.dumps({"not": "a database"}).encode() * 100)
    with pytest.raises(StoreError, match="is damaged"):
        sqlite_reader(tmp_path).find("")


@pytest.mark.proves("runs.states")
def test_leaving_the_block_writes_what_waits(tmp_path: Path) -> None:
    runs = [a_run() for _ in range(100)]
    remember(tmp_path, *runs)
    assert sqlite_reader(tmp_path).recent(1000) == tuple(reversed(runs))


@pytest.mark.proves("store.crash")
def test_what_is_unfinished_when_the_block_is_left_has_ended_with_the_server(tmp_path: Path) -> None:
    remember(tmp_path, a_run(state=RunState.RUNNING), a_run(state=RunState.PARKED))
    with closing(sqlite3.connect(tmp_path / NAME)) as connection:
        rows = connection.execute("SELECT state, error_code FROM runs ORDER BY arrived_at").fetchall()
    assert rows == [("failed", "server_stopped"), ("completed", None)]
