"""More connections than there is room for: those that say nothing make room, those that are answered stay."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import cast

import anyio
import httpx2
import pytest
import uvicorn
from anyio.abc import SocketStream
from starlette.types import ASGIApp
from structlog.typing import EventDict

from claude_openai.http.connection import LEAST_PLACES, Connection, Room, places_within
from claude_openai.simulator import Gate
from claude_openai.system.serving import ACCEPTED_AT_ONCE, Server, base_url, bound, serving
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import STOP_SECONDS, TIMEOUT_SECONDS, Serve
from tests.server.http.exchange import STREAMED, Blocks, said

PLACES = 8


@asynccontextmanager
async def narrow(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    """`app` on a server that has room for `PLACES` connections, and a client of it."""
    listener = bound("127.0.0.1", 0)
    config = uvicorn.Config(
        app,
        http=cast("type[Connection]", partial(Connection, room=Room(PLACES))),
        backlog=ACCEPTED_AT_ONCE,
        log_config=None,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    client = httpx2.AsyncClient(base_url=base_url(listener), timeout=TIMEOUT_SECONDS)
    async with serving(Server(config), listener), client:
        yield client


async def idle(stack: AsyncExitStack, client: httpx2.AsyncClient, count: int) -> list[SocketStream]:
    url = client.base_url
    assert url.port is not None
    return [await stack.enter_async_context(await anyio.connect_tcp(url.host, url.port)) for _ in range(count)]


async def is_closed(stream: SocketStream) -> bool:
    with anyio.fail_after(PATIENCE_SECONDS), pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
        await stream.receive()
    return True


@pytest.mark.proves("hostile.connections")
async def test_who_has_waited_longest_makes_room(serve: Serve, logged: list[EventDict]) -> None:
    async with narrow(serve(said("Hi")).app) as client, AsyncExitStack() as stack:
        waiting = await idle(stack, client, 3 * PLACES)
        for stream in waiting[: 2 * PLACES]:
            assert await is_closed(stream)
        for stream in waiting[2 * PLACES + 1 :]:  # the first one makes room for the client
            await stream.send(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert (await stream.receive()).startswith(b"HTTP/1.1 200 ")
        assert (await client.get("/health")).status_code == 200
    told = [event for event in logged if event["event"] == "http.connections_full"]
    assert [(event["log_level"], event["places"]) for event in told] == [("warning", PLACES)]


@pytest.mark.proves("hostile.connections")
async def test_who_is_being_answered_stays_and_one_too_many_is_turned_away(serve: Serve) -> None:
    gates = [Gate() for _ in range(PLACES)]
    app = serve(*((*said("Hi")[:2], gate, *said("Hi")[2:]) for gate in gates), keep_alive_seconds=0.05).app
    async with narrow(app) as client, AsyncExitStack() as stack:
        answers = [
            await stack.enter_async_context(client.stream("POST", "/v1/chat/completions", json=STREAMED))
            for _ in range(PLACES)
        ]
        full = await stack.enter_async_context(httpx2.AsyncClient(base_url=client.base_url))
        refused = await full.get("/health")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "too_many_connections")
        assert (refused.headers["retry-after"], refused.headers["connection"]) == ("1", "close")
        for gate in gates:
            gate.open()
        for answer in answers:
            assert (await Blocks(answer).rest())[-1] == "data: [DONE]"
        assert (await full.get("/health")).status_code == 200


@pytest.mark.proves("hostile.connections")
@pytest.mark.parametrize(("descriptors", "processes"), [(256, 8), (1024, 20), (16_384, 8)])
def test_connections_leave_descriptors_to_everything_else(descriptors: int, processes: int) -> None:
    assert LEAST_PLACES < places_within(descriptors, processes) < descriptors - 8 * processes - 64


@pytest.mark.proves("hostile.connections")
def test_there_is_always_room_for_some() -> None:
    assert places_within(64, 8) == LEAST_PLACES
