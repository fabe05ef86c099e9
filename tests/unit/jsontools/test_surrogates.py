"""Characters that were cut in halves."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.jsontools.surrogates import SurrogateJoiner, json_without_surrogates, without_surrogates

GRIN = "\U0001f600"
FIRST, SECOND = "\ud83d", "\ude00"

halved_texts = st.text(st.sampled_from(["a", GRIN, FIRST, SECOND, "é", "\u2028"]))


def utf16_units(text: str) -> list[str]:
    """`text` as JavaScript counts it: characters beyond the first plane in two halves."""
    raw = text.encode("utf-16-le", "surrogatepass")
    return [raw[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(raw), 2)]


@given(st.text(), st.data())
def test_no_character_is_lost_or_added_wherever_a_text_is_cut(text: str, data: st.DataObject) -> None:
    units = utf16_units(text)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(units)))))
    joiner = SurrogateJoiner()
    pieces = [
        joiner.feed("".join(units[start:end])) for start, end in zip([0, *cuts], [*cuts, len(units)], strict=True)
    ]
    assert "".join(pieces) + joiner.finish() == text


@given(st.lists(halved_texts))
def test_joining_on_the_way_comes_to_the_same_as_mending_the_whole(texts: list[str]) -> None:
    joiner = SurrogateJoiner()
    pieces = [joiner.feed(text) for text in texts] + [joiner.finish()]
    assert "".join(pieces) == without_surrogates("".join(texts))
    assert all(piece.encode() for piece in pieces if piece)


def test_half_a_character_waits_for_the_other_half_and_holds_nothing_else_back() -> None:
    joiner = SurrogateJoiner()
    assert [joiner.feed(f"so{FIRST}"), joiner.feed(f"{SECOND}!"), joiner.finish()] == ["so", f"{GRIN}!", ""]


def test_half_a_character_whose_other_half_never_comes_is_replaced() -> None:
    joiner = SurrogateJoiner()
    assert [joiner.feed(FIRST), joiner.feed("a"), joiner.feed(SECOND), joiner.feed(FIRST), joiner.finish()] == [
        "",
        "\ufffda",
        "\ufffd",
        "",
        "\ufffd",
    ]


@given(halved_texts)
def test_json_text_is_mended_like_what_it_stands_for(text: str) -> None:
    written = json.dumps(text)
    assert json.loads(json_without_surrogates(written)) == without_surrogates(text)
    assert len(json_without_surrogates(written)) == len(written)


def test_an_escaped_backslash_before_a_u_is_no_escape() -> None:
    assert json_without_surrogates(r'"\\ud800 \ud800"') == r'"\\ud800 \ufffd"'


@pytest.mark.parametrize("before", range(2**20 - 7, 2**20 + 2))
def test_a_half_is_found_wherever_it_stands_in_a_long_text(before: int) -> None:
    assert without_surrogates("é" * before + FIRST + "a") == "é" * before + "\ufffda"
    assert json_without_surrogates("e" * before + "\\ud83d") == "e" * before + "\\ufffd"
