"""Runs an ASGI application on a port for as long as a block lasts. Leaving the block closes every connection,
so an application that would stream for ever ends too, and within `STOP_SECONDS`.

Signals stay with the program that runs the block.
"""

import asyncio
import ipaddress
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from claude_openai.testing.simulator.exchange import DROP

IDLE_SECONDS = 24 * 3600
"""A connection that closed just as its client sends the next request would be a failure nobody asked for."""

STOP_SECONDS = 2
"""For requests to notice that their connections are closed, and for clients to read what was sent before."""

POLL_SECONDS = 0.002
"""Between two looks at what is left; one or two of them are enough."""


@asynccontextmanager
async def serving(app: ASGIApp, host: str, port: int) -> AsyncIterator[str]:
    """Yields the base URL once the port is open."""
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        http=_DroppableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=IDLE_SECONDS,
    )
    server = _Server(config)
    with _plain_errors():
        async with anyio.create_task_group() as group:
            group.start_soon(_run, server, listener)
            await server.ready.wait()
            try:
                yield _base_url(listener)
            finally:
                server.stop.set()


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Raises the one error of a block as it is: the task group is nothing that a caller should have to know of."""
    try:
        yield
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        (error,) = group.exceptions
        raise error from error.__cause__


async def _run(server: "_Server", listener: socket.socket) -> None:
    """Shielded, because a cancelled server would leave its connections open. `stop` ends it soon enough."""
    with anyio.CancelScope(shield=True):
        await server.serve([listener])


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Server(uvicorn.Server):
    """Starts and stops by events instead of signals and polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = anyio.Event()
        self.stop = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Closes every connection at once, where uvicorn would wait for requests to end and 0.1 s in any case. What
        was sent gets through, unless its client does not read it in time.
        """
        state = self.server_state
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(state.connections):
            connection.transport.close()
        with anyio.move_on_after(STOP_SECONDS):
            while state.connections or state.tasks:  # noqa: ASYNC110 - uvicorn has no event for it
                await anyio.sleep(POLL_SECONDS)
        for connection in list(state.connections):
            connection.transport.abort()
        for task in list(state.tasks):
            task.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _DroppableProtocol(H11Protocol):
    """Lets the application close its connection without an answer, which ASGI has no message for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def droppable(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[DROP] = transport.close
            await app(scope, receive, send)

        self.app = droppable


def _listen(host: str, port: int) -> socket.socket:
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, proto)
    try:
        if sys.platform != "win32":  # there it would let a second server take the port of a running one
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def _base_url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
