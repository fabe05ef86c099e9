"""Parses a request for a response into a turn and the initial response. `read_turn` is the whole walk."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from claude_openai.core.agent import AgentRules
from claude_openai.core.models import Catalogue
from claude_openai.core.responses import StoredResponse
from claude_openai.core.turn import Turn
from claude_openai.protocols.common.body import parse_body
from claude_openai.protocols.common.parameter_checks import refuse_unsupported
from claude_openai.protocols.common.turn import read_options
from claude_openai.protocols.responses.items import read_input
from claude_openai.protocols.responses.parameters import (
    PARAMETERS,
    ignored_fields,
    read_format,
    read_sampling,
    summary_form,
)
from claude_openai.protocols.responses.stored import items_of, items_with_output
from claude_openai.protocols.responses.tools import read_tools
from claude_openai.protocols.responses.wire.reply import Response
from claude_openai.protocols.responses.wire.request import Item, ResponsesRequest

_ITEMS: TypeAdapter[list[Item]] = TypeAdapter(list[Item])


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """The turn that a request asks for, and the form of its answer.

    `response` is the response before there is output, `items` the input items as JSON, to be stored. `ignored` names
    fields without effect, `adjusted` those carried with another value; both are fit for a header.
    """

    turn: Turn
    response: Response
    items: str
    stream: bool
    shows_thinking: bool
    shows_activity: bool
    ignored: tuple[str, ...]
    adjusted: tuple[str, ...]


def parse_request(body: bytes) -> ResponsesRequest:
    """`body` as a request.

    Raises:
        RequestFailed: `INVALID_REQUEST`, with the path of the first fault as `param`.
    """
    return parse_body(body, ResponsesRequest)


def read_turn(
    request: ResponsesRequest,
    catalogue: Catalogue,
    *,
    response_id: str,
    created: int,
    principal: str = "local",
    history: Sequence[StoredResponse] = (),
    rules: AgentRules | None = None,
) -> ParsedRequest:
    """The turn that `request` asks for; `rules` limit the agent profile. `history` has the responses that it continues,
    the oldest first.

    Raises:
        RequestFailed: it asks for something that is not supported or not allowed, or for an unknown model.
    """
    refuse_unsupported(request, PARAMETERS)
    model = catalogue.resolve(request.model)
    offer = read_tools(request)
    options = read_options(
        request.claude, model, rules, tools=offer.tools, choice=offer.choice, reply_format=read_format(request)
    )
    sampling = read_sampling(request, model)
    ignored = ignored_fields(request) + sampling.ignored + options.ignored
    shows_activity = options.agent.show_activity if options.agent else None
    if shows_activity == "events":  # a response shows activities in its reasoning only
        ignored += ("claude.showActivity",)
    sent, known = request.input, 0
    if history:
        own = _ITEMS.validate_python([{"role": "user", "content": sent}]) if isinstance(sent, str) else sent
        before = [item for stored in history for item in items_with_output(stored)]
        sent, known = [*_ITEMS.validate_python(before), *(own or [])], len(before)
    conversation = read_input(sent, request.instructions, model, known=known)
    return ParsedRequest(
        turn=options.turn(conversation.messages, sampling.sampling, principal, streamed=bool(request.stream)),
        response=_initial_response(request, response_id, created, request.model or model.id),
        items=items_of(request, response_id),
        stream=bool(request.stream),
        shows_thinking=summary_form(request) is not None,
        shows_activity=shows_activity == "reasoning",
        ignored=ignored,
        adjusted=sampling.adjusted + conversation.adjusted,
    )


def _initial_response(request: ResponsesRequest, response_id: str, created: int, model: str) -> Response:
    """The response before there is output. Like OpenAI's it repeats the request, with defaults for absent fields."""
    repeated = {"reasoning", "text", "tool_choice", "tools"}
    sent: dict[str, Any] = request.model_dump(mode="json", by_alias=True, exclude_none=True, include=repeated)
    return Response(
        id=response_id,
        created_at=created,
        completed_at=None,
        status="in_progress",
        background=False,
        error=None,
        incomplete_details=None,
        instructions=request.instructions,
        max_output_tokens=request.max_output_tokens,
        max_tool_calls=request.max_tool_calls,
        metadata=request.metadata or {},
        model=model,
        output=[],
        parallel_tool_calls=request.parallel_tool_calls is not False,
        previous_response_id=request.previous_response_id,
        prompt_cache_key=request.prompt_cache_key,
        reasoning={"effort": None, "summary": None, **sent.get("reasoning", {})},
        safety_identifier=request.safety_identifier,
        service_tier="default",
        store=request.store is not False,
        temperature=request.temperature if request.temperature is not None else 1.0,
        text={"format": {"type": "text"}, **sent.get("text", {})},
        tool_choice=sent.get("tool_choice", "auto"),
        tools=[{"description": None, "parameters": None, "strict": False, **tool} for tool in sent.get("tools", [])],
        top_logprobs=0,
        top_p=request.top_p if request.top_p is not None else 1.0,
        truncation="disabled",
        usage=None,
        user=request.user,
    )
