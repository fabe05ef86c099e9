"""What was measured, in a few numbers: as a table for people, as one JSON object for programs. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.contestants import TOKENS, Run
from benchmarks.round_trip import RoundTrip

TARGET: Final = 1.10
"""How long the server may take, in proportion to the baseline."""

TOOL_TARGET: Final = 0.060
"""Seconds that a tool's result may take to upstream: its session is live."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Samples in three numbers: the median and the quartiles around it."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the request to the first piece of text, and to the end."""

    first_token: Spread
    end: Spread


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes in the middle of an answer: the server by itself, and what it started for the answer."""

    server: int
    children: int


@dataclass(frozen=True, slots=True)
class Report:
    """One run. `whole` says that each piece of text from upstream left the server as one chunk, in every round; `live`
    that each result of a tool went on in the session of its call. Of the tools it is told how long a question and a
    result took to upstream.
    """

    cores: int
    rounds: int
    upstream: Times
    baseline: Times
    server: Times
    first_token_ratio: float
    end_ratio: float
    whole: bool
    tool_question: Spread
    tool_result: Spread
    live: bool
    start: Spread
    memory: Memory
    tokens: int = TOKENS
    target: float = TARGET
    tool_target: float = TOOL_TARGET


def reported(
    upstream: Sequence[Run],
    baseline: Sequence[Run],
    server: Sequence[Run],
    *,
    trips: Sequence[RoundTrip],
    starts: Sequence[float],
    memory: Memory,
    cores: int,
) -> Report:
    """The run of each contestant in each round, the round trips of the tool, the starts in seconds: in few numbers."""
    way, base, ours = _times(upstream), _times(baseline), _times(server)
    return Report(
        cores=cores,
        rounds=len(server),
        upstream=way,
        baseline=base,
        server=ours,
        first_token_ratio=ours.first_token.median / base.first_token.median,
        end_ratio=ours.end.median / base.end.median,
        whole=[run.pieces for run in server] == [run.pieces for run in upstream],
        tool_question=_spread([trip.question for trip in trips]),
        tool_result=_spread([trip.result for trip in trips]),
        live=all(trip.live for trip in trips),
        start=_spread(starts),
        memory=memory,
    )


def table(report: Report) -> str:
    """Markdown that reads well in a terminal too."""
    way, base, ours = report.upstream, report.baseline, report.server
    rows = [
        (f"{report.rounds} rounds, in ms", "Messages API", "`query()`", "claude-openai", "target"),
        ("---",) * 5,
        (
            f"{report.tokens} tokens: first",
            *map(_milliseconds, (way.first_token, base.first_token, ours.first_token)),
            _proportion(report.first_token_ratio),
        ),
        (
            f"{report.tokens} tokens: end",
            *map(_milliseconds, (way.end, base.end, ours.end)),
            _proportion(report.end_ratio),
        ),
        ("tool: question to upstream", "", "", _milliseconds(report.tool_question), ""),
        ("tool: result to upstream", "", "", _milliseconds(report.tool_result), _delay(report.tool_result.median)),
    ]
    return f"{_aligned(rows)}\n\n{_facts(report)}"


def _times(runs: Sequence[Run]) -> Times:
    return Times(_spread([run.first for run in runs]), _spread([run.end for run in runs]))


def _spread(samples: Sequence[float]) -> Spread:
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0])
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(median, low, high)


def _facts(report: Report) -> str:
    alone, together = report.memory.server, report.memory.server + report.memory.children
    chunks = "each token upstream left as one chunk" if report.whole else "NOT one chunk for each token upstream"
    sessions = "each result" if report.live else "NOT each result"
    return "\n".join(
        [
            f"- Chunks: {chunks}.",
            f"- Tools: {sessions} went on in the session of its call.",
            f"- Start: ready after {_range(report.start, 1, 2)} s.",
            f"- Memory: {_mib(alone)} resident, {_mib(together)} with the Claude Code of an answer in progress.",
            f"- Medians, with quartiles in brackets; {report.cores} cores.",
        ]
    )


def _milliseconds(measured: Spread) -> str:
    return _range(measured, 1000, 0)


def _range(measured: Spread, scale: float, digits: int) -> str:
    median, low, high = (f"{value * scale:.{digits}f}" for value in (measured.median, measured.low, measured.high))
    return f"{median} ({low} to {high})"


def _proportion(ratio: float) -> str:
    return f"{ratio:.2f} of `query()`, {_verdict(ratio <= TARGET)} {TARGET:.2f}"


def _delay(seconds: float) -> str:
    return f"{_verdict(seconds <= TOOL_TARGET)} {TOOL_TARGET * 1000:.0f} ms"


def _verdict(met: bool) -> str:
    return "within" if met else "OVER"


def _mib(count: int) -> str:
    return f"{count / 1024 / 1024:.0f} MiB"


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: tuple[str, ...], widths: Sequence[int]) -> str:
    fill = "-" if row[0] == "---" else " "
    return f"| {' | '.join(cell.ljust(width, fill) for cell, width in zip(row, widths, strict=True))} |"
