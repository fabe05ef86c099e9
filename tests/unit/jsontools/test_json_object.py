"""The JSON object within a model's text: what is taken of it, whatever stands around it and however it arrives."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.jsontools.json_object import LONGEST_BEGINNING, ObjectText

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=8), VALUES, max_size=4)
AROUND = st.text('ab `{}[]":\\\n,', max_size=12)
CUTS = st.lists(st.integers(0, 400), max_size=12)


def pieces(text: str, cuts: list[int]) -> list[str]:
    borders = [0, *sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(borders)]


def taken(*parts: str) -> tuple[str, str | None]:
    filtered = ObjectText()
    told = "".join(map(filtered.feed, parts))
    assert told == filtered.text
    return told, filtered.fault()


@given(
    value=OBJECTS,
    indent=st.sampled_from([None, 0, 2]),
    before=st.sampled_from(["", "\n", "```json\n", "Here it is: ", "f(){ return } {x: 1}\n```\n", '{"a" is} ']),
    behind=st.sampled_from(["", "\n", "\n```", '\n```\nThat is {"a": 1}.', "}]"]),
    cuts=CUTS,
)
def test_an_object_is_taken_out_whole_whatever_stands_around_it_and_however_it_is_cut(
    value: dict[str, object], indent: int | None, before: str, behind: str, cuts: list[int]
) -> None:
    written = json.dumps(value, indent=indent, ensure_ascii=False)
    assert taken(*pieces(before + written + behind, cuts)) == (written, None)


@given(AROUND, CUTS)
def test_how_a_text_is_cut_makes_no_difference_and_nothing_is_added(text: str, cuts: list[int]) -> None:
    whole, fault = taken(text)
    assert taken(*pieces(text, cuts)) == (whole, fault)
    assert whole in text


@given(OBJECTS.filter(bool), CUTS)
def test_once_an_object_has_begun_nothing_of_it_waits(value: dict[str, object], cuts: list[int]) -> None:
    filtered = ObjectText()
    written = json.dumps(value)
    fed = ""
    for piece in pieces(written, cuts):
        fed += piece
        filtered.feed(piece)
        assert filtered.text in ("", fed)
    assert filtered.text == written


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Sorry, I cannot.", "no JSON object"),
        ("", "no JSON object"),
        ('[{"a": 1}, {"a": 2}]', "an array"),
        ('Here: [\n  {"a": 1}\n]', "an array"),
        ('{"a": 1', "not valid JSON"),
        ('{"a": 1,}', "not valid JSON"),
        ('{"a": NaN}', "not valid JSON"),
        ("{'a': 1}", "no JSON object"),
        ('{"' + "a" * LONGEST_BEGINNING + '": 1}', "no JSON object"),
    ],
)
def test_a_text_without_one_says_why(text: str, fault: str) -> None:
    assert fault in (taken(*text)[1] or "")


@pytest.mark.parametrize(
    ("text", "only"),
    [('{"a": 1}', True), (' \n{"a": 1}\n', True), ('```{"a": 1}', False), ('{"a": 1}\n```', False), ("{} {", False)],
)
def test_it_knows_whether_anything_stood_around_it(text: str, only: bool) -> None:
    filtered = ObjectText()
    for character in text:
        filtered.feed(character)
    assert filtered.only is only
