"""What the search box suggests for the term that is being typed. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from claude_openai.core.keys import UNNAMED
from claude_openai.core.runs import Run
from claude_openai.core.search.parser import IS
from claude_openai.core.search.query import QUANTITIES, SORTS, TEXT_FIELDS
from claude_openai.protocols.runs.stream import SHOWN
from claude_openai.text import client_name

MOST: Final = 12

_EXAMPLES: Final = {
    **{name: field.example for name, field in TEXT_FIELDS.items()},
    **{name: quantity.example for name, quantity in QUANTITIES.items() if name != "arrived"},
    "since": "since:1h",
    "until": "until:yesterday",
    "at": "at:today",
    "is": "is:cached",
    "sort": "sort:cost",
}
"""Each field with an example."""

_SEEN: Final = ("model", "client", "tool", "key", "code")
"""Fields whose values are those of the latest runs."""

_FIXED: Final = {
    "is": tuple(IS),
    "sort": SORTS,
    "since": ("15m", "1h", "1d", "7d", "today", "yesterday"),
}


def suggestions(term: str, runs: Iterable[Run]) -> list[tuple[str, str]]:
    """What `term` can become, and what that is: a field's example, or how many of the latest `runs` have the value."""
    sign, typed = ("-", term[1:]) if term.startswith("-") else ("", term)
    if typed.startswith("@"):
        return [(f"{sign}@{_quoted(value)}", hint) for value, hint in _values("client", typed[1:], runs)]
    name, colon, value = typed.partition(":")
    if not colon:
        fitting = [(field, example) for field, example in _EXAMPLES.items() if field.startswith(name.lower())]
        return [(f"{sign}{field}:", example) for field, example in fitting][:MOST]
    return [(f"{sign}{name}:{_quoted(each)}", hint) for each, hint in _values(name.lower(), value, runs)]


def _values(name: str, typed: str, runs: Iterable[Run]) -> list[tuple[str, str]]:
    field = TEXT_FIELDS.get(name)
    fixed: Sequence[str] = (field.values if field else None) or _FIXED.get(name, ())
    if fixed:
        return [(value, "") for value in fixed if value.startswith(typed.lower())]
    if field is None or name not in _SEEN:
        return []
    seen = Counter(value for run in runs for value in set(_of(name, run)) if value)
    fitting = [(value, f"{number} of the latest") for value, number in seen.most_common() if _fits(value, typed)]
    return fitting[:MOST]


def _of(name: str, run: Run) -> tuple[str | None, ...]:
    """The values of the field as they are queried: a key without a name by the beginning of its id, as it is shown."""
    match name:
        case "client":
            return () if run.client.startswith("Mozilla/") else (client_name(run.client),)
        case "key":
            return (run.principal[:SHOWN] if run.principal.startswith(UNNAMED) else run.principal,)
        case _:
            return TEXT_FIELDS[name].of(run)


def _fits(value: str, typed: str) -> bool:
    return typed.lower() in value.lower()


def _quoted(value: str) -> str:
    return (
        value if value and not set(value) & set(' ",') else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )
