"""What changed between two runs beyond the spread of their samples. Pure.

Two medians differ where the bootstrap interval of their difference does not hold zero (Efron 1979: both sides are drawn
again with replacement) and the difference is more than `LEAST`. The draws are seeded: the same files, the same answer.
"""

import random
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.aligned import aligned

DRAWS: Final = 2_000
SURE: Final = 0.99
"""Of so many figures some differ by chance: at 95 % it would be one in twenty."""

LEAST: Final = 0.03
"""A change of less, in proportion to the old median, is not reported."""

FEWEST: Final = 4
"""Samples on each side without which nothing is said."""

_SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Change:
    """A figure by its path in the JSON object, and its two medians."""

    figure: str
    old: float
    new: float


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[list[Change], int]:
    """The figures that changed beyond the spread, and how many were compared."""
    before, after = dict(_figures(old)), dict(_figures(new))
    both = [name for name in before if name in after and min(len(before[name]), len(after[name])) >= FEWEST]
    changed = [
        Change(name, statistics.median(before[name]), statistics.median(after[name]))
        for name in both
        if _differ(before[name], after[name])
    ]
    return changed, len(both)


def comparison(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """A report for people: a table of what changed, and what the two runs have in common."""
    changed, compared = changes(old, new)
    head = ("changed beyond the spread", "old median", "new median", "change")
    rows = [
        (change.figure, f"{change.old:.4g}", f"{change.new:.4g}", f"{change.new / change.old - 1:+.0%}")
        for change in changed
    ]
    facts = [f"- {len(changed)} of {compared} figures changed beyond the spread (seconds, bytes or tokens a second)."]
    facts += [
        f"- The {name} run was measured on a BUSY machine." for name, run in (("old", old), ("new", new)) if _busy(run)
    ]
    facts += [
        f"- Not the same {what}: {old['machine'][what]} then, {new['machine'][what]} now."
        for what in ("cores", "system", "python", "claude_code")
        if old["machine"][what] != new["machine"][what]
    ]
    table = [aligned(head, rows)] if rows else []
    return "\n\n".join([*table, "\n".join(facts)])


def _busy(run: Mapping[str, Any]) -> bool:
    return bool(run["machine"]["busy"])


def _figures(value: object, path: str = "") -> Iterator[tuple[str, Sequence[float]]]:
    """Every spread in it. Lists are of points, which have a `count`."""
    match value:
        case {"median": _, "samples": [*samples]}:
            yield path, samples
        case dict():
            for key, inner in value.items():
                yield from _figures(inner, f"{path}.{key}" if path else key)
        case list() | tuple():
            for place, inner in enumerate(value):
                name = inner.get("count", place) if isinstance(inner, dict) else place
                yield from _figures(inner, f"{path}.{name}")
        case _:
            return


def _differ(old: Sequence[float], new: Sequence[float]) -> bool:
    before, after = statistics.median(old), statistics.median(new)
    if not before or abs(after / before - 1) <= LEAST:
        return False
    draw = random.Random(_SEED)  # noqa: S311 -- no secret: a draw that can be repeated
    differences = sorted(
        statistics.median(draw.choices(new, k=len(new))) - statistics.median(draw.choices(old, k=len(old)))
        for _ in range(DRAWS)
    )
    outside = round(DRAWS * (1 - SURE) / 2)
    return differences[outside] > 0 or differences[-1 - outside] < 0
