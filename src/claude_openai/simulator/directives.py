"""Parses the directives of a prompt: `[[sim name=value name=value flag]]`, with which a person or a test controls the
simulated model. A value is a JSON string, a JSON object or array, or a bare word; a name alone is a flag.

This module parses brackets and has the table of names; `directed` gives them their meaning, and
`docs/reference/simulator.md` documents them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

OPENING = "[[sim"
CLOSING = "]]"

Value: TypeAlias = object
"""The value of a name: True for a flag, a string for a bare word, else the JSON value."""

NAMES: Mapping[str, frozenset[str]] = {
    "text": frozenset({"pieces", "delay"}),
    "thinking": frozenset({"pieces", "delay"}),
    "tool": frozenset({"input", "invalid", "next"}),
    "malformed_arguments": frozenset(),
    "refusal": frozenset(),
    "max_tokens": frozenset(),
    "empty": frozenset(),
    "tokens": frozenset({"pieces", "delay"}),
    "megabyte": frozenset(),
    "emoji": frozenset(),
    "error": frozenset({"retry_after"}),
    "refused": frozenset(),
    "slow": frozenset(),
    "stall": frozenset(),
    "cut": frozenset(),
    "malformed": frozenset(),
    "stream_error": frozenset(),
}
"""Every directive, with the options that it takes."""


class DirectiveError(Exception):
    """A bracket that is not a valid directive. The simulator answers it with a 400 that has this message."""


@dataclass(frozen=True)
class Directive:
    """One bracket: its name, its value and its options."""

    name: str
    value: Value = True
    options: Mapping[str, Value] = field(default_factory=dict)

    def number(self, name: str, default: float, alone: float | None = None) -> float:
        """The number of an option, or of the directive itself; `alone` if it is given as a flag."""
        value = self.value if name == self.name else self.options.get(name, default)
        if value is True:
            return default if alone is None else alone
        if not _NUMBER.fullmatch(str(value)):
            raise DirectiveError(f"{OPENING} {self.name}: {name} is not a number: {value}")
        return float(str(value))


def directives(text: str) -> tuple[Directive, ...]:
    """Parse the directives of a text, in their order.

    Raises:
        DirectiveError: a bracket is not a valid directive.
    """
    found = []
    for pairs, source in _brackets(text):
        leading = [name for name in pairs if name in NAMES]
        if len(leading) != 1:
            raise DirectiveError(f"{source} must have exactly one of: {', '.join(NAMES)}")
        name = leading[0]
        options = {option: value for option, value in pairs.items() if option != name}
        if unknown := set(options) - NAMES[name]:
            raise DirectiveError(f"{source}: {name} does not take {', '.join(sorted(unknown))}")
        found.append(Directive(name, pairs[name], options))
    return tuple(found)


def without_directives(text: str) -> str:
    """Remove the directives from a text."""
    for _, source in _brackets(text):
        text = text.replace(source, " ")
    return re.sub(r"[ \t]{2,}", " ", text).strip()


def _brackets(text: str) -> Iterator[tuple[dict[str, Value], str]]:
    """Yield the names and values of each bracket, and its source text."""
    start = text.find(OPENING)
    while start >= 0:
        position = start + len(OPENING)
        pairs: dict[str, Value] = {}
        while (end := _END.match(text, position)) is None:
            named = _NAME.match(text, position)
            if named is None:
                raise DirectiveError(f"{OPENING}: neither a name nor {CLOSING} at: {text[position:][:40]!r}")
            name, assigned = named.groups()
            pairs[name], position = _value(text, named.end()) if assigned else (True, named.end())
        yield pairs, text[start : end.end()]
        start = text.find(OPENING, end.end())


_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?")
_NAME = re.compile(r"\s*([a-z_]+)(=?)")
_BARE = re.compile(r"[^\s\]]+")
_END = re.compile(r"\s*\]\]")
_JSON = json.JSONDecoder(strict=False)


def _value(text: str, position: int) -> tuple[Value, int]:
    """Parse the value that starts at `position`. Returns it with the position after it."""
    if text[position : position + 1] in {'"', "{", "["}:
        try:
            return _JSON.raw_decode(text, position)
        except json.JSONDecodeError as problem:
            raise DirectiveError(f"{OPENING}: {problem}: {text[position:][:40]!r}") from None
    bare = _BARE.match(text, position)
    if bare is None:
        raise DirectiveError(f"{OPENING}: a value is missing at: {text[position:][:40]!r}")
    return bare.group(), bare.end()
