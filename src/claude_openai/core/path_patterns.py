"""Path patterns: the expansion of their braces, and their beginning without wildcards."""

import re
from typing import Final

WILD: Final = re.compile(r"[*?\[{(!]")
"""A character with a special meaning in any of the pattern dialects."""

_MOST_GROUPS: Final = 50
_MOST_ALTERNATIVES: Final = 200
"""Limits of one pattern. A pattern with more is refused: checking all of them would take too long."""

_INNERMOST: Final = re.compile(r"\{([^{}]*)\}")


def alternatives(pattern: str) -> tuple[str, ...] | None:
    """The patterns that the braces in `pattern` expand to (`{a,b}`); None if there are too many."""
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
    """The leading path components of `pattern` that have no wildcard."""
    steps = pattern.split("/")
    return "/".join(steps[: next((n for n, step in enumerate(steps) if WILD.search(step)), len(steps))])
