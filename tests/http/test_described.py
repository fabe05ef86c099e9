"""Requests made from our own OpenAPI description (schemathesis), and answers held against it."""

import threading
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from claude_openai.gateway import Choice, Gateway, Limits, Runs
from claude_openai.http.app import Services, create_app
from claude_openai.http.connection import Connection
from claude_openai.http.openapi import document
from claude_openai.serving import Server, base_url, bound, serving
from claude_openai.store import MemoryRuns
from claude_openai.testing.scripted_backend import ScriptedBackend
from tests.http.exchange import said

DESCRIBED = schemathesis.openapi.from_dict(document("1.2.3"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server in a thread: schemathesis waits for answers where it asks."""
    listener = bound("127.0.0.1", 0)
    stop = threading.Event()

    async def serve() -> None:
        async with anyio.create_task_group() as sessions:
            gateway = Gateway(ScriptedBackend(said("Hi")), sessions, Limits(), Choice(), Runs(MemoryRuns()))
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
        assert ready.wait(10)
        yield base_url(listener)
    finally:
        stop.set()
        thread.join(10)


@pytest.mark.proves("hostile.described")
@DESCRIBED.parametrize()
@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_description_has(case: schemathesis.Case[Any], url: str) -> None:
    case.call_and_validate(base_url=url, timeout=10, checks=CHECKS)
