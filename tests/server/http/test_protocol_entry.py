"""A protocol is a folder and its entry in the table of endpoints: an invented one gets everything else by its entry."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import anyio
import pytest
from starlette.types import Receive, Scope, Send
from structlog.typing import EventDict

from claude_openai.core.agent import AgentRules
from claude_openai.core.events import Event, TextDelta, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.messages import Text, UserMessage
from claude_openai.core.models import Catalogue
from claude_openai.core.runs import Caller
from claude_openai.core.turn import Turn
from claude_openai.http.connection import Connection
from claude_openai.http.endpoints.openapi import answer, content, document
from claude_openai.http.endpoints.table import ENDPOINTS, Endpoint, generation
from claude_openai.http.generation.stateless import Stateless
from claude_openai.http.routing import json_response
from claude_openai.protocols.common.errors import ErrorDetails, details
from claude_openai.protocols.common.protocol import AnswerWriter, ProtocolFormat
from claude_openai.protocols.common.wire.reply import Reply
from claude_openai.simulator.script import Gate
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import STARTED, Json, Served, said

MINI = "/v1/mini"
VERSION = {"mini-version": "1"}


class MiniQuestion(Reply):
    """A request."""

    ask: str


class MiniAnswer(Reply):
    """An answer."""

    text: str


class MiniFault(Reply):
    """An error."""

    fault: str
    status: int
    request: str | None


class MiniErrors:
    """The format of its errors."""

    schema: type = MiniFault

    def body(self, error: ErrorDetails) -> str:
        return MiniFault(fault=error.message, status=error.status, request=error.request_id).to_json()

    def event(self, error: ErrorDetails) -> bytes:
        return f"FAULT {self.body(error)}\n".encode()


class MiniWriter(AnswerWriter):
    """Writes a line for each piece of text."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._texts: list[str] = []
        self._complete = False

    def feed(self, choice: int, event: Event) -> bytes:
        del choice
        self._complete = isinstance(event, TurnFinished | TurnFailed)
        match event:
            case TextDelta(text):
                self._texts.append(text)
                return f"TEXT {text}\n".encode()
            case TurnFinished():
                return b"END\n"
            case TurnFailed(failure):
                return FORMAT.errors.event(details(failure, self._caller.request_id))
            case _:
                return b""

    @property
    def is_complete(self) -> bool:
        return self._complete

    def body(self) -> str:
        return MiniAnswer(text="".join(self._texts)).to_json()


@dataclass(frozen=True)
class MiniRequest:
    """A parsed request."""

    turns: Sequence[Turn]
    stream: bool
    ignored: Sequence[str] = ()
    adjusted: Sequence[str] = ()

    def writer(self, caller: Caller) -> AbstractContextManager[AnswerWriter]:
        return nullcontext(MiniWriter(caller))


FORMAT = ProtocolFormat(MiniErrors(), b"STILL HERE\n", ("mini-",), "mini-version")


class Mini:
    """The protocol."""

    id_prefix = "mini-"
    format = FORMAT

    def parse(self, body: bytes) -> Json:
        try:
            sent: Json = json.loads(body)
        except ValueError:
            raise RequestFailed(Failure(Kind.INVALID_REQUEST, "no JSON")) from None
        return sent

    def read(
        self, request: Json, catalogue: Catalogue, caller: Caller, rules: AgentRules | None, created: int
    ) -> MiniRequest:
        del rules, created
        messages = (UserMessage((Text(request["ask"]),)),)
        turn = Turn(catalogue.resolve(None), messages, principal=caller.principal)
        return MiniRequest([turn], bool(request.get("stream")))


async def models(scope: Scope, receive: Receive, send: Send) -> None:
    await json_response(MiniAnswer(text="one model").to_json())(scope, receive, send)


TABLE = (
    *ENDPOINTS,
    generation(MINI, "Ask", MiniQuestion, answer("The answer", MiniAnswer), Stateless(Mini()), log_name="mini"),
    Endpoint(
        "GET",
        "/v1/models",
        "Its models",
        {"responses": {"200": {"description": "Them", "content": content(MiniAnswer)}}},
        lambda _: models,
        protocol=FORMAT,
    ),
    Endpoint("PURGE", f"{MINI}/x", "Nothing", {"responses": {}}, lambda _: models, protocol=FORMAT),
)


@pytest.fixture(scope="module")
def connection_class() -> Callable[..., Connection]:
    return partial(Connection, endpoints=TABLE)


@pytest.mark.proves("stream.keep-alive")
async def test_it_answers_in_its_own_form_and_framing_and_has_a_name_in_the_log(
    serve: Serve, logged: list[EventDict]
) -> None:
    gate = Gate()
    served = serve(
        said("Hel", "lo"), [*said("Hi")[:2], gate, *said("Hi")[2:]], endpoints=TABLE, keep_alive_seconds=0.01
    )
    assert (await served.client.post(MINI, json={"ask": "Hello"})).json() == {"text": "Hello"}
    async with served.client.stream("POST", MINI, json={"ask": "Hello", "stream": True}) as response:
        lines = response.aiter_lines()
        with anyio.fail_after(PATIENCE_SECONDS):
            while await anext(lines) != "STILL HERE":
                pass
        gate.open()
        assert [line async for line in lines if line != "STILL HERE"][-1] == "END"
    assert [event["endpoint"] for event in logged if event["event"] == "http.request"][:1] == ["mini"]


@pytest.mark.proves("errors.envelope")
async def test_its_errors_are_its_own_at_its_paths_and_wherever_its_header_is_sent(serve: Serve) -> None:
    failed: list[Event] = [STARTED, TextDelta("a"), TurnFailed(Failure(Kind.OVERLOADED, "Overloaded."))]
    served = serve([STARTED, ZeroDivisionError()], failed, endpoints=TABLE, max_request_bytes=100)
    client, ask = served.client, {"ask": "Hello"}
    for response, status in [
        (await client.post(MINI, json=ask), 500),
        (await client.post(MINI, content=b"{"), 400),
        (await client.post(MINI, json={"ask": "x" * 100}), 413),
        (await client.get(MINI), 405),
        (await client.get(f"{MINI}/unknown"), 404),
        (await client.get("/v1/unknown", headers=VERSION), 404),
    ]:
        assert response.status_code == status
        fault = response.json()
        assert fault.keys() == {"fault", "status", "request"}
        assert (fault["status"], fault["request"]) == (status, response.headers["x-request-id"])
    stream = await client.post(MINI, json={**ask, "stream": True})
    assert stream.text.splitlines()[-1].startswith("FAULT {")
    assert (await client.get("/v1/unknown")).json()["error"]["code"] == "unknown_url"
    assert MINI in (await client.get("/v1/files")).json()["error"]["message"]


@pytest.mark.proves("errors.envelope")
async def test_errors_of_a_connection_are_its_own_where_the_request_can_be_recognized(serve: Serve) -> None:
    served = serve(endpoints=TABLE)
    head = b"POST /v1/mini HTTP/1.1\r\n"
    assert "fault" in await rejected(served, head + b"no header\r\n\r\n")
    assert "fault" in await rejected(served, b"GET / HTTP/1.1\r\nMini-Version: 1\r\nno header\r\n\r\n")
    assert "fault" in await rejected(served, head + b"host: x\r\nx: " + b"x" * 100_000)
    assert "fault" in await rejected(served, head + b"host: localhost\r\ntransfer-encoding: chunked\r\n\r\nnone\r\n")
    assert "error" in await rejected(served, b"POST /v1/chat/completions HTTP/1.1\r\nno header\r\n\r\n")
    assert "error" in await rejected(served, b"\x16\x03\x01\r\n\r\n")


async def rejected(served: Served, request: bytes) -> Json:
    """The error that a bare connection gets for `request`."""
    received = b""
    with anyio.fail_after(PATIENCE_SECONDS):
        async with await served.connect() as stream:
            await stream.send(request)
            while not received.endswith(b"}"):
                received += await stream.receive()
    body: Json = json.loads(received.partition(b"\r\n\r\n")[2])
    return body


@pytest.mark.proves("safety.origin")
async def test_it_shares_a_path_by_its_header_and_its_methods_are_allowed_to_pages(serve: Serve) -> None:
    served = serve(endpoints=TABLE, allowed_origins=("https://page.example",))
    assert (await served.client.get("/v1/models", headers=VERSION)).json() == {"text": "one model"}
    assert (await served.client.get("/v1/models")).json()["object"] == "list"
    preflight = {"origin": "https://page.example", "access-control-request-method": "POST"}
    allowed = (await served.client.options(MINI, headers=preflight)).headers["access-control-allow-methods"]
    assert {"POST", "PURGE"} <= set(allowed.split(", "))


@pytest.mark.proves("http.openapi")
async def test_it_is_described_with_its_own_errors(serve: Serve) -> None:
    served = serve(endpoints=TABLE)
    description = (await served.client.get("/openapi.json")).json()
    assert description == document("1.2.3", TABLE)
    responses = description["paths"][MINI]["post"]["responses"]
    assert responses["default"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/MiniFault"}
    assert {"MiniQuestion", "MiniAnswer", "MiniFault", "ErrorEnvelope"} <= description["components"]["schemas"].keys()
