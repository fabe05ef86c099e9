"""A run as a row, and back."""

from collections.abc import Iterator
from dataclasses import fields

import pytest
from hypothesis import given

from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Run
from claude_openai.store.sqlite.reader import SqliteReader
from claude_openai.store.sqlite.rows import SAVE, Row, row_of
from claude_openai.store.sqlite.store import Opened, opened
from tests.server.store.samples import runs


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    store = opened(tmp_path_factory.mktemp("store"))
    yield store
    store.connection.close()


@pytest.mark.proves("runs.states")
@given(run=runs)
def test_whatever_was_saved_comes_back_equal(store: Opened, run: Run) -> None:
    store.connection.execute("DELETE FROM runs")
    store.connection.execute(SAVE, row_of(run, None)._asdict())
    saved = SqliteReader(store.file)
    assert saved.recent(1) == (run,)
    assert saved.find(run.id[:3]) == saved.find(run.answer_id) == saved.find(run.request_id) == (run,)


@pytest.mark.proves("runs.states")
def test_a_response_has_the_columns_of_its_table_in_their_order(store: Opened) -> None:
    columns = store.connection.execute("SELECT * FROM responses").description
    assert [column[0] for column in columns] == [field.name for field in fields(StoredResponse)]


@pytest.mark.proves("runs.states")
@pytest.mark.parametrize("table", ["runs", "effective_runs"])
def test_a_row_has_the_columns_of_the_table_and_of_the_view_in_their_order(store: Opened, table: str) -> None:
    columns = store.connection.execute(f"SELECT * FROM {table}").description  # noqa: S608 -- a name of ours
    assert tuple(column[0] for column in columns) == Row._fields
