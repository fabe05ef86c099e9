"""CORS and the check of the Origin header: only web pages of the allowed origins may call the server.

A browser names the page's origin in a header, or at least (`Sec-Fetch-Site`) whether the request comes from another
site's page: https://www.w3.org/TR/fetch-metadata. Programs send neither header, and are not restricted here.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claude_openai.http.middleware.errors import HttpError
from claude_openai.protocols.common import rate_limits
from claude_openai.text import shown

PREFLIGHT_SECONDS = 600
"""How long a browser may cache a preflight. Chromium caps it at two hours; this is short enough for a change."""

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

ISOLATED: Final[Mapping[str, str]] = MappingProxyType(
    {"cross-origin-resource-policy": "same-origin", "x-content-type-options": "nosniff"}
)
"""Headers of every answer: no page of another origin may embed it, and no browser guesses its type."""

_OWN: Final = frozenset({"none", "same-origin"})
"""`Sec-Fetch-Site` of what a person opens (address bar, bookmark), and of this server's own pages."""

_ADVISABLE: Final = re.compile(r"null|file://|[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[^/\s*:@\[\]'?#]+)(:[0-9]+)?")
_NEW_EACH_TIME: Final = ("vscode-webview://",)
"""Schemes whose pages have a new host each time they are opened."""


class Origins:
    """The allowed origins. `scheme://*` is every page of a scheme, `http://host:*` every port of a host, or none."""

    def __init__(self, allowed: Iterable[str]) -> None:
        alternatives = (re.escape(each) for each in allowed)
        patterns = (
            each.replace(r"://\*", r"://[^/\s:@]+").removesuffix(r":\*")
            + (r"(:[0-9]+)?" if each.endswith(r":\*") else "")
            for each in alternatives
        )
        self._pattern = re.compile("|".join(patterns) or r"(?!)")

    def __contains__(self, origin: str) -> bool:
        return self._pattern.fullmatch(origin) is not None


class Cors:
    """Adds the CORS headers to every answer, errors too; so it is outside `ErrorBoundary`."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self._app = app
        self._allowed = Origins(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin", "")

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(ISOLATED)
                if origin in self._allowed:
                    headers.add_vary_header("Origin")
                    headers["access-control-allow-origin"] = origin
                    headers["access-control-expose-headers"] = READABLE
            await send(message)

        await self._app(scope, receive, send_marked)


class OriginGuard:
    """Refuses requests of other pages, and answers the preflights of allowed pages with all `methods`."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str], methods: Iterable[str]) -> None:
        self._app = app
        self._allowed = Origins(allowed)
        self._methods = ", ".join(sorted(methods))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None:
            if not _OWN.issuperset(headers.getlist("sec-fetch-site")):
                message = "A browser sent this for a page of another site. Open the address itself, or use a program."
                raise HttpError(403, message, code="origin_not_allowed")
        elif origin not in self._allowed and origin != f"{scope['scheme']}://{headers.get('host', '')}":
            # The server's own pages pass. `HostGuard` has checked the Host header, so a page that gave its own name
            # this machine's address (DNS rebinding) does not get here.
            message = f"A web page of {shown(origin)!r} may not call this server{_advice(origin)}."
            raise HttpError(403, message, code="origin_not_allowed")
        if origin and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            preflight = {
                "access-control-allow-methods": self._methods,
                "access-control-allow-headers": headers.get("access-control-request-headers", "*"),
                "access-control-max-age": str(PREFLIGHT_SECONDS),
            }
            await Response(status_code=204, headers=preflight)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _advice(origin: str) -> str:
    """The setting that would allow `origin`; empty if the setting does not accept it."""
    if not _ADVISABLE.fullmatch(origin):
        return ""
    if origin == "null":
        return "; --allowed-origin 'null' lets in every page that has none, and needs an API key"
    anew = next((scheme for scheme in _NEW_EACH_TIME if origin.startswith(scheme)), None)
    named = f"{anew}*" if anew else origin
    return f"; if it should, use --allowed-origin '{named}'"
