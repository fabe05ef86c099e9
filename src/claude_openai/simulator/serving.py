"""The simulator's own way to serve: it ends at once, however long its streams go on, and can drop a connection."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from claude_openai.simulator.exchange import DROP
from claude_openai.system import serving as shared

IDLE_SECONDS = 24 * 3600
"""A connection that closed just as its client sends the next request would be a failure nobody asked for."""

STOP_SECONDS = 2
"""For requests to notice that their connections are closed, and for clients to read what was sent before."""

POLL_SECONDS = 0.002
"""Between two looks at what is left; one or two of them are enough."""


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket) -> AsyncIterator[str]:
    """Yields the base URL of `listener` once it is served; leaving the block closes every connection."""
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
    with _plain_errors():
        async with shared.serving(_AbruptServer(config), listener):
            yield shared.base_url(listener)


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


class _AbruptServer(shared.Server):
    """Stops at the moment it is told to, by an event instead of polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = anyio.Event()

    def stop(self) -> None:
        super().stop()
        self._stopped.set()

    async def main_loop(self) -> None:
        await self._stopped.wait()

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
            while state.connections or state.tasks:  # noqa: ASYNC110 -- uvicorn has no event for it
                await anyio.sleep(POLL_SECONDS)
        for connection in list(state.connections):
            connection.transport.abort()
        for task in list(state.tasks):
            task.cancel()


class _DroppableProtocol(H11Protocol):
    """Lets the application close its connection without an answer, which ASGI has no message for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def droppable(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[DROP] = transport.close
            await app(scope, receive, send)

        self.app = droppable
