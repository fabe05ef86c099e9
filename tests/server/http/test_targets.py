"""The forms of a request's target (RFC 9112, 3.2), and the framing of what stands behind it."""

import json
from typing import NamedTuple

import anyio
import h11
import pytest
from structlog.typing import EventDict

from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import HELLO, Json, Served, said


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool
    """Whether the server closed the connection by itself."""

    @property
    def error(self) -> Json:
        found: Json = json.loads(self.body)["error"]
        return found


async def sent(served: Served, *lines: str, body: bytes = b"") -> Answer:
    """What comes of these very lines. They do not ask for the connection to be closed."""
    async with await served.connect() as stream:
        with anyio.fail_after(PATIENCE_SECONDS):
            await stream.send("\r\n".join([*lines, "", ""]).encode() + body)
            client = h11.Connection(h11.CLIENT)
            client.send(h11.Request(method=lines[0].split(" ")[0], target="/", headers=[("host", "x")]))
            client.send(h11.EndOfMessage())
            response, data = None, bytearray()
            while not isinstance(event := client.next_event(), h11.EndOfMessage):
                if event is h11.NEED_DATA:
                    client.receive_data(await stream.receive())
                elif isinstance(event, h11.Response):
                    response = event
                elif isinstance(event, h11.Data):
                    data += event.data
            assert response is not None
            headers = {name.decode(): value.decode() for name, value in response.headers}
            closed = client.their_state is h11.MUST_CLOSE
            if closed:
                with pytest.raises(anyio.EndOfStream):
                    await stream.receive()
    return Answer(response.status_code, headers, bytes(data), closed)


@pytest.mark.proves("http.target")
@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/v1/models/sonnet",
        "http://localhost:8000/v1/models/sonnet",
        "HTTP://[::1]:8000/v1/models/sonnet?x=1",
        "http://127.0.0.1/v1/models/gpt%2D4o",
    ],
)
async def test_a_target_with_scheme_and_host_is_the_path_in_it(serve: Serve, target: str) -> None:
    served = serve()
    answer = await sent(served, f"GET {target} HTTP/1.1", "host: localhost")
    assert (answer.status, json.loads(answer.body)["object"], answer.closed) == (200, "model", False)


@pytest.mark.proves("http.target", "safety.host-header")
async def test_the_host_of_an_absolute_target_counts_and_the_header_does_not(serve: Serve) -> None:
    served = serve()
    foreign = await sent(served, "GET http://evil.example/health HTTP/1.1", "host: localhost")
    assert (foreign.status, foreign.error["code"]) == (403, "host_not_allowed")
    assert "evil.example" in foreign.error["message"]
    own = await sent(served, "GET http://localhost/health HTTP/1.1", "host: evil.example")
    assert own.status == 200


@pytest.mark.proves("http.target", "safety.host-header")
@pytest.mark.parametrize("target", ["http:///health", "http://", "http://user:secret@localhost/health", "http://a b/"])
async def test_a_target_whose_host_is_not_plain_is_refused(serve: Serve, target: str) -> None:
    answer = await sent(serve(), f"GET {target} HTTP/1.1", "host: localhost")
    assert answer.status == 400
    assert "secret" not in answer.error["message"]


@pytest.mark.proves("http.target")
async def test_a_body_is_read_behind_an_absolute_target(serve: Serve) -> None:
    served, body = serve(said("Hi")), json.dumps(HELLO).encode()
    line = "POST http://localhost/v1/chat/completions HTTP/1.1"
    answer = await sent(served, line, "host: localhost", f"content-length: {len(body)}", body=body)
    assert (answer.status, json.loads(answer.body)["object"]) == (200, "chat.completion")


@pytest.mark.proves("http.target")
@pytest.mark.parametrize("scheme", ["https", "ftp"])
async def test_a_scheme_that_is_not_spoken_here_is_misdirected(serve: Serve, scheme: str) -> None:
    answer = await sent(serve(), f"GET {scheme}://localhost/health HTTP/1.1", "host: localhost")
    assert (answer.status, answer.error["code"]) == (421, "misdirected_request")


@pytest.mark.proves("http.target")
@pytest.mark.parametrize("target", ["x", "*", "?x=1", "%2Fhealth", "localhost:8000", "mailto:a", "http:health"])
async def test_a_target_that_is_no_path_is_a_400(serve: Serve, target: str, logged: list[EventDict]) -> None:
    answer = await sent(serve(), f"GET {target} HTTP/1.1", "host: localhost")
    assert (answer.status, answer.error["code"]) == (400, "invalid_target")
    assert [event for event in logged if event["event"] == "http.fault"] == []


@pytest.mark.proves("http.target")
@pytest.mark.parametrize("target", ["*", "http://localhost:8000"])
async def test_the_server_as_a_whole_has_no_options(serve: Serve, target: str) -> None:
    answer = await sent(serve(), f"OPTIONS {target} HTTP/1.1", "host: localhost")
    assert (answer.status, answer.error["code"]) == (405, "method_not_supported")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, POST"


@pytest.mark.proves("http.target")
@pytest.mark.parametrize("target", ["127.0.0.1:8000", "evil.example:443", "[::1]:8000", "/health"])
async def test_nothing_is_connected_to(serve: Serve, target: str) -> None:
    answer = await sent(serve(), f"CONNECT {target} HTTP/1.1", "host: localhost")
    assert (answer.status, answer.error["code"], answer.headers["allow"]) == (405, "method_not_supported", "")
    assert "proxy" in answer.error["message"]


@pytest.mark.proves("hostile.not-http")
@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["PRI * HTTP/2.0", "", "SM"], id="the preface of HTTP/2"),
        pytest.param(["GET /health HTTP/2.0"], id="HTTP/2"),
        pytest.param(["GET /health HTTP/3.0", "host: localhost"], id="HTTP/3"),
        pytest.param(["GET /health HTTP/0.9", "host: localhost"], id="HTTP/0.9"),
    ],
)
async def test_another_http_is_not_this_one(serve: Serve, lines: list[str]) -> None:
    answer = await sent(serve(), *lines)
    assert (answer.status, answer.error["code"], answer.closed) == (400, "not_http", True)


@pytest.mark.proves("http.target")
@pytest.mark.parametrize("protocol", ["h2c", "websocket", "TLS/1.0"])
async def test_an_upgrade_is_not_taken_up_and_the_request_is_answered(
    serve: Serve, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    served = serve()
    upgrade = [
        "connection: Upgrade, HTTP2-Settings",
        f"upgrade: {protocol}",
        "http2-settings: AAMAAABkAAQAoAAAAAIAAAAA",
    ]
    answer = await sent(served, "GET /health HTTP/1.1", "host: localhost", *upgrade)
    assert (answer.status, "upgrade" in answer.headers) == (200, False)
    assert caplog.messages == []


@pytest.mark.proves("safety.framing")
async def test_a_body_with_two_lengths_ends_its_connection(serve: Serve) -> None:
    served, body = serve(said("Hi")), json.dumps(HELLO).encode()
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    smuggled = b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n"
    for path, expected in (("/v1/chat/completions", 200), ("/nowhere", 404)):
        lines = [f"POST {path} HTTP/1.1", "host: localhost", f"content-length: {len(chunked)}"]
        answer = await sent(served, *lines, "transfer-encoding: chunked", body=chunked + smuggled)
        assert (answer.status, answer.headers.get("connection"), answer.closed) == (expected, "close", True)


@pytest.mark.proves("safety.not-embedded", "hostile.not-http")
async def test_what_is_no_http_is_not_embedded_either(serve: Serve) -> None:
    answer = await sent(serve(), "GET /not a target HTTP/1.1", "host: localhost")
    assert (answer.status, answer.error["code"]) == (400, "not_http")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
