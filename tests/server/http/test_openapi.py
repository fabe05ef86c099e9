"""`GET /openapi.json`: it describes what there is, and what there is fits the description."""

import json
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from claude_openai.core.events import TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.http.endpoints.openapi import document
from claude_openai.http.endpoints.table import ENDPOINTS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, HELLO, STARTED, chunks, said

DOCUMENT: dict[str, Any] = document("1.2.3", ENDPOINTS)

pytestmark = pytest.mark.proves("http.openapi")


async def test_it_is_there_for_everyone(serve: Serve) -> None:
    served = serve(keys=("sk-right",))
    answer = await served.client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == DOCUMENT


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_route_is_described_and_nothing_else(serve: Serve, method: str) -> None:
    served = serve()
    for path, operations in DOCUMENT["paths"].items():
        answer = await served.client.request(method, path.replace("{model}", "sonnet").replace("{run}", "none"))
        assert (answer.status_code != 405) == (method.lower() in operations), path


def test_every_reference_in_it_leads_somewhere() -> None:
    references = {value for key, value in walk(DOCUMENT) if key == "$ref"}
    assert references
    for reference in references:
        registry().resolver().lookup("urn:document" + reference)


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/v1/models/{model}"])
async def test_what_can_be_read_fits(serve: Serve, path: str) -> None:
    served = serve()
    answer = await served.client.get(path.replace("{model}", "sonnet"))
    assert_fits(answer, path, "get")


@pytest.mark.parametrize(("path", "method"), [("/runs", "get"), ("/runs/{run}", "get"), ("/runs/{run}/cancel", "post")])
async def test_what_is_told_of_runs_fits(serve: Serve, path: str, method: str) -> None:
    served = serve(said("Hi"))
    await served.chat()
    [run] = await served.runs()
    for name in (run["id"], "none"):
        assert_fits(await served.client.request(method.upper(), path.replace("{run}", name)), path, method)


async def test_what_is_not_ready_fits(serve: Serve) -> None:
    served = serve(description=Failure(Kind.CLAUDE_CODE_FAILED, "It ended."))
    assert_fits(await served.client.get("/health"), "/health", "get")


async def test_an_answer_fits(serve: Serve) -> None:
    served = serve(said("Hi"))
    assert_fits(await served.chat(), CHAT, "post")


@pytest.mark.parametrize("body", [{**HELLO, "n": 9}, {**HELLO, "model": "gpt-nonsense"}, HELLO])
async def test_an_error_fits(serve: Serve, body: dict[str, object]) -> None:
    served = serve([STARTED, TurnFailed(Failure(Kind.OVERLOADED, "Overloaded."))])
    assert_fits(await served.chat(body), CHAT, "post")


async def test_every_chunk_of_a_stream_fits(serve: Serve) -> None:
    served = serve(said("Hel", "lo"))
    answer = await served.chat({**HELLO, "stream": True, "stream_options": {"include_usage": True}})
    content = DOCUMENT["paths"][CHAT]["post"]["responses"]["200"]["content"]
    for chunk in chunks(answer):
        validator(content["text/event-stream"]["schema"]).validate(chunk)


def test_requests_fit_that_the_server_accepts() -> None:
    schema = DOCUMENT["paths"][CHAT]["post"]["requestBody"]["content"]["application/json"]["schema"]
    validator(schema).validate({**HELLO, "stream": True, "stop": ["a"], "temperature": 1, "invented": 1})
    assert not validator(schema).is_valid({**HELLO, "messages": []})


def assert_fits(answer: httpx2.Response, path: str, method: str) -> None:
    responses = DOCUMENT["paths"][path][method]["responses"]
    response = responses.get(str(answer.status_code)) or responses["default"]
    validator(response["content"][answer.headers["content-type"]]["schema"]).validate(answer.json())


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    absolute = json.loads(json.dumps(schema).replace('"#/', '"urn:document#/'))
    return Draft202012Validator(absolute, registry=registry())


def registry() -> Registry[Any]:
    registry: Registry[Any] = Registry().with_resource("urn:document", DRAFT202012.create_resource(DOCUMENT))
    return registry


def walk(value: object) -> list[tuple[str, Any]]:
    match value:
        case dict():
            return [*value.items(), *(pair for each in value.values() for pair in walk(each))]
        case list():
            return [pair for each in value for pair in walk(each)]
        case _:
            return []
