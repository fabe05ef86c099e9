"""Which paths and methods there are, and what those are told that ask for others; the marks that every answer bears."""

import re

import pytest
from starlette.types import Message
from structlog.typing import EventDict

from claude_openai.core.events import TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.http.endpoints.table import ENDPOINTS
from claude_openai.http.routing import NOT_OFFERED, offered
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, STARTED, said
from tests.server.http.test_openapi import DOCUMENT

OFFERED = offered([endpoint.path for endpoint in ENDPOINTS if endpoint.log_name])


@pytest.mark.proves("http.not-found", "errors.envelope")
@pytest.mark.parametrize("path", ["/v1/", "/v1/completion", "/v2/models", "/v1/../etc", "/%00"])
async def test_an_unknown_path_is_a_404_in_openais_shape(serve: Serve, path: str) -> None:
    served = serve()
    answer = await served.client.get(path)
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, "unknown_url")


@pytest.mark.proves("http.welcome")
async def test_the_servers_own_address_says_what_it_is_and_how_to_use_it(serve: Serve) -> None:
    served = serve(keys=("sk-secret",))
    for path in ("/", "/v1"):
        answer = await served.client.get(path, headers={"host": "localhost:9000"})
        assert answer.status_code == 200
        facts = answer.json()
        assert facts["base_url"] == "http://localhost:9000/v1"
        assert facts["page"] == "http://localhost:9000/ui/"
        assert facts["try"].startswith("curl http://localhost:9000/v1/chat/completions ")
    page = await served.client.get("/v1", headers={"host": "localhost:9000", "accept": "text/html,*/*"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "http://localhost:9000/v1" in page.text
    assert "sk-secret" not in answer.text + page.text


@pytest.mark.proves("http.not-found")
@pytest.mark.parametrize("path", ["/chat/completions", "/v1/v1/chat/completions", "/v1/chat/completions/"])
async def test_a_path_that_is_nearly_right_is_put_right(serve: Serve, path: str) -> None:
    served = serve()
    answer = await served.client.post(path, json={})
    assert answer.status_code == 404
    assert "Did you mean /v1/chat/completions?" in answer.json()["error"]["message"]


@pytest.mark.proves("http.not-found", "errors.envelope")
@pytest.mark.parametrize(
    ("method", "path", "why"),
    [
        ("POST", "/v1/embeddings", "Claude makes no embeddings."),
        ("POST", "/v1/images/generations", "Claude reads images and makes none."),
        ("POST", "/v1/audio/speech", "Claude neither hears nor speaks."),
        ("GET", "/v1/files/file-1/content", "Images and PDF files are sent with the messages."),
        ("POST", "/v1/threads/thread_1/runs", "The Responses API has taken the place of threads."),
        ("POST", "/embeddings", "Claude makes no embeddings."),
        ("POST", "/v1/responses/compact", NOT_OFFERED["responses/compact"]),
        ("POST", "/v1/responses/input_tokens", NOT_OFFERED["responses/input_tokens"]),
        ("POST", "/responses/input_tokens/", NOT_OFFERED["responses/input_tokens"]),
    ],
)
async def test_what_only_openai_has_is_a_404_that_says_what_there_is(
    serve: Serve, method: str, path: str, why: str
) -> None:
    served = serve()
    answer = await served.client.request(method, path)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], error["code"]) == (
        404,
        "invalid_request_error",
        "endpoint_not_supported",
    )
    assert error["message"] == f"{path} is not offered. {why} {OFFERED}"


@pytest.mark.proves("http.not-found")
def test_what_is_offered_in_its_place_is_there() -> None:
    named = set(re.findall(r"/v1/[a-z/]+", OFFERED))
    assert named < DOCUMENT["paths"].keys()
    assert not {path.split("/")[2] for path in named} & set(NOT_OFFERED)


@pytest.mark.proves("http.not-found", "errors.envelope")
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CHAT, "POST"),
        ("OPTIONS", CHAT, "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/v1/models/sonnet", "GET, HEAD"),
        ("POST", "/health", "GET, HEAD"),
        ("PUT", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_a_405_that_names_the_right_ones(
    serve: Serve, method: str, path: str, allowed: str
) -> None:
    served = serve()
    answer = await served.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "method_not_supported")
    assert allowed in error["message"]


@pytest.mark.proves("http.not-found")
async def test_a_web_socket_is_turned_away(serve: Serve) -> None:
    sent = await protocol(serve, "websocket", {"type": "websocket.connect"})
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.proves("lifetime.stop")
async def test_a_host_of_the_application_may_announce_its_start_and_stop(serve: Serve) -> None:
    sent = await protocol(serve, "lifespan", {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


class TestTheRequestsId:
    @pytest.mark.proves("http.request-id")
    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/health"), ("GET", "/v1/models"), ("GET", "/nowhere"), ("PUT", CHAT), ("POST", CHAT)],
    )
    async def test_every_answer_has_one(self, serve: Serve, method: str, path: str) -> None:
        served = serve(new_id=lambda: "1d")
        answer = await served.client.request(method, path)
        assert answer.headers.get_list("x-request-id") == ["req_1d"]

    @pytest.mark.proves("http.request-id")
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"host": "evil.example"}, 403),
            ({"origin": "https://evil.example"}, 403),
            ({"authorization": "Bearer x"}, 401),
        ],
    )
    async def test_so_has_one_that_was_turned_away(self, serve: Serve, headers: dict[str, str], status: int) -> None:
        served = serve(keys=("sk-right",))
        answer = await served.client.get("/v1/models", headers=headers)
        assert answer.status_code == status
        assert answer.headers["x-request-id"].startswith("req_")

    @pytest.mark.proves("http.request-id")
    async def test_so_has_a_fault_of_our_own_and_a_stream(self, serve: Serve) -> None:
        served = serve([STARTED, ZeroDivisionError()], said("Hi"))
        assert (await served.chat()).headers["x-request-id"].startswith("req_")
        async with served.stream() as response:
            assert response.headers["x-request-id"].startswith("req_")

    @pytest.mark.proves("http.request-id")
    async def test_a_clients_own_one_is_taken_over(self, serve: Serve) -> None:
        served = serve()
        answer = await served.client.get("/health", headers={"x-request-id": "trace-1.2_3"})
        assert answer.headers.get_list("x-request-id") == ["trace-1.2_3"]

    @pytest.mark.proves("http.request-id")
    @pytest.mark.parametrize("given", ["x" * 65, "a b", "<script>", '"', ".", "req\u00fc", ""])
    async def test_unless_it_could_do_harm(self, serve: Serve, given: str) -> None:
        served = serve(new_id=lambda: "1d")
        answer = await served.client.get("/health", headers={b"x-request-id": given.encode()})
        assert answer.headers["x-request-id"] == "req_1d"

    @pytest.mark.proves("http.request-id")
    async def test_it_joins_the_answer_to_the_log(self, serve: Serve, logged: list[EventDict]) -> None:
        served = serve([STARTED, TurnFailed(Failure(Kind.OVERLOADED, "Overloaded."))])
        answer = await served.chat()
        [request] = [entry for entry in logged if entry["event"] == "http.request"]
        assert request.pop("duration_ms") >= 0
        assert request == {
            "event": "http.request",
            "log_level": "info",
            "method": "POST",
            "path": CHAT,
            "endpoint": "chat",
            "client": served.client.headers["user-agent"],
            "status": 503,
            "stream": False,
            "complete": True,
            "request_id": answer.headers["x-request-id"],
        }


@pytest.mark.proves("simulate.loud")
@pytest.mark.parametrize(("method", "path"), [("GET", "/health"), ("GET", "/nowhere"), ("POST", CHAT)])
async def test_a_simulated_servers_answers_all_say_so(serve: Serve, method: str, path: str) -> None:
    served = serve(said("Hi"), simulated=True)
    answer = await served.client.request(method, path)
    assert answer.headers["x-claude-openai-simulated"] == "true"


@pytest.mark.proves("simulate.loud")
async def test_no_other_servers_answer_does(serve: Serve) -> None:
    served = serve(said("Hi"))
    assert "x-claude-openai-simulated" not in (await served.chat()).headers


@pytest.mark.proves("safety.logs")
async def test_no_key_and_no_word_of_a_conversation_is_logged(serve: Serve, logged: list[EventDict]) -> None:
    served = serve(said("my answer"), keys=("sk-secret",))
    await served.chat({"messages": [{"role": "user", "content": "my question"}]}, authorization="Bearer sk-secret")
    await served.chat({"messages": []}, x_api_key="sk-wrong")
    assert len(logged) == 6
    assert not any(word in str(logged) for word in ("sk-secret", "sk-wrong", "question", "answer"))


async def protocol(serve: Serve, kind: str, *received: Message) -> list[Message]:
    """What the application sends that is spoken to in another protocol than HTTP."""
    left, sent = iter(received), list[Message]()

    async def receive() -> Message:
        return next(left)

    async def send(message: Message) -> None:
        sent.append(message)

    await serve().app({"type": kind, "path": "/", "headers": []}, receive, send)
    return sent


@pytest.mark.proves("http.not-found", "safety.logs")
async def test_a_path_without_end_is_neither_told_back_nor_logged_whole(serve: Serve, logged: list[EventDict]) -> None:
    served = serve([])
    answer = await served.client.get("/v1" * 5_000)
    assert answer.status_code == 404
    assert len(answer.content) < 1_000
    [line] = [entry for entry in logged if entry["event"] == "http.request"]
    assert len(line["path"]) < 300
