"""The check of the Host header, so that no web page reaches the server under a name of its own (DNS rebinding).

Bound to loopback addresses, the server accepts `localhost`, loopback addresses and the configured names. Bound to any
other address it requires a key, which a foreign page does not have, and cannot know the names by which its clients
reach it: it accepts every name, unless names are configured.
"""

import ipaddress
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from claude_openai.http.middleware.errors import HttpError

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\s:@/\[\]]+)(:[0-9]*)?", re.IGNORECASE)


class HostGuard:
    """Refuses a request whose Host header has none of the server's names."""

    def __init__(self, app: ASGIApp, *, bound: Iterable[str], allowed: Iterable[str]) -> None:
        configured, own = frozenset(map(_plain, allowed)), frozenset(map(_plain, bound))
        self._app = app
        self._names = configured | own
        self._any = not (configured or all(map(_is_loopback, own)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "")
        match = _HOST.fullmatch(host)
        name = _plain(match["name"]) if match else ""
        if not (self._any or name in self._names or _is_loopback(name)):
            message = f"The Host header {host!r} is no name of this server; if it should be, use --allowed-host."
            raise HttpError(403, message, code="host_not_allowed")
        await self._app(scope, receive, send)


def _plain(name: str) -> str:
    """`name` for comparison: in lower case, without the brackets of an IPv6 address and the dot of the root."""
    return name.removeprefix("[").removesuffix("]").removesuffix(".").lower()


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
