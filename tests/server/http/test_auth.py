"""Who may ask: keys as OpenAI's and Anthropic's clients send them, and as whom the turn is then known."""

from hashlib import sha256

import httpx2
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_openai.core.failures import RequestFailed
from claude_openai.core.keys import Keys
from claude_openai.http.middleware.auth import Authentication
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, HELLO, said

KEYS = ("sk-first", "sk-second")


@pytest.mark.proves("safety.key")
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
async def test_any_of_the_keys_is_accepted_as_a_bearer_token(serve: Serve, key: str, scheme: str) -> None:
    served = serve(said("Hi"), keys=KEYS)
    assert (await served.chat(authorization=scheme + key)).status_code == 200


@pytest.mark.proves("safety.key")
@pytest.mark.parametrize("key", KEYS)
async def test_any_of_the_keys_is_accepted_as_x_api_key(serve: Serve, key: str) -> None:
    served = serve(said("Hi"), keys=KEYS)
    assert (await served.chat(x_api_key=key)).status_code == 200


@pytest.mark.proves("safety.key")
async def test_one_right_key_of_two_is_enough(serve: Serve) -> None:
    """Some clients send a made-up Bearer token of their own beside the header their user set."""
    served = serve(said("Hi"), keys=KEYS)
    assert (await served.chat(authorization="Bearer unused", x_api_key="sk-first")).status_code == 200


@pytest.mark.proves("commands.client")
async def test_the_owners_token_is_good_for_runs_only_and_for_those_of_every_key(serve: Serve) -> None:
    served = serve(said("Hi"), keys=KEYS, owner_token="sk-owner")
    assert (await served.chat(authorization="Bearer sk-first")).status_code == 200
    owner = {"authorization": "Bearer sk-owner"}
    listed = await served.client.get("/runs", headers=owner)
    [run] = listed.json()["data"]
    assert (await served.client.get(f"/runs/{run['id']}", headers=owner)).status_code == 200
    assert (await served.client.get("/runs", headers={"authorization": "Bearer sk-second"})).json()["data"] == []
    assert (await served.chat(authorization="Bearer sk-owner")).status_code == 401
    assert (await served.client.get("/v1/models", headers=owner)).status_code == 401
    assert (await served.client.get("/runsx", headers=owner)).status_code == 401


@pytest.mark.proves("safety.key")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer sk-firs"},
        {"authorization": "Bearer sk-first2"},
        {"authorization": "Bearer"},
        {"authorization": "sk-first"},
        {"authorization": "Basic sk-first"},
        {"x-api-key": "SK-FIRST"},
        {"x-api-key": "sk-first,sk-second"},
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/sonnet", "/v1/chat/completions", "/nowhere"])
async def test_without_a_right_key_everything_is_a_401(serve: Serve, headers: dict[str, str], path: str) -> None:
    served = serve(said("Hi"), keys=KEYS)
    answer = await served.client.post(path, headers=headers, content=b"not even JSON")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    error = answer.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", None, "invalid_api_key")
    assert "sk-" not in answer.text


@pytest.mark.proves("safety.key")
async def test_a_key_of_any_characters_is_compared(serve: Serve) -> None:
    served = serve(said("Hi"), keys=KEYS)
    answer = await served.client.get("/v1/models", headers={b"x-api-key": "schlüssel".encode()})
    assert answer.status_code == 401


@pytest.mark.proves("safety.key")
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer whatever"}, {"x-api-key": "whatever"}])
async def test_a_server_without_keys_takes_any_and_knows_everyone_as_local(
    serve: Serve, headers: dict[str, str]
) -> None:
    served = serve(said("Hi"))
    await served.client.post(CHAT, json=HELLO, headers=headers)
    assert served.performance.turn.principal == "local"


@pytest.mark.proves("safety.key")
async def test_a_turn_knows_its_key_by_a_name_that_is_not_the_key(serve: Serve) -> None:
    served = serve(said("Hi"), keys=KEYS)
    for key in KEYS:
        await served.chat(x_api_key=key)
    known_as = [performance.turn.principal for performance in served.backend.performances]
    assert known_as == [f"key-{sha256(key.encode()).hexdigest()}" for key in KEYS]


@pytest.mark.proves("safety.key")
async def test_an_open_path_opens_what_it_routes_and_nothing_beside_it() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Response("asset")(scope, receive, send)

    guarded = Authentication(app, keys=Keys.of(KEYS), open_paths=["/ui/{file:path}", "/health"])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(guarded), base_url="http://test") as client:
        for path in ("/ui/", "/ui/page.css", "/health"):
            assert (await client.get(path)).text == "asset"
        for path in ("/ui", "/uix", "/health/x", "/v1/models"):
            with pytest.raises(RequestFailed):
                await client.get(path)
