"""What the view Stats shows: sums by group, and the bars of its charts. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from claude_openai.core.statistics import Span, added
from claude_openai.protocols.runs.statistics import span_object
from claude_openai.protocols.runs.wire import StatisticsSpan


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart: `x` and `width` in thousandths of its width, `height` in hundredths of its height."""

    x: float
    width: float
    height: float


def grouped(spans: Iterable[Span], by: str) -> list[StatisticsSpan]:
    """The sums of each group over all its spans, the one with the most requests first."""
    values: dict[str, tuple[float, ...]] = {}
    for span in spans:
        values[span.group] = added(values[span.group], span.values) if span.group in values else span.values
    found = [span_object(Span(0, group, total), by) for group, total in values.items()]
    return sorted(found, key=lambda each: each.runs, reverse=True)


def bars(begins: Sequence[int], values: Sequence[float], begin: int, until: int, width: int) -> tuple[Bar, ...]:
    """A bar for each of `values`, which begins at the same place of `begins`, on an axis from `begin` to `until` (Unix
    seconds) with steps of `width` seconds.
    """
    highest, whole = max(values, default=0.0) or 1.0, max(until - begin, 1)
    return tuple(
        Bar(
            round(1000 * (at - begin) / whole, 1),
            round(max(1000 * width / whole - 1, 1), 1),
            round(100 * value / highest, 1),
        )
        for at, value in zip(begins, values, strict=True)
    )
