"""The language of the brackets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.simulator.directives import NAMES, Directive, DirectiveError, directives, without_directives

pytestmark = pytest.mark.proves("simulator.rules")

bare_words = st.text(st.characters(categories=["L", "N"]), min_size=1)
values = st.recursive(
    st.text() | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
around = st.text(st.characters(exclude_characters="[")).filter(lambda text: "]]" not in text)


def written(directive: Directive) -> str:
    pairs = {directive.name: directive.value, **directive.options}
    said = (name if value is True else f"{name}={json.dumps(value)}" for name, value in pairs.items())
    return f"[[sim {' '.join(said)}]]"


@st.composite
def any_directive(draw: st.DrawFn) -> Directive:
    name = draw(st.sampled_from(sorted(NAMES)))
    quoted = st.text() | st.dictionaries(st.text(), values, max_size=3) | st.lists(values, max_size=3)
    options = draw(st.dictionaries(st.sampled_from(sorted(NAMES[name])), quoted)) if NAMES[name] else {}
    return Directive(name, draw(quoted | st.just(value=True)), options)


@given(told=st.lists(any_directive(), max_size=4), between=around)
def test_what_is_written_is_read(told: list[Directive], between: str) -> None:
    assert directives(between + between.join(written(one) for one in told)) == tuple(told)


@given(word=bare_words)
def test_a_bare_word_is_its_text(word: str) -> None:
    assert directives(f"[[sim tool={word}]]") == (Directive("tool", word),)


@given(told=st.lists(any_directive(), max_size=3))
def test_what_remains_is_the_prompt_without_them(told: list[Directive]) -> None:
    brackets = " ".join(written(one) for one in told)
    assert without_directives(f"Say {brackets} hello") == "Say hello"


def test_a_string_may_hold_what_would_end_a_bracket() -> None:
    assert directives('[[sim text="a ]] b\nc"]]') == (Directive("text", "a ]] b\nc"),)


def test_options_follow_in_any_order() -> None:
    directive = Directive("text", "hello", {"pieces": "4", "delay": "0.2"})
    assert directives('[[sim pieces=4 text="hello" delay=0.2]]') == (directive,)
    assert (directive.number("pieces", 1), directive.number("delay", 0)) == (4, 0.2)


def test_a_flag_has_the_number_that_its_name_suggests() -> None:
    (flag,) = directives("[[sim tool=a invalid]]")
    assert (flag.number("invalid", 0, alone=1), Directive("tool", "a").number("invalid", 0, alone=1)) == (1, 0)


@pytest.mark.parametrize(
    "bracket",
    [
        "[[sim]]",
        "[[sim text=hello",
        "[[sim nonsense]]",
        "[[sim text=a tool=b]]",
        "[[sim tool=a pieces=3]]",
        '[[sim text="open]]',
        "[[sim tool=a input={]]",
        "[[sim text=]]",
        "[[sim 7]]",
    ],
)
def test_a_bracket_that_cannot_be_read_is_an_error(bracket: str) -> None:
    with pytest.raises(DirectiveError, match=r"\[\[sim"):
        directives(bracket)


@pytest.mark.parametrize("word", ["soon", "-1", "nan", "inf", "1e9", [1]])
def test_what_nobody_can_wait_for_is_no_number(word: object) -> None:
    with pytest.raises(DirectiveError, match="slow is not a number"):
        Directive("slow", word).number("slow", 1)
