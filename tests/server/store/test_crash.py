"""Servers that die while they write, and servers that share one store: real processes, killed for real."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from claude_openai.core.runs import Run, RunState
from claude_openai.store import Retention, sqlite_reader, sqlite_store
from claude_openai.store.sqlite.database_files import NAME
from tests.patience import PATIENCE_SECONDS
from tests.repository import ROOT
from tests.server.store.samples import KEEPS_ALL, a_run, remember, until

pytestmark = pytest.mark.anyio

LIVES = 60
"""A life takes 50 ms. The seed makes the choice of steps the same every time."""


OVER = {RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED}

PROGRESS = {RunState.QUEUED: 0, RunState.RUNNING: 1, RunState.PARKED: 2, RunState.COMPLETED: 3}

Ended = tuple[RunState, str | None]


def server(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tests.server.store.servers", *map(str, arguments)]


@contextmanager
def holding(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A server with a run in each state that is not over; killed at the end, if not before."""
    with subprocess.Popen(server("hold", folder), stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def ends(runs: tuple[Run, ...]) -> dict[str, Ended]:
    return {run.id: (run.state, run.error_code) for run in runs}


RUNNING: dict[str, Ended] = {
    "held-queued": (RunState.QUEUED, None),
    "held-running": (RunState.RUNNING, None),
    "held-parked": (RunState.PARKED, None),
}

ENDED: dict[str, Ended] = {
    "held-queued": (RunState.FAILED, "server_stopped"),
    "held-running": (RunState.FAILED, "server_stopped"),
    "held-parked": (RunState.COMPLETED, None),
}


@pytest.mark.proves("store.crash", "responses.stored")
def test_a_server_killed_at_any_step_of_sqlites_leaves_a_whole_store_and_no_run_running(tmp_path: Path) -> None:
    subprocess.run(server("killed", tmp_path, 5, LIVES), check=True, cwd=ROOT, timeout=PATIENCE_SECONDS)
    folders = list(tmp_path.iterdir())
    assert len(folders) == LIVES
    assert sum((folder / f"{NAME}-wal").exists() for folder in folders) > LIVES / 2  # they were killed indeed
    for folder in folders:
        seen = sqlite_reader(folder).recent(100)
        remember(folder)
        runs = {run.id: run for run in sqlite_reader(folder).recent(100)}
        assert tuple(runs.values()) == tuple(run for run in seen if run.arrived_at > 1)
        assert {run.state for run in runs.values()} <= OVER
        assert {len(run.text) for run in runs.values()} <= {3000}
        for run, state in acknowledged(folder):
            assert written(runs[run]) >= PROGRESS[state], f"{folder.name}: {run}"
        whole(folder / NAME)
        ended = {run for run, state in acknowledged(folder) if state is RunState.COMPLETED}
        assert ended <= answered(folder / NAME) <= {run.id for run in runs.values() if run.state is RunState.COMPLETED}


def acknowledged(folder: Path) -> Iterator[tuple[str, RunState]]:
    file = folder / "acknowledged"
    for line in file.read_text().splitlines() if file.exists() else ():
        run, state = json.loads(line)
        yield run, RunState(state)


def answered(file: Path) -> set[str]:
    """The runs whose response is stored."""
    with closing(sqlite3.connect(file)) as connection:
        return {run for (run,) in connection.execute("SELECT run_id FROM responses")}


def written(run: Run) -> int:
    """How far it had come, as far as its end tells."""
    return PROGRESS[RunState.COMPLETED if run.state is RunState.COMPLETED else RunState.RUNNING]


def whole(file: Path) -> None:
    assert unfinished(file) == 0
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM servers").fetchone() == (0,)


@pytest.mark.proves("store.crash")
async def test_only_the_runs_of_dead_servers_end_when_another_starts(tmp_path: Path) -> None:
    with holding(tmp_path) as other:
        async with sqlite_store(tmp_path, KEEPS_ALL) as store:
            mine = a_run(state=RunState.RUNNING)
            store.save(mine)
            assert ends(await store.recent(10)) == RUNNING | ends((mine,))
            other.kill()
            other.wait()
            assert ends(await store.recent(10)) == ENDED | ends((mine,))
            async with sqlite_store(tmp_path, KEEPS_ALL) as third:
                assert ends(await third.recent(10)) == ENDED | ends((mine,))
        assert ends(sqlite_reader(tmp_path).find(mine.id)) == {mine.id: (RunState.FAILED, "server_stopped")}


@pytest.mark.proves("store.crash")
async def test_a_server_that_lives_on_writes_down_that_another_died(tmp_path: Path) -> None:
    with holding(tmp_path) as other:
        async with sqlite_store(tmp_path, Retention(30, 10**9, every=0.01)):
            other.kill()
            other.wait()
            await until(lambda: unfinished(tmp_path / NAME) == 0)


def unfinished(file: Path) -> int:
    """What is written in the file, whoever lives."""
    with closing(sqlite3.connect(file)) as connection:
        states = [state for (state,) in connection.execute("SELECT state FROM runs")]
    return sum(state not in OVER for state in states)


@pytest.mark.proves("commands.store")
def test_after_a_crash_a_command_reads_what_was_written_and_that_it_is_over(tmp_path: Path) -> None:
    with holding(tmp_path) as other:
        assert ends(sqlite_reader(tmp_path).recent(10)) == RUNNING
        other.kill()
        other.wait()
        before = {path: path.read_bytes() for path in (tmp_path / NAME, tmp_path / f"{NAME}-wal")}
        assert ends(sqlite_reader(tmp_path).recent(10)) == ENDED
        assert ends(sqlite_reader(tmp_path).recent(10, RunState.RUNNING)) == {}
        assert len(sqlite_reader(tmp_path).recent(10, RunState.FAILED)) == 2
        assert {path: path.read_bytes() for path in before} == before


@pytest.mark.proves("store.crash")
def test_servers_that_start_and_write_at_once_lose_nothing(tmp_path: Path) -> None:
    servers = [subprocess.Popen(server("fill", tmp_path, name, 40), cwd=ROOT) for name in ("a", "b", "c")]
    assert [process.wait(timeout=PATIENCE_SECONDS) for process in servers] == [0, 0, 0]
    names = {run.id for run in sqlite_reader(tmp_path).recent(1000)}
    assert names == {f"{name}-{number}" for name in "abc" for number in range(40)}
