"""A strict JSON parser: RFC 8259, without anything that two parsers could understand differently.

Python's parser also accepts NaN, infinities and duplicate names in an object. Lone surrogates are replaced
(`surrogates`), because clients do send them.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Never

from claude_openai.jsontools.incremental import IncrementalDecoder, Pairs, object_of
from claude_openai.jsontools.surrogates import json_without_surrogates
from claude_openai.jsontools.work_limit import spend

MOST_DIGITS = 309
"""Digits of an integer: as many as the largest float has. Python's own limit, 4300, can be changed for the process."""

MOST_NESTED = 200
"""Levels of nested arrays and objects: more than any schema has, and few enough for all later parsers."""

MOST_VALUES = 400_000
"""Values in one text, names in objects not counted: 100,000 messages, the most that Anthropic takes, have 300,001."""

_LARGE_CHARACTERS, _LARGE_VALUES = 2**20, 20_000
"""A text above one of these is decoded incrementally: C code would hold the lock for over 5 ms (measured)."""

_PIECE = 2**17
"""Characters that one call of C code looks at: a millisecond, after which other threads have their turn."""

_TOO_DEEP = f"it is nested more than {MOST_NESTED} levels deep"


class NotJson(ValueError):
    """The text is not JSON; the message is a phrase that says why and, where known, where."""


class TooManyValues(NotJson):
    """The text may be JSON, but has too many values to be parsed."""

    def __init__(self) -> None:
        super().__init__(f"it holds more than {MOST_VALUES} values")


def parse(text: str) -> object:
    """The value of the JSON text `text`.

    Raises:
        NotJson: it is not valid JSON, or ambiguous, or (`TooManyValues`) too much.
        TooMuch: it takes longer than the caller's bound (`jsontools.work_limit`) allows.
    """
    values = count_values(text)
    if values > MOST_VALUES:
        raise TooManyValues
    is_large = len(text) > _LARGE_CHARACTERS or values > _LARGE_VALUES
    decoder = (IncrementalDecoder if is_large else json.JSONDecoder)(
        object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
    )
    try:
        value: object = decoder.decode(json_without_surrogates(text))
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise NotJson(_TOO_DEEP) from None
    if is_nested_deeper(value, MOST_NESTED):
        raise NotJson(_TOO_DEEP)
    return value


def count_values(text: str, most: int = MOST_VALUES) -> int:
    """Estimate the number of values in the JSON `text` without parsing it: each value but the first follows a comma or
    an opening bracket. A result up to `most` also counts such characters in strings, so it may be too high; a higher
    result only means that there are more than `most` values.
    """
    found = sum(map(_separators, _pieces(text)))
    if found <= most:
        return found
    found, within, escape = 0, False, ""
    for each in _pieces(text):
        spend()
        piece = escape + each
        escape = "\\" if (len(piece) - len(piece.rstrip("\\"))) % 2 else ""
        piece = piece.removesuffix(escape).replace("\\\\", "").replace('\\"', "")
        parts = piece.split('"')
        found += _separators("".join(parts[within::2]))
        if found > most:
            break
        within ^= len(parts) % 2 == 0
    return found


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def _separators(text: str) -> int:
    return text.count(",") + text.count("{") + text.count("[")


def is_nested_deeper(value: object, levels: int) -> bool:
    """Whether arrays and objects in `value` are nested more than `levels` levels deep."""
    level = [value]
    for _ in range(levels):
        parents = [each for each in level if isinstance(each, dict | list)]
        level = [child for each in parents for child in (each.values() if isinstance(each, dict) else each)]
        if not level:
            return False
    return any(isinstance(each, dict | list) for each in level)


def _object(pairs: Pairs) -> dict[str, object]:
    spend()
    value = object_of(pairs)
    if len(value) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise NotJson(f"the name {json.dumps(name)} stands twice in one object")
    return value


def _constant(name: str) -> Never:
    raise NotJson(f"{name} is no number in JSON")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise NotJson("it holds a number that is too large")
    return number


def _int(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise NotJson("it holds a number that is too large")
    return int(digits)
