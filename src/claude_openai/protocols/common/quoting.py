"""Quotes a wrong value in the sentence about it. Pure.

The sentence is sent to the client and logged at `info`, which has no text of a conversation: a string is quoted where
it is a short word, as values of parameters are, and does not look like a secret. Anything else is described.
"""

import json
import re
from typing import Final

LONGEST: Final = 40
"""Characters of a value that is quoted."""

_SECRET_NAME: Final = re.compile(r"key|token$|secret|password|credential|authorization", re.IGNORECASE)

_CONVERSATION: Final = re.compile(r"(messages|input|prompt|suffix|instructions|prediction|functions|tools)\b")
"""The parameters with the text of a conversation: a string there that should be something else is such text."""

_SECRET: Final = re.compile(
    r"(?i:sk|pk|rk|ghp|gho|xox[a-z]|akia|eyj|bearer|basic)[-_a-z0-9]{12,}|(?=.*\d)(?=.*[a-zA-Z]).{20,}"
)
"""What keys and tokens look like: a known beginning, or twenty characters with letters and digits."""


def quoted(value: object, path: str = "") -> str:
    """`value`, which was sent as the parameter at `path`: `3`, `'hot'`, `an array of 5 entries`."""
    match value:
        case None | bool() | int() | float():
            number = json.dumps(value)
            return number if len(number) <= LONGEST else f"{number[: LONGEST - 1]}\u2026"
        case str() if _is_word(value) and not _SECRET.match(value) and not _SECRET_NAME.search(path):
            return f"'{value}'"
        case str():
            return _counted("a string", len(value), "character")
        case list():
            return _counted("an array", len(value), "entry", "entries")
        case dict():
            return _counted("an object", len(value), "entry", "entries")
        case _:
            return "an object"


def with_kind(value: object, path: str = "") -> str:
    """The JSON type of `value`, with the value where it is quoted: `a string ('hot')`, `an integer (3)`, `null`."""
    match value:
        case bool():
            kind = "a boolean"
        case int():
            kind = "an integer"
        case float():
            kind = "a decimal number"
        case str():
            kind = "a string"
            if _CONVERSATION.match(path):
                return kind
        case list():
            return "an array"
        case None:
            return "null"
        case _:
            return "an object"
    shown = quoted(value, path)
    return shown if shown.startswith(kind) else f"{kind} ({shown})"


def _is_word(text: str) -> bool:
    return len(text) <= LONGEST and text.isprintable() and not set(text) & set(" '")


def _counted(kind: str, number: int, one: str, several: str = "") -> str:
    return f"{kind} of {number} {one if number == 1 else several or f'{one}s'}"
