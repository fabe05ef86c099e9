"""The `format`s of JSON Schema that are checked: those that OpenAI documents for tools, and URIs. Others are ignored.

The validator's own checks depend on the installed packages and on the draft; these do not.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from jsonschema import FormatChecker


@dataclass(frozen=True, slots=True)
class Format:
    """The check of a text, which is falsy or raises `ValueError` if it does not fit, and an example for the model."""

    fits: Callable[[str], object]
    example: str


def _matches(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.ASCII | re.IGNORECASE).fullmatch


def _is_date(text: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) and date.fromisoformat(text))


def _is_date_time(text: str) -> bool:
    return _is_date(text[:10]) and text[10:11] in ("T", "t", " ") and bool(_is_time(text[11:]))


_is_time = _matches(r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = r"[a-z][a-z0-9+.-]*:[^\s<>\"\\^`{|}\x00-\x1f\x7f]*"  # other alphabets too, as browsers accept them

FORMATS: Final[Mapping[str, Format]] = {
    "date-time": Format(_is_date_time, "2026-01-31T12:30:00Z"),
    "date": Format(_is_date, "2026-01-31"),
    "time": Format(_is_time, "12:30:00Z"),
    "duration": Format(
        _matches(r"P(?!$)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?!$)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)"), "P1DT2H30M"
    ),
    "email": Format(_matches(r"[^\s@]+@[^\s@]+"), "ada@example.com"),
    "hostname": Format(_matches(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*"), "www.example.com"),
    "ipv4": Format(IPv4Address, "192.0.2.1"),
    "ipv6": Format(IPv6Address, "2001:db8::1"),
    "uri": Format(_matches(_ADDRESS), "https://example.com/a?b=c"),
    "iri": Format(_matches(_ADDRESS), "https://example.com/a?b=c"),
    "uuid": Format(_matches(r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}"), "123e4567-e89b-12d3-a456-426614174000"),
}


def format_checker() -> FormatChecker:
    """The format checker for the validator."""
    checker = FormatChecker(formats=())
    for name, form in FORMATS.items():

        @checker.checks(name, raises=ValueError)
        def fits(value: object, form: Format = form) -> bool:
            return not isinstance(value, str) or bool(form.fits(value))

    return checker
