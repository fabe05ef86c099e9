"""The request line: which HTTP it speaks, and what it targets (RFC 9112, 3.2).

After these middlewares a path begins with a slash, and the Host header is the host of the target.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claude_openai.http.middleware.errors import NOT_HTTP, HttpError, wrong_method
from claude_openai.text import shown

_ABSOLUTE: Final = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/#]*)(?P<path>/.*|)", re.IGNORECASE)
"""A target with scheme and host, as clients send it to a proxy. Its query is not part of what is matched here."""

_BOTH_LENGTHS: Final = frozenset({b"content-length", b"transfer-encoding"})


class Framing:
    """Closes the connection behind a request with Content-Length and Transfer-Encoding (RFC 9112, 6.3): a proxy in
    front may have read another end of its body, and take the rest for the request of another client.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        ambiguous = {name for name, _ in scope["headers"]} >= _BOTH_LENGTHS
        await self._app(scope, receive, send_last if ambiguous else send)


class RequestTarget:
    """Refuses a request that is not HTTP/1 or has no path as its target; reduces an absolute target to its path."""

    def __init__(self, app: ASGIApp, methods: Iterable[str]) -> None:
        self._app = app
        self._methods = sorted(methods)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["http_version"].startswith("1."):
            raise HttpError(400, NOT_HTTP, code="not_http", headers={"connection": "close"})
        method = scope["method"]
        target = scope.get("raw_path", scope["path"].encode()).decode("latin-1")  # ASGI servers may give no raw path
        if method == "CONNECT":
            raise wrong_method("Not allowed to CONNECT: this server is no proxy.", [])
        if absolute := _ABSOLUTE.fullmatch(target):
            scope = _addressed(scope, absolute)
        if method == "OPTIONS" and (target == "*" or (absolute and not absolute["path"])):
            raise wrong_method("Not allowed to OPTIONS the server as a whole.", self._methods)
        if not (absolute or target.startswith("/")):
            message = f"The request's target, {shown(target)!r}, is no path: it must begin with a slash."
            raise HttpError(400, message, code="invalid_target")
        await self._app(scope, receive, send)


def _addressed(scope: Scope, target: re.Match[str]) -> Scope:
    """The request as if its target were the path alone. The target's host wins over the Host header (3.2.2)."""
    if target["scheme"].lower() != "http":  # RFC 9110, 7.4: what is not spoken on this connection must be rejected
        message = f"This server speaks plain HTTP, and the request's target begins with {shown(target['scheme'])!r}."
        raise HttpError(421, message, code="misdirected_request")
    if not target["authority"] or "@" in target["authority"]:  # RFC 9110, 4.2.4: a password is an error
        message = "The request's target has no host, or a user name before it: send http://HOST:PORT/PATH or /PATH."
        raise HttpError(400, message, code="invalid_target")
    path = target["path"] or "/"
    headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
    headers.append((b"host", target["authority"].encode("ascii")))
    return {**scope, "headers": headers, "path": unquote(path), "raw_path": path.encode("ascii")}
