"""What is a JSON Schema of arguments, and what fits one: nothing fetched, nothing endless."""

import json
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.jsontools.schema import InvalidSchema, Schema, check_schema
from claude_openai.jsontools.work_limit import TooMuch, bounded
from tests.unit.jsontools.test_strict import json_values

DRAFT_7 = "http://json-schema.org/draft-07/schema#"

NO_OBJECT = """schema must be a JSON Schema of 'type: "object"'"""
CIRCLE = "references lead in a circle, or through more than 50 schemas"

TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["name"],
}


def an_object(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties}


def check(schema: object) -> None:
    check_schema(json.dumps(schema))


def misfits(schema: object, value: object) -> list[str]:
    check(schema)
    return Schema(json.dumps(schema)).violations(value)


def fault(schema: object) -> str:
    with pytest.raises(InvalidSchema) as raised:
        check(schema)
    return str(raised.value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"type": "object", "properties": {}, "required": []},
        {"$schema": DRAFT_7, **an_object(a={"$schema": DRAFT_7, "type": "string"})},
        {"$schema": "https://example.com/of-our-own", **an_object()},
        an_object(choice={"oneOf": [{"const": 1}, {"enum": ["a", None]}]}),
        {"definitions": {"a b": {"type": "string"}}, **an_object(a={"$ref": "#/definitions/a%20b"})},
        {"$defs": {"a": {"$anchor": "here", "type": "string"}}, **an_object(a={"$ref": "#here"})},
        TREE,
        an_object(a={"$ref": "https://example.com/schema.json"}),
        an_object(letters={"type": "string", "pattern": r"^\p{L}+$"}),
        an_object(day={"type": "string", "format": "date", "x-order": 1, "nullable": True}),
    ],
)
def test_whatever_json_schema_has_is_taken(schema: object) -> None:
    check(schema)


@pytest.mark.proves("tools.faulty")
@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ([], NO_OBJECT),
        ({"type": "string"}, NO_OBJECT),
        ({"properties": {}}, NO_OBJECT),
        ({"type": "object", "$schema": 7}, "at '$schema', 7 is not of type 'string'"),
        (
            {"$schema": DRAFT_7, **an_object(a={"items": [{}]})},
            "at 'properties/a/items', [{}] is not of type 'object', 'boolean'",
        ),
        (an_object(a={"type": "string", "required": True}), "at 'properties/a/required', True is not of type 'array'"),
        (
            an_object(a={"type": "text"}),
            "at 'properties/a/type', 'text' is not valid under any of the given schemas",
        ),
        (an_object(a={"$ref": "#/$defs/a"}), "'#/$defs/a' refers to nothing"),
        (an_object(a={"$ref": "#a"}), "'#a' refers to nothing"),
        ({"title": "T", **an_object(a={"$ref": "#/title"})}, "'T' is not of type 'object', 'boolean'"),
        (
            {"x": {"type": 1}, **an_object(a={"$ref": "#/x"})},
            "at 'type', 1 is not valid under any of the given schemas",
        ),
        (an_object(a={"$ref": "#/properties/a"}), CIRCLE),
        ({"type": "object", "allOf": [{"$ref": "#"}]}, CIRCLE),
        ({"$id": "http://[", **an_object(a={"$ref": "b"})}, "Invalid IPv6 URL"),
    ],
    ids=[
        "list",
        "another type",
        "no type",
        "dialect",
        "older dialect",
        "keyword",
        "type",
        "nowhere",
        "no anchor",
        "no schema",
        "invalid target",
        "circle",
        "wider circle",
        "no address",
    ],
)
def test_what_is_no_schema_of_arguments_is_told_with_a_reason(schema: object, reason: str) -> None:
    assert fault(schema) == reason


@pytest.mark.proves("tools.faulty")
def test_a_schema_nested_beyond_measure_is_refused() -> None:
    schema: object = {}
    for _ in range(33):
        schema = {"type": "object", "properties": {"a": schema}}
    assert fault(schema) == "schema must not be nested more than 64 levels deep"


@pytest.mark.proves("tools.invalid")
@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        (TREE, {"name": "a", "children": [{"name": "b", "children": [{}]}]}, "at 'children/0/children/0', 'name' is"),
        ({"$schema": DRAFT_7, **TREE}, {"name": "a", "children": [{}]}, "at 'children/0', 'name' is a required"),
        (an_object(a={"oneOf": [{"type": "string"}, {"type": "null"}]}), {"a": 1}, "at 'a', 1 is not valid under any"),
        (an_object(a={"anyOf": [{"$ref": "#/$defs/b"}]}) | {"$defs": {"b": {"type": "string"}}}, {"a": 1}, "at 'a', 1"),
        (an_object(a={"type": "integer"}), {"a": "1"}, "at 'a', '1' is not of type 'integer'"),
        (an_object(a={"type": "integer"}), {"a": True}, "at 'a', True is not of type 'integer'"),
        (an_object(a={"pattern": "^[a-z]+$"}), {"a": "A"}, "at 'a', 'A' does not match '^[a-z]+$'"),
        ({"type": "object", "unevaluatedProperties": False}, {"a": 1}, "Unevaluated properties are not allowed"),
    ],
)
def test_what_does_not_fit_is_found_wherever_it_is(schema: object, value: object, told: str) -> None:
    (misfit,) = misfits(schema, value)
    assert misfit.startswith(told)


@pytest.mark.proves("tools.invalid")
@pytest.mark.parametrize("pattern", [r"^\p{L}+$", "(?<year>[0-9]{4})"])
def test_what_cannot_be_checked_lets_a_value_pass_and_hides_no_other_fault(pattern: str) -> None:
    schema = an_object(a={"pattern": pattern}, b={"type": "string"}) | {
        "patternProperties": {pattern: False},
        "required": ["c"],
    }
    assert misfits(schema, {"a": "é", "b": 1}) == ["at 'b', 1 is not of type 'string'", "'c' is a required property"]


@pytest.mark.proves("tools.invalid")
def test_many_faults_are_told_as_far_as_they_are_read() -> None:
    assert len(misfits({"type": "object", "additionalProperties": False, "required": list("abcdefgh")}, {})) == 5


@pytest.mark.proves("tools.invalid")
def test_a_check_that_would_take_for_ever_ends() -> None:
    doubling = {f"d{at}": {"allOf": [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(24)}
    assert misfits(an_object(a={"$ref": "#/$defs/d0"}) | {"$defs": {**doubling, "d24": {}}}, {"a": 1}) == []


@pytest.mark.proves("tools.invalid")
def test_a_value_nested_as_deep_as_can_be_is_checked_without_harm() -> None:
    value: object = {"name": "a"}
    for _ in range(99):
        value = {"name": "a", "children": [value]}
    assert misfits(TREE, value) == []


def work_for(schema: object) -> int:
    """Pieces of work that it takes to check `schema`."""
    pieces: list[None] = []
    with bounded(lambda: pieces.append(None)):
        check(schema)
    return len(pieces)


def referring(references: int, address: str, **beside: object) -> dict[str, object]:
    return an_object(**{f"p{number}": {"$ref": address} for number in range(references)}) | beside


def test_a_schema_that_is_referred_to_often_is_checked_once() -> None:
    choices = {"anyOf": [{"const": number} for number in range(300)]}
    once, often = (work_for(referring(count, "#/$defs/a", **{"$defs": {"a": choices}})) for count in (1, 41))
    assert often - once < 40 * 20
    once, often = (work_for(referring(count, "#/elsewhere", elsewhere=choices)) for count in (1, 41))
    assert often - once < 40 * 20


@pytest.mark.parametrize("value", ["a" * 48 + "!", "b"])
def test_a_pattern_that_may_take_for_ever_is_left_to_who_can_end_it(value: str) -> None:
    schema = an_object(a={"pattern": "^(a+)+$"}, b={"patternProperties": {"^(a+)+$": False}}) | {"required": ["c"]}
    check(schema)
    for hostile in ({"a": value}, {"b": {value: 1}}):
        with pytest.raises(TooMuch):
            Schema(json.dumps(schema)).violations(hostile, "quick")
        assert Schema(json.dumps(schema)).violations(hostile, "none") == ["'c' is a required property"]
    assert Schema(json.dumps(schema)).violations({}, "quick") == ["'c' is a required property"]


@pytest.mark.parametrize("pattern", ["^[a-z]+$", r"^\d{4}-\d{2}$", "^#[0-9a-f]{6}$", "[^@]{2,}@example", ""])
def test_a_pattern_that_is_quick_is_looked_for_at_once(pattern: str) -> None:
    schema = an_object(a={"pattern": pattern})
    assert bool(misfits(schema, {"a": "!"})) is bool(pattern)
    assert Schema(json.dumps(schema)).violations({"a": "!"}, "quick") == misfits(schema, {"a": "!"})


@pytest.mark.proves("tools.invalid")
@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ([{"a": 1, "b": [2]}, {"b": [2], "a": 1.0}], False),
        ([1, True], True),
        ([[1], [True]], True),
        ([0, False, None, "", [], {}], True),
        ([{"a": 1}, {"a": 2}], True),
        (["[", []], True),
        ([[[]], [[], []]], True),
        ([1, 1.0], False),
    ],
)
def test_items_are_unique_as_json_schema_has_it(items: list[object], *, unique: bool) -> None:
    assert bool(misfits(an_object(a={"uniqueItems": True}), {"a": items})) is not unique


def test_many_items_that_cannot_be_sorted_are_each_looked_at_once() -> None:
    pieces: list[None] = []
    with bounded(lambda: pieces.append(None)):
        assert misfits(an_object(a={"uniqueItems": True}), {"a": [{"a": number} for number in range(2000)]}) == []
    assert len(pieces) < 10_000


class Counting(BaseHTTPRequestHandler):
    """Serves a schema that nothing fits, and remembers who asked."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"not": {}}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it
        pass


@pytest.fixture
def asked() -> list[str]:
    """The paths that were fetched."""
    return []


@pytest.fixture
def elsewhere(asked: list[str]) -> Iterator[str]:
    """The address of a schema."""
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Counting,), {"asked": asked})) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/schema.json"
        server.shutdown()
        thread.join()


@pytest.mark.proves("tools.schemas.offline")
def test_a_reference_to_another_document_is_never_fetched(elsewhere: str, asked: list[str]) -> None:
    schema = an_object(a={"$ref": elsewhere}, b={"$dynamicRef": elsewhere}, c={"type": "string"})
    assert misfits({**schema, "$id": elsewhere.replace("schema", "other")}, {"a": 1, "b": 2, "c": 3}) == [
        "at 'c', 3 is not of type 'string'"
    ]
    assert misfits({**schema, "$schema": elsewhere}, {"a": 1}) == []
    assert asked == []


names = st.sampled_from(["a", "b", "$ref"])
addresses = st.sampled_from(["#", "#/$defs/a", "#/properties/a", "#/title", "#b", "http://[", "http://x/y", DRAFT_7])
patterns = st.sampled_from(["^a", r"\p{L}", "("])


def keywords(schemas: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    named = st.dictionaries(names, schemas, max_size=2)
    several = st.lists(schemas, min_size=1, max_size=2)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["object", "string", "integer", ["array", "null"]]),
            "$ref": addresses,
            "$dynamicRef": addresses,
            "$id": addresses,
            "$anchor": st.just("b"),
            "$schema": st.sampled_from([DRAFT_7, "http://json-schema.org/draft-03/schema#", "other"]),
            "$defs": named,
            "title": st.just("T"),
            "properties": named,
            "patternProperties": st.dictionaries(patterns, schemas, max_size=2),
            "additionalProperties": schemas,
            "unevaluatedProperties": schemas,
            "dependencies": st.dictionaries(names, schemas | st.lists(names, unique=True), max_size=2),
            "required": st.lists(names, unique=True),
            "items": schemas,
            "allOf": several,
            "anyOf": several,
            "oneOf": several,
            "not": schemas,
            "if": schemas,
            "then": schemas,
            "pattern": patterns,
            "format": st.sampled_from(["date", "phone"]),
            "multipleOf": st.sampled_from([3, 0.1, 1e-300]),
            "const": json_values,
        },
    )


plausible: st.SearchStrategy[object] = st.recursive(st.booleans() | st.just({}), keywords, max_leaves=8)
"""Schemas as people could write them, and then some."""


@pytest.mark.proves("tools.faulty", "tools.invalid")
@given(plausible | json_values, st.lists(json_values | st.dictionaries(names, json_values), max_size=3))
def test_any_schema_is_one_or_is_told_not_to_be_and_any_value_fits_or_is_told_why(
    schema: object, values: list[object]
) -> None:
    written = json.dumps({**schema, "type": "object"} if isinstance(schema, dict) else schema)
    with suppress(InvalidSchema):
        check_schema(written)
        checked = Schema(written)
        assert all(told for value in [{}, *values] for told in checked.violations(value))
