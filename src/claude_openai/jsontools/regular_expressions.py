"""Decides which regular expressions of clients can never take long.

Python's engine and JavaScript's backtrack: `(a+)+$` takes twice as long with each further letter, and neither can be
interrupted. A pattern without groups and with at most one repetition of variable length takes at most the square of
the text's length, so it needs no time limit.
"""

import re
from typing import Final

_LONGEST: Final = 200
"""Characters of a pattern at most: the check itself may take the square of its length."""

_ATOM: Final = (
    "(?:"
    r"[^\\()\[\]{}*+?|]"  # literal characters, and ^ $ .
    r"|\\[dDwWsSnrtfv.*+?^$|()\[\]{}\\/]"  # escapes that both engines have
    r"|\[\^?(?:[^\\\[\]^]|\\[dDwWsSnrtfv.*+?^$|()\[\]{}\\/-])+\]"
    ")"
)
_FIXED: Final = rf"(?:{_ATOM}(?:\{{\d{{1,3}}\}})?)*"
_SET_OPERATION: Final = re.compile(r"--|&&|~~|\|\|")
"""Python warns that it may interpret these as set operations in the future."""

_QUICK: Final = re.compile(rf"{_FIXED}(?:{_ATOM}(?:[*+?]|\{{\d{{1,3}},\d{{0,3}}\}})\??{_FIXED})?")


def is_quick(pattern: str) -> bool:
    """Whether `pattern` takes at most the square of a text's length, and means the same in Python and in JavaScript."""
    if len(pattern) > _LONGEST or _SET_OPERATION.search(pattern) or not _QUICK.fullmatch(pattern):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
