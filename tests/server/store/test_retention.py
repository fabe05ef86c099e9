"""What is forgotten, and that the disk gets the room back."""

import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from anyio import to_thread

from claude_openai.core.runs import RunState
from claude_openai.store import Retention, sqlite_reader, sqlite_store
from claude_openai.store.sqlite.database_files import NAME
from claude_openai.store.sqlite.retention import BATCH_RUNS, forget
from claude_openai.store.sqlite.rows import SAVE, row_of
from claude_openai.store.sqlite.store import opened
from tests.server.store.samples import KEEPS_ALL, NOW, a_run, remember, response_of, until

pytestmark = pytest.mark.anyio

DAY = 86_400


@pytest.mark.proves("store.retention")
def test_runs_that_are_too_old_are_forgotten_at_the_next_start(tmp_path: Path) -> None:
    now = time.time()
    new, older, old = (a_run(arrived_at=now - days * DAY) for days in (0, 29, 31))
    remember(tmp_path, new, older, old, retention=Retention(days=40, max_bytes=10**9))
    assert sqlite_reader(tmp_path).recent(10) == (new, older, old)
    remember(tmp_path)
    assert sqlite_reader(tmp_path).recent(10) == (new, older)


@pytest.mark.proves("store.retention")
async def test_a_response_is_deleted_with_its_run(tmp_path: Path) -> None:
    now = time.time()
    new, old = (a_run(arrived_at=now - days * DAY) for days in (0, 31))
    async with sqlite_store(tmp_path, Retention(days=40, max_bytes=10**9)) as store:
        for run in (new, old):
            await store.responses.save(response_of(run), run)
    async with sqlite_store(tmp_path, KEEPS_ALL):
        await until(lambda: sqlite_reader(tmp_path).recent(10) == (new,))
    responses = sqlite_reader(tmp_path).chain
    assert (responses(new.answer_id, "local", 1), responses(old.answer_id, "local", 1)) == ((response_of(new),), ())


@pytest.mark.proves("store.retention")
async def test_the_oldest_are_forgotten_while_the_server_runs_and_the_file_shrinks(tmp_path: Path) -> None:
    runs = [a_run(text="x" * 100_000) for _ in range(100)]
    await to_thread.run_sync(partial(remember, tmp_path, *runs))
    assert size(tmp_path) > 10_000_000
    async with sqlite_store(tmp_path, Retention(days=30, max_bytes=4_000_000, every=0.01)) as store:
        await until(lambda: size(tmp_path) <= 4_000_000)
        kept = await store.recent(100)
        assert kept == tuple(reversed(runs[-len(kept) :]))
        assert len(kept) > 39 - BATCH_RUNS
        for run in [a_run(text="y" * 100_000) for _ in range(60)]:
            store.save(run)
        await until(lambda: oldest_text(tmp_path) == "y" and size(tmp_path) <= 4_000_000)


def size(folder: Path) -> int:
    return (folder / NAME).stat().st_size


def oldest_text(folder: Path) -> str:
    return sqlite_reader(folder).recent(1000)[-1].text[0]


@pytest.mark.proves("store.retention")
def test_a_run_that_is_not_over_is_never_forgotten(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with closing(store.connection) as connection:
        alive = [a_run(state=state, arrived_at=1.0) for state in (RunState.QUEUED, RunState.RUNNING, RunState.PARKED)]
        for run in [*alive, a_run(arrived_at=1.0)]:
            connection.execute(SAVE, row_of(run, store.server.id)._asdict())
        for _ in forget(connection, Retention(days=1, max_bytes=0), NOW):
            pass
        assert set(sqlite_reader(tmp_path).recent(10)) == set(alive)


@pytest.mark.proves("store.retention")
def test_it_is_done_in_bites_each_of_which_stands_by_itself(tmp_path: Path) -> None:
    store = opened(tmp_path)
    with closing(store.connection) as connection:
        for _ in range(3 * BATCH_RUNS):
            connection.execute(SAVE, row_of(a_run(arrived_at=1.0), store.server.id)._asdict())
        left = []
        for _ in forget(connection, KEEPS_ALL, NOW):
            assert not connection.in_transaction
            left.append(len(sqlite_reader(tmp_path).recent(1000)))
        assert left[:3] == [2 * BATCH_RUNS, BATCH_RUNS, 0]
