"""What the view Stats shows: a table of sums, and the bars of its charts. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from claude_openai.core.statistics import COLUMNS, Span, added

NOTHING: Final = (0.0,) * len(COLUMNS)


@dataclass(frozen=True, slots=True)
class Sums:
    """A row of a table. Times are the upper bounds of the buckets with the quantile, in seconds; infinite beyond the
    last one, None without any time. `cached` is a part of one.
    """

    begin: int
    group: str
    requests: int
    prompt_tokens: int
    fresh_tokens: int
    output_tokens: int
    cost_usd: float | None
    cached: float | None
    first_token: tuple[float | None, float | None]
    duration: tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart: `x` and `width` in thousandths of its width, `height` in hundredths of its height."""

    x: float
    width: float
    height: float
    label: str


def sums(span: Span) -> Sums:
    """The row of `span`."""
    cached = span.value("cache_read_tokens")
    fresh = span.value("input_tokens") + span.value("cache_creation_tokens")
    prompt = cached + fresh
    return Sums(
        begin=span.begin,
        group=span.group,
        requests=int(span.value("runs")),
        prompt_tokens=int(prompt),
        fresh_tokens=int(fresh),
        output_tokens=int(span.value("output_tokens")),
        cost_usd=span.value("cost_usd") if span.value("priced") else None,
        cached=cached / prompt if prompt else None,
        first_token=(span.quantile("first_token", 0.5), span.quantile("first_token", 0.95)),
        duration=(span.quantile("duration", 0.5), span.quantile("duration", 0.95)),
    )


def grouped(spans: Iterable[Span]) -> tuple[Sums, ...]:
    """A row for each group over all its spans, the one with the most requests first."""
    values: dict[str, tuple[float, ...]] = {}
    for span in spans:
        values[span.group] = added(values.get(span.group, NOTHING), span.values)
    rows = [sums(Span(0, group, total)) for group, total in values.items()]
    return tuple(sorted(rows, key=lambda row: row.requests, reverse=True))


def bars(rows: Sequence[Sums], values: Sequence[float], begin: int, until: int, width: int) -> tuple[Bar, ...]:
    """A bar for each of `rows`, on an axis from `begin` to `until` (Unix seconds) with steps of `width` seconds."""
    highest, whole = max(values, default=0.0) or 1.0, max(until - begin, 1)
    return tuple(
        Bar(
            round(1000 * (row.begin - begin) / whole, 1),
            round(max(1000 * width / whole - 1, 1), 1),
            round(100 * value / highest, 1),
            f"{value:g}",
        )
        for row, value in zip(rows, values, strict=True)
    )
