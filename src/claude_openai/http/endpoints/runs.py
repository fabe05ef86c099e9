"""`/runs`: the records of requests, their output as it is generated, and their cancellation.

Each key sees its own runs only: a run of another key is unknown. A follower only reads: that it disconnects or is slow
changes nothing for the run.
"""

from dataclasses import replace
from datetime import datetime

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.runs import ACTIVE_STATES, Run, RunState
from claude_openai.core.search import Query, in_state, parse
from claude_openai.http.endpoints.pagination import page_limit
from claude_openai.http.endpoints.statistics import FORMATS, choice, csv_response
from claude_openai.http.generation.event_stream import KEEP_ALIVE, EventStream
from claude_openai.http.generation.turns import cancel_on_disconnect
from claude_openai.http.middleware.auth import visible_principal
from claude_openai.http.middleware.errors import HttpError
from claude_openai.http.ports import RunRegistry
from claude_openai.http.routing import json_response
from claude_openai.protocols.runs.statistics import runs_csv
from claude_openai.protocols.runs.stream import CODES, RunEncoder, run_list, whole_run
from claude_openai.text import one_line, shortened, shown

LIMIT = 20
"""Runs that are listed if the client gives no number: about a screen."""

LONGEST_SENTENCE = 500
"""Columns of the sentence about a wrong query, which may repeat a thousand characters of it."""

MOST = 1000
"""Runs that are listed at most: half a megabyte."""


class LatestRuns:
    """`GET /runs`."""

    def __init__(self, runs: RunRegistry) -> None:
        self._runs = runs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = QueryParams(scope["query_string"])
        state = query.get("state")
        if state is not None and state not in list(RunState):
            sentence = f"state must be one of {', '.join(RunState)}, not {shown(state)!r}."
            raise RequestFailed(Failure(Kind.INVALID_REQUEST, sentence, "state"))
        limit = page_limit(query, default=LIMIT, most=MOST)
        form = choice(query, "format", FORMATS, "json")
        wanted = _parsed(query.get("q", ""), RunState(state) if state else None)
        after = query.get("after")
        if after is not None and not wanted.is_by_time:
            sentence = f"after cannot be used with sort:{wanted.sort}: ask for more with limit, or sort by new or old."
            raise HttpError(400, sentence, code="invalid_query", param="after")
        principal = visible_principal(scope)
        last = await _found(self._runs, after, principal) if after is not None else None
        runs = await self._runs.search(wanted, limit + 1, principal, last)
        if form == "csv":
            response = csv_response(runs_csv(runs[:limit]))
        else:
            listed = run_list(runs[:limit], has_more=len(runs) > limit)
            response = json_response(listed.to_json(), cached=False)
        await response(scope, receive, send)


class OneRun:
    """`GET /runs/{run}`."""

    def __init__(self, runs: RunRegistry) -> None:
        self._runs = runs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        run = await _requested(self._runs, scope)
        await json_response(whole_run(run).to_json(), cached=False)(scope, receive, send)


class FollowRun:
    """`GET /runs/{run}/events`."""

    def __init__(self, runs: RunRegistry, keep_alive_seconds: float) -> None:
        self._runs = runs
        self._keep_alive_seconds = keep_alive_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        following = self._runs.follow(await _requested(self._runs, scope))
        stream, encoder = EventStream(send, {}, self._keep_alive_seconds), RunEncoder()
        async with cancel_on_disconnect(receive):
            await stream.write(KEEP_ALIVE)  # a follower of a run without output yet sees that it follows
            while events := await stream.next(following):
                if data := encoder.feed(events):
                    await stream.write(data)
        await stream.write(encoder.finish(following.run), last=True)


class CancelRun:
    """`POST /runs/{run}/cancel`."""

    def __init__(self, runs: RunRegistry) -> None:
        self._runs = runs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        run = await _requested(self._runs, scope)
        cancelled = self._runs.cancel(run)
        if cancelled is None:
            elsewhere = (
                "another server answers it, which can cancel it" if run.state in ACTIVE_STATES else "nothing to cancel"
            )
            sentence = f"The run {run.id} is {run.state.value}: {elsewhere}."
            raise HttpError(409, sentence, code="run_not_active")
        await json_response(whole_run(cancelled).to_json(), cached=False)(scope, receive, send)


def _parsed(text: str, state: RunState | None) -> Query:
    """The query `text`, whose dates are in this server's time zone, for the runs in `state`.

    Raises:
        HttpError: a term of it is wrong.
    """
    query = parse(text, datetime.now().astimezone(), CODES)
    if query.problems:
        problem = query.problems[0]
        sentence = f"{problem.message} It is at character {problem.position + 1} of the query."
        raise HttpError(400, shortened(one_line(sentence), LONGEST_SENTENCE), code="invalid_query", param="q")
    return replace(query, terms=in_state(state).terms + query.terms)


async def _requested(runs: RunRegistry, scope: Scope) -> Run:
    """The run that the path names by one of its ids, or by the beginning of one.

    Raises:
        HttpError: the client's key has no such run, or several.
    """
    return await _found(runs, scope["path_params"]["run"], visible_principal(scope))


async def _found(runs: RunRegistry, wanted: str, principal: str | None) -> Run:
    """The only run of `principal` (None: of all) with an id that begins with `wanted`.

    Raises:
        HttpError: there is none, or there are several.
    """
    found = await runs.find(wanted, principal)
    if not found:
        raise HttpError(404, f"There is no run {shown(wanted)!r}. `GET /runs` lists them.", code="run_not_found")
    if len(found) > 1:
        sentence = f"More than one run goes by {shown(wanted)!r}: give more of its id."
        raise HttpError(400, sentence, code="run_id_ambiguous")
    return found[0]
