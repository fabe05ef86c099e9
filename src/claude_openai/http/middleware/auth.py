"""Authentication: a key as Bearer token or in `x-api-key`, from which the principal's name is derived by a digest.

All digests are compared, each in constant time, so that response times reveal neither a key's length nor its place. If
the server has no keys, it ignores those that are sent, and every client is "local".
"""

import hmac
from collections.abc import Iterable
from hashlib import sha256

from starlette.datastructures import Headers
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from claude_openai.core.failures import Failure, Kind, RequestFailed

LOCAL = "local"

_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY), or in an x-api-key header."
)
_WRONG_KEY = "Incorrect API key provided. Use one of the keys this server was started with."


class Authentication:
    """Accepts requests with a valid key, and those for one of the `open_paths`, which are in Starlette's form."""

    def __init__(self, app: ASGIApp, *, keys: Iterable[str], open_paths: Iterable[str]) -> None:
        self._app = app
        self._digests = tuple(sha256(key.encode()).digest() for key in keys)
        self._open_paths = tuple(compile_path(path)[0] for path in open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not any(pattern.match(scope["path"]) for pattern in self._open_paths):
            scope.setdefault("state", {})["principal"] = self._principal(Headers(scope=scope))
        await self._app(scope, receive, send)

    def _principal(self, headers: Headers) -> str:
        if not self._digests:
            return LOCAL
        scheme, _, token = headers.get("authorization", "").partition(" ")
        bearer = token.strip() if scheme.lower() == "bearer" else ""
        sent = [sha256(key.encode("latin-1")).digest() for key in (bearer, headers.get("x-api-key", "")) if key]
        if not sent:
            raise RequestFailed(Failure(Kind.INVALID_API_KEY, _NO_KEY))
        known = [digest for key in sent for digest in self._digests if hmac.compare_digest(digest, key)]
        if not known:
            raise RequestFailed(Failure(Kind.INVALID_API_KEY, _WRONG_KEY))
        return f"key-{known[0].hex()}"  # the whole digest: two keys could share a part


def principal(scope: Scope) -> str:
    """The principal of a request that has passed `Authentication`."""
    name: str = scope["state"]["principal"]
    return name
