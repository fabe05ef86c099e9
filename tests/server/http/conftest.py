"""A real server on a loopback port, with the real gateway over a scripted backend: what is faked is the answer only.

A module has one server, and each of its tests its own application in it.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Protocol, Unpack

import anyio
import httpx2
import pytest
import structlog
import uvicorn
from anyio.abc import TaskGroup
from starlette.types import ASGIApp, Receive, Scope, Send
from structlog.testing import capture_logs
from structlog.typing import EventDict

from claude_openai.core.failures import Failure
from claude_openai.core.keys import Keys
from claude_openai.core.ports import Description, Store
from claude_openai.gateway import Gateway, GatewayLimits, ModelOptions, QueueLimits, RunRegistry
from claude_openai.http.app import Services, create_app
from claude_openai.http.connection import Connection
from claude_openai.http.endpoints.table import ENDPOINTS, Endpoint
from claude_openai.store import MemoryStore
from claude_openai.system.serving import Server, base_url, bound, serving
from claude_openai.testing.scripted_backend import DESCRIPTION, ScriptedBackend, Step
from tests.server.http.exchange import Configuration, Served

STOP_SECONDS = 1
TIMEOUT_SECONDS = 120


class Stage:
    """The application of the test that runs."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)


class Serve(Protocol):
    """Starts a server that plays `scripts`, one a turn."""

    def __call__(
        self,
        *scripts: Iterable[Step],
        description: Description | Failure = DESCRIPTION,
        store: Store | None = None,
        wall_clock: Callable[[], float] = time.time,
        endpoints: tuple[Endpoint, ...] = ENDPOINTS,
        keys: tuple[str, ...] | Keys = (),
        **configuration: Unpack[Configuration],
    ) -> Served: ...


@pytest.fixture(scope="module")
def connection_class() -> Callable[..., Connection]:
    """What serves a connection."""
    return Connection


@pytest.fixture(scope="module")
async def house(
    connection_class: type[Connection],
) -> AsyncIterator[tuple[Stage, httpx2.AsyncClient, TaskGroup]]:
    listener = bound("127.0.0.1", 0)
    stage = Stage()
    config = uvicorn.Config(
        stage, http=connection_class, log_config=None, ws="none", lifespan="off", timeout_graceful_shutdown=STOP_SECONDS
    )
    client = httpx2.AsyncClient(base_url=base_url(listener), timeout=TIMEOUT_SECONDS)
    async with anyio.create_task_group() as sessions:
        async with serving(Server(config), listener), client:
            yield stage, client, sessions
        sessions.cancel_scope.cancel()


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[EventDict]]:
    """What the test's server has logged so far."""
    with capture_logs() as events:
        yield events
    structlog.reset_defaults()  # capturing counts as configuring, for good


@pytest.fixture
def serve(house: tuple[Stage, httpx2.AsyncClient, TaskGroup]) -> Serve:
    stage, client, sessions = house

    def start(
        *scripts: Iterable[Step],
        description: Description | Failure = DESCRIPTION,
        store: Store | None = None,
        wall_clock: Callable[[], float] = time.time,
        endpoints: tuple[Endpoint, ...] = ENDPOINTS,
        keys: tuple[str, ...] | Keys = (),
        **configuration: Unpack[Configuration],
    ) -> Served:
        store = store or MemoryStore()
        backend = ScriptedBackend(*scripts, description=description)
        gateway = Gateway(
            backend,
            sessions,
            GatewayLimits(queue=QueueLimits(max_running=2)),
            ModelOptions(aliases=(("gpt-4o", "sonnet"),)),
            RunRegistry(store),
            responses=store.responses,
            usage=store.usage,
            now=wall_clock,
        )
        known = keys if isinstance(keys, Keys) else Keys.of(keys)
        stage.app = app = create_app(Services(gateway, "1.2.3", keys=known, **configuration), endpoints)
        return Served(backend, client, app)

    return start
