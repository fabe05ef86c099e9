"""`/runs`: what has become of requests, what is said in one, and how one is ended; each key its own."""

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx2
import openai
import pytest
import structlog
from inline_snapshot import snapshot
from structlog.testing import capture_logs

from claude_openai.core.events import ReasoningDelta, TextDelta, ToolCalled, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import ToolCall
from claude_openai.core.runs import Run
from claude_openai.simulator import Gate
from claude_openai.store import MemoryStore, StoreError
from claude_openai.testing.scripted_backend import Step
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, FINISHED, HELLO, STARTED, STREAMED, Blocks, Json, Served, said

CALL = ToolCall("call_1", "look", '{"at":"the sky"}')
CALLING = [STARTED, TextDelta("Let me see."), ToolCalled(CALL), TurnFinished("tool_calls"), *said("Blue.")]
BUSY: list[Step] = [STARTED, TurnFailed(Failure(Kind.OVERLOADED, "Busy."))]
TIMES = ("arrived_at", "began_at", "first_token_at", "ended_at")


def code(answer: httpx2.Response) -> tuple[int, str | None, str | None]:
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    return answer.status_code, error["code"], error["param"]


@asynccontextmanager
async def following(served: Served, run: str) -> AsyncIterator[Blocks]:
    async with served.client.stream("GET", f"/runs/{run}/events") as response:
        assert response.status_code == 200
        yield Blocks(response)


async def told(blocks: Blocks) -> tuple[str, Json]:
    """The next event; comments are passed over."""
    while (block := await blocks.next()).startswith(":"):
        pass
    name, data = block.split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def all_told(blocks: Blocks) -> list[tuple[str, Json]]:
    events = [await told(blocks)]
    while events[-1][0] != "end":
        events.append(await told(blocks))
    assert await blocks.rest() == []
    return events


# What has become of a request


@pytest.mark.proves("runs.states")
async def test_all_that_is_known_of_a_run_is_told(serve: Serve) -> None:
    served = serve(said("Hel", "lo"), new_id=lambda: f"{1:032x}")
    await served.chat(user_agent="Ada/1.0")
    run = (await served.client.get("/runs/chatcmpl-0")).json()
    times = [run.pop(time) for time in TIMES]
    assert times == sorted(times)
    assert run == snapshot(
        {
            "id": "00000000000000000000000000000001",
            "object": "run",
            "answer_id": "chatcmpl-00000000000000000000000000000001",
            "request_id": "req_00000000000000000000000000000001",
            "key": "local",
            "client": "Ada/1.0",
            "endpoint": "chat",
            "asked_model": "sonnet",
            "model": "claude-sonnet-4-5",
            "profile": "chat",
            "state": "completed",
            "way": "cold",
            "reason": None,
            "place": 0,
            "finish_reason": "stop",
            "error": None,
            "usage": {
                "prompt_tokens": 20,
                "cached_tokens": 7,
                "cache_written_tokens": 3,
                "completion_tokens": 5,
                "reasoning_tokens": 2,
            },
            "cost_usd": 0.25,
            "text": "Hello",
            "tool_calls": [],
        }
    )


@pytest.mark.proves("runs.list")
async def test_an_answer_leads_to_its_run_by_its_id_and_by_its_requests(serve: Serve) -> None:
    served = serve(said("Hello"))
    for answer in (await served.chat(), await served.chat(STREAMED)):
        answer_id = json.loads(answer.text.partition("\n")[0].removeprefix("data: "))["id"]
        for name in (answer_id, answer_id.removeprefix("chatcmpl-"), answer.headers["x-request-id"]):
            run = (await served.client.get(f"/runs/{name}")).json()
            assert (run["answer_id"], run["text"]) == (answer_id, "Hello")


@pytest.mark.proves("runs.states")
async def test_a_client_is_known_by_what_can_be_printed_of_its_name_and_not_all_of_a_long_one(serve: Serve) -> None:
    served = serve(said("Hello"))
    await served.chat(user_agent="a\tb" + "c" * 300)
    [run] = await served.runs()
    assert run["client"] == "ab" + "c" * 198


@pytest.mark.proves("runs.list")
async def test_the_last_to_arrive_is_first_and_no_more_are_listed_than_asked_for(serve: Serve) -> None:
    served = serve(said("One"), [STARTED, TurnFailed(Failure(Kind.OVERLOADED, "Busy."))], said("Three"))
    for _ in range(3):
        await served.chat()
    listed = await served.runs()
    assert [run["state"] for run in listed] == ["completed", "failed", "completed"]
    assert [run["arrived_at"] for run in listed] == sorted((run["arrived_at"] for run in listed), reverse=True)
    assert not any("text" in run or "tool_calls" in run for run in listed)
    assert await served.runs("?limit=2") == listed[:2]
    assert await served.runs("?state=failed") == [listed[1]]
    assert listed[1]["error"] == {"code": "overloaded", "message": "Busy."}
    assert await served.runs("?state=running&limit=1000") == []


@pytest.mark.proves("search.language", "search.wrong")
async def test_runs_are_searched_page_by_page_and_a_wrong_query_says_where(serve: Serve) -> None:
    served = serve(said("Hello Oslo"), said("Bye"), said("Oslo again"), BUSY, said("Fine"))
    for _ in range(4):
        await served.client.post(CHAT, json=HELLO)
    failed, last, _, first = await served.runs("")

    async def page(**wanted: str) -> tuple[list[str], bool]:
        answer = await served.client.get("/runs", params=wanted)
        assert answer.status_code == 200
        return [run["id"] for run in answer.json()["data"]], answer.json()["has_more"]

    assert await page(q="oslo") == ([last["id"], first["id"]], False)
    assert await page(q="oslo", limit="1") == ([last["id"]], True)
    assert await page(q="oslo", limit="1", after=last["id"]) == ([first["id"]], False)
    assert await page(q="oslo sort:old", after=first["answer_id"]) == ([last["id"]], False)
    assert await page(q=f"code:{failed['error']['code']} since:1h") == ([failed["id"]], False)
    assert await page(q="again", state="failed") == ([], False)
    answered = {"role": "assistant", "content": "An answer that this server did not give"}
    await served.client.post(CHAT, json={**HELLO, "messages": [*HELLO["messages"], answered, *HELLO["messages"]]})
    rebuilt = (await served.runs(""))[0]
    assert (rebuilt["endpoint"], rebuilt["asked_model"]) == ("chat", last["asked_model"])
    assert await page(q=f"why:{rebuilt['reason']}") == ([rebuilt["id"]], False)
    wrong = await served.client.get("/runs", params={"q": "oslo durration:>5s"})
    assert code(wrong) == (400, "invalid_query", "q")
    message = wrong.json()["error"]["message"]
    assert message.endswith(
        "Did you mean `duration:`? In quotation marks it is text. It is at character 6 of the query."
    )
    assert code(await served.client.get("/runs?q=sort:cost&after=chatcmpl-0")) == (400, "invalid_query", "after")
    assert code(await served.client.get("/runs?after=nothing")) == (404, "run_not_found", None)


@pytest.mark.proves("statistics.sums")
async def test_sums_and_lists_are_also_tables_and_no_cell_is_a_formula(serve: Serve) -> None:
    served = serve(said("Hello"), said("Hello"))
    for client in ("=HYPERLINK", "curl/8"):
        await served.client.post(CHAT, json=HELLO, headers={"user-agent": client})
    sums = (await served.client.get("/stats?by=client")).json()
    assert (sums["object"], sums["width"], sums["by"]) == ("statistics", 3600, "client")
    assert sorted((span["group"], span["runs"]) for span in sums["data"]) == [("=HYPERLINK", 1), ("curl", 1)]
    assert {"prompt_tokens", "cost_usd", "duration", "first_token"} <= sums["data"][0].keys()
    for path, count in (("/stats?by=client&format=csv", 2), ("/runs?format=csv", 2), ("/stats?format=csv&over=7d", 1)):
        answer = await served.client.get(path)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        head, *rows = csv.reader(io.StringIO(answer.text))
        assert [len(row) for row in rows] == [len(head)] * count
        assert not any(cell.startswith("=") for row in rows for cell in row)
    for wrong in ("over=1y", "by=colour", "width=week", "format=xml"):
        assert code(await served.client.get(f"/stats?{wrong}")) == (400, None, wrong.partition("=")[0])


@pytest.mark.proves("runs.list")
@pytest.mark.parametrize(
    ("query", "param"),
    [
        *[(f"limit={given}", "limit") for given in ("0", "1001", "-1", "1.5", "²", "")],
        *[(f"state={given}", "state") for given in ("done", "")],
    ],
)
async def test_what_cannot_be_listed_is_refused_by_name(serve: Serve, query: str, param: str) -> None:
    answer = await serve().client.get(f"/runs?{query}")
    assert code(answer) == (400, None, param)


@pytest.mark.proves("runs.list")
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/events"), ("POST", "/cancel")])
async def test_a_run_that_there_is_not_or_that_could_be_either_is_refused(serve: Serve, method: str, path: str) -> None:
    served = serve(said("One"))
    assert code(await served.client.request(method, f"/runs/chatcmpl{path}")) == (404, "run_not_found", None)
    for _ in range(2):
        await served.chat()
    assert code(await served.client.request(method, f"/runs/chatcmpl{path}")) == (400, "run_id_ambiguous", None)


@pytest.mark.proves("runs.principals")
@pytest.mark.parametrize(
    ("ada", "bob"),
    [
        pytest.param("sk-ada", "sk-bob", id="two keys"),
        pytest.param("sk-3334", "sk-121845", id="whose SHA-256 begin with the same 32 bits"),
    ],
)
async def test_a_key_sees_and_ends_its_own_runs_only(serve: Serve, ada: str, bob: str) -> None:
    gate = Gate()
    served = serve([STARTED, gate, FINISHED], keys=(ada, bob))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: served.chat(authorization=f"Bearer {ada}"))
        await gate.reached.wait()
        [run] = await served.runs(authorization=f"Bearer {ada}")
        assert await served.runs(authorization=f"Bearer {bob}") == []
        for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
            for name in (run["id"], run["answer_id"], run["request_id"]):
                answer = await served.client.request(method, f"/runs/{name}{path}", headers={"x-api-key": bob})
                assert code(answer) == (404, "run_not_found", None)
        assert (await served.client.get("/runs")).status_code == 401
        gate.open()
    [run] = await served.runs(authorization=f"Bearer {ada}")
    assert run["state"] == "completed"


@pytest.mark.proves("logs.documented")
async def test_whatever_is_logged_of_a_run_names_it(serve: Serve) -> None:
    served = serve(CALLING)
    with capture_logs([structlog.contextvars.merge_contextvars]) as logged:
        await served.chat(STREAMED)
        [run] = await served.runs()
    events = [entry for entry in logged if entry.get("run_id") == run["id"]]
    assert {"conversation.turn", "openai.stream_tool_calls", "http.request"} <= {entry["event"] for entry in events}
    assert {entry["request_id"] for entry in events} == {run["request_id"]}


@pytest.mark.proves("http.health")
async def test_health_counts_them_and_says_since_when(serve: Serve) -> None:
    seconds = iter((100.0, 163.9))
    served = serve(said("One"), CALLING, clock=lambda: next(seconds))
    for _ in range(2):
        await served.chat()
    health = (await served.client.get("/health")).json()
    assert health["uptime"] == 63
    assert health["runs"] == {
        "queued": 0,
        "running": 0,
        "parked": 1,
        "completed": 1,
        "failed": 0,
        "cancelled": 0,
    }


# Following one


@pytest.mark.proves("runs.follow")
async def test_a_follower_is_told_what_its_client_is_as_it_comes(serve: Serve) -> None:
    gates = [Gate(), Gate()]
    begins: list[Step] = [STARTED, ReasoningDelta("Hm."), TextDelta("Let "), gates[0], TextDelta("me see."), gates[1]]
    served = serve([*begins, ToolCalled(CALL), TurnFinished("tool_calls")])
    async with served.stream() as answer:
        client = Blocks(answer)
        answer_id = (await client.chunk())["id"]
        async with following(served, answer_id) as follower:
            assert await told(follower) == ("reasoning", {"text": "Hm."})
            assert await told(follower) == ("text", {"text": "Let "})
            gates[0].open()
            assert await told(follower) == ("text", {"text": "me see."})
            gates[1].open()
            call, (name, run) = await all_told(follower)
    assert call == ("tool_call", {"id": "call_1", "name": "look", "arguments": '{"at":"the sky"}'})
    assert (name, run["text"], run["tool_calls"]) == ("end", "Let me see.", [call[1]])


@pytest.mark.proves("runs.follow")
async def test_a_run_that_is_over_is_told_again(serve: Serve) -> None:
    served = serve(CALLING)
    answer = (await served.chat()).json()
    async with following(served, answer["id"]) as follower:
        text, call, (_, run) = await all_told(follower)
    assert text == ("text", {"text": answer["choices"][0]["message"]["content"]})
    assert call[1]["arguments"] == answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert run == (await served.client.get(f"/runs/{run['id']}")).json()


@pytest.mark.proves("runs.follow")
async def test_halves_of_a_character_are_told_as_one(serve: Serve) -> None:
    gate = Gate()
    served = serve([STARTED, TextDelta("a\ud83d"), gate, TextDelta("\ude00"), FINISHED])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(served.chat)
        await gate.reached.wait()
        async with following(served, "chatcmpl") as follower:
            assert await told(follower) == ("text", {"text": "a"})
            gate.open()
            assert await told(follower) == ("text", {"text": "😀"})
            [(_, run)] = await all_told(follower)
    assert run["text"] == "a😀"


@pytest.mark.proves("runs.follow", "stream.keep-alive")
async def test_a_follower_of_a_silent_run_hears_that_it_goes_on(serve: Serve) -> None:
    gate = Gate()
    served = serve([STARTED, gate, FINISHED], keep_alive_seconds=0.01)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(served.chat)
        await gate.reached.wait()
        async with following(served, "chatcmpl") as follower:
            assert [await follower.next() for _ in range(3)] == [": keep-alive"] * 3
            gate.open()
            assert [name for name, _ in await all_told(follower)] == ["end"]


@pytest.mark.proves("runs.follow")
async def test_a_follower_that_leaves_ends_its_following_and_nothing_else(serve: Serve) -> None:
    gate = Gate()
    served = serve([STARTED, TextDelta("Hi"), gate, FINISHED])
    answers: list[httpx2.Response] = []

    async def ask() -> None:
        answers.append(await served.chat())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await gate.reached.wait()
        async with following(served, "chatcmpl") as follower:
            await told(follower)
        assert [run["state"] for run in await served.runs()] == ["running"]
        gate.open()
    assert answers[0].json()["choices"][0]["message"]["content"] == "Hi"
    assert served.performance.completed


# Ending one


@pytest.mark.proves("runs.cancel", "errors.envelope")
@pytest.mark.parametrize("body", [HELLO, STREAMED])
async def test_the_client_of_a_run_that_is_cancelled_is_told_so_once(serve: Serve, body: Json) -> None:
    gate = Gate()
    served = serve([STARTED, gate, FINISHED])
    async with (
        openai.AsyncOpenAI(base_url=str(served.client.base_url.join("/v1")), api_key="none", max_retries=2) as client,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(cancel, served, gate)
        with pytest.raises(openai.APIStatusError) as raised:
            await client.post(CHAT.removeprefix("/v1"), body=body, cast_to=object)
    assert raised.value.status_code == 499
    assert raised.value.code == "run_cancelled"
    assert served.performance.ended.is_set()


async def cancel(served: Served, gate: Gate) -> None:
    await gate.reached.wait()
    answer = await served.client.post("/runs/chatcmpl/cancel")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")


@pytest.mark.proves("runs.cancel")
async def test_a_stream_that_is_cancelled_ends_with_an_error_and_stays_cancelled(serve: Serve) -> None:
    gate = Gate()
    served = serve([STARTED, TextDelta("Hi"), gate, FINISHED])
    async with served.stream() as response:
        blocks = Blocks(response)
        await blocks.chunk()
        await cancel(served, gate)
        [*_, error] = await blocks.rest()
    assert json.loads(error.removeprefix("data: "))["error"]["code"] == "run_cancelled"
    assert code(await served.client.post("/runs/chatcmpl/cancel")) == (409, "run_not_active", None)
    run = (await served.client.get("/runs/chatcmpl")).json()
    assert (run["state"], run["text"], run["error"]["code"]) == ("cancelled", "Hi", "run_cancelled")


@pytest.mark.proves("runs.states")
async def test_a_client_that_leaves_has_cancelled_its_run(serve: Serve) -> None:
    served = serve([STARTED, TextDelta("Hi"), Gate(), FINISHED])
    async with served.stream() as response:
        await Blocks(response).chunk()
    with anyio.fail_after(PATIENCE_SECONDS):
        while not (cancelled := await served.runs("?state=cancelled")):
            pass
    assert served.performance.ended.is_set()
    [run] = cancelled
    assert run["error"]["message"] == "The client left before the answer was complete."


class Unreadable(MemoryStore):
    """A store whose file was damaged while it was in use."""

    async def search(self, *_: object, **__: object) -> tuple[Run, ...]:
        raise StoreError("the store of runs /home/me/runs.sqlite3 is damaged")


@pytest.mark.proves("runs.list", "errors.envelope")
async def test_a_store_that_cannot_be_read_is_told_as_that_without_its_place(serve: Serve) -> None:
    answer = await serve(said("Hi"), store=Unreadable()).client.get("/runs")
    error = answer.json()["error"]
    assert answer.status_code == 500
    assert error["message"].startswith("The server cannot read its stored runs")
    assert "/home" not in error["message"]
