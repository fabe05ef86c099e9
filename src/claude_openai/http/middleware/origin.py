"""Which web pages may call the server: those of the origins it was told, and no other.

A browser names the page's origin in a header, or says at least (`Sec-Fetch-Site`) that the request is for another
site's page: https://www.w3.org/TR/fetch-metadata. Programs send neither, and are not meant here.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claude_openai.http.middleware.errors import HttpError, shown
from claude_openai.protocols.common import rate_limits

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

ISOLATED: Final[Mapping[str, str]] = MappingProxyType(
    {"cross-origin-resource-policy": "same-origin", "x-content-type-options": "nosniff"}
)
"""On every answer: no page of another origin embeds it, as an image or a script, and no browser guesses its type."""

_OWN: Final = frozenset({"none", "same-origin"})
"""`Sec-Fetch-Site` of what a person opens (address bar, bookmark), and of a page of this server's own."""

_ADVISABLE: Final = re.compile(r"null|file://|[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[^/\s*:@\[\]'?#]+)(:[0-9]+)?")
_NEW_EACH_TIME: Final = ("vscode-webview://",)
"""Schemes whose pages have another host each time they are opened."""


class Origins:
    """The allowed ones. `scheme://*` is any page of a scheme, `http://host:*` any port of a host, or none."""

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
    """Says on every answer, errors too, who may use it: stands outside of what turns errors into answers."""

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
    """Refuses every other page, whatever it asks, and answers an allowed page's preflight with all `methods`."""

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
        elif origin not in self._allowed and not _is_own_page(scope, headers):
            message = f"A web page of {shown(origin)!r} may not call this server{_advice(origin)}."
            raise HttpError(403, message, code="origin_not_allowed")
        if origin and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await self._consent(headers)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _consent(self, request: Headers) -> Response:
        headers = {
            "access-control-allow-methods": self._methods,
            "access-control-allow-headers": request.get("access-control-request-headers", "*"),
            "access-control-max-age": str(PREFLIGHT_SECONDS),
        }
        return Response(status_code=204, headers=headers)


def _is_own_page(scope: Scope, headers: Headers) -> bool:
    """Whether a page of this server itself sent the request. `HostGuard` checked the Host header before, so a page that
    gave its own name this machine's address (DNS rebinding) does not get here.
    """
    return headers["origin"] == f"{scope['scheme']}://{headers.get('host', '')}"


def _advice(origin: str) -> str:
    """Only what the setting takes, and what lets this page in."""
    if not _ADVISABLE.fullmatch(origin):
        return ""
    if origin == "null":
        return "; --allowed-origin 'null' lets in every page that has none, and needs an API key"
    anew = next((scheme for scheme in _NEW_EACH_TIME if origin.startswith(scheme)), None)
    named = f"{anew}*" if anew else origin
    return f"; if it should, use --allowed-origin '{named}'"
