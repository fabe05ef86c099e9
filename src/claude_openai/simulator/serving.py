"""The simulator's HTTP server: it stops at once, whatever its streams are waiting for, and can drop a connection."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from claude_openai.simulator.playback import DROP
from claude_openai.system import serving as shared

IDLE_SECONDS = 24 * 3600
"""Keep-alive time-out: closing a connection just as its client sends a request would be an unscripted failure."""

STOP_SECONDS = 2
"""Time for requests to notice that their connections are closed, and for clients to read the data sent before."""

POLL_SECONDS = 0.002
"""Seconds between two checks for open connections; one or two checks are enough."""


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket) -> AsyncIterator[str]:
    """Serve on `listener` and yield the base URL; leaving the block closes every connection."""
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
    try:
        async with shared.serving(_AbruptServer(config), listener):
            yield shared.base_url(listener)
    except BaseExceptionGroup as group:  # the task group is an implementation detail: raise its one error itself
        if len(group.exceptions) > 1:
            raise
        (error,) = group.exceptions
        raise error from error.__cause__


class _AbruptServer(shared.Server):
    """Stops at once when asked to, by an event instead of polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopped = anyio.Event()

    def stop(self) -> None:
        super().stop()
        self._stopped.set()

    async def main_loop(self) -> None:
        await self._stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close every connection at once; uvicorn would wait for requests to end, and 0.1 s in any case. Clients still
        receive the data sent before, unless they do not read it in time.
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
    """Lets the application close its connection without an answer; ASGI has no message for that."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app = self.app

        async def droppable(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[DROP] = transport.close
            await app(scope, receive, send)

        self.app = droppable
