r"""Parses a query of runs. It never raises: a term that is wrong is left out, and reported with its position.

query  = [ term { space term } ]
term   = [ "-" ] ( field | "@" value | word | phrase )
field  = name ":" ( range | value { "," value } )
range  = ( ">" | ">=" | "<" | "<=" ) number | number ".." number       either end may be "*"
value  = bare | phrase
phrase = '"' { any, or \" or \\ } '"'
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Final

from claude_openai.core.search.query import (
    LONGEST_QUERY,
    MOST_TERMS,
    QUANTITIES,
    SORTS,
    TEXT_FIELDS,
    Comparison,
    Condition,
    OneOf,
    Phrase,
    Problem,
    Query,
    Sort,
    Term,
    Within,
    key_comparison,
)
from claude_openai.core.search.words import words
from claude_openai.jsontools.surrogates import without_surrogates

_TERM: Final = re.compile(r'(?:"(?:\\.|[^"\\])*(?:"|\\?$)|[^\s"])+', re.DOTALL)
"""Characters up to a space outside quotation marks. A quotation mark that is not closed reaches to the end."""

_VALUE: Final = re.compile(r'(?:"(?:\\.|[^"\\])*(?:"|\\?$)|[^,"])+', re.DOTALL)

_FIELD: Final = re.compile(r"([A-Za-z]{2,}):(?!//)(.*)", re.DOTALL)
"""`http://...` is a word, and so is `a:b`."""

_ID: Final = re.compile(r"[0-9a-f]{8,32}|(?:chatcmpl-|cmpl-|resp_|req_)[A-Za-z0-9._-]*")
"""What ids of runs, of answers and of requests look like."""

_RANGE: Final = re.compile(r"(>=|<=|>|<)(.+)|(.+)\.\.(.+)|(.+)", re.DOTALL)

_NUMBER: Final = re.compile(r"\$?(\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(ms|s|m|h|d|w|k|%)?", re.ASCII | re.IGNORECASE)

_FACTORS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_UNITS: Final = {
    "number": {"": 1.0, "k": 1e3, "m": 1e6},
    "seconds": {"": 1.0, **_FACTORS},
    "share": {"": 1.0, "%": 0.01},
}

_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?)?", re.ASCII)

SHORTEST_PREFIX: Final = 3
"""Letters of a word that others may begin with: a third of all words begin with one or two, and are slow to find."""

_ALIASES: Final = {"error": "code"}

_TIMES: Final = ("since", "until", "at")
IS: Final[Mapping[str, Condition]] = {
    "cached": Within("cached", low=0.5),
    "live": OneOf("state", ("queued", "running"), Comparison.EXACT),
    "refused": OneOf("finish", ("refusal",), Comparison.EXACT),
    "agent": OneOf("profile", ("agent",), Comparison.EXACT),
}

NAMES: Final = (
    *TEXT_FIELDS,
    *(name for name in QUANTITIES if name != "arrived"),
    *_TIMES,
    "is",
    "sort",
    "error",
)
"""The names of all fields that a query may have."""


class _WrongError(Exception):
    """A term is wrong; the argument is the sentence about it."""


def parse(text: str, now: datetime, codes: Mapping[str, str] | None = None) -> Query:
    """The query that `text` means at `now`, which has the time zone of its dates.

    `codes` are the codes that clients see, by the failure kind that runs store: `code:` finds a run by either.
    """
    text = without_surrogates(text)
    problems: list[Problem] = []
    terms: list[Term] = []
    sort: Sort = "new"
    if len(text) > LONGEST_QUERY:
        message = f"A query has at most {LONGEST_QUERY} characters, and this one has {len(text)}."
        problems.append(Problem(text[LONGEST_QUERY:], LONGEST_QUERY, message))
        text = text[:LONGEST_QUERY]
    for number, (position, source) in enumerate(_split(text), 1):
        if number > MOST_TERMS:
            problems.append(Problem(text[position:], position, f"A query has at most {MOST_TERMS} terms."))
            break
        try:
            if source.lower().startswith("sort:"):
                sort = _sort(_unquoted(source[len("sort:") :]))
            else:
                terms.append(_Reader(now, codes or {}).term(source))
        except _WrongError as wrong:
            problems.append(Problem(source, position, str(wrong)))
    return Query(tuple(terms), sort, tuple(problems))


def _split(text: str) -> Iterator[tuple[int, str]]:
    return ((found.start(), found[0]) for found in _TERM.finditer(text))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Parses terms. Every method raises `_WrongError` with the sentence for the person who typed the query."""

    now: datetime
    codes: Mapping[str, str]

    def term(self, source: str) -> Term:
        """`source` with or without a minus sign."""
        negated = source.startswith("-") and len(source) > 1
        return Term(self._condition(source[1:] if negated else source), negated, source)

    def _condition(self, source: str) -> Condition:
        if source.startswith("@"):
            return self._text("client", source[1:] or "")
        if source.startswith('"'):
            return _phrase(_unquoted(source), is_prefix=False)
        if found := _FIELD.fullmatch(source):
            return self._field(found[1].lower(), found[2])
        if _ID.fullmatch(source):
            return OneOf("run", (source,), Comparison.PREFIX)
        return _phrase(_unquoted(source), is_prefix=True)

    def _field(self, name: str, value: str) -> Condition:
        name = _ALIASES.get(name, name)
        if name in TEXT_FIELDS:
            return self._text(name, value)
        if name in _TIMES:
            return self._time(name, _unquoted(value))
        if name in QUANTITIES and name != "arrived":
            return self._range(name, _unquoted(value))
        if name == "is":
            if known := IS.get(_unquoted(value).lower()):
                return known
            raise _WrongError(_one_of("is", _unquoted(value), tuple(IS)))
        close = get_close_matches(name, NAMES, n=1)
        remedy = f"Did you mean `{close[0]}:`?" if close else f"The fields are {', '.join(NAMES)}."
        raise _WrongError(f"`{name}:` is no field. {remedy} In quotation marks it is text.")

    def _text(self, name: str, source: str) -> OneOf:
        field = TEXT_FIELDS[name]
        values = [_unquoted(found[0]) for found in _VALUE.finditer(source)]
        values = [value for value in values if value]
        if not values:
            raise _WrongError(f"`{name}:` needs a value such as `{field.example}`.")
        if name == "code":
            return self._codes(values)
        if name == "key":
            return OneOf(name, tuple(values), key_comparison(values))
        if field.values is not None:
            values = [value.lower() for value in values]
            if name == "state":
                values = [each for value in values for each in (("queued", "running") if value == "live" else (value,))]
            for value in values:
                if value not in field.values:
                    raise _WrongError(_one_of(name, value, field.values))
        return OneOf(name, tuple(values), field.comparison)

    def _codes(self, values: list[str]) -> OneOf:
        if "*" in values:
            return OneOf("code", (), Comparison.PREFIX)
        kinds = [kind for kind, code in self.codes.items() for value in values if code.startswith(value)]
        return OneOf("code", tuple(dict.fromkeys([*values, *kinds])), Comparison.PREFIX)

    def _range(self, name: str, source: str) -> Within:
        quantity = QUANTITIES[name]
        found = _RANGE.fullmatch(source)
        if not found:
            raise _WrongError(f"`{name}:` needs a number such as `{quantity.example}`.")
        operator, bound, low, high, exact = found.groups()
        if exact is not None:
            number = self._number(name, exact)
            return Within(name, number, number)
        if operator is None:
            return Within(name, self._end(name, low), self._end(name, high))
        number, is_open = self._number(name, bound), len(operator) == 1
        if operator[0] == ">":
            return Within(name, low=number, low_open=is_open)
        return Within(name, high=number, high_open=is_open)

    def _end(self, name: str, source: str) -> float | None:
        return None if source == "*" else self._number(name, source)

    def _number(self, name: str, source: str) -> float:
        quantity = QUANTITIES[name]
        found = _NUMBER.fullmatch(source)
        factor = _UNITS[quantity.unit].get((found[2] or "").lower()) if found else None
        if found is None or factor is None:
            raise _WrongError(f"`{name}:` needs a number such as `{quantity.example}`, not `{source}`.")
        return float(found[1]) * factor

    def _time(self, name: str, source: str) -> Within:
        begin, end = self._times(name, source)
        if name == "since":
            return Within("arrived", low=begin)
        if name == "until":
            return Within("arrived", high=begin, high_open=True)
        return Within("arrived", low=begin, high=end, high_open=True)

    def _times(self, name: str, source: str) -> tuple[float, float]:
        """The beginning and the end of what `source` means: a day, a minute, or the time from so long ago to now."""
        found = _NUMBER.fullmatch(source)
        if found and (found[2] or "").lower() in _FACTORS:
            seconds = float(found[1]) * _FACTORS[found[2].lower()]
            return self.now.timestamp() - seconds, self.now.timestamp()
        days = {"today": 0, "yesterday": 1}.get(source.lower())
        date = _DATE.fullmatch(source)
        with suppress(ValueError, OverflowError):
            if days is not None:
                today = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
                return _span(today - timedelta(days=days), timedelta(days=1))
            if date:
                length = timedelta(days=1) if date[2] is None else timedelta(seconds=1 if date[3] else 60)
                return _span(datetime.fromisoformat(source).replace(tzinfo=self.now.tzinfo), length)
        kinds = "a time such as 15m, 1h, 7d, today, 2026-11-30 or 2026-11-30T14:00"
        raise _WrongError(f"`{name}:` needs {kinds}, not `{source}`.")


def _span(begin: datetime, length: timedelta) -> tuple[float, float]:
    return begin.timestamp(), (begin + length).timestamp()


def _sort(value: str) -> Sort:
    for sort in SORTS:
        if sort == value.lower():
            return sort
    raise _WrongError(_one_of("sort", value, SORTS))


def _phrase(text: str, *, is_prefix: bool) -> Phrase:
    found = words(text)
    if not found:
        raise _WrongError(f"`{text}` has no letter or digit to search for.")
    is_prefix = is_prefix and len(found[-1]) >= SHORTEST_PREFIX and words(text[-1:]) != []
    return Phrase(" ".join(found), is_prefix)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(value.lower(), known, n=1)
    remedy = f" You may mean `{close[0]}`." if close else ""
    return f"`{name}:` takes {', '.join(known)}, not `{value}`.{remedy}"


def _unquoted(source: str) -> str:
    """`source` without the quotation marks around parts of it, and with what was escaped in these."""
    return re.sub(
        r'"((?:\\.|[^"\\])*)(?:"|\\?$)', lambda found: re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL), source
    )
