"""Requests made from our own OpenAPI description (schemathesis), and answers held against it."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import anyio
import httpx2
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from claude_openai.gateway import Gateway, GatewayLimits, ModelOptions, RunRegistry
from claude_openai.http.app import Services, create_app
from claude_openai.http.connection import Connection
from claude_openai.http.endpoints.openapi import document
from claude_openai.http.endpoints.table import ENDPOINTS
from claude_openai.store import MemoryStore
from claude_openai.system.serving import Server, base_url, bound, serving
from claude_openai.testing.scripted_backend import ScriptedBackend
from tests.patience import PATIENCE_SECONDS
from tests.server.http.exchange import said

EVENTS = "text/event-stream"

DOCUMENT: Any = document("1.2.3", ENDPOINTS)
DESCRIBED = schemathesis.openapi.from_dict(DOCUMENT)


def described(context: Any, response: Any, case: schemathesis.Case[Any]) -> bool | None:
    """As `response_schema_conformance`, but for streams: our description, like OpenAI's, has the schema of what stands
    behind `data:`, and schemathesis would hold the whole event against it.
    """
    if not response.headers["content-type"][0].startswith(EVENTS):
        return response_schema_conformance(context, response, case)
    content = DOCUMENT["paths"][case.operation.path][case.method.lower()]["responses"]["200"]["content"]
    validator = Draft202012Validator({**content[EVENTS]["schema"], "components": DOCUMENT["components"]})
    for line in response.content.decode().splitlines():
        if line.startswith("data: {"):
            validator.validate(json.loads(line.removeprefix("data: ")))
    return None


CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, described]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server in a thread: schemathesis waits for answers where it asks."""
    listener = bound("127.0.0.1", 0)
    stop = threading.Event()

    async def serve() -> None:
        async with anyio.create_task_group() as sessions:
            gateway = Gateway(
                ScriptedBackend(said("Hi")), sessions, GatewayLimits(), ModelOptions(), RunRegistry(MemoryStore())
            )
            app = create_app(Services(gateway, "1.2.3"))
            config = uvicorn.Config(app, http=Connection, log_config=None, ws="none", lifespan="off")
            async with serving(Server(config), listener):
                ready.set()
                await anyio.to_thread.run_sync(stop.wait)
            sessions.cancel_scope.cancel()

    ready = threading.Event()
    thread = threading.Thread(target=anyio.run, args=(serve,))
    thread.start()
    try:
        assert ready.wait(PATIENCE_SECONDS)
        yield base_url(listener)
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)


@pytest.mark.proves("http.openapi")
@DESCRIBED.parametrize()
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_description_has(case: schemathesis.Case[Any], url: str) -> None:
    case.call_and_validate(base_url=url, timeout=PATIENCE_SECONDS, checks=CHECKS)


@pytest.mark.proves("http.openapi")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}], "stream": True}),
        ("/v1/completions", {"prompt": "Hi", "stream": True}),
        ("/v1/responses", {"input": "Hi", "stream": True}),
        ("/runs/{run}/events", None),
    ],
)
def test_every_stream_is_one_that_the_description_has(path: str, body: Any, url: str) -> None:
    operation = DESCRIBED[path]["POST" if body else "GET"]
    if body:
        case = operation.Case(body=body, media_type="application/json")
    else:
        run = httpx2.get(f"{url}/runs").json()["data"][0]["id"]
        case = operation.Case(path_parameters={"run": run})
    response = case.call(base_url=url, timeout=PATIENCE_SECONDS)
    assert response.headers["content-type"][0].startswith(EVENTS)
    case.validate_response(response, checks=CHECKS)
