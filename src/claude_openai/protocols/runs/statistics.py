"""Encodes what runs add up to, and lists of it and of runs as CSV (RFC 4180)."""

import csv
import io
from collections.abc import Iterable, Sequence
from math import isinf
from typing import Any, Literal

from claude_openai.core.keys import UNNAMED
from claude_openai.core.runs import Run
from claude_openai.core.statistics import BOUNDS, COLUMNS, Span
from claude_openai.jsontools.surrogates import without_surrogates
from claude_openai.protocols.runs.stream import SHOWN, run_object
from claude_openai.protocols.runs.wire import RunError, RunUsage, Statistics, StatisticsSpan, Times

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""


def statistics(spans: Iterable[Span], since: float, until: float, width: int, by: str | None) -> Statistics:
    """The sums as an object."""
    return Statistics(since=since, until=until, width=width, by=by, data=[span_object(span, by) for span in spans])


def statistics_csv(spans: Iterable[Span], by: str | None) -> str:
    """The sums as CSV, with the fields of `StatisticsSpan`; times are named `duration_p95` and the like."""
    return _table(
        [_flat(span_object(span, by).model_dump()) for span in spans], _flat(span_object(_EMPTY, by).model_dump())
    )


def runs_csv(runs: Iterable[Run]) -> str:
    """The runs as CSV, with the fields that lists have; nested ones are named `usage_prompt_tokens` and the like."""
    left_out = {"object", "text", "tool_calls"}
    rows = [_flat(run_object(run).model_dump(exclude=left_out)) for run in runs]
    heads = dict.fromkeys(name for row in rows for name in row)
    nested = {"error": tuple(RunError.model_fields), "usage": tuple(RunUsage.model_fields)}
    for name, parts in nested.items():  # of a run without it, it is one empty cell
        if name in heads:
            del heads[name]
            heads |= dict.fromkeys(f"{name}_{part}" for part in parts)
    return _table(rows, heads)


def span_object(span: Span, by: str | None) -> StatisticsSpan:
    """The sums of one span, of a group by the dimension `by`."""
    group = span.group[:SHOWN] if by == "key" and span.group.startswith(UNNAMED) else span.group
    return StatisticsSpan(
        begin=span.begin,
        group=None if by is None else without_surrogates(group),
        runs=int(span.value("runs")),
        prompt_tokens=int(
            span.value("input_tokens") + span.value("cache_creation_tokens") + span.value("cache_read_tokens")
        ),
        cached_tokens=int(span.value("cache_read_tokens")),
        cache_written_tokens=int(span.value("cache_creation_tokens")),
        completion_tokens=int(span.value("output_tokens")),
        reasoning_tokens=int(span.value("reasoning_tokens")),
        cost_usd=span.value("cost_usd") if span.value("priced") else None,
        first_token=_times(span, "first_token"),
        duration=_times(span, "duration"),
    )


def _times(span: Span, name: Literal["first_token", "duration"]) -> Times:
    bounds = [span.quantile(name, share) for share in (0.5, 0.95)]
    middle, high = (BOUNDS[-1] if bound is not None and isinf(bound) else bound for bound in bounds)
    return Times(p50=middle, p95=high)


_EMPTY = Span(0, "", (0.0,) * len(COLUMNS))


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        flat |= {f"{name}_{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _table(rows: Sequence[dict[str, Any]], heads: Iterable[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    names = list(heads)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in names])
    return text.getvalue()


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
