"""`/runs`: what has become of requests, what is said in one as it goes on, and how one is ended.

Each key sees its own and no others: what belongs to another is as unknown as what never was. Following is reading: one
who leaves, or is slow, changes nothing for the run.
"""

from starlette.datastructures import QueryParams
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.runs import ACTIVE_STATES, Run, RunState
from claude_openai.http.endpoints.pagination import page_limit
from claude_openai.http.generation.event_stream import KEEP_ALIVE, EventStream
from claude_openai.http.generation.turns import cancel_on_disconnect
from claude_openai.http.middleware.auth import principal
from claude_openai.http.middleware.errors import HttpError, shown
from claude_openai.http.ports import RunRegistry
from claude_openai.protocols.common.wire.reply import Reply
from claude_openai.protocols.runs.stream import RunEncoder, run_list, whole_run

LIMIT = 20
"""Runs that are listed where no number is asked for: about a screen."""

MOST = 1000
"""Runs that are listed at most: half a megabyte."""


class LatestRuns:
    """`GET /runs`."""

    def __init__(self, runs: RunRegistry) -> None:
        self._runs = runs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = QueryParams(scope["query_string"])
        runs = await self._runs.recent(page_limit(query, default=LIMIT, most=MOST), _state(query), principal(scope))
        await _json(run_list(runs))(scope, receive, send)


class OneRun:
    """`GET /runs/{run}`."""

    def __init__(self, runs: RunRegistry) -> None:
        self._runs = runs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _json(whole_run(await _meant(self._runs, scope)))(scope, receive, send)


class FollowRun:
    """`GET /runs/{run}/events`."""

    def __init__(self, runs: RunRegistry, keep_alive_seconds: float) -> None:
        self._runs = runs
        self._keep_alive_seconds = keep_alive_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        following = self._runs.follow(await _meant(self._runs, scope))
        stream, encoder = EventStream(send, {}, self._keep_alive_seconds), RunEncoder()
        async with cancel_on_disconnect(receive):
            await stream.write(KEEP_ALIVE)  # whoever follows a run that says nothing yet knows that it does
            while said := await stream.next(following):
                if told := encoder.feed(said):
                    await stream.write(told)
        await stream.write(encoder.finish(following.run), last=True)


class CancelRun:
    """`POST /runs/{run}/cancel`."""

    def __init__(self, runs: RunRegistry) -> None:
        self._runs = runs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        run = await _meant(self._runs, scope)
        cancelled = self._runs.cancel(run)
        if cancelled is None:
            elsewhere = (
                "another server answers it, which can cancel it" if run.state in ACTIVE_STATES else "nothing to cancel"
            )
            sentence = f"The run {run.id} is {run.state.value}: {elsewhere}."
            raise HttpError(409, sentence, code="run_not_active")
        await _json(whole_run(cancelled))(scope, receive, send)


async def _meant(runs: RunRegistry, scope: Scope) -> Run:
    wanted: str = scope["path_params"]["run"]
    found = await runs.find(wanted, principal(scope))
    if not found:
        raise HttpError(404, f"There is no run {shown(wanted)!r}. `GET /runs` lists them.", code="run_not_found")
    if len(found) > 1:
        sentence = f"More than one run goes by {shown(wanted)!r}: give more of its id."
        raise HttpError(400, sentence, code="run_id_ambiguous")
    return found[0]


def _state(query: QueryParams) -> RunState | None:
    given = query.get("state")
    if given is None or given in list(RunState):
        return RunState(given) if given else None
    known = ", ".join(RunState)
    raise RequestFailed(Failure(Kind.INVALID_REQUEST, f"state must be one of {known}, not {shown(given)!r}.", "state"))


def _json(answer: Reply) -> Response:
    return Response(answer.to_json(), media_type="application/json", headers={"cache-control": "no-store"})
