"""Which web pages may call the server: those of the origins it was told, and no other.

A browser names the page's origin in a header. Programs send none, and are not meant here.
"""

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claude_openai.http.errors import Refused
from claude_openai.translate import rate_limits

PREFLIGHT_SECONDS = 600
"""How long a browser may remember our consent: what Chromium caps at two hours, short enough to be withdrawn."""

READABLE = ", ".join(
    (
        "x-request-id",
        "x-claude-openai-ignored",
        "x-claude-openai-adjusted",
        "x-claude-openai-simulated",
        "retry-after",
        *rate_limits.HEADERS,
    )
)
"""Headers of an answer that the page's script may read."""


class CrossOrigin:
    """Lets an allowed page read its answers, errors too: stands outside of what turns errors into answers."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin", "")

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                headers["access-control-allow-origin"] = origin
                headers["access-control-expose-headers"] = READABLE
            await send(message)

        await self._app(scope, receive, send_readable if origin in self._allowed else send)


class OriginGuard:
    """Refuses every other page, whatever it asks, and answers an allowed page's preflight."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None and origin not in self._allowed:
            message = f"A web page of {origin!r} may not call this server; if it should, use --allowed-origin."
            raise Refused(403, message, code="origin_not_allowed")
        if origin and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _consent(headers)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _consent(request: Headers) -> Response:
    headers = {
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": request.get("access-control-request-headers", "*"),
        "access-control-max-age": str(PREFLIGHT_SECONDS),
    }
    return Response(status_code=204, headers=headers)
