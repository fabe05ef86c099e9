"""Formats of texts, told in the same way whatever else is installed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.jsontools.formats import FORMATS
from claude_openai.jsontools.schema import Schema

pytestmark = pytest.mark.proves("tools.invalid")

RIGHT = {
    "date-time": ["2026-01-31T12:30:00Z", "2024-02-29t23:59:60.123456789+05:30", "2026-01-31 12:30:00z"],
    "date": ["2026-01-31", "2024-02-29"],
    "time": ["12:30:00Z", "23:59:60.5-08:00"],
    "duration": ["P1D", "PT0.5S", "P2W", "P1Y2M3DT4H5M6S", "PT36H"],
    "email": ["ada@example.com", "ada+b@localhost", "ä@b.example"],
    "hostname": ["localhost", "www.Example.com", "xn--bcher-kva.example", "a" * 63],
    "ipv4": ["192.0.2.1"],
    "ipv6": ["::1", "2001:db8::1", "::ffff:192.0.2.1"],
    "uri": ["https://example.com/a?b=c#d", "mailto:ada@example.com", "urn:a:b", "https://example.com/日本"],
    "iri": ["https://example.com/日本"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
}
WRONG = {
    "date-time": ["", "2026-01-31", "2026-01-31T12:30:00", "2026-02-30T12:30:00Z", "2026-01-31T24:00:00Z", "now"],
    "date": ["", "31.01.2026", "2026-02-29", "20260131", "2026-W05-6", "２０２６-01-31"],
    "time": ["", "12:30", "12:30:00", "12:30:00+24:00", "25:00:00Z"],
    "duration": ["", "P", "PT", "1 day", "P1DT", "P1W2D", "PT1H\n"],
    "email": ["", "ada", "ada@", "@example.com", "a b@example.com", "a@b@c"],
    "hostname": ["", "-a", "a-", "a..b", "a_b", "a" * 64, ".".join(["a" * 63] * 5), "localhost\n"],
    "ipv4": ["", "192.0.2", "192.0.2.256", "::1"],
    "ipv6": ["", "192.0.2.1", "2001:db8::1::"],
    "uri": ["", "example.com/a", "/a", "https://example.com/a b", "1:a"],
    "iri": ["example.com", "https://example.com/<a>"],
    "uuid": ["", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"],
}


def fits(value: object, form: str) -> bool:
    return not Schema(json.dumps({"type": "object", "properties": {"a": {"format": form}}})).violations({"a": value})


def test_every_format_has_right_and_wrong_texts_here() -> None:
    assert set(RIGHT) == set(WRONG) == set(FORMATS)


@pytest.mark.parametrize(("form", "text"), [(form, text) for form, texts in RIGHT.items() for text in texts])
def test_a_text_of_the_format_fits(form: str, text: str) -> None:
    assert fits(text, form)


@pytest.mark.parametrize(("form", "text"), [(form, text) for form, texts in WRONG.items() for text in texts])
def test_a_text_of_another_form_does_not(form: str, text: str) -> None:
    assert not fits(text, form)


@pytest.mark.parametrize("form", FORMATS)
def test_the_example_that_the_model_is_given_fits(form: str) -> None:
    assert fits(FORMATS[form].example, form)


@pytest.mark.parametrize("form", FORMATS)
def test_a_format_is_for_texts_alone(form: str) -> None:
    assert fits(7, form)
    assert fits(None, form)


def test_a_format_that_is_not_known_lets_every_text_pass() -> None:
    assert fits("anything", "phone")


@given(st.text(), st.sampled_from(sorted(FORMATS)))
def test_any_text_fits_or_does_not(text: str, form: str) -> None:
    assert fits(text, form) in (True, False)
