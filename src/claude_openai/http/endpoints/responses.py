"""`/v1/responses`: a request becomes a turn, and the turn's events one response or the events of its stream.

A response that is to be stored is kept with its run: as it stands when it begins, and as it ends, before the client is
told of that, so that its next request can go on from it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from starlette.datastructures import QueryParams
from starlette.responses import Response as Answer
from starlette.types import Receive, Scope, Send

from claude_openai.core.events import Event, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.runs import ACTIVE_STATES, Caller, Kept, Run, RunState
from claude_openai.core.turn import Turn
from claude_openai.http.endpoints.pagination import page_limit
from claude_openai.http.generation.context import GenerationContext, run_in_thread_if_large
from claude_openai.http.middleware.auth import principal
from claude_openai.http.middleware.errors import HttpError, shown
from claude_openai.http.ports import RunRegistry
from claude_openai.protocols.common.errors import OPENAI_ERRORS
from claude_openai.protocols.common.wire import sse
from claude_openai.protocols.responses import stored
from claude_openai.protocols.responses.references import item_ids, referenced, with_items
from claude_openai.protocols.responses.request import ParsedRequest, parse_request, read_turn
from claude_openai.protocols.responses.stream import ResponseEncoder
from claude_openai.protocols.responses.wire.reply import Deleted
from claude_openai.protocols.responses.wire.request import ResponsesRequest

PREFIX = "resp_"
PREVIOUS = "previous_response_id"

MOST_BEFORE = 1000
"""Responses that a conversation may have gone through: each is looked up."""

MOST_ITEMS, ITEMS = 100, 20
"""Of one page, as OpenAI has it: at most, and where nothing is said."""


class Responses:
    """`POST /v1/responses`: implements `http.generation.driver.GenerationProtocol`."""

    id_prefix = PREFIX
    keep_alive = sse.comment()
    errors = OPENAI_ERRORS

    async def read(self, body: bytes, caller: Caller, context: GenerationContext) -> "ResponseRequest":
        """See `GenerationProtocol.read`."""
        runs = context.gateway.runs
        request = await run_in_thread_if_large(len(body), parse_request, body)
        named = await _named(runs, request, caller.principal)
        request = await run_in_thread_if_large(_size(named), with_items, request, named)
        history = await _before(runs, request.previous_response_id, caller.principal)
        catalogue = await context.gateway.catalogue()
        read = partial(
            read_turn,
            request,
            catalogue,
            response_id=caller.answer_id,
            created=context.now(),
            principal=caller.principal,
            history=history,
            rules=context.agent_rules,
        )
        parsed = await run_in_thread_if_large(len(body) + _size((*named, *history)), read)
        return ResponseRequest(parsed, runs, context.now)


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """Implements `http.generation.driver.GenerationRequest`."""

    parsed: ParsedRequest
    runs: RunRegistry
    now: Callable[[], int]

    @property
    def turns(self) -> Sequence[Turn]:
        return (self.parsed.turn,)

    @property
    def stream(self) -> bool:
        return self.parsed.stream

    @property
    def ignored(self) -> Sequence[str]:
        return self.parsed.ignored

    @property
    def adjusted(self) -> Sequence[str]:
        return self.parsed.adjusted

    def writer(self, caller: Caller) -> "ResponseWriter":
        return ResponseWriter(self, caller)


class ResponseWriter:
    """Writes one response: its events, or the whole of it. It is stored with its run, if the client wants that."""

    def __init__(self, request: ResponseRequest, caller: Caller) -> None:
        parsed = request.parsed
        self._encoder = ResponseEncoder(
            parsed.response, item_ids(caller.answer_id), request.now, parsed.shows_thinking, parsed.shows_activity
        )
        self._items = parsed.items
        self._caller = caller
        self._runs = request.runs
        self._complete = False

    def feed(self, choice: int, event: Event) -> bytes:  # noqa: ARG002 -- a request has one response
        """See `AnswerWriter.feed`."""
        self._complete = isinstance(event, TurnFinished | TurnFailed)
        return b"".join(sse.event(each.to_json(), each.type) for each in self._encoder.feed(event))

    @property
    def is_complete(self) -> bool:
        return self._complete

    async def save(self) -> None:
        """See `AnswerWriter.save`."""
        response = self._encoder.response
        if response.store:
            kept = Kept(self._items, response.to_json())
            await self._runs.store_response(self._caller.run_id, self._caller.principal, kept)

    def body(self) -> str:
        return self._encoder.response.to_json()


class StoredResponse:
    """`GET` and `DELETE` of `/v1/responses/{response}`."""

    def __init__(self, runs: RunRegistry) -> None:
        self._runs = runs

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        if QueryParams(scope["query_string"]).get("stream", "false").lower() not in ("false", "0"):
            sentence = "Unsupported parameter: 'stream'. What is stored is told whole, as one object."
            raise RequestFailed(Failure(Kind.UNSUPPORTED_PARAMETER, sentence, "stream"))
        _, kept = await _meant(self._runs, scope)
        await _json(kept.response)(scope, receive, send)

    async def delete(self, scope: Scope, receive: Receive, send: Send) -> None:
        run, _ = await _meant(self._runs, scope)
        if run.state in ACTIVE_STATES:
            raise HttpError(400, f"Cannot delete the response {run.answer_id}: it is being answered. Cancel it first.")
        await self._runs.store_response(run.id, run.principal, None)
        await _json(Deleted(id=run.answer_id).to_json())(scope, receive, send)


class CancelResponse:
    """`POST /v1/responses/{response}/cancel`, while it is answered: its client is told so, and upstream is ended."""

    def __init__(self, runs: RunRegistry) -> None:
        self._runs = runs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        run, kept = await _meant(self._runs, scope)
        if run.state is RunState.CANCELLED:
            await _json(kept.response)(scope, receive, send)
            return
        if run.state not in ACTIVE_STATES or self._runs.cancel(run) is None:
            raise HttpError(400, f"Cannot cancel the response {run.answer_id}: it is {run.state.value}.")
        response = stored.cancelled(kept.response)
        await self._runs.store_response(run.id, run.principal, Kept(kept.items, response))
        await _json(response)(scope, receive, send)


class InputItems:
    """`GET /v1/responses/{response}/input_items`."""

    def __init__(self, runs: RunRegistry) -> None:
        self._runs = runs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        run, kept = await _meant(self._runs, scope)
        query = QueryParams(scope["query_string"])
        order = query.get("order", "desc")
        if order not in {"asc", "desc"}:
            raise _invalid(f"order must be asc or desc, not {shown(order)!r}.", "order")
        history = await _found_before(self._runs, stored.previous_response_id(kept.response), run.principal)
        items = await run_in_thread_if_large(_size([kept, *history]), stored.asked_with, kept, history)
        after = query.get("after")
        page = stored.page(
            items, after=after, limit=page_limit(query, default=ITEMS, most=MOST_ITEMS), newest_first=order == "desc"
        )
        if page is None:
            raise _invalid(f"after must be the id of one of the items, not {shown(str(after))!r}.", "after")
        await _json(page.to_json())(scope, receive, send)


async def _before(runs: RunRegistry, previous: str | None, asked_by: str) -> list[Kept]:
    """The responses of the conversation up to `previous`, the first one first.

    Raises:
        Refused: it, or one before it, is not there any more, is another's, or is still being answered; or there are too
            many.
    """
    found_so_far: list[Kept] = []
    while previous is not None:
        found = await _kept(runs, previous, asked_by)
        if found is None:
            sentence = f"Previous response with id '{shown(previous)}' not found."
            raise HttpError(400, sentence, code="previous_response_not_found", param=PREVIOUS)
        run, kept = found
        if run.state in ACTIVE_STATES:
            raise HttpError(400, f"Previous response with id '{previous}' is still being answered.", param=PREVIOUS)
        if len(found_so_far) == MOST_BEFORE:
            sentence = f"The conversation has more than {MOST_BEFORE} responses. Send it as input instead."
            raise HttpError(400, sentence, param=PREVIOUS)
        found_so_far.append(kept)
        previous = stored.previous_response_id(kept.response)
    return found_so_far[::-1]


async def _found_before(runs: RunRegistry, previous: str | None, asked_by: str) -> list[Kept]:
    """The same as far back as they are still there."""
    found_so_far: list[Kept] = []
    while previous and len(found_so_far) < MOST_BEFORE and (found := await _kept(runs, previous, asked_by)):
        found_so_far.append(found[1])
        previous = stored.previous_response_id(found[1].response)
    return found_so_far[::-1]


async def _named(runs: RunRegistry, request: ResponsesRequest, asked_by: str) -> list[Kept]:
    """The responses whose items the request names, as far as they are there.

    Raises:
        RequestFailed: there are too many.
    """
    responses = referenced(request)
    if len(responses) > MOST_BEFORE:
        raise _invalid(f"The input names items of more than {MOST_BEFORE} responses. Send them as they were.", "input")
    found = [await _kept(runs, f"{PREFIX}{response}", asked_by) for response in responses]
    return [each[1] for each in found if each is not None]


def _size(responses: Sequence[Kept]) -> int:
    return sum(len(kept.items) + len(kept.response) for kept in responses)


async def _meant(runs: RunRegistry, scope: Scope) -> tuple[Run, Kept]:
    wanted: str = scope["path_params"]["response"]
    found = await _kept(runs, wanted, principal(scope))
    if found is None:
        raise HttpError(404, f"Response with id '{shown(wanted)}' not found.")
    return found


async def _kept(runs: RunRegistry, wanted: str, asked_by: str) -> tuple[Run, Kept] | None:
    for run in await runs.find(wanted, asked_by):
        if run.answer_id == wanted and run.kept is not None:
            return run, Kept(run.kept.items, stored.with_final_state(run.kept.response, run.state))
    return None


def _invalid(sentence: str, param: str) -> RequestFailed:
    return RequestFailed(Failure(Kind.INVALID_REQUEST, sentence, param))


def _json(text: str) -> Answer:
    return Answer(text, media_type="application/json")
