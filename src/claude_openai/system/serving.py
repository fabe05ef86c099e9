"""Serves an ASGI application with uvicorn, for as long as a block lasts, and opens the listening sockets.

Uvicorn handles no signals here: the caller of the block decides when to stop.
"""

import errno
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Final, NamedTuple

import anyio
import uvicorn

BACKLOG: Final = 2048
"""Connections that wait to be accepted: uvicorn's default."""

ACCEPTED_AT_ONCE: Final = 8
"""Connections that one iteration of the event loop accepts on each address. Otherwise asyncio accepts the whole backlog
before it handles any connection: three iterations pass until a connection above the limit is closed.
"""

UNREAD_SECONDS = 120
"""Timeout for unacknowledged bytes, after which the kernel drops the connection (Linux)."""

PORT_TRIES: Final = 20
"""Tries to find a port that is free on several addresses; a second try is rare already."""

_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""Errors of binding to an address that this machine lacks, or of a protocol that it lacks."""


class Server(uvicorn.Server):
    """A uvicorn server that reports when it is ready and handles no signals."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections, and set `ready`."""
        await super().startup(sockets)
        for listener in sockets or ():  # asyncio uses one number for connections per iteration and for the backlog
            listener.listen(BACKLOG)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing, where uvicorn would install handlers of SIGINT and SIGTERM."""
        yield

    def stop(self) -> None:
        """Accept no more requests; the block of `serving` ends when the running ones have ended."""
        self.should_exit = True


@asynccontextmanager
async def serving(server: Server, *listeners: socket.socket) -> AsyncIterator[None]:
    """Serve on `listeners` during the block. The end of the block stops the server and waits for it."""

    async def serve() -> None:
        """Serve, shielded from cancellation, which would leave connections open. `stop` ends it within a timeout."""
        with anyio.CancelScope(shield=True):
            await server.serve([*listeners])

    async with anyio.create_task_group() as group:
        group.start_soon(serve)
        await server.ready.wait()
        try:
            yield
        finally:
            server.stop()


@contextmanager
def listening(hosts: Iterable[str], port: int) -> Iterator[tuple[socket.socket, ...]]:
    """A context manager with sockets that listen on all addresses of `hosts`, on one `port` (0: any that is free).

    Addresses that this machine lacks are left out if the host has others, such as `::1` without IPv6.

    Raises:
        OSError: an address is taken, or a host has none on this machine; its `filename` is the address.
    """
    addresses = [_addresses(host) for host in dict.fromkeys(hosts)]
    for attempt in range(1, PORT_TRIES + 1):
        with ExitStack() as opened:
            try:
                listeners = _opened(addresses, port, opened)
            except OSError as error:
                if port == 0 and error.errno == errno.EADDRINUSE and attempt < PORT_TRIES:
                    continue  # the port is free on the first address and taken on another
                raise
            yield listeners
            return


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens on the first address of `host`, and on `port` (0: any free one).

    Raises:
        OSError: the port is taken, or this machine does not have the address.
    """
    return _bound(_addresses(host)[0], port)


def base_url(listener: socket.socket) -> str:
    """The URL of `listener` for clients on this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Address(NamedTuple):
    """An address of `getaddrinfo` without the port. `rest` has the flow and the zone of an IPv6 address."""

    family: int
    host: str
    rest: tuple[int, ...] = ()

    @property
    def is_wildcard(self) -> bool:
        return self.host in {"0.0.0.0", "::"}  # noqa: S104 -- compared, not bound


def _addresses(host: str) -> list[_Address]:
    """The addresses of `host`. `localhost` is always loopback (RFC 6761, 6.3), whatever the resolver returns."""
    if host.lower() == "localhost":
        return [_Address(socket.AF_INET, "127.0.0.1"), _Address(socket.AF_INET6, "::1")]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise OSError(error.errno, error.strerror, host) from error
    except UnicodeError as error:  # from the IDNA codec
        raise OSError(errno.EADDRNOTAVAIL, "it is not a host name", host) from error
    return list(dict.fromkeys(_Address(family, str(at[0]), tuple(map(int, at[2:]))) for family, _, _, _, at in found))


def _opened(hosts: Sequence[Sequence[_Address]], port: int, opened: ExitStack) -> tuple[socket.socket, ...]:
    """A socket for each address that no wildcard of its family covers."""
    every = {address for host in hosts for address in host}
    wide = {address.family for address in every if address.is_wildcard}
    listeners: dict[_Address, socket.socket] = {}
    for host in hosts:
        missing: OSError | None = None
        there = [address for address in host if address.is_wildcard or address.family not in wide]
        for address in there:
            if address in listeners:
                continue
            try:
                listeners[address] = opened.enter_context(_bound(address, port, apart=len(every) > 1))
                port = listeners[address].getsockname()[1]
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                missing = error
        if missing and listeners.keys().isdisjoint(there):
            raise missing
    return tuple(listeners.values())


def _bound(address: _Address, port: int, *, apart: bool = False) -> socket.socket:
    """A listening socket: a socket that is only bound does not prevent another from listening. `apart`: other sockets
    have the other addresses, so an IPv6 socket does not accept IPv4 connections.
    """
    try:
        listener = socket.socket(address.family, socket.SOCK_STREAM)
    except OSError as error:  # a kernel without IPv6
        raise OSError(error.errno, error.strerror, address.host) from error
    try:
        if sys.platform != "win32":  # on Windows it would let a second server take the port of a running one
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # otherwise a client that stops reading keeps its socket open for ever
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
        if apart and address.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address.host, port, *address.rest))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, error.strerror, address.host) from error
    return listener
