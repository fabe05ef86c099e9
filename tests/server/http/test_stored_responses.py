"""How responses are stored: once, together with the end of their run, before the client has their end."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from claude_openai.core.events import TextDelta, TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import AssistantMessage, Text, ToolCall, ToolMessage, UserMessage
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import ACTIVE_STATES, Run, RunState
from claude_openai.simulator import Gate
from claude_openai.store import MemoryStore, Retention, SqliteStore, sqlite_reader, sqlite_store
from claude_openai.store.memory import MemoryResponses
from claude_openai.store.sqlite.database_files import NAME
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import FINISHED, STARTED, USED, Blocks, Json, said

RESPONSES = "/v1/responses"
ASKED: Json = {"model": "sonnet", "input": "Hello"}
STREAMED: Json = {**ASKED, "stream": True}
KEEPS_ALL = Retention(days=30, max_bytes=10**9)
FIRST, SECOND, BROKEN = (f"resp_{number:032x}" for number in (2, 4, 8))
SCHEMA_3 = Path(__file__).parents[1] / "store" / "schema_3.sql"


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with sqlite_store(tmp_path, KEEPS_ALL) as store:
        yield store


@pytest.fixture
async def migrated(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A store that an earlier version wrote, with responses in it."""
    with closing(sqlite3.connect(tmp_path / NAME)) as connection:
        connection.executescript(SCHEMA_3.read_text("utf-8"))
    async with sqlite_store(tmp_path, KEEPS_ALL) as store:
        yield store


def response_id(block: str) -> str:
    return block.split('"id":"')[1].split('"', maxsplit=1)[0]


@pytest.mark.proves("store.migrations", "responses.stored")
async def test_a_response_of_an_earlier_version_can_be_fetched_listed_and_deleted(
    serve: Serve, migrated: SqliteStore
) -> None:
    client = serve(store=migrated).client
    fetched = (await client.get(f"{RESPONSES}/{FIRST}")).json()
    assert (fetched["id"], fetched["status"], fetched["output"][0]["content"][0]["text"]) == (
        FIRST,
        "completed",
        "Hello Ann.",
    )
    assert (await client.get(f"{RESPONSES}/{BROKEN}")).json()["status"] == "failed"
    items = (await client.get(f"{RESPONSES}/{SECOND}/input_items?order=asc")).json()["data"]
    assert [item["type"] for item in items] == ["message", "message", "message"]
    assert (await client.delete(f"{RESPONSES}/{FIRST}")).json()["deleted"] is True
    assert (await client.get(f"{RESPONSES}/{FIRST}")).status_code == 404
    run = (await client.get(f"/runs/{FIRST}")).json()
    assert (run["state"], run["text"]) == ("completed", "")


@pytest.mark.proves("store.migrations", "responses.continued")
async def test_a_response_of_an_earlier_version_can_be_continued(serve: Serve, migrated: SqliteStore) -> None:
    served = serve(said("Blue."), store=migrated)
    result = {"type": "function_call_output", "call_id": "call_1", "output": "blue"}
    tool = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}
    asked = {"model": "sonnet", "input": [result], "tools": [tool], "previous_response_id": SECOND}
    assert (await served.client.post(RESPONSES, json=asked)).status_code == 200
    assert served.performance.turn.messages == (
        UserMessage((Text("I am Ann."),)),
        AssistantMessage("Hello Ann."),
        UserMessage((Text("How is the sky?"),)),
        AssistantMessage("", (ToolCall("call_1", "look", '{"at":"the sky"}'),)),
        ToolMessage("call_1", (Text("blue"),)),
    )


@pytest.mark.proves("responses.stored")
async def test_whoever_has_the_last_event_of_a_stream_finds_the_response_in_the_file(
    serve: Serve, disk: SqliteStore, tmp_path: Path
) -> None:
    served = serve(said("Hel", "lo"), store=disk)
    async with served.client.stream("POST", RESPONSES, json=STREAMED) as response:
        blocks = Blocks(response)
        while not (block := await blocks.next()).startswith("event: response.completed"):
            pass
        (stored,) = sqlite_reader(tmp_path).chain(response_id(block), "local", 10)
        (run,) = sqlite_reader(tmp_path).find(stored.run_id)
    assert ('"status":"completed"' in stored.body, run.state, run.text) == (True, RunState.COMPLETED, "Hello")


@pytest.mark.proves("responses.stored")
async def test_whoever_has_a_whole_response_finds_it_in_the_file(
    serve: Serve, disk: SqliteStore, tmp_path: Path
) -> None:
    answer = await serve(said("Hello"), store=disk).client.post(RESPONSES, json=ASKED)
    (stored,) = sqlite_reader(tmp_path).chain(answer.json()["id"], "local", 10)
    (run,) = sqlite_reader(tmp_path).find(stored.run_id)
    assert (stored.body, run.state) == (answer.text, RunState.COMPLETED)


class Recording(MemoryStore):
    """Records what is written and read, in order, and opens `saving` when a response is about to be saved."""

    def __init__(self, *, slow: bool = False) -> None:
        super().__init__()
        self.calls: list[tuple[str, RunState | None]] = []
        self.saving = anyio.Event()
        self.may_save = anyio.Event()
        if not slow:
            self.may_save.set()
        self.responses = RecordingResponses(self)

    def save(self, run: Run) -> None:
        self.calls.append(("run", run.state))
        super().save(run)

    async def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        self.calls.append(("find", None))
        return await super().find(wanted, principal)


class RecordingResponses(MemoryResponses):
    def __init__(self, runs: Recording) -> None:
        super().__init__(runs)
        self._recording = runs

    async def save(self, response: StoredResponse, run: Run) -> None:
        self._recording.calls.append(("response and run", run.state))
        self._recording.saving.set()
        await self._recording.may_save.wait()
        self.begin(response)
        MemoryStore.save(self._recording, run)


def ends(store: Recording) -> list[tuple[str, RunState | None]]:
    """The calls of the store from the first one that writes the run's end."""
    over = [number for number, (_, state) in enumerate(store.calls) if state and state not in ACTIVE_STATES]
    return store.calls[over[0] :] if over else []


@pytest.mark.proves("responses.stored")
@pytest.mark.parametrize("stream", [False, True])
async def test_the_end_of_a_run_and_its_response_are_one_write_and_nothing_is_read_for_it(
    serve: Serve, *, stream: bool
) -> None:
    store = Recording()
    await serve(said("Hello"), store=store).client.post(RESPONSES, json={**ASKED, "stream": stream})
    assert ends(store) == [("response and run", RunState.COMPLETED)]


@pytest.mark.proves("responses.stored")
async def test_a_stream_ends_when_its_response_is_stored_and_is_in_progress_until_then(serve: Serve) -> None:
    store = Recording(slow=True)
    served = serve(said("Hello"), store=store)
    async with served.client.stream("POST", RESPONSES, json=STREAMED) as response:
        blocks = Blocks(response)
        begun = response_id(await blocks.next())
        with anyio.fail_after(PATIENCE_SECONDS):
            await store.saving.wait()
        assert (await served.client.get(f"{RESPONSES}/{begun}")).json()["status"] == "in_progress"
        store.may_save.set()
        rest = await blocks.rest()
    assert rest[-1].startswith("event: response.completed")
    assert (await served.client.get(f"{RESPONSES}/{begun}")).json()["status"] == "completed"


@pytest.mark.proves("responses.stored")
async def test_where_the_client_leaves_the_run_is_saved_alone_and_its_response_is_cancelled(serve: Serve) -> None:
    store = Recording()
    served = serve([STARTED, TextDelta("Hel"), Gate()], store=store)
    async with served.client.stream("POST", RESPONSES, json=STREAMED) as response:
        begun = response_id(await Blocks(response).next())
    with anyio.fail_after(PATIENCE_SECONDS):
        while (await served.client.get(f"{RESPONSES}/{begun}")).json()["status"] == "in_progress":
            await anyio.lowlevel.checkpoint()
    assert [call for call in ends(store) if call[0] != "find"] == [("run", RunState.CANCELLED)]


@pytest.mark.proves("responses.stored")
@pytest.mark.parametrize(
    "script", [[TurnFailed(Failure(Kind.OVERLOADED, "Too much."))], [STARTED, TextDelta("Hel"), USED, FINISHED]]
)
async def test_what_is_not_to_be_stored_or_never_began_leaves_its_run_only(
    serve: Serve, script: list[TurnFailed]
) -> None:
    store = Recording()
    served = serve(script, store=store)
    failed = isinstance(script[0], TurnFailed)
    await served.client.post(RESPONSES, json={**STREAMED, "store": failed})
    with anyio.fail_after(PATIENCE_SECONDS):
        while not ends(store):  # a failed request is answered before its run is saved
            await anyio.lowlevel.checkpoint()
    assert [what for what, _ in ends(store)] == ["run"]
    assert len(await served.runs()) == 1
