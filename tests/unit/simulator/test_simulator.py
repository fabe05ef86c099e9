"""The simulator as a server: what its clients see and what it remembers of them, over real connections."""

import gzip
import json
import time
import zlib
from collections.abc import AsyncIterator, Callable

import anyio
import httpx2
import pytest

from claude_openai.simulator import (
    Cut,
    Failure,
    Gate,
    Malformed,
    RecordedRequest,
    Refused,
    Replies,
    Reply,
    Simulator,
    Stall,
    StreamError,
    Text,
    Thinking,
    ToolUse,
    UnscriptedPath,
)
from claude_openai.simulator.script import USUAL_FAILURES, Answer
from tests.unit.simulator.api import SECONDS, asking, events_of, folded, post, served, stream, streaming


@pytest.mark.proves("simulator.messages", "simulator.rules")
async def test_a_plain_request_is_answered_with_one_message() -> None:
    async with served(Simulator(Replies("Hello there."))) as client:
        response = await post(client, asking("Hi"))
    assert response.status_code == 200
    assert response.headers["request-id"] == "req_sim_000001"
    assert (
        response.json().items()
        >= {
            "id": "msg_sim_000001",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-5",
            "content": [{"type": "text", "text": "Hello there."}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
        }.items()
    )


@pytest.mark.proves("simulator.messages")
async def test_a_streamed_message_is_the_plain_one() -> None:
    reply = Reply((Thinking.of("Hm.", 2), Text.of("It is noon.", 3), ToolUse("get_time", {"city": "Paris"})))
    async with served(Simulator(Replies(reply))) as client:
        plain = (await post(client, asking("When?"))).json()
    async with served(Simulator(Replies(reply))) as client:
        streamed = folded(await stream(client, asking("When?")))
    assert streamed == plain


@pytest.mark.proves("simulator.messages")
async def test_a_stream_is_sent_as_events_that_nobody_caches() -> None:
    async with served(Simulator()) as client:
        response = await post(client, asking("Say hello", stream=True))
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert events_of(response.text)[-1] == {"type": "message_stop"}


@pytest.mark.proves("simulator.directives")
async def test_no_delta_is_held_back_for_the_next_one() -> None:
    gate = Gate()
    script = Replies(Reply((Text(("first", gate, "second")),)))
    with anyio.fail_after(SECONDS):
        async with served(Simulator(script)) as client, streaming(client, asking("Go")) as events:
            assert (await delta_text(events), gate.opened.is_set()) == ("first", False)
            await gate.reached.wait()
            gate.open()
            assert await delta_text(events) == "second"


async def delta_text(events: AsyncIterator[dict[str, object]]) -> object:
    async for event in events:
        if isinstance(delta := event.get("delta"), dict):
            return delta["text"]
    raise AssertionError("the stream ended")


@pytest.mark.proves("simulator.messages")
async def test_tool_uses_are_numbered_in_the_order_of_the_requests() -> None:
    twice = Reply((ToolUse("get_time"), ToolUse("get_time"), ToolUse("get_time", id="own")))
    async with served(Simulator(Replies(twice, twice))) as client:
        answers = [(await post(client, asking("When?"))).json() for _ in range(2)]
    assert [[block["id"] for block in answer["content"]] for answer in answers] == [
        ["toolu_sim_000001", "toolu_sim_000002", "own"],
        ["toolu_sim_000003", "toolu_sim_000004", "own"],
    ]


@pytest.mark.proves("simulator.script")
async def test_every_request_is_recorded_with_what_became_of_it() -> None:
    simulator = Simulator(Replies("one", "two"))
    before = time.monotonic()
    async with served(simulator) as client:
        await post(client, asking("First", system=[{"type": "text", "text": "Be brief."}], tools=[]))
        await client.post("/v1/messages", json=asking("Second", stream=True), headers={"x-test": "yes"})
    first, second = simulator.requests
    assert (first.index, first.model, first.system, first.stream) == (0, "claude-sonnet-5", "Be brief.", False)
    assert (second.messages, second.tools) == ([{"role": "user", "content": "Second"}], [])
    assert (second.stream, second.headers["x-test"]) == (True, "yes")
    for request in simulator.requests:
        assert request.first_byte_at is not None
        assert request.last_byte_at is not None
        assert before <= request.received_at <= request.first_byte_at <= request.last_byte_at <= time.monotonic()
        assert (request.finished.is_set(), request.closed.is_set()) == (True, False)


@pytest.mark.proves("simulator.script")
async def test_a_test_can_wait_for_a_request_that_has_not_arrived() -> None:
    simulator = Simulator(Replies("one", "two"))
    seen: list[RecordedRequest] = []

    async def watch() -> None:
        seen.append(await simulator.request(1))

    with anyio.fail_after(SECONDS):
        async with served(simulator) as client, anyio.create_task_group() as group:
            group.start_soon(watch)
            await post(client, asking("First"))
            await post(client, asking("Second"))
    assert seen == [simulator.requests[1]]


@pytest.mark.proves("simulator.script")
async def test_the_script_can_be_replaced_between_turns() -> None:
    simulator = Simulator(Replies("one"))
    async with served(simulator) as client:
        first = (await post(client, asking("Go"))).json()
        simulator.script = lambda request: Reply.of(f"{len(request.messages)} message")
        second = (await post(client, asking("Go"))).json()
    assert [answer["content"][0]["text"] for answer in (first, second)] == ["one", "1 message"]


@pytest.mark.proves("simulator.directives")
@pytest.mark.parametrize("status", USUAL_FAILURES)
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_failure_is_an_error_document_before_any_event(status: int, streamed: bool) -> None:
    async with served(Simulator(Replies(Failure.of(status, retry_after=7)))) as client:
        response = await post(client, asking("Go", stream=streamed))
    kind, text = USUAL_FAILURES[status]
    assert (response.status_code, response.headers["retry-after"]) == (status, "7")
    assert response.json() == {"type": "error", "error": {"type": kind, "message": text}}


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_reply_can_say_something_beside_it_such_as_a_rate_limit(*, streamed: bool) -> None:
    headers = {"anthropic-ratelimit-unified-status": "allowed"}
    async with served(Simulator(Replies(Reply((Text.of("Hi"),), headers=headers), "Ho"))) as client:
        limited = await post(client, asking("Hi", stream=streamed))
        other = await post(client, asking("Hi", stream=streamed))
    assert limited.headers.items() >= headers.items()
    assert headers.keys().isdisjoint(other.headers)


@pytest.mark.proves("simulator.directives")
@pytest.mark.parametrize("answer", [Refused(), Reply.of("hello", 3, fault=Cut()), Reply(fault=Cut(0))])
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_dropped_connection_is_no_answer(answer: Answer, streamed: bool) -> None:
    simulator = Simulator(Replies(answer))
    async with served(simulator) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            await post(client, asking("Go", stream=streamed))
    request = simulator.requests[0]
    assert (request.finished.is_set(), request.closed.is_set()) == (True, False)


@pytest.mark.proves("simulator.directives")
async def test_a_cut_stream_ends_after_the_events_told() -> None:
    body = bytearray()
    async with (
        served(Simulator(Replies(Reply.of("hello", 3, fault=Cut(5))))) as client,
        client.stream("POST", "/v1/messages", json=asking("Go", stream=True)) as response,
    ):
        with pytest.raises(httpx2.RemoteProtocolError):
            await read(response, body)
    kinds = [event["type"] for event in events_of(body.decode())]
    assert kinds == ["message_start", "ping", "content_block_start", "content_block_delta", "content_block_delta"]


async def read(response: httpx2.Response, into: bytearray) -> None:
    async for chunk in response.aiter_bytes():
        into += chunk


@pytest.mark.proves("simulator.directives", "simulator.script")
async def test_a_client_that_leaves_a_stalled_stream_is_noticed() -> None:
    simulator = Simulator(Replies(Reply.of("hello"), Reply.of("hello", fault=Stall())))
    with anyio.fail_after(SECONDS):
        async with served(simulator) as client:
            await post(client, asking("Go"))
            async with streaming(client, asking("Go")) as events:
                assert await delta_text(events) == "hello"
                assert not simulator.requests[1].finished.is_set()
            await simulator.requests[1].closed.wait()
            await simulator.requests[1].finished.wait()
    assert not simulator.requests[0].closed.is_set()


@pytest.mark.proves("simulator.directives")
@pytest.mark.parametrize("reply", [Reply(fault=Stall(0)), Reply(fault=Stall(2)), Reply(first_byte_delay=1000)])
async def test_the_simulator_stops_while_answers_stall(reply: Reply) -> None:
    """Its clients see their connections end."""
    simulator = Simulator(lambda _: reply)

    async def call(url: str, streamed: bool) -> None:
        async with httpx2.AsyncClient(base_url=url, timeout=SECONDS, trust_env=False) as client:
            with pytest.raises(httpx2.RemoteProtocolError):
                await post(client, asking("Go", stream=streamed))

    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as group, simulator.serve() as url:
            for streamed in (True, False):
                group.start_soon(call, url, streamed)
            await simulator.request(1)
        for request in simulator.requests:
            await request.finished.wait()


@pytest.mark.proves("simulator.directives")
async def test_the_simulator_stops_when_the_block_around_it_is_cancelled() -> None:
    simulator = Simulator(lambda _: Reply(fault=Stall(0)))
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as group, served(simulator) as client:
            group.start_soon(post, client, asking("Go"))
            await simulator.request(0)
            group.cancel_scope.cancel()
        await simulator.requests[0].finished.wait()


@pytest.mark.proves("simulator.script")
async def test_an_error_of_the_block_comes_out_as_it_is() -> None:
    cause = KeyError("cause")
    with pytest.raises(ZeroDivisionError) as raised:
        async with Simulator().serve():
            raise ZeroDivisionError from cause
    assert raised.value.__cause__ is cause


@pytest.mark.proves("simulator.directives")
async def test_a_malformed_event_stands_between_whole_ones() -> None:
    async with served(Simulator(Replies(Reply.of("hello", fault=Malformed(3))))) as client:
        response = await post(client, asking("Go", stream=True))
    data = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
    with pytest.raises(json.JSONDecodeError):
        json.loads(data.pop(3))
    assert [json.loads(rest)["type"] for rest in data][-1] == "message_stop"


@pytest.mark.proves("simulator.directives")
async def test_a_stream_error_is_an_event_after_which_the_stream_ends() -> None:
    async with served(Simulator(Replies(Reply.of("hello", fault=StreamError(2))))) as client:
        events = await stream(client, asking("Go"))
    assert events[2:] == [{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}]


@pytest.mark.proves("simulator.directives")
async def test_faults_of_a_stream_have_their_like_without_one() -> None:
    faults = (Malformed(), StreamError(), StreamError(type="api_error"))
    async with served(Simulator(Replies(*(Reply.of("hello", fault=fault) for fault in faults)))) as client:
        malformed, overloaded, broken = [await post(client, asking("Go")) for _ in faults]
    with pytest.raises(json.JSONDecodeError):
        malformed.json()
    assert (overloaded.status_code, broken.status_code) == (529, 500)


@pytest.mark.proves("simulator.directives")
async def test_with_a_key_only_requests_that_carry_it_are_answered() -> None:
    async with served(Simulator(api_key="sk-right")) as client:
        keys: tuple[dict[str, str], ...] = (
            {"x-api-key": "sk-right"},
            {"authorization": "Bearer sk-right"},
            {"x-api-key": "sk-wrong"},
            {},
        )
        answers = [await client.post("/v1/messages", json=asking("Hi"), headers=key) for key in keys]
        models = [await client.get("/v1/models", headers=key) for key in keys]
    assert [answer.status_code for answer in answers] == [200, 200, 401, 401]
    assert [answer.status_code for answer in models] == [200, 200, 401, 401]
    assert answers[3].json()["error"]["type"] == "authentication_error"


@pytest.mark.proves("simulator.messages")
@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_packed_body_is_unpacked(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    body = pack(json.dumps(asking("Say hello")).encode())
    async with served(Simulator()) as client:
        response = await client.post("/v1/messages", content=body, headers={"content-encoding": encoding})
    assert response.json()["content"] == [{"type": "text", "text": "hello"}]


@pytest.mark.proves("simulator.messages")
async def test_a_body_in_chunks_is_put_together() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for byte in json.dumps(asking("Say hello")).encode():
            yield bytes([byte])

    async with served(Simulator()) as client:
        response = await client.post("/v1/messages", content=chunks())
    assert response.json()["content"] == [{"type": "text", "text": "hello"}]


@pytest.mark.proves("simulator.directives")
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
async def test_a_body_that_is_no_object_is_a_400(body: bytes) -> None:
    simulator = Simulator()
    async with served(simulator) as client:
        response = await client.post("/v1/messages", content=body)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")
    assert simulator.other_requests == [UnscriptedPath("POST", "/v1/messages", 400)]


@pytest.mark.proves("simulator.directives")
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
async def test_a_body_that_is_not_packed_as_it_says_is_a_400(encoding: str) -> None:
    async with served(Simulator()) as client:
        response = await client.post("/v1/messages", content=b"{}", headers={"content-encoding": encoding})
    assert response.status_code == 400


@pytest.mark.proves("simulator.messages", "simulator.script")
async def test_an_unknown_path_is_a_recorded_404() -> None:
    simulator = Simulator()
    async with served(simulator) as client:
        response = await client.delete("/v1/files/1")
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "not_found_error"
    assert simulator.other_requests == [UnscriptedPath("DELETE", "/v1/files/1", 404)]
    assert simulator.requests == []


async def test_what_clients_ask_for_beside_messages_is_there() -> None:
    async with served(Simulator()) as client:
        statuses = [(await client.head(path)).status_code for path in ("/", "/api/hello")]
        models = (await client.get("/v1/models")).json()
    assert statuses == [200, 200]
    assert {model["type"] for model in models["data"]} == {"model"}
    assert models["last_id"] == models["data"][-1]["id"]


@pytest.mark.proves("simulator.script")
async def test_one_that_runs_for_ever_keeps_nothing() -> None:
    simulator = Simulator(remember=False)
    async with served(simulator) as client:
        ids = [(await post(client, asking("Hi"))).json()["id"] for _ in range(2)]
        await client.get("/v1/models")
    assert (ids, simulator.requests, simulator.other_requests) == (["msg_sim_000001", "msg_sim_000002"], [], [])


@pytest.mark.proves("simulator.script")
async def test_a_busy_port_is_an_error() -> None:
    async with Simulator().serve() as base_url:
        with pytest.raises(OSError, match="in use"):
            async with Simulator().serve(port=int(base_url.rpartition(":")[2])):
                pass


@pytest.mark.proves("simulator.script")
async def test_without_a_key_it_listens_on_loopback_only() -> None:
    with pytest.raises(ValueError, match="loopback only"):
        async with Simulator().serve("0.0.0.0"):
            pass
    async with Simulator(api_key="sk-right").serve("0.0.0.0") as base_url:
        assert base_url.startswith("http://127.0.0.1:")
    for host in ("localhost", "::1"):
        async with Simulator().serve(host) as base_url, httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{base_url}/v1/models")).status_code == 200


@pytest.mark.proves("simulator.messages")
async def test_the_same_requests_get_the_same_bytes() -> None:
    prompts = ("Say hello", "Count to 20", "What is this?", "[[sim tool=x]]", "Say hello")
    heard = []
    for _ in range(2):
        async with served(Simulator()) as client:
            heard.append([(await post(client, asking(prompt, stream=True))).content for prompt in prompts])
    assert heard[0] == heard[1]
