"""An ASGI application on a port, for as long as a block lasts: uvicorn, without its signals.

Whoever opens the block decides when to stop and what becomes of signals.
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
"""Connections that wait to be accepted: uvicorn's own figure."""

ACCEPTED_AT_ONCE: Final = 8
"""In one round of the event loop, on each address, where asyncio would accept the whole backlog before any connection
is looked at: three rounds pass until one that came too many is closed.
"""

UNREAD_SECONDS = 120
"""How long bytes may wait for a peer that does not take them, before the kernel drops the connection (Linux)."""

PORT_TRIES: Final = 20
"""For a port that is free on several addresses at once; the second try is rare already."""

_NOT_HERE: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""What binding to an address of another machine says, and to one of a protocol that this machine does not have."""


class Server(uvicorn.Server):
    """A uvicorn server that says when its port is open and leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = anyio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port, and say so."""
        await super().startup(sockets)
        for listener in sockets or ():  # asyncio has one figure for what it accepts at once and for the backlog
            listener.listen(BACKLOG)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn would take SIGINT and SIGTERM for itself here."""
        yield

    def stop(self) -> None:
        """Take no more requests; the block ends when those that run have ended."""
        self.should_exit = True


@asynccontextmanager
async def serving(server: Server, *listeners: socket.socket) -> AsyncIterator[None]:
    """Serve on `listeners` from the beginning of the block; its end waits until the server has stopped."""
    async with anyio.create_task_group() as group:
        group.start_soon(_serve, server, listeners)
        await server.ready.wait()
        try:
            yield
        finally:
            server.stop()


@contextmanager
def listening(hosts: Iterable[str], port: int) -> Iterator[tuple[socket.socket, ...]]:
    """A block with sockets that listen on every address of `hosts`, all on `port` (0: one that is free on each).

    Of a host with several addresses those that this machine lacks are left out, such as `::1` where it has no IPv6.

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
                    continue  # free on the first address, taken on another
                raise
            yield listeners
            return


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens on the first address of `host`, and on `port` (0: any free one).

    Raises:
        OSError: the port is taken, or the address is none of this machine's.
    """
    return _bound(_addresses(host)[0], port)


def base_url(listener: socket.socket) -> str:
    """Where a client on this machine finds `listener`."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _serve(server: Server, listeners: Iterable[socket.socket]) -> None:
    """Shielded: a cancelled server would leave its connections open. `stop` ends it within its own bound."""
    with anyio.CancelScope(shield=True):
        await server.serve([*listeners])


class _Address(NamedTuple):
    """As `getaddrinfo` has it, without the port. `rest` is what else an IPv6 address has: flow and zone."""

    family: int
    host: str
    rest: tuple[int, ...] = ()

    @property
    def is_wildcard(self) -> bool:
        return self.host in {"0.0.0.0", "::"}  # noqa: S104 -- compared, not bound


def _addresses(host: str) -> list[_Address]:
    """`localhost` is always loopback (RFC 6761, 6.3), whatever the machine's resolver makes of it."""
    if host.lower() == "localhost":
        return [_Address(socket.AF_INET, "127.0.0.1"), _Address(socket.AF_INET6, "::1")]
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise OSError(error.errno, error.strerror, host) from error
    except UnicodeError as error:  # from the codec that makes a name of a host name
        raise OSError(errno.EADDRNOTAVAIL, "it is no host name", host) from error
    return list(dict.fromkeys(_Address(family, str(at[0]), tuple(map(int, at[2:]))) for family, _, _, _, at in found))


def _opened(hosts: Sequence[Sequence[_Address]], port: int, opened: ExitStack) -> tuple[socket.socket, ...]:
    """One for each address, but those that a wildcard of their family has, too."""
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
    """It listens, too: bound alone, it would not keep another from both. `apart`: other sockets have other addresses,
    so that this one takes no IPv4 connections besides those of IPv6.
    """
    try:
        listener = socket.socket(address.family, socket.SOCK_STREAM)
    except OSError as error:  # a kernel without IPv6
        raise OSError(error.errno, error.strerror, address.host) from error
    try:
        if sys.platform != "win32":  # there it would let a second server take the port of a running one
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # else a client that stops reading keeps its socket for good
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
        if apart and address.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address.host, port, *address.rest))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, error.strerror, address.host) from error
    return listener
