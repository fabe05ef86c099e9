"""What no client of ours would send, on bare connections: answered or let go, and the others do not notice."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import anyio
import h11
import pytest
from anyio.abc import SocketStream

from claude_openai.http import connection
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import HELLO, Json, Served, said

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
BODY = json.dumps(HELLO).encode()
REQUEST = HEAD + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY


@asynccontextmanager
async def connected(served: Served) -> AsyncIterator[SocketStream]:
    async with await served.connect() as stream:
        with anyio.fail_after(PATIENCE_SECONDS):
            yield stream


async def answers(stream: SocketStream, count: int) -> list[tuple[int, bytes]]:
    """Status and body of the next `count` answers."""
    client, found = h11.Connection(h11.CLIENT), list[tuple[int, bytes]]()
    while len(found) < count:
        client.send(h11.Request(method="POST", target="/", headers=[("host", "x"), ("content-length", "0")]))
        client.send(h11.EndOfMessage())
        status, body = 0, bytearray()
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                client.receive_data(await stream.receive())
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
        found.append((status, bytes(body)))
        if client.their_state is h11.DONE:
            client.start_next_cycle()
    return found


async def closed(stream: SocketStream) -> None:
    """Returns when the server has closed it."""
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
        while True:
            await stream.receive()


async def still_answers(served: Served) -> None:
    assert (await served.chat()).status_code == 200


@pytest.mark.proves("hostile.not-http")
@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        pytest.param(
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n", 400, "not_http", id="TLS"
        ),
        pytest.param(b"hello\r\n\r\n", 400, "not_http", id="a word"),
        pytest.param(b"GET /health HTTP/1.1\r\n\r\n", 400, "invalid_host", id="no host"),
        pytest.param(HEAD + b"host: again\r\n\r\n", 400, "invalid_host", id="two hosts"),
        pytest.param(HEAD + b"content-length: -1\r\n\r\n", 400, "not_http", id="a negative length"),
        pytest.param(HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\n", 400, "not_http", id="two lengths"),
        pytest.param(HEAD + b"x: " + b"x" * 1_000_000 + b"\r\n\r\n", 431, "headers_too_large", id="a huge header"),
        pytest.param(HEAD + b"x: y\r\n" * 200_000 + b"\r\n", 431, "headers_too_large", id="many headers"),
        pytest.param(b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\n\r\n", 431, "headers_too_large", id="a huge path"),
    ],
)
async def test_what_is_no_http_is_an_error_like_any_other(serve: Serve, sent: bytes, status: int, code: str) -> None:
    served = serve(said("Hi"))
    async with connected(served) as stream:
        await stream.send(sent)
        [(answered, body)] = await answers(stream, 1)
        await closed(stream)
    error: Json = json.loads(body)["error"]
    assert (answered, error["type"], error["code"]) == (status, "invalid_request_error", code)
    await still_answers(served)


@pytest.mark.proves("hostile.not-http")
async def test_a_body_whose_pieces_cannot_be_read_ends_the_connection(serve: Serve) -> None:
    served = serve(said("Hi"))
    async with connected(served) as stream:
        await stream.send(HEAD + b"transfer-encoding: chunked\r\n\r\nnot a length\r\n")
        await closed(stream)
    await still_answers(served)


@pytest.mark.proves("hostile.not-http")
async def test_requests_that_come_all_at_once_are_answered_one_after_another(serve: Serve) -> None:
    served = serve(*(said(str(number)) for number in range(5)))
    async with connected(served) as stream:
        await stream.send(REQUEST * 5)
        found = await answers(stream, 5)
    texts = [json.loads(body)["choices"][0]["message"]["content"] for _, body in found]
    assert texts == ["0", "1", "2", "3", "4"]


@pytest.mark.proves("hostile.connections")
async def test_others_are_answered_while_200_connections_say_nothing_or_half_a_word(serve: Serve) -> None:
    served = serve(said("Hi"))
    async with AsyncExitStack() as idle:
        for number in range(200):
            stream = await idle.enter_async_context(await served.connect())
            if number % 2:
                await stream.send(REQUEST[: number // 2 + 20])
        await still_answers(served)


@pytest.mark.proves("hostile.slow")
@pytest.mark.parametrize("beginning", [b"", b"POST /v1/chat", HEAD], ids=["nothing", "half a line", "half a head"])
async def test_who_does_not_say_what_he_wants_is_let_go(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, beginning: bytes
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)
    served = serve(said("Hi"))
    async with connected(served) as stream:
        if beginning:
            await stream.send(beginning)
        await closed(stream)
    await still_answers(served)


@pytest.mark.proves("hostile.slow")
async def test_more_of_a_head_is_no_more_time_and_a_whole_one_ends_the_waiting(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve(said("Hi"))
    async with connected(served) as stream:
        await stream.send(REQUEST)
        await answers(stream, 1)
        monkeypatch.setattr(connection, "HEAD_SECONDS", 0.05)  # the second request's
        for number in range(len(HEAD)):
            try:
                await stream.send(HEAD[number : number + 1])
                await anyio.sleep(0.01)
            except anyio.BrokenResourceError:
                break
        else:
            pytest.fail("every byte was a reason to wait on")
    await still_answers(served)


@pytest.mark.proves("errors.body-too-large")
async def test_a_body_without_end_is_cut_at_the_limit(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.1)
    served = serve(said("Hi"), max_request_bytes=1_000_000)
    async with connected(served) as stream:
        await stream.send(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        with suppress(anyio.BrokenResourceError):
            while True:
                await stream.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")
    await still_answers(served)


@pytest.mark.proves("errors.body-too-large")
async def test_the_rest_of_a_body_that_is_too_large_is_passed_over_and_the_connection_serves_on(serve: Serve) -> None:
    served = serve(said("Hi"), max_request_bytes=1_000)
    async with connected(served) as stream:
        await stream.send(HEAD + b"content-length: 300000\r\n\r\n")
        [(large, _)] = await answers(stream, 1)
        await stream.send(b" " * 300_000 + REQUEST)
        [(small, _)] = await answers(stream, 1)
    assert (large, small) == (413, 200)
