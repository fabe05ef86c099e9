"""`GET /stats`: what requests add up to, by hours or days. Each key sees the sums of its own runs."""

from collections.abc import Callable
from typing import Final

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.statistics import DIMENSIONS, HOUR_SECONDS
from claude_openai.http.middleware.auth import visible_principal
from claude_openai.http.ports import RunRegistry
from claude_openai.http.routing import json_response
from claude_openai.protocols.runs.statistics import statistics, statistics_csv
from claude_openai.text import shown

SPANS: Final = {"24h": 24, "7d": 7 * 24, "30d": 30 * 24, "400d": 400 * 24}
"""The values of `over`, in hours. The roll-up is kept for 400 days."""

WIDTHS: Final = {"hour": HOUR_SECONDS, "day": 24 * HOUR_SECONDS}

FORMATS: Final = ("json", "csv")


class StatisticsEndpoint:
    """`GET /stats`. `now` is the Unix time."""

    def __init__(self, runs: RunRegistry, now: Callable[[], float]) -> None:
        self._runs = runs
        self._now = now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = QueryParams(scope["query_string"])
        hours = SPANS[choice(query, "over", tuple(SPANS), "24h")]
        width = WIDTHS[choice(query, "width", tuple(WIDTHS), "hour" if hours <= SPANS["24h"] else "day")]
        wanted = choice(query, "by", (*DIMENSIONS, "none"), "none")
        by = next((dimension for dimension in DIMENSIONS if dimension == wanted), None)
        form = choice(query, "format", FORMATS, "json")
        until = (self._now() // HOUR_SECONDS + 1) * HOUR_SECONDS
        since = until - hours * HOUR_SECONDS
        spans = await self._runs.statistics(since, until, width, by, visible_principal(scope))
        if form == "csv":
            response = csv_response(statistics_csv(spans, by))
        else:
            response = json_response(statistics(spans, since, until, width, by).to_json(), cached=False)
        await response(scope, receive, send)


def csv_response(text: str) -> Response:
    """A response with CSV, which no cache stores."""
    return Response(text, media_type="text/csv", headers={"cache-control": "no-store"})


def choice(query: QueryParams, name: str, allowed: tuple[str, ...], default: str) -> str:
    """The value of the parameter `name`.

    Raises:
        RequestFailed: it is none of the `allowed` ones.
    """
    given = query.get(name, default)
    if given in allowed:
        return given
    sentence = f"{name} must be one of {', '.join(allowed)}, not {shown(given)!r}."
    raise RequestFailed(Failure(Kind.INVALID_REQUEST, sentence, name))
