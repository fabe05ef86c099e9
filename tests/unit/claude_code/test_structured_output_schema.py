"""Schemas of answers in the words that Claude Code knows."""

import json
from typing import Any

import pytest

from claude_openai.claude_code.stream_json.structured_output_schema import to_draft7_schema

OBJECT: dict[str, Any] = {"type": "object"}


def told(**schema: Any) -> dict[str, Any]:
    return to_draft7_schema(json.dumps(OBJECT | schema))


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


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    properties = {"prefixItems": {"type": "string"}, "$schema": {"type": "string"}}
    assert told(properties=properties) == OBJECT | {"properties": properties}


def test_a_dialect_is_left_out_and_what_stands_twice_stands_once() -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "required": ["a", "a"]}
    assert told(**schema, properties={"a": {"enum": [1, 1, "1"]}}) == OBJECT | {
        "required": ["a"],
        "properties": {"a": {"enum": [1, "1"]}},
    }


def levels(count: int, keyword: str, of_each: int) -> dict[str, Any]:
    """Definitions of which each refers several times to the next."""
    several = {f"d{level}": {keyword: [{"$ref": f"#/$defs/d{level + 1}"}] * of_each} for level in range(count)}
    return {**several, f"d{count}": {"type": "integer"}}


def most_applied(schema: Any, root: dict[str, Any]) -> int:
    """How many schemas a value is held against where nothing in it is told apart."""
    if not isinstance(schema, dict):
        return 1
    inner = [root["$defs"][schema["$ref"].removeprefix("#/$defs/")]] if "$ref" in schema else []
    return 1 + sum(most_applied(each, root) for each in (*inner, *schema.get("anyOf", ()), *schema.get("allOf", ())))


def most_ways(schema: dict[str, Any], root: dict[str, Any], levels: int) -> int:
    """Up to a billion: how many schemas a value of so many levels is held against, where each level has one part."""
    known: dict[tuple[int, int], int] = {}

    def ways(schema: dict[str, Any], levels: int) -> int:
        if (id(schema), levels) not in known:
            here = [root["$defs"][schema["$ref"].removeprefix("#/$defs/")]] if "$ref" in schema else []
            here += [each for name in ("anyOf", "oneOf", "allOf") for each in schema.get(name, ())]
            here += [schema[name] for name in ("if", "then") if name in schema]
            below = [schema.get("properties", {}).get("l"), schema.get("items"), schema.get("contains")]
            below += schema.get("patternProperties", {}).values()
            count = 1 + sum(ways(each, levels) for each in here)
            if levels:
                count += sum(ways(each, levels - 1) for each in below if each)
            known[id(schema), levels] = min(count, 10**9)
        return known[id(schema), levels]

    return ways(schema, levels)


@pytest.mark.proves("safety.event-loop.checks")
@pytest.mark.parametrize("keyword", ["anyOf", "allOf"])
def test_alternatives_that_multiply_are_told_in_a_description(keyword: str) -> None:
    definitions = levels(22, keyword, 8)
    sent = told(properties={"a": {"$ref": "#/$defs/d0"}}, **{"$defs": definitions})
    assert most_applied(sent["properties"]["a"], sent) < 50_000
    for name, definition in definitions.items():
        assert sent["$defs"][name] in (definition, {"description": json.dumps(definition)})


@pytest.mark.proves("safety.event-loop.checks")
@pytest.mark.parametrize(
    "inner",
    [
        {"if": {"$ref": "#/$defs/d0"}, "then": {}},
        {"not": {"$ref": "#/$defs/d0"}},
        {"dependencies": {"b": {"$ref": "#/$defs/d0"}}},
        {"items": [{"$ref": "#/$defs/d0"}]},
        {"patternProperties": {"^a$": {"$ref": "#/$defs/d0"}}},
    ],
)
def test_what_multiplies_is_found_wherever_it_is_referred_to(inner: dict[str, Any]) -> None:
    definitions = levels(22, "anyOf", 8)
    sent = told(properties={"a": inner}, **{"$defs": definitions})
    assert sent["$defs"] != definitions


NODE = {"$ref": "#/$defs/node"}
SIDES = {"properties": {"l": NODE, "r": NODE}}


@pytest.mark.proves("safety.event-loop.checks")
@pytest.mark.parametrize(
    "node",
    [
        {"anyOf": [SIDES, SIDES]},
        {"properties": {"l": {"oneOf": [NODE, {"properties": {"l": {"anyOf": [NODE, NODE]}}}]}}},
        {"allOf": [SIDES], "properties": {"l": NODE}},
        {"properties": {"l": {"if": NODE, "then": NODE}}},
        {"items": NODE, "contains": NODE},
        {"patternProperties": {"^a": NODE, "^b": NODE}},
        {"properties": {"l": {"$ref": "#/$defs/other"}}},
    ],
    ids=["anyOf", "oneOf", "allOf", "if", "contains", "names", "by way of another"],
)
def test_what_leads_back_to_itself_on_two_ways_is_told_in_a_description(node: dict[str, Any]) -> None:
    """One value would be held against twice as many schemas at each level."""
    definitions = {"node": node, "other": {"anyOf": [NODE, {"type": "array", "items": NODE}, SIDES]}}
    before = {"properties": {"tree": NODE}, "$defs": definitions}
    sent = told(**before)
    assert most_ways(NODE, before, 20) > 1_000_000
    assert most_ways(NODE, sent, 20) < 100


def test_what_is_recursive_or_often_referred_to_is_told_as_it_was_sent() -> None:
    node = {"anyOf": [{"type": "null"}, {"properties": {side: {"$ref": "#/$defs/node"} for side in "lr"}}]}
    word = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    many = {f"p{number}": {"$ref": "#/$defs/d0"} for number in range(200)}
    chain = {
        f"d{level}": {"properties": {key: {"$ref": f"#/$defs/d{level + 1}"} for key in "ab"}} for level in range(900)
    }
    schema = {"$defs": {"node": node, **chain, "d900": word}, "properties": {**many, "tree": {"$ref": "#/$defs/node"}}}
    assert told(**schema) == OBJECT | schema
