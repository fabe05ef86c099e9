"""Requests for responses as clients write them, and what becomes of them."""

import json
from pathlib import Path

import pytest

from claude_openai.core.agent import AgentRules
from claude_openai.core.failures import Failure, RequestFailed
from claude_openai.core.messages import Message
from claude_openai.core.responses import StoredResponse
from claude_openai.protocols.responses.request import ParsedRequest, parse_request, read_turn
from tests.unit.protocols.chat_completions.asking import CATALOGUE

SAMPLES = Path(__file__).parent / "samples"


def reading(**fields: object) -> ParsedRequest:
    """The reading of a request with these fields, and an input where none is given."""
    return reading_of({"input": "Hello", **fields})


def reading_of(
    body: object, history: tuple[StoredResponse, ...] = (), rules: AgentRules | None = None
) -> ParsedRequest:
    request = parse_request(json.dumps(body).encode())
    return read_turn(request, CATALOGUE, response_id="resp_1", created=1_700_000_000, history=history, rules=rules)


def conversation(*items: object, **fields: object) -> tuple[Message, ...]:
    """What Claude is given for these items."""
    return reading(input=items, **fields).turn.messages


def refusal(**fields: object) -> Failure:
    """Why a request with these fields is refused."""
    with pytest.raises(RequestFailed) as raised:
        reading(**fields)
    return raised.value.failure


def sample(name: str) -> object:
    """The body of a request that a real client sent."""
    return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))


def stored_response(items: str, body: object) -> StoredResponse:
    """A stored response with these input items, as JSON, and this body."""
    return StoredResponse("resp_0", "0", "local", None, items, json.dumps(body))
