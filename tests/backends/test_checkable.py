"""Schemas of answers in the words that Claude Code knows."""

import json
from typing import Any

import pytest

from claude_openai.claude_code.stream_json.structured_output_schema import to_draft7_schema

OBJECT: dict[str, Any] = {"type": "object"}


def told(**schema: Any) -> dict[str, Any]:
    return to_draft7_schema(json.dumps(OBJECT | schema))


@pytest.mark.proves("format.every-schema")
def test_what_claude_code_knows_is_told_as_it_was_sent() -> None:
    person = {"type": "object", "properties": {"name": {"type": "string", "pattern": r"^[\w.-]+@\d{2}[^a]$"}}}
    schema = {
        "$defs": {"person": person},
        "title": "People",
        "properties": {
            "all": {"type": "array", "items": {"$ref": "#/$defs/person"}},
            "n": {"type": ["integer", "null"]},
        },
        "required": ["all"],
        "additionalProperties": False,
        "if": {"required": ["n"]},
        "then": {"minProperties": 2},
    }
    assert told(**schema) == OBJECT | schema


@pytest.mark.proves("format.every-schema")
@pytest.mark.parametrize(
    "unknown",
    [
        {"x-origin": 1},
        {"discriminator": {"propertyName": "kind"}},
        {"dependentRequired": {"a": ["b"]}},
        {"unevaluatedProperties": False},
        {"if": {"required": ["a"]}},
        {"enum": []},
        {"pattern": r"(?P<year>\d{4})"},
        {"pattern": "("},
        {"pattern": "^(a+)+$"},
        {"pattern": "^(a|a)*$"},
        {"pattern": "a?a?a?aaa"},
        {"patternProperties": {"^[a-z]+$": {}, "^(a*)*$": {}}},
        {"patternProperties": {"^(a*)*$": {}}, "additionalProperties": False},
        {"pattern": r"\A\d"},
        {"patternProperties": {"(?i)a": {}}},
        {"$ref": "https://example.com/schema.json"},
        {"prefixItems": [{"type": "string"}], "items": False},
        {"contains": {"type": "string"}, "minContains": 0},
    ],
)
def test_what_it_does_not_know_is_told_in_the_description(unknown: dict[str, Any]) -> None:
    inner = {"description": "Something.", **unknown}
    assert told(properties={"a": inner})["properties"] == {
        "a": {"description": f"Something.\n{json.dumps(unknown)}"},
    }


@pytest.mark.proves("format.every-schema")
def test_a_property_may_have_the_name_of_a_keyword() -> None:
    properties = {"prefixItems": {"type": "string"}, "$schema": {"type": "string"}}
    assert told(properties=properties) == OBJECT | {"properties": properties}


@pytest.mark.proves("format.every-schema")
def test_a_dialect_is_left_out_and_what_stands_twice_stands_once() -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "required": ["a", "a"]}
    assert told(**schema, properties={"a": {"enum": [1, 1, "1"]}}) == OBJECT | {
        "required": ["a"],
        "properties": {"a": {"enum": [1, "1"]}},
    }
