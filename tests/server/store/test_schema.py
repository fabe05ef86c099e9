"""A file's schema: made, brought up to date, and left alone where it is not ours to change."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from claude_openai.core.events import Usage
from claude_openai.core.messages import ToolCall
from claude_openai.core.runs import Run, RunState
from claude_openai.core.search import parse
from claude_openai.store import StoreError, sqlite_reader
from claude_openai.store.sqlite.database_files import NAME
from claude_openai.store.sqlite.ended import index_the_rest, indexed_since
from claude_openai.store.sqlite.schema import APPLICATION_ID, migrations, newest
from claude_openai.store.sqlite.store import opened
from tests.server.store.samples import remember

Use = Callable[[Path], object]

USES = pytest.mark.parametrize(
    "use", [remember, lambda folder: sqlite_reader(folder).recent(1)], ids=["by-a-server", "by-a-command"]
)

COMPLETED = Run(
    id="0000000000000000000000000000000a",
    answer_id="chatcmpl-0000000000000000000000000000000a",
    request_id="req-a",
    principal="local",
    client="curl/8",
    model="claude-sonnet-5",
    state=RunState.COMPLETED,
    arrived_at=1900000001.5,
    began_at=1900000001.75,
    first_token_at=1900000002.0,
    ended_at=1900000003.0,
    session_start="warm",
    finish="tool_calls",
    usage=Usage(10, 20, 3, 4, 5),
    cost_usd=0.125,
    text="Let me look.",
    calls=(ToolCall("call_1", "look", '{"at": 1}'),),
)

ABANDONED = Run(
    id="0000000000000000000000000000000b",
    answer_id="chatcmpl-0000000000000000000000000000000b",
    request_id="req-b",
    principal="local",
    client="curl/8",
    model="claude-sonnet-5",
    state=RunState.FAILED,
    arrived_at=1900000002.0,
    began_at=1900000002.25,
    queue_position=2,
    session_start="live",
    error_code="server_stopped",
    error="The server stopped before this request was answered.",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / NAME


@pytest.fixture
def first_schema(file: Path) -> Path:
    script(file, Path(__file__).with_name("schema_1.sql").read_text("utf-8"))
    return file


def script(file: Path, sql: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(sql)


@pytest.mark.proves("store.migrations")
def test_a_store_of_the_first_schema_is_brought_to_the_newest_with_all_that_is_in_it(first_schema: Path) -> None:
    remember(first_schema.parent)
    assert sqlite_reader(first_schema.parent).recent(10) == (ABANDONED, COMPLETED)
    with closing(sqlite3.connect(first_schema)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (newest(),)


@pytest.mark.proves("store.migrations", "commands.store")
def test_a_store_of_the_first_schema_can_be_read_and_stays_as_it_was(first_schema: Path) -> None:
    before = first_schema.read_bytes()
    assert sqlite_reader(first_schema.parent).recent(10) == (ABANDONED, COMPLETED)
    assert first_schema.read_bytes() == before
    assert list(first_schema.parent.iterdir()) == [first_schema]


@pytest.mark.proves("store.migrations")
def test_responses_move_to_a_table_of_their_own_and_their_runs_stay(file: Path) -> None:
    script(file, Path(__file__).with_name("schema_3.sql").read_text("utf-8"))
    saved = sqlite_reader(file.parent)
    by_a_command = saved.recent(10), saved.chain(f"resp_{4:032x}", "local", 10)
    remember(file.parent)
    assert (saved.recent(10), saved.chain(f"resp_{4:032x}", "local", 10)) == by_a_command
    runs, chain = by_a_command
    assert [(run.id, run.state, run.text) for run in runs] == [
        (f"{8:032x}", RunState.FAILED, "Hel"),
        (f"{6:032x}", RunState.COMPLETED, "Bye."),
        (f"{4:032x}", RunState.COMPLETED, ""),
        (f"{2:032x}", RunState.COMPLETED, "Hello Ann."),
    ]
    assert [(each.id, each.run_id, each.previous_id) for each in chain] == [
        (f"resp_{4:032x}", f"{4:032x}", f"resp_{2:032x}"),
        (f"resp_{2:032x}", f"{2:032x}", None),
    ]
    assert [json.loads(each.body)["status"] for each in chain] == ["completed"] * 2
    assert json.loads(chain[1].items)[0]["content"] == [{"type": "input_text", "text": "I am Ann."}]


@pytest.mark.proves("store.migrations")
@pytest.mark.parametrize("number", [1, 3])
def test_a_migrated_store_has_the_schema_of_a_new_one(file: Path, number: int) -> None:
    script(file, Path(__file__).with_name(f"schema_{number}.sql").read_text("utf-8"))
    new = file.parent / "new"
    for folder in (file.parent, new):
        remember(folder)
    assert objects(file) == objects(new / NAME)


@pytest.mark.proves("store.migrations")
@USES
def test_a_newer_store_is_refused_with_a_remedy_and_not_touched(file: Path, use: Use) -> None:
    script(file, f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 99; CREATE TABLE later (a);")
    refused(file, use, f"newer claude-openai (schema 99, this one knows {len(migrations())})", "upgrade")


@pytest.mark.proves("store.migrations")
@USES
def test_a_damaged_store_is_refused_with_a_remedy_and_not_touched(file: Path, use: Use) -> None:
    file.write_bytes(b"SQLite format 3\x00" + b"\xff" * 8000)
    refused(file, use, "is damaged", "move it away")


@pytest.mark.proves("store.migrations")
@USES
@pytest.mark.parametrize("mark", ["application_id = 7", "user_version = 1"])
def test_another_programs_database_is_refused_and_not_touched(file: Path, use: Use, mark: str) -> None:
    script(file, f"PRAGMA {mark}; CREATE TABLE theirs (a);")
    refused(file, use, "is not a store of runs", "move it away")


def refused(file: Path, use: Use, message: str, hint: str) -> None:
    before = file.read_bytes()
    with pytest.raises(StoreError) as caught:
        use(file.parent)
    assert message in caught.value.message
    assert str(file) in caught.value.message
    assert hint in (caught.value.hint or "")
    assert "--data-dir" in (caught.value.hint or "")
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def objects(file: Path) -> list[tuple[str, str]]:
    """Tables and indexes by name, with their columns; how their SQL is laid out does not matter."""
    with closing(sqlite3.connect(file)) as connection:
        names = connection.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall()
        return [
            (name, repr(connection.execute(f"PRAGMA {type_}_xinfo({name})").fetchall()))
            for type_, name in names
            if type_ in {"table", "index"}
        ]


@pytest.mark.proves("store.migrations", "search.language", "statistics.sums")
def test_runs_of_an_older_schema_are_found_before_their_words_are_indexed_and_after(first_schema: Path) -> None:
    store = opened(first_schema.parent)
    with closing(store.connection) as connection:
        reader = sqlite_reader(first_schema.parent)
        now = datetime.now(UTC)

        def found() -> list[tuple[Run, ...]]:
            return [reader.search(parse(text, now), 10) for text in ("look", '"let me"', "-look state:completed")]

        assert indexed_since(connection) is not None
        assert found() == [(COMPLETED,), (COMPLETED,), ()]
        assert reader.statistics(0, 2e9, 86_400) == ()
        for _ in index_the_rest(connection):
            pass
        assert indexed_since(connection) is None
        assert found() == [(COMPLETED,), (COMPLETED,), ()]
        (sums,) = reader.statistics(0, 2e9, 86_400)
        assert (sums.value("runs"), sums.value("cost_usd")) == (1, 0.125)
        connection.execute("DELETE FROM runs")  # which leave the index, and not the sums
        connection.execute("INSERT INTO words_index (words_index, rank) VALUES ('integrity-check', 1)")
        assert found() == [(), (), ()]
        assert reader.statistics(0, 2e9, 86_400) == (sums,)
