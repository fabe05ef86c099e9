"""JSON that every reader takes for the same value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.jsontools.strict import MOST_NESTED, MOST_VALUES, NotJson, TooManyValues, count_values, parse

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=20,
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


def separators(value: object) -> int:
    match value:
        case dict():
            return max(1, len(value)) + sum(map(separators, value.values()))
        case list():
            return max(1, len(value)) + sum(map(separators, value))
        case _:
            return 0


@given(json_values)
def test_values_are_counted_without_those_that_only_stand_in_a_text(value: object) -> None:
    text, true = json.dumps(value), separators(value)
    assert count_values(text, true) == true
    assert count_values(text, true - 1) > true - 1


@pytest.mark.parametrize("before", range(2**17 - 16, 2**17 + 4))
def test_no_text_is_cut_at_a_place_where_it_is_taken_for_its_end(before: int) -> None:
    value = ["x" * before + '\\",[{' * 4 + "\\" * 3, {"a,": 1, "b": [2]}]
    text = json.dumps(value)
    assert count_values(text, separators(value)) == separators(value)


def test_more_values_than_anyone_reads_are_refused() -> None:
    assert parse("[" + "0," * (MOST_VALUES - 1) + "0]")
    assert parse(json.dumps("[,{" * MOST_VALUES))
    with pytest.raises(TooManyValues):
        parse("[" + "0," * MOST_VALUES + "0]")
