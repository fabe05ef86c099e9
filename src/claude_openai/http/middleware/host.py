"""Which names the server answers to, so that no web page reaches it under a name of its own (DNS rebinding).

Bound to loopback addresses, the server is called `localhost`, by a loopback address or by a name it was told. Bound to
any other address it demands a key, which a foreign page does not have, and by which names its clients reach it cannot
be known: every name will do there, unless names were told.
"""

import ipaddress
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from claude_openai.http.middleware.errors import HttpError

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\s:@/\[\]]+)(:[0-9]*)?", re.IGNORECASE)


class HostGuard:
    """Refuses a request whose Host header names another server than this one."""

    def __init__(self, app: ASGIApp, *, bound: Iterable[str], allowed: Iterable[str]) -> None:
        told, own = frozenset(map(_plain, allowed)), frozenset(map(_plain, bound))
        self._app = app
        self._names = told | own
        self._any = not (told or all(map(_is_loopback, own)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "")
        if not (self._any or self._is_ours(host)):
            message = f"The Host header {host!r} is no name of this server; if it should be, use --allowed-host."
            raise HttpError(403, message, code="host_not_allowed")
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        name = _plain(match["name"]) if match else ""
        return name in self._names or _is_loopback(name)


def _plain(name: str) -> str:
    """As names are compared: without an IPv6 address's brackets, a root dot, or capitals."""
    return name.removeprefix("[").removesuffix("]").removesuffix(".").lower()


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
