"""Who looks at the page: logins by a cookie, which counts below `/ui` only, and the guard of every request there.

A cookie of one port is sent to every other port of the same host, and `SameSite` does not keep them apart (RFC 6265,
8.5): so its name has the port, and every request that changes something must come from the server's own origin.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.keys import LOCAL, OWNER, Identity, Keys, digest_of
from claude_openai.http.middleware.errors import HttpError
from claude_openai.system.login_codes import is_valid

ROOT: Final = "/ui"
API: Final = f"{ROOT}/api/"
"""Below it the page's own scripts reach the endpoints of the API, with the cookie in place of a key."""

LOGIN: Final = f"{ROOT}/login"
STATIC: Final = f"{ROOT}/static/"

LOGIN_SECONDS: Final = 12 * 3600.0
MOST_LOGINS: Final = 32
"""Logins that are kept; above that the oldest ends."""

MOST_CODES: Final = 1000
"""Used codes that are remembered, each for as long as it would be valid."""

_SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class _Login:
    """`key` is the digest of the key; None for the server's owner. `until` is in seconds of the clock."""

    key: bytes | None
    until: float


class Logins:
    """The logins of this server, in memory: they end with it, or with their key. Only digests of cookies are kept.

    `owner_token` is that of the server's owner, from which one-time codes are made (`system.login_codes`). `clock` is
    monotonic, in seconds; `now` is in Unix seconds.
    """

    def __init__(
        self,
        keys: Keys,
        owner_token: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._owner_token = owner_token
        self._clock = clock
        self._now = now
        self._logins: OrderedDict[bytes, _Login] = OrderedDict()
        self._used: OrderedDict[bytes, None] = OrderedDict()

    @property
    def required(self) -> bool:
        """Whether a person has to log in."""
        return self._keys.required

    def log_in(self, key: str) -> str | None:
        """A new login with `key`: the value of its cookie; None if the server does not have the key."""
        return self._begin(digest_of(key)) if self._keys.identify([key]) else None

    def log_in_owner(self, code: str) -> str | None:
        """A new login of the server's owner with a one-time code, which is used up; None if it is not valid."""
        return self._begin(None) if self._redeem(code) else None

    def _begin(self, key: bytes | None) -> str:
        token = secrets.token_urlsafe(32)
        self._logins[_digest(token)] = _Login(key, self._clock() + LOGIN_SECONDS)
        while len(self._logins) > MOST_LOGINS:
            self._logins.popitem(last=False)
        return token

    def _redeem(self, code: str) -> bool:
        if self._owner_token is None or not is_valid(code, self._owner_token, self._now()):
            return False
        if _digest(code) in self._used:
            return False
        self._used[_digest(code)] = None
        while len(self._used) > MOST_CODES:
            self._used.popitem(last=False)
        return True

    def identity(self, token: str) -> Identity | None:
        """Whose the login with this cookie is; None if there is no such login or key any more."""
        known = self._logins.get(_digest(token))
        if known is None or known.until <= self._clock():
            return None
        return Identity(OWNER) if known.key is None else self._keys.identify_digests([known.key])

    def end(self, token: str) -> None:
        """End the login with this cookie."""
        self._logins.pop(_digest(token), None)


class PageAccess:
    """Passes the requests for the page to `page`, those of its scripts for the API to `api`, both with the identity of
    their login, and all others to `other`.

    A request without a login is sent to the form, or refused if a script sent it. Where no key is needed, every request
    is of the principal "local" and nobody logs in.
    """

    def __init__(self, page: ASGIApp, api: ASGIApp, other: ASGIApp, logins: Logins) -> None:
        self._page = page
        self._api = api
        self._other = other
        self._logins = logins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path != ROOT and not path.startswith(f"{ROOT}/"):
            await self._other(scope, receive, send)
            return
        if scope["method"] not in _SAFE:
            require_own_origin(scope)
        who = self._logins.identity(cookie(scope)) if self._logins.required else Identity(LOCAL)
        if who is None and path != LOGIN and not path.startswith(STATIC):
            if path.startswith(API) or scope["method"] not in _SAFE:
                sentence = f"You are not logged in any more. Log in at {LOGIN}."
                raise RequestFailed(Failure(Kind.INVALID_API_KEY, sentence))
            query = scope["query_string"].decode("latin-1")
            wanted = quote(path + (f"?{query}" if query else ""), safe="")
            await RedirectResponse(f"{LOGIN}?next={wanted}", 303)(scope, receive, send)
            return
        scope.setdefault("state", {})["identity"] = who
        if path.startswith(API):
            below = path.removeprefix(API)
            raw = scope.get("raw_path", path.encode()).removeprefix(API.encode())
            await self._api({**scope, "path": f"/{below}", "raw_path": b"/" + raw}, receive, send)
        else:
            await self._page(scope, receive, send)


def cookie_name(scope: Scope) -> str:
    """The name of the login's cookie, which has the port that the browser used."""
    host = Headers(scope=scope).get("host", "")
    port = host.rpartition(":")[2] if host.rpartition(":")[2].isdecimal() else "80"
    return f"claude_openai_{port}"


def cookie(scope: Scope) -> str:
    """The value of the login's cookie; empty without one."""
    found = SimpleCookie()
    for line in Headers(scope=scope).getlist("cookie"):
        try:
            found.load(line)
        except CookieError:
            continue
    value = found.get(cookie_name(scope))
    return value.value if value else ""


def require_own_origin(scope: Scope) -> None:
    """Refuse a request that another page sent. `HostGuard` has checked the Host header before.

    Raises:
        HttpError: 403, the request does not come from this server's own page.
    """
    headers = Headers(scope=scope)
    own = headers.get("origin") == f"{scope['scheme']}://{headers.get('host', '')}"
    if not own or not {"same-origin"}.issuperset(headers.getlist("sec-fetch-site")):
        message = "Only the page of this server may send this. Programs use /v1 and /runs, with an API key."
        raise HttpError(403, message, code="origin_not_allowed")


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()
