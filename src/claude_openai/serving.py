"""An ASGI application on a port, for as long as a block lasts: uvicorn, without its signals.

Whoever opens the block decides when to stop and what becomes of signals.
"""

import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import anyio
import uvicorn

BACKLOG: Final = 2048
"""Connections that wait to be accepted: uvicorn's own figure."""

UNREAD_SECONDS = 120
"""How long bytes may wait for a peer that does not take them, before the kernel drops the connection (Linux)."""


class Server(uvicorn.Server):
    """A uvicorn server that says when its port is open and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port, and say so."""
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn would take SIGINT and SIGTERM for itself here."""
        yield

    def stop(self) -> None:
        """Take no more requests; the block ends when those that run have ended."""
        self.should_exit = True


@asynccontextmanager
async def serving(server: Server, listener: socket.socket) -> AsyncIterator[None]:
    """Serve on `listener` from the beginning of the block; its end waits until the server has stopped."""
    async with anyio.create_task_group() as group:
        group.start_soon(_serve, server, listener)
        await server.ready.wait()
        try:
            yield
        finally:
            server.stop()


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port` (0: any free one): bound alone, it would not keep another from both.

    Raises:
        OSError: the port is taken, or the address is none of this machine's.
    """
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, proto)
    try:
        if sys.platform != "win32":  # there it would let a second server take the port of a running one
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # else a client that stops reading keeps its socket for good
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def base_url(listener: socket.socket) -> str:
    """Where a client on this machine finds `listener`."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _serve(server: Server, listener: socket.socket) -> None:
    """Shielded: a cancelled server would leave its connections open. `stop` ends it within its own bound."""
    with anyio.CancelScope(shield=True):
        await server.serve([listener])
