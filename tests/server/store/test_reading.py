"""Reading beside a server, or without one: nothing is made and nothing is changed."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from claude_openai.core.failures import RequestFailed
from claude_openai.core.search import parse
from claude_openai.store import StoreError, sqlite_reader, sqlite_store
from claude_openai.store.sqlite.database_files import NAME
from claude_openai.store.sqlite.reader import SqliteReader, query_saved
from tests.server.store.samples import KEEPS_ALL, a_run, remember, until

pytestmark = pytest.mark.anyio


@pytest.mark.proves("commands.store")
@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_where_nothing_was_ever_kept_nothing_is_remembered(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    assert sqlite_reader(tmp_path / folder).recent(10) == ()
    assert sqlite_reader(tmp_path / folder).find("a") == ()
    assert list(tmp_path.rglob("*")) == [tmp_path / "empty"]


@pytest.mark.proves("commands.store")
def test_after_a_server_the_file_is_all_there_is_and_stays_so(tmp_path: Path) -> None:
    run = a_run()
    remember(tmp_path, run)
    before = (tmp_path / NAME).read_bytes()
    tmp_path.chmod(0o500)
    assert sqlite_reader(tmp_path).find(run.id) == (run,)
    tmp_path.chmod(0o700)
    assert list(tmp_path.iterdir()) == [tmp_path / NAME]
    assert (tmp_path / NAME).read_bytes() == before


@pytest.mark.proves("commands.store")
async def test_beside_a_server_what_it_has_written_is_seen(tmp_path: Path) -> None:
    run = a_run()
    async with sqlite_store(tmp_path, KEEPS_ALL) as store:
        store.save(run)
        await until(lambda: sqlite_reader(tmp_path).recent(10) == (run,))


@pytest.mark.proves("commands.store")
def test_a_server_that_begins_while_a_command_reads_is_noticed(tmp_path: Path) -> None:
    remember(tmp_path)
    file = tmp_path / NAME
    with closing(sqlite3.connect(file)) as server:

        def question(connection: sqlite3.Connection) -> list[tuple[str]]:
            server.execute("CREATE TABLE IF NOT EXISTS later (a)")
            return connection.execute("SELECT name FROM sqlite_master WHERE name = 'later'").fetchall()

        assert query_saved(file, question) == [("later",)]


@pytest.mark.proves("store.migrations")
def test_what_cannot_be_opened_is_told_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    for folder in (tmp_path, tmp_path / ("too long" * 100)):
        with pytest.raises(StoreError, match="cannot be used"):
            sqlite_reader(folder).recent(1)


@pytest.mark.proves("search.wrong")
def test_a_search_that_takes_too_long_is_ended_and_says_how_to_narrow_it(tmp_path: Path) -> None:
    remember(tmp_path, *(a_run(text="Hello") for _ in range(200)))
    query = parse("-nothing sort:cost", datetime.now(UTC))
    assert len(sqlite_reader(tmp_path).search(query, 200)) == 200
    with pytest.raises(RequestFailed, match=r"takes too long.*since:7d"):
        SqliteReader(tmp_path / NAME, search_seconds=0.0).search(query, 200)
