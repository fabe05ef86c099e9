"""What a client is told that sent something wrong, or met a fault of ours: always OpenAI's envelope."""

import json
from collections.abc import AsyncIterator
from functools import partial

import anyio
import anyio.lowlevel
import httpx2
import pytest
from starlette.types import Receive, Scope, Send
from structlog.typing import EventDict

from claude_openai.core.events import TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.http.middleware.errors import ErrorBoundary, HttpError
from claude_openai.http.middleware.request_log import RequestLog
from claude_openai.protocols.common.errors import OPENAI_ERRORS, ErrorDetails, ErrorFormat
from claude_openai.simulator import Gate
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, FINISHED, HELLO, STARTED, Json, said


@pytest.mark.proves("errors.invalid-json", "errors.envelope")
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"model": NaN}', b"\xff\xfe"])
async def test_a_body_that_is_no_json_object_is_a_400(serve: Serve, body: bytes) -> None:
    served = serve(said("Hi"))
    answer = await served.client.post(CHAT, content=body)
    assert answer.status_code == 400
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}
    assert served.backend.performances == []


@pytest.mark.proves("errors.wrong-type")
@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "sonnet"}, "messages"),
        ({**HELLO, "messages": []}, "messages"),
        ({**HELLO, "messages": [{"role": "user", "content": 1}]}, "messages[0].content"),
        ({**HELLO, "temperature": "hot"}, "temperature"),
        ({**HELLO, "n": 9}, "n"),
    ],
)
async def test_what_is_wrong_in_a_request_is_named(serve: Serve, body: Json, param: str) -> None:
    served = serve(said("Hi"))
    answer = await served.chat(body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


@pytest.mark.proves("models.unknown")
async def test_an_unknown_model_is_a_404_that_names_what_exists(serve: Serve, logged: list[EventDict]) -> None:
    served = serve(said("Hi"))
    answer = await served.chat({**HELLO, "model": "gpt-nonsense"})
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert "sonnet" in error["message"]
    mistyped: dict[str, Json] = {
        CHAT: {**HELLO, "model": "sonnnet"},
        "/v1/responses": {"model": "sonnnet", "input": "Hi"},
        "/v1/completions": {"model": "sonnnet", "prompt": "Hi"},
    }
    for path, body in mistyped.items():
        answer = await served.client.post(path, json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
        assert "Did you mean `sonnet`?" in answer.json()["error"]["message"]
    assert (await served.chat({**HELLO, "model": "opus", "temperature": "hot"})).status_code == 400
    asked = [entry.get("model") for entry in logged if entry["event"] == "http.request"]
    assert asked == ["gpt-nonsense", *["sonnnet"] * 3, "opus"]


class TestABodyOverTheLimit:
    @pytest.mark.proves("errors.body-too-large")
    async def test_it_is_a_413_and_no_turn(self, serve: Serve) -> None:
        served = serve(said("Hi"), max_request_bytes=1000)
        answer = await served.client.post(CHAT, content=b"x" * 1001)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "request_too_large"
        assert served.backend.performances == []

    @pytest.mark.proves("errors.body-too-large")
    async def test_its_announced_length_is_enough(self, serve: Serve) -> None:
        served = serve(said("Hi"), max_request_bytes=1000)
        async with await served.connect() as connection:
            await connection.send(f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n".encode())
            assert (await connection.receive()).startswith(b"HTTP/1.1 413 ")

    @pytest.mark.proves("errors.body-too-large")
    async def test_without_a_length_it_is_noticed_while_it_comes(self, serve: Serve) -> None:
        served = serve(said("Hi"), max_request_bytes=1000)
        head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        async with await served.connect() as connection:
            await connection.send(head.encode() + b"3e9\r\n" + b"x" * 1001 + b"\r\n")
            assert (await connection.receive()).startswith(b"HTTP/1.1 413 ")

    @pytest.mark.proves("errors.body-too-large")
    async def test_a_body_of_just_the_limit_is_read(self, serve: Serve) -> None:
        body = json.dumps(HELLO).encode()
        served = serve(said("Hi"), max_request_bytes=len(body))
        assert (await served.client.post(CHAT, content=body)).status_code == 200
        assert (await served.client.post(CHAT, content=pieces(body))).status_code == 200


@pytest.mark.proves("errors.body-too-large")
async def test_where_other_requests_leave_no_room_it_is_a_503_that_says_when_to_try_again(serve: Serve) -> None:
    body, gate = json.dumps(HELLO).encode(), Gate()
    served = serve(
        [*said("one")[:-1], gate, FINISHED],
        *[said("Hi")] * 2,
        max_request_bytes=len(body),
        max_total_request_bytes=2 * len(body) - 1,
    )
    async with anyio.create_task_group() as others:
        others.start_soon(partial(served.client.post, CHAT, content=body))
        await gate.reached.wait()
        for content in (body, pieces(body)):
            answer = await served.client.post(CHAT, content=content)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.json()["error"]["code"] == "request_memory_full"
        gate.open()
    with anyio.fail_after(PATIENCE_SECONDS):
        while (await served.client.post(CHAT, content=body)).status_code == 503:
            await anyio.lowlevel.checkpoint()
    assert len(served.backend.performances) == 2


@pytest.mark.proves("errors.upstream", "chat.client")
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (Kind.INVALID_REQUEST, 400),
        (Kind.NOT_LOGGED_IN, 401),
        (Kind.PERMISSION_DENIED, 403),
        (Kind.MODEL_NOT_FOUND, 404),
        (Kind.REQUEST_TOO_LARGE, 413),
        (Kind.RATE_LIMITED, 429),
        (Kind.UPSTREAM_ERROR, 502),
        (Kind.OVERLOADED, 503),
        (Kind.TIMEOUT, 504),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_upstream_is_told_by_its_status(serve: Serve, kind: Kind, status: int, *, stream: bool) -> None:
    served = serve([STARTED, TurnFailed(Failure(kind, "Why."))])
    answer = await served.chat({**HELLO, "stream": stream})
    assert answer.status_code == status
    assert answer.json()["error"]["message"] == "Why."


@pytest.mark.proves("errors.upstream")
async def test_a_backend_that_cannot_start_is_told_as_such(serve: Serve) -> None:
    served = serve(description=Failure(Kind.CLAUDE_CODE_FAILED, "Claude Code ended at once."))
    answer = await served.chat()
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "claude_code_failed"


class TestAFaultOfOurOwn:
    @pytest.mark.proves("errors.own-fault")
    @pytest.mark.parametrize("stream", [False, True])
    async def test_it_is_a_500_that_tells_nothing_of_the_inside(self, serve: Serve, *, stream: bool) -> None:
        served = serve([STARTED, ZeroDivisionError("the inside")])
        answer = await served.chat({**HELLO, "stream": stream})
        assert answer.status_code == 500
        assert answer.json()["error"]["code"] == "internal_error"
        assert "inside" not in answer.text
        assert answer.headers["x-request-id"]

    @pytest.mark.proves("errors.own-fault")
    async def test_it_is_logged_with_where_it_happened(self, serve: Serve, logged: list[EventDict]) -> None:
        served = serve([STARTED, ZeroDivisionError("the inside")])
        await served.chat()
        [fault] = [entry for entry in logged if entry["event"] == "http.fault"]
        assert isinstance(fault["exc_info"], ZeroDivisionError)

    @pytest.mark.proves("errors.own-fault")
    async def test_the_server_is_none_the_worse_for_it(self, serve: Serve) -> None:
        served = serve([STARTED, ZeroDivisionError("the inside")], said("Hi"))
        await served.chat()
        assert (await served.chat()).status_code == 200
        assert served.backend.performances[0].ended.is_set()


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 10):
        yield body[start : start + 10]


@pytest.mark.proves("errors.envelope")
async def test_an_error_is_in_the_format_of_the_path_it_is_at() -> None:
    """The boundary knows no protocol: which errors a path has is for the table of endpoints."""

    class Plain:
        schema: type = str

        def body(self, error: ErrorDetails) -> str:
            return f"{error.status} {error.message}"

        def event(self, error: ErrorDetails) -> bytes:
            return self.body(error).encode()

    async def refusing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise HttpError(404, "Nothing here.")

    def format_of(scope: Scope) -> ErrorFormat:
        return Plain() if scope["path"].startswith("/plain") else OPENAI_ERRORS

    app = RequestLog(ErrorBoundary(refusing, format_of), new_id=lambda: "1", simulated=False)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        assert (await client.get("/plain/x")).text == "404 Nothing here."
        assert (await client.get("/v1/x")).json()["error"]["message"] == "Nothing here."
