"""Requests as clients write them, and what becomes of them."""

import json
from pathlib import Path

import pytest

from claude_openai.claude_code.model_facts import facts_of
from claude_openai.core.failures import Failure, RequestFailed
from claude_openai.core.messages import Message
from claude_openai.core.models import Catalogue
from claude_openai.protocols.chat_completions.request import ParsedRequest, parse_request, read_turn
from claude_openai.protocols.chat_completions.tools import ToolOffer, read_tools
from tests.claude_models import claude

SAMPLES = Path(__file__).parent / "samples"

SONNET = claude("claude-sonnet", "claude-sonnet-4-6")
"""A model that takes `temperature`."""

OPUS = claude("claude-opus", "claude-opus-4-8")
"""A model that does not."""

CATALOGUE = Catalogue((SONNET, OPUS), default=SONNET.id, aliases=(("gpt-4o", SONNET.id),), facts=facts_of)

HELLO = {"role": "user", "content": "Hello"}


def reading(**fields: object) -> ParsedRequest:
    """The reading of a request with these fields, and a message where none is given."""
    return reading_of({"messages": [HELLO], **fields})


def reading_of(body: object) -> ParsedRequest:
    return read_turn(parse_request(json.dumps(body).encode()), CATALOGUE)


def offer(**fields: object) -> ToolOffer:
    """What a request with these fields offers."""
    return offer_of({"messages": [HELLO], **fields})


def offer_of(body: object) -> ToolOffer:
    return read_tools(parse_request(json.dumps(body).encode()))


def conversation(*messages: object) -> tuple[Message, ...]:
    """What Claude is given for these messages."""
    return reading(messages=messages).turn.messages


def refusal(**fields: object) -> Failure:
    """Why a request with these fields is refused."""
    return refusal_of({"messages": [HELLO], **fields})


def refusal_of(body: object) -> Failure:
    with pytest.raises(RequestFailed) as raised:
        reading_of(body)
    return raised.value.failure


def sample(name: str) -> object:
    """The body of a request that a real client sent; long texts are cut."""
    return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
