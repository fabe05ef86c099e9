"""`/v1/responses`: a request becomes a turn, and the turn's events one response or the events of its stream.

A response is stored when its stream begins, so that it can be found and cancelled, and when it ends, together with its
run, before the client receives its end: the client's next request can continue it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from claude_openai.core.events import Event, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Caller, Run, RunState
from claude_openai.core.turn import Turn
from claude_openai.http.endpoints.pagination import page_limit
from claude_openai.http.generation.context import GenerationContext, run_in_thread_if_large
from claude_openai.http.middleware.auth import principal
from claude_openai.http.middleware.errors import HttpError
from claude_openai.http.ports import ResponseRecord, ResponseRegistry
from claude_openai.http.routing import json_response
from claude_openai.jsontools.strict import MOST_VALUES, count_values
from claude_openai.protocols.common.protocol import OPENAI, AnswerWriter
from claude_openai.protocols.common.wire import sse
from claude_openai.protocols.responses import stored
from claude_openai.protocols.responses.references import item_ids, referenced, with_items
from claude_openai.protocols.responses.request import ParsedRequest, parse_request, read_turn
from claude_openai.protocols.responses.stream import ResponseEncoder
from claude_openai.protocols.responses.wire.reply import Deleted
from claude_openai.protocols.responses.wire.request import ResponsesRequest
from claude_openai.text import shown

PREFIX = "resp_"
PREVIOUS = "previous_response_id"

MOST_BEFORE = 1000
"""Responses that a conversation may consist of, or whose items one request may name."""

MOST_ITEMS, ITEMS = 100, 20
"""Items of one page, as OpenAI has it: at most, and where the client gives no number."""


class Responses:
    """`POST /v1/responses`: implements `http.generation.driver.GenerationProtocol`."""

    id_prefix = PREFIX
    format = OPENAI

    async def read(self, body: bytes, caller: Caller, context: GenerationContext) -> "ResponseRequest":
        """See `GenerationProtocol.read`."""
        responses = context.gateway.responses
        request = await run_in_thread_if_large(len(body), parse_request, body)
        named = await _named(responses, request, caller.principal)
        request = await run_in_thread_if_large(_size(named), with_items, request, named)
        history = await _history(responses, request.previous_response_id, caller.principal)
        size = len(body) + _size((*named, *history))
        await run_in_thread_if_large(size, _require_few_values, body, (*named, *history))
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
        parsed = await run_in_thread_if_large(size, read)
        return ResponseRequest(
            parsed, responses, context.now, (parsed.turn,), parsed.stream, parsed.ignored, parsed.adjusted
        )


RESPONSES = Responses()


@dataclass(frozen=True, slots=True)
class ResponseRequest:
    """Implements `protocols.common.protocol.GenerationRequest`."""

    parsed: ParsedRequest
    responses: ResponseRegistry
    now: Callable[[], int]
    turns: Sequence[Turn]
    stream: bool
    ignored: Sequence[str]
    adjusted: Sequence[str]

    @contextmanager
    def writer(self, caller: Caller) -> Iterator["ResponseWriter"]:
        """See `GenerationRequest.writer`."""
        if self.parsed.response.store:
            with self.responses.record(caller.run_id) as record:
                yield ResponseWriter(self, caller, record)
        else:
            yield ResponseWriter(self, caller, None)


class ResponseWriter(AnswerWriter):
    """Writes one response: its events, or the whole of it. It is stored where there is a `record`."""

    def __init__(self, request: ResponseRequest, caller: Caller, record: ResponseRecord | None) -> None:
        parsed = request.parsed
        self._encoder = ResponseEncoder(
            parsed.response, item_ids(caller.answer_id), request.now, parsed.shows_thinking, parsed.shows_activity
        )
        self._items = parsed.items
        self._caller = caller
        self._record = record
        self._stream = request.stream
        self._begun = self._complete = False

    def feed(self, choice: int, event: Event) -> bytes:  # noqa: ARG002 -- a request has one response
        """See `AnswerWriter.feed`."""
        if not self._stream:
            self._encoder.feed(event)
            return b""
        if (delta := self._encoder.encode_delta(event)) is not None:
            return delta
        self._complete = isinstance(event, TurnFinished | TurnFailed)
        data = b"".join(sse.event(each.to_json(), each.type) for each in self._encoder.feed(event))
        if data and not self._begun:
            self._begun = True
            if self._record and not self._complete:
                self._record.begin(self._stored())
        return data

    @property
    def is_complete(self) -> bool:
        return self._complete

    async def save(self) -> None:
        """See `AnswerWriter.save`."""
        if self._record:
            await self._record.save(self._stored())

    def body(self) -> str:
        return self._encoder.response.to_json()

    def _stored(self) -> StoredResponse:
        response, caller = self._encoder.response, self._caller
        return StoredResponse(
            caller.answer_id,
            caller.run_id,
            caller.principal,
            response.previous_response_id,
            self._items,
            response.to_json(),
        )


class OneResponse:
    """`GET` and `DELETE` of `/v1/responses/{response}`."""

    def __init__(self, responses: ResponseRegistry) -> None:
        self._responses = responses

    async def get(self, scope: Scope, receive: Receive, send: Send) -> None:
        if QueryParams(scope["query_string"]).get("stream", "false").lower() not in ("false", "0"):
            sentence = "Unsupported parameter: 'stream'. A stored response is sent as one object."
            raise RequestFailed(Failure(Kind.UNSUPPORTED_PARAMETER, sentence, "stream"))
        response, _ = await _requested(self._responses, scope)
        await json_response(response.body)(scope, receive, send)

    async def delete(self, scope: Scope, receive: Receive, send: Send) -> None:
        response, run = await _requested(self._responses, scope)
        if self._responses.is_active(run):
            raise HttpError(400, f"Cannot delete the response {response.id}: it is being answered. Cancel it first.")
        await self._responses.delete(response, run)
        await json_response(Deleted(id=response.id).to_json())(scope, receive, send)


class CancelResponse:
    """`POST /v1/responses/{response}/cancel`: ends a response that is being answered."""

    def __init__(self, responses: ResponseRegistry) -> None:
        self._responses = responses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response, run = await _requested(self._responses, scope)
        body = response.body
        if run.state is not RunState.CANCELLED:
            if not self._responses.is_active(run) or self._responses.cancel(run) is None:
                raise HttpError(400, f"Cannot cancel the response {response.id}: it is {run.state.value}.")
            body = stored.cancelled(body)
        await json_response(body)(scope, receive, send)


class InputItems:
    """`GET /v1/responses/{response}/input_items`."""

    def __init__(self, responses: ResponseRegistry) -> None:
        self._responses = responses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response, _ = await _requested(self._responses, scope)
        query = QueryParams(scope["query_string"])
        order = query.get("order", "desc")
        if order not in {"asc", "desc"}:
            raise _invalid(f"order must be asc or desc, not {shown(order)!r}.", "order")
        chain = await self._responses.chain(response.id, response.principal, MOST_BEFORE + 1)
        history = chain[:0:-1]  # as far back as it is still there, the first one first
        items = await run_in_thread_if_large(_size(chain), stored.input_items, response, history)
        after = query.get("after")
        page = stored.page(
            items, after=after, limit=page_limit(query, default=ITEMS, most=MOST_ITEMS), newest_first=order == "desc"
        )
        if page is None:
            raise _invalid(f"after must be the id of one of the items, not {shown(str(after))!r}.", "after")
        await json_response(page.to_json())(scope, receive, send)


async def _history(responses: ResponseRegistry, previous: str | None, asked_by: str) -> tuple[StoredResponse, ...]:
    """The responses of the conversation up to `previous`, the first one first.

    Raises:
        HttpError: `previous`, or one before it, is deleted, is another key's or is still being answered; or there are
            too many.
    """
    if previous is None:
        return ()
    chain = await responses.chain(previous, asked_by, MOST_BEFORE + 1)
    if len(chain) > MOST_BEFORE:
        sentence = f"The conversation has more than {MOST_BEFORE} responses. Send it as input instead."
        raise HttpError(400, sentence, param=PREVIOUS)
    missing = chain[-1].previous_id if chain else previous
    run = await responses.run_of(chain[0]) if chain else None
    if missing is not None or run is None:
        sentence = f"Previous response with id '{shown(missing or previous)}' not found."
        raise HttpError(400, sentence, code="previous_response_not_found", param=PREVIOUS)
    if responses.is_active(run):
        raise HttpError(400, f"Previous response with id '{previous}' is still being answered.", param=PREVIOUS)
    return chain[::-1]


async def _named(responses: ResponseRegistry, request: ResponsesRequest, asked_by: str) -> list[StoredResponse]:
    """The responses whose items the request names, as far as they are there.

    Raises:
        RequestFailed: there are too many.
    """
    names = referenced(request)
    if len(names) > MOST_BEFORE:
        raise _invalid(f"The input names items of more than {MOST_BEFORE} responses. Send them as they were.", "input")
    found = [await responses.chain(f"{PREFIX}{name}", asked_by) for name in names]
    return [response for chain in found for response in chain]


def _require_few_values(body: bytes, responses: Sequence[StoredResponse]) -> None:
    """Raises `RequestFailed` where a request and the stored responses that it continues or names hold more JSON values
    together than one request may.
    """
    found = count_values(body.decode(errors="replace"))
    for text in (text for response in responses for text in (response.items, response.body)):
        found += count_values(text)
        if found > MOST_VALUES:
            sentence = f"The conversation holds more than {MOST_VALUES} JSON values, the limit here. Begin a new one."
            raise RequestFailed(Failure(Kind.INVALID_REQUEST, sentence, PREVIOUS))


def _size(responses: Sequence[StoredResponse]) -> int:
    return sum(len(response.items) + len(response.body) for response in responses)


async def _requested(responses: ResponseRegistry, scope: Scope) -> tuple[StoredResponse, Run]:
    """The response that the path names, with its final state if it has ended, and its run.

    Raises:
        HttpError: 404: the client's key has no such response.
    """
    wanted: str = scope["path_params"]["response"]
    for response in await responses.chain(wanted, principal(scope)):
        run = await responses.run_of(response)
        if run is not None:
            if run.state is RunState.CANCELLED or not responses.is_active(run):
                response = replace(response, body=stored.with_final_state(response.body, run.state))  # noqa: PLW2901
            return response, run
    raise HttpError(404, f"Response with id '{shown(wanted)}' not found.")


def _invalid(sentence: str, param: str) -> RequestFailed:
    return RequestFailed(Failure(Kind.INVALID_REQUEST, sentence, param))
