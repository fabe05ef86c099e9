"""JSON that every reader takes for the same value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.jsontools.strict import MOST_NESTED, NotJson, parse

pytestmark = pytest.mark.proves("errors.invalid-json")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
)


@given(json_values)
def test_what_is_json_is_read_as_it_stands(value: object) -> None:
    assert parse(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value at line 1, column 1"),
        ('{"a": 1,\n "b": }', "Expecting value at line 2, column 7"),
        ("[NaN]", "NaN is no number in JSON"),
        ("[-Infinity]", "-Infinity is no number in JSON"),
        ("[1e999]", "it holds a number that is too large"),
        ("9" * 5000, "it holds a number that is too large"),
        ('{"a": {"b": 1, "c": 2, "b": 3}}', 'the name "b" stands twice in one object'),
        ("[" * 100_000, "it is nested more than 200 levels deep"),
        ('{"a":' * (MOST_NESTED + 1) + "1" + "}" * (MOST_NESTED + 1), "it is nested more than 200 levels deep"),
    ],
    ids=["nothing", "place", "nan", "infinity", "float", "integer", "twice", "open", "deep"],
)
def test_what_is_not_json_is_told_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(NotJson) as raised:
        parse(text)
    assert str(raised.value) == reason


def test_what_is_nested_as_deep_as_allowed_is_read() -> None:
    assert parse("[" * MOST_NESTED + "]" * MOST_NESTED)
