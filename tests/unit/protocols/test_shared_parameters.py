"""What all protocols have stands in one table: each of its rows is parsed, carried and documented by every protocol."""

import json
from dataclasses import replace
from typing import Any, Protocol

import pytest
from pydantic import BaseModel, ValidationError

from claude_openai.core.turn import Sampling, Turn
from claude_openai.protocols.chat_completions import parameters as chat_parameters
from claude_openai.protocols.chat_completions import request as chat
from claude_openai.protocols.chat_completions.wire import ChatCompletionRequest
from claude_openai.protocols.common.shared_parameters import (
    CompletionFields,
    CurrentFields,
    Parameter,
    SharedFields,
    shared_parameters,
)
from claude_openai.protocols.completions import parameters as completion_parameters
from claude_openai.protocols.completions import request as completions
from claude_openai.protocols.completions.wire import CompletionRequest
from claude_openai.protocols.models.listing import model_object
from claude_openai.protocols.responses import parameters as response_parameters
from claude_openai.protocols.responses import request as responses
from claude_openai.protocols.responses.wire.request import ResponsesRequest
from tests.claude_models import claude
from tests.unit.protocols.chat_completions.asking import CATALOGUE

OLDER = claude("claude-sonnet-4-20250514")
"""A model that takes every number."""

TABLES = {
    ChatCompletionRequest: chat_parameters.PARAMETERS,
    CompletionRequest: completion_parameters.PARAMETERS,
    ResponsesRequest: response_parameters.PARAMETERS,
}

NUMBERS = [row for row in shared_parameters(SharedFields) if row.number]


class Parsed(Protocol):
    """What the protocols' parsed requests have in common."""

    @property
    def turn(self) -> Turn: ...

    @property
    def adjusted(self) -> tuple[str, ...]: ...


def parsed(**fields: object) -> list[Parsed]:
    """What each protocol makes of a request for `OLDER` with these fields."""
    body = {"model": OLDER.id, **fields}
    messages = [{"role": "user", "content": "Hi"}]
    as_response = responses.parse_request(_json({**body, "input": "Hi"}))
    return [
        chat.read_turn(chat.parse_request(_json({**body, "messages": messages})), CATALOGUE),
        completions.read_turn(completions.parse_request(_json({**body, "prompt": "Hi"})), CATALOGUE),
        responses.read_turn(as_response, CATALOGUE, response_id="resp_1", created=1),
    ]


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.proves("params.all-decided")
def test_every_protocol_has_every_shared_parameter_in_its_table() -> None:
    for request, table in TABLES.items():
        assert {row.name for row in shared_parameters(SharedFields)} <= {row.name for row in table}
        for row in shared_parameters(request):
            (mine,) = (each for each in table if each.name == row.name)
            assert mine.treatment == row.treatment
    assert issubclass(ChatCompletionRequest, CompletionFields)
    assert issubclass(ChatCompletionRequest, CurrentFields)


@pytest.mark.proves("params.all-decided")
@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: row.name)
def test_a_number_reaches_the_turn_under_every_protocol(row: Parameter) -> None:
    assert row.number is not None
    for value in (0.5, row.number.default):
        carried: Any = {} if value == row.number.default else {row.number.to: value}
        for each in parsed(**{row.name: value}):
            assert each.turn.sampling == Sampling(**carried, effort=each.turn.sampling.effort)


@pytest.mark.proves("params.all-decided")
def test_a_number_is_sent_upstream_and_listed_for_the_models_that_take_it() -> None:
    for row in NUMBERS:
        assert row.number is not None
        taken: Any = {row.number.to: 0.5}
        assert Sampling(**taken).upstream_fields == {row.number.to: 0.5}
        assert row.name in model_object(OLDER, OLDER.id).supported_parameters
        refusing = replace(OLDER, facts=replace(OLDER.facts, takes=OLDER.facts.takes - taken.keys()))
        assert row.name not in model_object(refusing, OLDER.id).supported_parameters


@pytest.mark.proves("params.all-decided")
def test_a_number_above_claudes_range_is_adjusted_alike() -> None:
    assert [each.adjusted for each in parsed(temperature=1.5)] == [("temperature=1",)] * 3


MANY = 1000

MANY_VALUES: dict[str, object] = {
    "numbers": [0] * MANY,
    "texts": ["a"] * MANY,
    "objects": [{"type": "a", "role": "a"}] * MANY,
    "functions": [{"type": "function"}] * MANY,
    "texts as objects": [{"type": "text"}] * MANY,
    "users": [{"role": "user"}] * MANY,
    "fields": {f"k{number}": 1 for number in range(MANY)},
}


@pytest.mark.proves("safety.event-loop.reading")
@pytest.mark.parametrize("shape", TABLES)
def test_a_field_of_many_faults_is_not_validated_to_its_end(shape: type[BaseModel]) -> None:
    """All of them would be reported in one call, in which nothing else runs: 1.7 s for 390,000 (measured)."""
    needed: dict[str, object] = {"messages": [{"role": "user", "content": "a"}], "input": "a", "prompt": "a"}
    counts: dict[tuple[str, str], int] = {}
    for name, field in shape.model_fields.items():
        key = str(field.validation_alias or field.alias or name)
        for kind, value in MANY_VALUES.items():
            inside = {"type": "function", "function": value, "activity": value}
            for sent in (value, inside, [{"role": "user", "content": value}]):
                try:
                    shape.model_validate({**needed, key: sent})
                except ValidationError as error:
                    counts[key, kind] = max(error.error_count(), counts.get((key, kind), 0))
    assert counts
    assert {place: count for place, count in counts.items() if count > 50} == {}
