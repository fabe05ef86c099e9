"""A soak in figures, and whether every promise was kept. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.release.soak.ledger import Figure, Ledger
from tests.release.soak.plan import Change, Mishap
from tests.release.soak.soak import Course, Size

MEMORY_TARGET: Final = 1.10
"""How much memory the server may hold at the end, in proportion to after the warm-up."""


@dataclass(frozen=True, slots=True)
class Report:
    """One soak. `broken` says in sentences what went wrong on the way."""

    seed: int
    size: Size
    course: Course
    counts: Mapping[Figure, int]
    changes: Mapping[Change, int]
    failures: Mapping[tuple[Mishap, str | None], int]
    broken: tuple[str, ...]


def reported(seed: int, size: Size, course: Course, ledger: Ledger) -> Report:
    return Report(seed, size, course, ledger.counts, ledger.changes, ledger.failures, tuple(ledger.broken))


def reasons(report: Report) -> list[str]:
    """Why the soak is not passed; nothing if it is."""
    return [*report.broken, *_unfinished(report), *_killed(report), *_held(report.course)]


def table(report: Report) -> str:
    """Markdown that reads well in a terminal too."""
    return "\n\n".join([_aligned(_figures(report)), _aligned(_holdings(report.course)), _verdict(reasons(report))])


def _figures(report: Report) -> list[tuple[str, ...]]:
    size = report.size
    title = f"{size.conversations} conversations of {size.turns} turns, {size.at_once} at once, seed {report.seed}"
    return [
        (title, "count"),
        ("---", "---"),
        *((str(figure), str(report.counts.get(figure, 0))) for figure in Figure),
        *((f"a client {change}", str(count)) for change, count in sorted(report.changes.items())),
        *sorted((_named(*failure), str(count)) for failure, count in report.failures.items()),
        *((f"reached Claude Code: {way}", str(count)) for way, count in sorted(report.course.ways.items())),
        ("seconds", f"{report.course.seconds:.0f}"),
    ]


def _holdings(course: Course) -> list[tuple[str, ...]]:
    rests = (course.start, course.warm, course.end)
    return [
        ("held at rest", "at the start", "after the warm-up", "at the end"),
        ("---",) * 4,
        *((name, *(_shown(rest.counts[name]) for rest in rests)) for name in course.start.counts),
        ("memory of the server", *(_mib(rest.memory) for rest in rests)),
    ]


def _unfinished(report: Report) -> list[str]:
    over, begun = report.counts.get(Figure.CONVERSATIONS, 0), report.size.conversations
    return [] if over == begun else [f"only {over} of {begun} conversations came to their end"]


def _killed(report: Report) -> list[str]:
    """A process that dies hurts at most the one request that it serves."""
    kills, failed = report.counts.get(Figure.KILLS, 0), report.counts.get(Figure.KILLED, 0)
    return [] if failed <= kills else [f"{kills} kills failed {failed} requests"]


def _held(course: Course) -> list[str]:
    more = course.end.beyond(course.start)
    warm, end = course.warm.memory, course.end.memory
    if warm and end and end > warm * MEMORY_TARGET:
        more.append(f"memory: {_mib(warm)} after the warm-up, {_mib(end)} at the end")
    return more


def _named(mishap: Mishap, code: str | None) -> str:
    return f"upstream failed ({mishap}), " + (f"told as `{code}`" if code else "mended by Claude Code")


def _verdict(broken: Sequence[str]) -> str:
    return "\n".join(f"- BROKEN: {reason}" for reason in broken) or "- Every promise was kept."


def _shown(count: int | None) -> str:
    return "" if count is None else str(count)


def _mib(count: int | None) -> str:
    return "" if count is None else f"{count / 1024 / 1024:.1f} MiB"


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    fill = "-" if row[0] == "---" else " "
    return f"| {' | '.join(cell.ljust(width, fill) for cell, width in zip(row, widths, strict=True))} |"
