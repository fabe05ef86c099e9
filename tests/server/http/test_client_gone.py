"""A client that leaves, or stops reading, ends its turn at once and holds up nobody."""

import json

import anyio
import anyio.lowlevel
import pytest
from structlog.typing import EventDict

from claude_openai.core.events import TextDelta
from claude_openai.simulator import Gate
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, FINISHED, HELLO, STARTED, STREAMED, Blocks, Json, Served, said

pytestmark = pytest.mark.proves("lifetime.client-gone")


async def test_leaving_a_stream_between_two_deltas_ends_the_turn(serve: Serve) -> None:
    served = serve([STARTED, TextDelta("one"), Gate(), FINISHED])
    async with served.stream() as response:
        await Blocks(response).chunk()
    with anyio.fail_after(PATIENCE_SECONDS):
        await served.performance.ended.wait()
    assert not served.performance.completed


@pytest.mark.parametrize("body", [HELLO, STREAMED])
async def test_leaving_before_anything_was_answered_ends_the_turn(serve: Serve, body: Json) -> None:
    gate = Gate()
    served = serve([STARTED, gate, FINISHED])
    async with await served.connect() as connection:
        await connection.send(request(body))
        await gate.reached.wait()
    with anyio.fail_after(PATIENCE_SECONDS):
        await served.performance.ended.wait()
    assert not served.performance.completed


async def test_leaving_within_the_request_starts_no_turn(serve: Serve, logged: list[EventDict]) -> None:
    served = serve(said("Hi"))
    async with await served.connect() as connection:
        await connection.send(request(HELLO)[:-1])
    await settled(served)
    assert served.backend.performances == []
    assert not any(entry["log_level"] in {"warning", "error"} for entry in logged)


async def test_it_is_no_error_and_the_log_says_that_the_answer_is_not_whole(
    serve: Serve, logged: list[EventDict]
) -> None:
    served = serve([STARTED, TextDelta("one"), Gate(), FINISHED], said("Hi"))
    async with served.stream() as response:
        await Blocks(response).chunk()

    def left() -> list[EventDict]:
        return [entry for entry in logged if entry["event"] == "http.request" and entry.get("path") == CHAT]

    with anyio.fail_after(PATIENCE_SECONDS):
        while not left():
            await anyio.lowlevel.checkpoint()
    await settled(served)
    [of_it] = left()
    assert (of_it["status"], of_it["complete"]) == (200, False)
    assert not any(entry["log_level"] in {"warning", "error"} for entry in logged)


async def test_one_that_leaves_takes_nothing_from_another(serve: Serve) -> None:
    gate = Gate()
    served = serve([STARTED, TextDelta("one"), Gate(), FINISHED], [STARTED, TextDelta("one"), gate, FINISHED])
    async with served.stream() as leaving, served.stream() as staying:
        await Blocks(leaving).chunk()
        blocks = Blocks(staying)
        await blocks.chunk()
        await leaving.aclose()
        with anyio.fail_after(PATIENCE_SECONDS):
            await served.backend.performances[0].ended.wait()
        gate.open()
        assert (await blocks.rest())[-1] == "data: [DONE]"
    assert served.backend.performances[1].completed


async def test_one_that_stops_reading_is_given_up(serve: Serve, logged: list[EventDict]) -> None:
    gate = Gate()
    more_than_any_buffer = [TextDelta("x" * 1_000_000)] * 50
    served = serve([STARTED, gate, *more_than_any_buffer, FINISHED], send_seconds=0.05)
    async with await served.connect() as connection:
        await connection.send(request(STREAMED))
        await gate.reached.wait()
        gate.open()
        with anyio.fail_after(PATIENCE_SECONDS):
            await served.performance.ended.wait()
        assert not served.performance.completed
    with anyio.fail_after(PATIENCE_SECONDS):
        while "http.client_stalled" not in [entry["event"] for entry in logged]:
            await anyio.lowlevel.checkpoint()


async def test_a_slow_reader_gets_everything(serve: Serve) -> None:
    served = serve([STARTED, *[TextDelta("x" * 100_000)] * 20, FINISHED])
    async with await served.connect() as connection:
        await connection.send(request(STREAMED))
        received = b""
        while not received.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n"):
            received += await connection.receive(10_000)
    assert received.count(b"x" * 100_000) == 20


def request(body: Json) -> bytes:
    content = json.dumps(body).encode()
    return f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


async def settled(served: Served) -> None:
    """A later request has been answered, so what happened before has been dealt with."""
    await served.client.get("/health")
