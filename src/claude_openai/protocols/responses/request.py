"""From a request to the turn it asks for, and to the response as it stands at first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from claude_openai.core.agent import AgentProfile, AgentRules
from claude_openai.core.models import Catalogue
from claude_openai.core.responses import StoredResponse
from claude_openai.core.turn import Sampling, Turn
from claude_openai.protocols.common.agent import ignored_options, read_profile, tools_for_agent
from claude_openai.protocols.common.body import parse_body
from claude_openai.protocols.common.parameters import clamped_limit, refuse_unsupported, resolve_sampling
from claude_openai.protocols.common.reply_format import tools_beside_format
from claude_openai.protocols.responses.items import read_input
from claude_openai.protocols.responses.parameters import (
    PARAMETERS,
    read_format,
    read_reasoning,
    summary_wished,
    without_effect,
)
from claude_openai.protocols.responses.stored import items_of, items_with_output
from claude_openai.protocols.responses.tools import read_tools
from claude_openai.protocols.responses.wire.reply import Response
from claude_openai.protocols.responses.wire.request import Item, ResponsesRequest

_ITEMS: TypeAdapter[list[Item]] = TypeAdapter(list[Item])


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A request as understood: the turn, and how its answer is to be given.

    `response` is the answer as it stands at first, `items` what was asked with, as it is kept. `ignored` names what was
    accepted without effect, `adjusted` what was carried with another value; both are fit for a header.
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
    """The request that `body` holds.

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
    """What `request` asks for, within `rules` where it asks for the agent profile. `history` are the responses
    it goes on from, the first one first.

    Raises:
        RequestFailed: it asks for something that cannot be given, or of a model that does not exist.
    """
    refuse_unsupported(request, PARAMETERS)
    model = catalogue.resolve(request.model)
    drawn = resolve_sampling(request.temperature, request.top_p, model)
    thought = read_reasoning(request, model, drawn)
    offer = read_tools(request)
    agent = read_profile(request.claude, model, rules)
    form, tools, choice = tools_beside_format(read_format(request), *tools_for_agent(agent, offer.tools, offer.choice))
    sent, known = request.input, 0
    if history:
        said = sent if not isinstance(sent, str) else _ITEMS.validate_python([{"role": "user", "content": sent}])
        before = [item for stored in history for item in items_with_output(stored)]
        sent, known = [*_ITEMS.validate_python(before), *(said or [])], len(before)
    conversation = read_input(sent, request.instructions, model, known=known)
    return ParsedRequest(
        turn=Turn(
            model,
            conversation.messages,
            Sampling(request.max_output_tokens, drawn.temperature, drawn.top_p, effort=thought.effort),
            principal,
            tools,
            choice,
            agent,
            form,
            bool(request.stream),
        ),
        response=_begun(request, response_id, created, request.model or model.id),
        items=items_of(request, response_id),
        stream=bool(request.stream),
        shows_thinking=summary_wished(request) is not None,
        shows_activity=bool(agent and agent.show_activity == "reasoning"),
        ignored=without_effect(request)
        + drawn.ignored
        + thought.ignored
        + ignored_options(request.claude, agent)
        + _unshown(agent),
        adjusted=clamped_limit("max_output_tokens", request.max_output_tokens, model)
        + drawn.adjusted
        + thought.adjusted
        + conversation.adjusted,
    )


def _unshown(agent: AgentProfile | None) -> tuple[str, ...]:
    """A response has no place for activities but its reasoning."""
    return ("claude.showActivity",) if agent and agent.show_activity == "events" else ()


def _begun(request: ResponsesRequest, response_id: str, created: int, model: str) -> Response:
    """As OpenAI tells a request back, with the defaults of what was left out."""
    sent: dict[str, Any] = request.model_dump(mode="json", by_alias=True, exclude_none=True)
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
