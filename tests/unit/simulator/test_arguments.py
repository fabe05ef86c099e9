"""Arguments made up for a tool's schema."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from claude_openai.simulator import JsonObject, Simulator
from claude_openai.simulator.arguments import accepts, arguments, invalid_arguments
from claude_openai.simulator.hints import Hints
from tests.patience import PATIENCE_SECONDS
from tests.unit.simulator.api import WEATHER

pytestmark = pytest.mark.proves("simulator.rules")


def made(schema: JsonObject, prompt: str = "") -> object:
    return arguments(schema, Hints.of(prompt, without={"get_weather"}))


def of(**properties: object) -> JsonObject:
    return {"type": "object", "properties": properties, "required": list(properties)}


names = st.sampled_from(["city", "count", "from", "to", "when"])
prompts = st.sampled_from(["", "Fly 3 people from Paris to New York at 7.5, in kelvin", 'Call "it" 12 and -4'])


Schemas = st.SearchStrategy[JsonObject]


def ranges(low: str, high: str, most: int) -> Schemas:
    """Bounds that leave room, either or both of them missing."""
    return st.builds(
        lambda start, width, kept: {key: {low: start, high: start + width}[key] for key in kept},
        st.integers(0, most),
        st.integers(0, most),
        st.sets(st.sampled_from([low, high])),
    )


strings: Schemas = st.builds(dict, ranges("minLength", "maxLength", 12), type=st.just("string")) | st.builds(
    dict, type=st.just("string"), format=st.sampled_from(["date", "email", "uuid", "uri", "unheard-of"])
)
integers: Schemas = st.builds(dict, ranges("minimum", "maximum", 50), type=st.just("integer")) | st.builds(
    dict, type=st.just("integer"), multipleOf=st.sampled_from([3, 2.5]), exclusiveMinimum=st.integers(-20, 20)
)
numbers: Schemas = st.builds(
    lambda low, width: {"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + width},
    st.integers(-9, 9),
    st.sampled_from([0.5, 1, 30]),
)
enums: Schemas = st.builds(dict, enum=st.lists(st.text(max_size=3) | st.integers(), min_size=1, unique=True))
constants: Schemas = st.builds(dict, const=st.text(max_size=3) | st.none() | st.integers())
plain = st.sampled_from(
    [{"type": "boolean"}, {"type": "null"}, {"type": ["null", "string"]}, {}, {"$ref": "#/$defs/leaf"}]
)
scalars = st.one_of(strings, integers, numbers, enums, constants, plain, st.just(True))


def nested(inner: st.SearchStrategy[JsonObject | bool]) -> st.SearchStrategy[JsonObject | bool]:
    properties = st.dictionaries(names, inner, max_size=3)
    objects = properties.flatmap(
        lambda fields: st.builds(
            lambda required, closed: {
                "type": "object",
                "properties": fields,
                "required": sorted(required),
                "additionalProperties": not closed,
            },
            st.sets(st.sampled_from(sorted(fields))) if fields else st.just(set()),
            st.booleans(),
        )
    )
    arrays: Schemas = st.builds(dict, ranges("minItems", "maxItems", 3), type=st.just("array"), items=inner)
    tuples: Schemas = st.builds(
        dict, type=st.just("array"), prefixItems=st.lists(inner, min_size=1, max_size=3), items=st.just(False)
    )
    alternatives: Schemas = st.builds(dict, anyOf=st.lists(inner, min_size=1, max_size=3))
    both = inner.map(lambda schema: {"allOf": [schema, {"description": "of all"}]})
    return st.one_of(objects, arrays, tuples, alternatives, both, st.just({"$ref": "#/$defs/tree"}))


schemas = st.recursive(scalars, nested, max_leaves=8)
DEFINITIONS: JsonObject = {
    "leaf": {"enum": ["oak", "elm"]},
    "tree": {
        "type": "object",
        "properties": {
            "leaf": {"$ref": "#/$defs/leaf"},
            "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
        },
        "required": ["leaf", "next"],
        "additionalProperties": False,
    },
}


@given(fields=st.dictionaries(names, schemas, max_size=4), prompt=prompts)
def test_arguments_satisfy_the_schema(fields: dict[str, JsonObject], prompt: str) -> None:
    schema = of(**fields) | {"$defs": DEFINITIONS}
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(made(schema, prompt))


@given(fields=st.dictionaries(names, schemas, max_size=4), prompt=prompts)
def test_the_same_prompt_makes_the_same_arguments(fields: dict[str, JsonObject], prompt: str) -> None:
    schema = of(**fields) | {"$defs": DEFINITIONS}
    assert made(schema, prompt) == made(schema, prompt)


@pytest.mark.parametrize(
    "schema",
    [
        of(one={"oneOf": [{"type": "integer"}, {"type": "number"}, {"type": "string"}]}),
        of(distinct={"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3}),
        of(distinct={"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 3}),
        of(code={"type": "string", "pattern": "^[A-Z]{2}-\\d+$"}),
        of(narrow={"allOf": [{"type": "number", "minimum": 3}, {"type": "integer", "maximum": 5, "multipleOf": 2}]}),
        of(both={"allOf": [of(a={"type": "string"}), of(a={"maxLength": 3}, b={"type": "null"})]}),
        of(map={"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2}),
        of(map={"type": "object", "patternProperties": {"^extra": {"type": "null"}}, "minProperties": 1}),
        {"type": "object", "required": ["unlisted"]},
        {"$ref": "#/$defs/tree", "$defs": DEFINITIONS},
        {"$ref": "#/definitions/a~1b", "definitions": {"a/b": of(c={"type": "boolean"})}},
        of(self={"type": "array", "items": {"$ref": "#"}}),
    ],
)
def test_rarer_schemas_are_satisfied_too(schema: JsonObject) -> None:
    Draft202012Validator(schema).validate(made(schema))


def test_what_the_prompt_mentions_is_used() -> None:
    schema: JsonObject = WEATHER["input_schema"]
    assert made(schema, "What is the weather in New York in Fahrenheit?") == {"city": "New York", "unit": "fahrenheit"}


def test_two_fields_get_two_different_hints() -> None:
    schema = of(origin={"type": "string"}, destination={"type": "string"}, people={"type": "integer"})
    expected = {"origin": "Paris", "destination": "London", "people": 3}
    assert made(schema, "Book a flight from Paris to London for 3 people.") == expected


def test_quoted_words_are_hints_and_tool_names_are_not() -> None:
    prompt = 'Please use Bash with "echo hi" and get_weather'
    assert Hints.of(prompt, without={"Bash"}).texts == ["echo hi"]


def test_names_that_a_comma_parts_are_two() -> None:
    assert Hints.of("I like New York, Rome and Rio").texts == ["New York", "Rome", "Rio"]


def test_a_number_out_of_bounds_is_no_hint() -> None:
    assert made(of(people={"type": "integer", "maximum": 9}), "For 30 or 4 people") == {"people": 4}


def test_a_tool_that_requires_nothing_is_given_what_it_names() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "never": False}}
    assert made(schema) == {"city": "example city"}


def test_nothing_is_fetched_for_a_foreign_reference() -> None:
    schema = of(far={"anyOf": [{"$ref": "https://example.com/schema.json"}, {"type": "null"}]})
    assert made(schema) == {"far": "example far"}


def test_a_schema_that_requires_itself_for_ever_ends() -> None:
    assert made(of(one={"$ref": "#"}, other={"$ref": "#"}))


@pytest.mark.parametrize("nowhere", ["#/$defs/none", "#/required/7", "#/required/x", "#/type/object/x", "#anchor"])
def test_a_reference_to_nothing_allows_anything(nowhere: str) -> None:
    assert made(of(lost={"$ref": nowhere})) == {"lost": "example lost"}


@pytest.mark.parametrize(
    "schema",
    [
        WEATHER["input_schema"],
        {"type": "object", "properties": {"count": {"type": "integer"}}},
        {"type": "object", "properties": {"city": {"type": "string"}}},
        {"type": "object", "properties": {}, "additionalProperties": False},
    ],
)
def test_invalid_arguments_do_not_satisfy_the_schema(schema: JsonObject) -> None:
    assert not accepts(schema, invalid_arguments(schema, Hints.of("")))


NESTED = {f"l{n}": {"oneOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(22)} | {"l22": {"type": "string"}}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "schema",
    [
        {**of(s={"$ref": "#/$defs/l0"}), "$defs": NESTED},
        {
            **of(s={"$ref": "#/$defs/a0"}),
            "$defs": {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(22)},
        },
        of(s={"type": "string", "minLength": 10**15}),
        of(s={"type": "array", "minItems": 10**15}),
        of(s={"type": "object", "minProperties": 10**15}),
    ],
    ids=["alternatives", "all of them", "a long text", "many items", "many names"],
)
async def test_a_schema_that_takes_for_ever_is_refused(schema: JsonObject) -> None:
    body = {"model": "claude-sonnet-5", "max_tokens": 99, "messages": [{"role": "user", "content": "[[sim tool=do]]"}]}
    tools = [{"name": "do", "input_schema": schema}]
    async with Simulator().serve() as url, httpx2.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as http:
        answer = await http.post("/v1/messages", json={**body, "tools": tools})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "for too long" in answer.json()["error"]["message"]
