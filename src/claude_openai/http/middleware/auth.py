"""Authentication: a key as Bearer token or in `x-api-key`; `core.keys` says whose it is.

If the server has no keys, it ignores those that are sent, and every client is "local".
"""

import hmac
from collections.abc import Collection, Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from starlette.datastructures import Headers
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.keys import LOCAL, OWNER, Identity, Keys, digest_of

_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY), or in an x-api-key header."
)
_WRONG_KEY = "Incorrect API key provided. Use one of the keys this server was started with."


_OF_PROXIES: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers that a proxy adds: its client may be anywhere."""

_OWNERS_PATHS: Final = "/runs/"


class Authentication:
    """Accepts requests with a valid key, and those for one of the `open_paths`, which are in Starlette's form.

    `owner_token` is accepted like a key below `/runs`; only the person who started the server can read it. The paths in
    `locally_open` need no key if the client is on this machine.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: Keys,
        open_paths: Iterable[str],
        owner_token: str | None = None,
        locally_open: Collection[str] = (),
    ) -> None:
        self._app = app
        self._keys = keys
        self._owner = digest_of(owner_token) if owner_token else None
        self._open_paths = tuple(compile_path(path)[0] for path in open_paths)
        self._locally_open = frozenset(locally_open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = any(pattern.match(scope["path"]) for pattern in self._open_paths)
        if not is_open and not (scope["path"] in self._locally_open and is_local(scope)):
            scope.setdefault("state", {})["identity"] = self._identity(scope["path"], Headers(scope=scope))
        await self._app(scope, receive, send)

    def _identity(self, path: str, headers: Headers) -> Identity:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else ""
        sent = [key for key in (bearer, headers.get("x-api-key", "")) if key]
        if self._owner and f"{path}/".startswith(_OWNERS_PATHS):
            matches = [hmac.compare_digest(self._owner, digest_of(key)) for key in sent]
            if any(matches):
                return Identity(OWNER)
        if not self._keys.required:
            return Identity(LOCAL)
        if not sent:
            raise RequestFailed(Failure(Kind.INVALID_API_KEY, _NO_KEY))
        who = self._keys.identify(sent)
        if who is None:
            raise RequestFailed(Failure(Kind.INVALID_API_KEY, _WRONG_KEY))
        return who


def is_local(scope: Scope) -> bool:
    """Whether the client is a program of this machine. A proxy's requests, which have one of its headers, are not."""
    headers = Headers(scope=scope)
    host = scope["client"][0] if scope.get("client") else ""
    with suppress(ValueError):
        return ip_address(host).is_loopback and not any(name in headers for name in _OF_PROXIES)
    return False


def known_identity(scope: Scope) -> Identity | None:
    """Who sent a request that has passed `Authentication`; None if its path is open to the sender."""
    who: Identity | None = scope["state"].get("identity")
    return who


def identity(scope: Scope) -> Identity:
    """Who sent a request for a path that is not open."""
    who: Identity = scope["state"]["identity"]
    return who


def principal(scope: Scope) -> str:
    """The principal of a request for a path that is not open."""
    return identity(scope).principal


def visible_principal(scope: Scope) -> str | None:
    """The principal whose runs the request may see and cancel; None for those who may those of every principal."""
    who = identity(scope)
    return None if who.sees_all else who.principal
