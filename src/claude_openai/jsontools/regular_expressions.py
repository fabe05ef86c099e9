"""Regular expressions that a client sends: which of them can never take long.

Python's engine and JavaScript's backtrack: `(a+)+$` takes twice as long with each further letter, and neither can be
interrupted. A pattern without groups and with at most one repetition of variable length takes at most the square of
the text's length, so it needs no guard.
"""

import re
from typing import Final

_LONGEST: Final = 200
"""Characters of a pattern that is looked at: the look itself may take the square of them."""

_ATOM: Final = (
    "(?:"
    r"[^\\()\[\]{}*+?|]"  # what stands for itself, and ^ $ .
    r"|\\[dDwWsSnrtfv.*+?^$|()\[\]{}\\/]"  # what both engines escape
    r"|\[\^?(?:[^\\\[\]^]|\\[dDwWsSnrtfv.*+?^$|()\[\]{}\\/-])+\]"
    ")"
)
_FIXED: Final = rf"(?:{_ATOM}(?:\{{\d{{1,3}}\}})?)*"
_SET_OPERATION: Final = re.compile(r"--|&&|~~|\|\|")
"""Of which Python warns that it may read them otherwise some day."""

_QUICK: Final = re.compile(rf"{_FIXED}(?:{_ATOM}(?:[*+?]|\{{\d{{1,3}},\d{{0,3}}\}})\??{_FIXED})?")


def is_quick(pattern: str) -> bool:
    """Whether `pattern` takes at most the square of a text's length, and reads alike in Python and in JavaScript."""
    if len(pattern) > _LONGEST or _SET_OPERATION.search(pattern) or not _QUICK.fullmatch(pattern):
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True
