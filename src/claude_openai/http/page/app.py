"""The page's views: each reads what it shows, renders it in a thread, and sends it with the page's headers."""

import json
import math
import shlex
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from mimetypes import guess_type
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlencode

import anyio
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import Message, Receive, Scope, Send

from claude_openai.core.failures import RequestFailed
from claude_openai.core.load import Outage
from claude_openai.core.runs import ACTIVE_STATES, Run, RunState
from claude_openai.core.search import Query, parse
from claude_openai.core.statistics import DIMENSIONS, HOUR_SECONDS, Dimension
from claude_openai.http.endpoints.health import NOT_STARTED
from claude_openai.http.endpoints.statistics import SPANS
from claude_openai.http.generation.event_stream import EventStream
from claude_openai.http.generation.turns import cancel_on_disconnect
from claude_openai.http.middleware.auth import visible_principal
from claude_openai.http.middleware.errors import HttpError
from claude_openai.http.page import charts, rows
from claude_openai.http.page.logins import API, LOGIN, LOGIN_SECONDS, ROOT, STATIC, Logins, cookie, cookie_name
from claude_openai.http.page.reasons import REASONS
from claude_openai.http.page.suggestions import suggestions
from claude_openai.http.ports import Gateway
from claude_openai.protocols.common import errors as translated
from claude_openai.protocols.common.wire import sse
from claude_openai.protocols.runs.statistics import span_object
from claude_openai.protocols.runs.stream import CODES
from claude_openai.recipes import RECIPES
from claude_openai.text import shown

MOST_ROWS: Final = 50
MOST_TRIED: Final = 8
"""Terms of a query without a result that are tried alone."""

SUGGESTED_FROM: Final = 200
"""Latest runs whose models, clients and tools are suggested."""

MOST_FAILURES: Final = 5
"""Failed runs that the first view shows."""

LIVE_SECONDS: Final = 0.5
"""Between two looks at what has changed, for an open page."""

MOST_LIVE: Final = 32
"""Pages that are kept live at once; a further one shows what it was when it was opened."""

WRONG_KEY_SECONDS: Final = 1.0
LONGEST_FORM: Final = 8192

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types page"
    ),
    "referrer-policy": "same-origin",  # with none, browsers send the origin of a form as "null"
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


class Page:
    """The page of one server. `now` is in Unix seconds."""

    def __init__(
        self,
        gateway: Gateway,
        logins: Logins,
        *,
        simulated: bool,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._gateway = gateway
        self._logins = logins
        self._simulated = simulated
        self._now = now
        self._live = 0
        self._router = Router(
            [
                Route(ROOT, self._root, methods=["GET"]),
                Route(f"{ROOT}/", self._overview, methods=["GET"]),
                Route(f"{ROOT}/runs", self._runs, methods=["GET"]),
                Route(f"{ROOT}/suggest", self._suggest, methods=["GET"]),
                Route(f"{ROOT}/runs/{{run}}", self._run, methods=["GET"]),
                Route(f"{ROOT}/runs/{{run}}/cancel", self._cancel, methods=["POST"]),
                Route(f"{ROOT}/stats", self._stats, methods=["GET"]),
                Route(f"{ROOT}/try", self._playground, methods=["GET"]),
                Route(f"{ROOT}/setup", self._setup, methods=["GET"]),
                Route(LOGIN, self._login_form, methods=["GET"]),
                Route(LOGIN, self._login, methods=["POST"]),
                Route(f"{ROOT}/logout", self._logout, methods=["POST"]),
                Route(f"{STATIC}{{version}}/{{name:path}}", _asset, methods=["GET"]),
            ],
            redirect_slashes=False,
            default=self._unknown,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            if scope["path"] == f"{ROOT}/live" and scope["method"] == "GET":
                await self._stream(scope, receive, send_with_headers)
            else:
                await self._router(scope, receive, send_with_headers)
        except (HttpError, RequestFailed) as error:
            status = error.status if isinstance(error, HttpError) else translated.status(error.failure)
            title = "Not found" if status == HTTPStatus.NOT_FOUND else "That did not work"
            values = {"title": title, "sentence": str(error)}
            page = await self._html("error.html", Request(scope), values, status=status)
            await page(scope, receive, send_with_headers)

    async def _root(self, _: Request) -> Response:
        return RedirectResponse(f"{ROOT}/", 303)

    async def _unknown(self, scope: Scope, _receive: Receive, _send: Send) -> None:
        raise HttpError(404, f"There is no page {shown(scope['path'])}.")

    async def _overview(self, request: Request) -> Response:
        return await self._html("overview.html", request, await self._overview_values(request.scope))

    async def _overview_values(self, scope: Scope) -> Mapping[str, Any]:
        principal, runs, now = visible_principal(scope), self._gateway.runs, self._now()
        active = [
            *await runs.recent(MOST_ROWS, RunState.RUNNING, principal),
            *await runs.recent(MOST_ROWS, RunState.QUEUED, principal),
        ]
        failed = await runs.recent(MOST_FAILURES, RunState.FAILED, principal)
        return {
            "active": [rows.row(run, now) for run in active],
            "failed": [rows.row(run, now) for run in failed],
            "is_new": not (active or failed or await runs.recent(1, None, principal)),
            "load": self._gateway.load(),
        }

    async def _runs(self, request: Request) -> Response:
        values = await self._runs_values(request.scope)
        template = "runs_found.html" if "part" in request.query_params else "runs.html"
        return await self._html(template, request, values)

    async def _runs_values(self, scope: Scope) -> Mapping[str, Any]:
        """The runs that the query `q` finds, without the terms that are wrong; behind the run `after`, if there is one.

        Where none is found, the terms are tried alone.
        """
        parameters = Request(scope).query_params
        text, after = parameters.get("q", ""), parameters.get("after", "")
        runs, principal = self._gateway.runs, visible_principal(scope)
        query = parse(text, datetime.now().astimezone(), CODES)
        last = await runs.find(after, principal) if after and query.is_by_time else ()
        found = await runs.search(query, MOST_ROWS + 1, principal, last[0] if len(last) == 1 else None)
        tried = query.terms[:MOST_TRIED] if not found and not last and len(query.terms) > 1 else ()
        alone = [(term.source, bool(await runs.search(Query((term,)), 1, principal))) for term in tried]
        now, listed = self._now(), found[:MOST_ROWS]
        return {
            "q": text,
            "problems": query.problems,
            "rows": [rows.row(run, now) for run in listed],
            "older": listed[-1].id if len(found) > MOST_ROWS and query.is_by_time else None,
            "has_more": len(found) > MOST_ROWS,
            "is_page": bool(last),
            "alone": alone,
            "totals": rows.totals(listed),
            "command": f"claude-openai runs {shlex.quote(text)}" if text else "claude-openai runs",
            "json_url": f"{API}runs?{urlencode({'q': text, 'limit': MOST_ROWS})}",
        }

    async def _suggest(self, request: Request) -> Response:
        """What the term before the cursor may go on with: fields with an example, or values of a field."""
        term = request.query_params.get("term", "")
        recent = await self._gateway.runs.recent(SUGGESTED_FROM, None, visible_principal(request.scope))
        return JSONResponse([{"text": text, "hint": hint} for text, hint in suggestions(term, recent)])

    async def _run(self, request: Request) -> Response:
        run = await self._requested(request)
        return await self._html("run.html", request, self._run_values(run))

    def _run_values(self, run: Run) -> Mapping[str, Any]:
        now = self._now()
        return {
            "row": rows.row(run, now),
            "run": run,
            "timing": rows.timing(run, now),
            "why": REASONS.get(run.reason, (run.reason, "")) if run.reason else None,
            "calls": [(call, rows.formatted(call.arguments)) for call in run.calls],
        }

    async def _cancel(self, request: Request) -> Response:
        run = await self._requested(request)
        if self._gateway.runs.cancel(run) is None and run.state in ACTIVE_STATES:
            raise HttpError(409, f"The run {run.id} is answered by another server, which can cancel it.")
        return RedirectResponse(f"{ROOT}/runs/{run.id}", 303)

    async def _stats(self, request: Request) -> Response:
        """Sums over a span of time: by a dimension, and by hours or days."""
        over = request.query_params.get("over", "24h")
        hours = SPANS.get(over, SPANS["24h"])
        by: Dimension = next((each for each in DIMENSIONS if each == request.query_params.get("by")), "model")
        width = HOUR_SECONDS if hours <= SPANS["24h"] else 24 * HOUR_SECONDS
        until = math.ceil(self._now() / HOUR_SECONDS) * HOUR_SECONDS
        begin, principal = until - hours * HOUR_SECONDS, visible_principal(request.scope)
        runs = self._gateway.runs
        spans = await runs.statistics(begin, until, width, by, principal)
        found = [span_object(each, None) for each in await runs.statistics(begin, until, width, None, principal)]

        def chart(values: list[float]) -> tuple[charts.Bar, ...]:
            return charts.bars([each.begin for each in found], values, begin, until, width)

        values = {
            "over": over if over in SPANS else "24h",
            "by": by,
            "width": width,
            "spans": list(SPANS),
            "dimensions": DIMENSIONS,
            "groups": charts.grouped(spans, by),
            "rows": found,
            "charts": [
                ("Requests", "stream", chart([each.runs for each in found])),
                ("Fresh prompt tokens", "think", chart([each.prompt_tokens - each.cached_tokens for each in found])),
                ("Cost", "tool", chart([each.cost_usd or 0.0 for each in found])),
            ],
        }
        return await self._html("stats.html", request, values)

    async def _playground(self, request: Request) -> Response:
        models = await self._gateway.catalogue()
        return await self._html("try.html", request, {"models": models.listed()})

    async def _setup(self, request: Request) -> Response:
        """What `claude-openai connect` prints, for every client, with the address that the browser used."""
        base = f"{request.url.scheme}://{request.headers.get('host', '')}/v1"
        return await self._html("setup.html", request, {"recipes": [each.at(base) for each in RECIPES.values()]})

    async def _login_form(self, request: Request) -> Response:
        code = request.query_params.get("code")
        if not self._logins.required:
            return RedirectResponse(f"{ROOT}/", 303)
        if code and (token := self._logins.log_in_owner(code)):
            return self._logged_in(request, token, f"{ROOT}/")
        sentence = "This link was used already, or is too old. Open the page anew with: claude-openai open"
        return await self._html("login.html", request, self._login_values(request, sentence if code else None))

    async def _login(self, request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > LONGEST_FORM:
                raise HttpError(413, "The form is too large.")
        form = parse_qs(body.decode("utf-8", "replace"))
        if token := self._logins.log_in(form.get("key", [""])[0].strip()):
            return self._logged_in(request, token, _own_path(form.get("next", [""])[0]))
        await anyio.sleep(WRONG_KEY_SECONDS)
        values = self._login_values(request, "This server has no such key.") | {"next": form.get("next", [""])[0]}
        return await self._html("login.html", request, values, status=401)

    def _login_values(self, request: Request, sentence: str | None) -> dict[str, Any]:
        return {"next": request.query_params.get("next", ""), "sentence": sentence}

    def _logged_in(self, request: Request, token: str, path: str) -> Response:
        response = RedirectResponse(path, 303)
        response.set_cookie(
            cookie_name(request.scope),
            token,
            max_age=math.floor(LOGIN_SECONDS),
            path=f"{ROOT}/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response

    async def _logout(self, request: Request) -> Response:
        self._logins.end(cookie(request.scope))
        response = RedirectResponse(LOGIN, 303)
        response.delete_cookie(cookie_name(request.scope), path=f"{ROOT}/", httponly=True, samesite="strict")
        return response

    async def _requested(self, request: Request) -> Run:
        wanted: str = request.path_params["run"]
        found = await self._gateway.runs.find(wanted, visible_principal(request.scope))
        if len(found) != 1:
            raise HttpError(404, f"There is no run {shown(wanted)}, or more than one begins so.")
        return found[0]

    async def _html(
        self, template: str, request: Request, values: Mapping[str, Any], *, status: int = 200
    ) -> HTMLResponse:
        logged_in = request.scope.get("state", {}).get("identity") is not None
        frame = {**self._frame(request, logged_in=logged_in), **(await self._header() if logged_in else {})}
        return HTMLResponse(await _rendered(template, {**frame, **values}), status)

    def _frame(self, request: Request, *, logged_in: bool) -> Mapping[str, Any]:
        return {
            "root": ROOT,
            "path": request.url.path,
            "base_url": f"{request.url.scheme}://{request.headers.get('host', '')}/v1",
            "logged_in": logged_in,
            "can_log_out": logged_in and self._logins.required,
            "needs_key": self._logins.required,
            "simulated": self._simulated,
            "live_url": f"{ROOT}/live?view={quote(request.url.path)}&{request.url.query}",
        }

    async def _header(self) -> Mapping[str, Any]:
        """The server's state, which is at the top of every page."""
        outage: Outage | None
        try:
            outage = self._gateway.outage(await self._gateway.description())
        except RequestFailed:
            outage = Outage(NOT_STARTED)
        load = self._gateway.load()
        return {
            "outage": outage,
            "running": load.running,
            "waiting": load.waiting,
            "places": self._gateway.places,
            "limit": self._gateway.rate_limit(),
        }

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The changes of an open page: for each region of it that has changed, its id and its new HTML."""
        if self._live >= MOST_LIVE:
            raise HttpError(503, "Too many pages are open.")
        self._live += 1
        try:
            await self._keep_live(scope, receive, send)
        finally:
            self._live -= 1

    async def _keep_live(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        path = request.query_params.get("view", "")
        stream = EventStream(send, {}, keep_alive_seconds=15)
        source = _Changes(lambda: self._regions(path, scope))
        async with cancel_on_disconnect(receive), anyio.create_task_group() as tasks:

            async def end() -> None:
                await self._gateway.until_stopped()
                tasks.cancel_scope.cancel()

            tasks.start_soon(end)
            await stream.write(sse.comment("live"))
            while True:
                for name, html in await stream.next(source):
                    await stream.write(sse.event(json.dumps(html), name))
        await stream.write(b"", last=True)

    async def _regions(self, path: str, scope: Scope) -> Mapping[str, str]:
        """The HTML of each region of the view at `path` that changes by itself."""
        frame = {**self._frame(Request(scope), logged_in=True), **await self._header()}
        regions = {"health": await _rendered("health.html", frame)}
        if path == f"{ROOT}/":
            regions["overview"] = await _rendered("overview_live.html", {**frame, **await self._overview_values(scope)})
        elif path == f"{ROOT}/runs":
            regions["found"] = await _rendered("runs_found.html", {**frame, **await self._runs_values(scope)})
        return regions


class _Changes:
    """The regions of a page that differ from what was received last, looked at every `LIVE_SECONDS`."""

    def __init__(self, regions: Callable[[], Awaitable[Mapping[str, str]]]) -> None:
        self._regions = regions
        self._sent: Mapping[str, str] = {}

    async def receive(self) -> list[tuple[str, str]]:
        while True:
            await anyio.sleep(LIVE_SECONDS)
            regions = await self._regions()
            changed = [(name, html) for name, html in regions.items() if self._sent.get(name) != html]
            self._sent = regions
            if changed:
                return changed


async def _asset(request: Request) -> Response:
    """A file of the page. Its address has the version of the server, so a browser keeps it for good."""
    asset = _assets().get(request.path_params["name"])
    if asset is None:
        raise HttpError(404, "There is no such file.")
    content, media_type = asset
    return Response(content, media_type=media_type, headers={"cache-control": "public, max-age=31536000, immutable"})


@cache
def _assets() -> Mapping[str, tuple[bytes, str]]:
    """All files, by their name: nothing else can be asked for."""
    folder = files("claude_openai.http.page") / "static"
    return {
        each.name: (each.read_bytes(), guess_type(each.name)[0] or "application/octet-stream")
        for each in folder.iterdir()
        if each.is_file()
    }


async def _rendered(template: str, values: Mapping[str, Any]) -> str:
    def render() -> str:
        from claude_openai.http.page.rendering import render  # noqa: PLC0415 -- Jinja is loaded when it is needed

        return render(template, values)

    return await anyio.to_thread.run_sync(render)


def _own_path(path: str) -> str:
    """`path` if it is one of the page's; else the page's first view: a link must not lead to another site."""
    return path if path.startswith(f"{ROOT}/") and "\\" not in path and path.isprintable() else f"{ROOT}/"
