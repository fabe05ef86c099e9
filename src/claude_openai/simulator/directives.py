"""The directives of a prompt: `[[sim name=value name=value flag]]`, by which a person or a test tells the simulated
model what to do. A value is a JSON string, a JSON object or array, or a bare word; a name alone is a flag.

This module reads brackets and knows which names exist; `model` knows what they mean, and `docs/simulator.md`
lists them for readers.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

OPENING = "[[sim"
CLOSING = "]]"

Value: TypeAlias = object
"""What a name is given: True for a flag, a string for a bare word, else whatever the JSON says."""

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
"""Every directive, with the further names that it takes."""


class DirectiveError(Exception):
    """A bracket that is no directive. The simulator answers it with a 400 that carries this sentence."""


@dataclass(frozen=True)
class Directive:
    """One bracket: its leading name, the value of that, and its further names."""

    name: str
    value: Value = True
    options: Mapping[str, Value] = field(default_factory=dict)

    def number(self, name: str, default: float, alone: float | None = None) -> float:
        """The number given for a name, be it the directive's own or an option; `alone` if it stands as a flag."""
        value = self.value if name == self.name else self.options.get(name, default)
        if value is True:
            return default if alone is None else alone
        if not _NUMBER.fullmatch(str(value)):
            raise DirectiveError(f"{OPENING} {self.name}: {name} is no number: {value}")
        return float(str(value))


def directives(text: str) -> tuple[Directive, ...]:
    """The directives of a text, in its order."""
    return tuple(_directive(pairs, source) for pairs, source in _brackets(text))


def without_directives(text: str) -> str:
    """What remains for a reader."""
    for _, source in _brackets(text):
        text = text.replace(source, " ")
    return re.sub(r"[ \t]{2,}", " ", text).strip()


def _brackets(text: str) -> Iterator[tuple[dict[str, Value], str]]:
    """What each bracket says, with its source."""
    start = text.find(OPENING)
    while start >= 0:
        pairs, end = _pairs(text, start + len(OPENING))
        yield pairs, text[start:end]
        start = text.find(OPENING, end)


_NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?")
_NAME = re.compile(r"\s*([a-z_]+)(=?)")
_BARE = re.compile(r"[^\s\]]+")
_END = re.compile(r"\s*\]\]")
_JSON = json.JSONDecoder(strict=False)


def _pairs(text: str, position: int) -> tuple[dict[str, Value], int]:
    pairs: dict[str, Value] = {}
    while (end := _END.match(text, position)) is None:
        named = _NAME.match(text, position)
        if named is None:
            raise DirectiveError(f"{OPENING}: neither a name nor {CLOSING} at: {text[position:][:40]!r}")
        name, assigned = named.groups()
        pairs[name], position = _value(text, named.end()) if assigned else (True, named.end())
    return pairs, end.end()


def _value(text: str, position: int) -> tuple[Value, int]:
    if text[position : position + 1] in {'"', "{", "["}:
        try:
            return _JSON.raw_decode(text, position)
        except json.JSONDecodeError as problem:
            raise DirectiveError(f"{OPENING}: {problem}: {text[position:][:40]!r}") from None
    bare = _BARE.match(text, position)
    if bare is None:
        raise DirectiveError(f"{OPENING}: a value is missing at: {text[position:][:40]!r}")
    return bare.group(), bare.end()


def _directive(pairs: Mapping[str, Value], source: str) -> Directive:
    leading = [name for name in pairs if name in NAMES]
    if len(leading) != 1:
        raise DirectiveError(f"{source} must have exactly one of: {', '.join(NAMES)}")
    name = leading[0]
    options = {option: value for option, value in pairs.items() if option != name}
    unknown = set(options) - NAMES[name]
    if unknown:
        raise DirectiveError(f"{source}: {name} does not take {', '.join(sorted(unknown))}")
    return Directive(name, pairs[name], options)
