"""A path and its methods, and the errors of another method or an unknown path."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from claude_openai.http.middleware.errors import HttpError, wrong_method
from claude_openai.text import LONGEST_SHOWN, shown

BASE = "/v1"

NOT_OFFERED: Mapping[str, str] = MappingProxyType(
    {
        "assistants": "The Responses API has taken the place of assistants.",
        "audio": "Claude neither hears nor speaks.",
        "batches": "Requests are answered one by one, while they are open.",
        "containers": "Claude Code works in folders of this machine, as an agent.",
        "conversations": "Responses go on from a previous_response_id.",
        "embeddings": "Claude makes no embeddings.",
        "evals": "Nothing is evaluated here.",
        "files": "Images and PDF files are sent with the messages.",
        "fine_tuning": "Claude's models are what they are.",
        "images": "Claude reads images and makes none.",
        "moderations": "Answers are not moderated.",
        "realtime": "Claude neither hears nor speaks.",
        "responses/compact": "Claude Code takes a conversation whole: go on from a previous_response_id, or send it.",
        "responses/input_tokens": "Tokens are counted when a request is answered, in its usage.",
        "threads": "The Responses API has taken the place of threads.",
        "uploads": "Images and PDF files are sent with the messages.",
        "vector_stores": "Nothing is stored for searching.",
        "videos": "Claude makes no videos.",
    }
)
"""OpenAI's other endpoints under `BASE`, by their path or its first segment, and why they are not offered."""


def offered(paths: Sequence[str]) -> str:
    """What this server offers in place of another endpoint: `paths` are those that call the model."""
    *others, last = paths
    named = f"{', '.join(others)} and {last}" if others else last
    return f"This server answers conversations with Claude Code: POST {named}, with the models of GET {BASE}/models."


class Resource:
    """One path: an application for each method. HEAD is GET; the HTTP server omits the body."""

    def __init__(self, methods: Mapping[str, ASGIApp]) -> None:
        head = {"HEAD": methods["GET"]} if "GET" in methods else {}
        self.methods = MappingProxyType({**methods, **head})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.methods.get(scope["method"])
        if app is None:
            method, path, names = shown(scope["method"]), shown(scope["path"]), sorted(self.methods)
            message = f"Not allowed to {method} on {path}: only {', '.join(names)} requests are accepted."
            raise wrong_method(message, names)
        await app(scope, receive, send)


class ByHeader:
    """Several protocols at one path: each app gets the requests with the header of its protocol, and the one without a
    header, or else the first, gets all others.
    """

    def __init__(self, apps: Mapping[str | None, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        named = [app for header, app in self._apps.items() if header is not None and header in headers]
        app = named[0] if named else self._apps.get(None) or next(iter(self._apps.values()))
        await app(scope, receive, send)


class UnknownPath:
    """404 for an unknown path. It names the endpoint that was meant: base URLs often lack `/v1` or have it twice. The
    paths in `generating` call the model.
    """

    def __init__(self, known: Iterable[str], generating: Sequence[str]) -> None:
        self._known = frozenset(known)
        self._offered = offered(generating)

    async def __call__(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        method, path = scope["method"], scope["path"]
        bare = path.rstrip("/")  # and without any base
        while bare.startswith(f"{BASE}/"):
            bare = bare.removeprefix(BASE)
        bare = bare.removeprefix("/")
        if why := NOT_OFFERED.get(bare) or NOT_OFFERED.get(bare.partition("/")[0]):
            raise HttpError(404, f"{shown(path)} is not offered. {why} {self._offered}", code="endpoint_not_supported")
        meant = None
        if len(path) <= LONGEST_SHOWN:
            meant = next((known for known in (f"{BASE}/{bare}", f"/{bare}") if known in self._known), None)
        advice = f" Did you mean {meant}? This server's base URL ends in {BASE}." if meant else ""
        raise HttpError(404, f"Unknown request URL: {shown(method)} {shown(path)}.{advice}", code="unknown_url")


def json_response(body: str, *, cached: bool = True) -> Response:
    """The response with this JSON text; unless `cached` may be, no cache stores it."""
    headers = {} if cached else {"cache-control": "no-store"}
    return Response(body, media_type="application/json", headers=headers)
