"""Patterns of paths: what braces in them stand for, and the part of one that means nothing but itself."""

import re
from typing import Final

WILD: Final = re.compile(r"[*?\[{(!]")
"""A sign that means something else than itself, wherever a pattern is read."""

_MOST_GROUPS: Final = 50
_MOST_ALTERNATIVES: Final = 200
"""Of a pattern. One with more is refused: nobody writes it, and to look at all takes for ever."""

_INNERMOST: Final = re.compile(r"\{([^{}]*)\}")


def alternatives(pattern: str) -> tuple[str, ...] | None:
    """What `{a,b}` in `pattern` stands for, one by one; None where that is too much to look at."""
    if pattern.count("{") > _MOST_GROUPS:
        return None
    found: list[str] = []
    pending = [pattern]
    while pending:
        if len(found) + len(pending) > _MOST_ALTERNATIVES:
            return None
        each = pending.pop()
        group = _INNERMOST.search(each)
        if group is None:
            found.append(each)
        else:
            pending += [each[: group.start()] + choice + each[group.end() :] for choice in group[1].split(",")]
    return tuple(found)


def plain_part(pattern: str) -> str:
    """The folder or file that `pattern` begins with."""
    steps = pattern.split("/")
    return "/".join(steps[: next((n for n, step in enumerate(steps) if WILD.search(step)), len(steps))])
