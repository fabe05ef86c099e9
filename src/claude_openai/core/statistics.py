"""What runs add up to: counts, tokens, cost and histograms of times, by the hour and by what a run was.

Roll-ups are sums, so that they can be added further: days are sums of hours, all models the sum of each. Pure.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, Literal, get_args

from claude_openai.core.runs import Run
from claude_openai.text import client_name

HOUR_SECONDS: Final = 3600

BOUNDS: Final = tuple(round(0.1 * 2 ** (step / 2), 3) for step in range(21))
"""Upper bounds of the buckets of times in seconds, 0.1 to 102.4; one more bucket is for what is longer."""

Dimension = Literal["model", "client", "key", "way", "state"]
"""What sums can be grouped by. The client is the program of its User-Agent (`text.client_name`)."""

DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)

_SUMS: Final = (
    *("runs", "input_tokens", "output_tokens", "cache_creation_tokens", "cache_read_tokens", "reasoning_tokens"),
    *("cost_usd", "priced"),
)
_BUCKETS: Final = range(len(BOUNDS) + 1)

COLUMNS: Final = (*_SUMS, *(f"first_token_{n}" for n in _BUCKETS), *(f"duration_{n}" for n in _BUCKETS))
"""The names of `Hour.values`, in their order."""


@dataclass(frozen=True, slots=True)
class Hour:
    """What some runs add up to that arrived in the same hour (Unix time divided by 3600) and are alike."""

    hour: int
    principal: str
    model: str
    client: str
    way: str
    state: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """The sums of a group of runs within a span of time that begins at `begin`, in Unix seconds."""

    begin: int
    group: str
    values: tuple[float, ...]

    def value(self, column: str) -> float:
        """The sum in one of `COLUMNS`."""
        return self.values[COLUMNS.index(column)]

    def quantile(self, times: Literal["first_token", "duration"], share: float) -> float | None:
        """The upper bound, in seconds, of the bucket that has the quantile `share` (0 to 1); None without any time.

        Infinite if that is longer than the last bound.
        """
        begin = COLUMNS.index(f"{times}_0")
        counts = self.values[begin : begin + len(_BUCKETS)]
        wanted = share * sum(counts)
        seen = 0.0
        for count, bound in zip(counts, (*BOUNDS, inf), strict=True):
            seen += count
            if count and seen >= wanted:
                return bound
        return None


def hour_of(run: Run) -> Hour:
    """What `run`, which is answered, adds to its hour. One that waits for tool results has completed."""
    used, cost = run.usage, run.cost_usd
    sums = (
        1,
        used.input_tokens if used else 0,
        used.output_tokens if used else 0,
        used.cache_creation_tokens if used else 0,
        used.cache_read_tokens if used else 0,
        used.reasoning_tokens if used else 0,
        cost or 0.0,
        int(cost is not None),
    )
    return Hour(
        int(run.arrived_at // HOUR_SECONDS),
        run.principal,
        run.model,
        client_name(run.client),
        run.session_start or "",
        "completed" if run.error_code is None else run.state.value,
        (*sums, *_bucket(run.first_token_at, run.arrived_at), *_bucket(run.ended_at, run.arrived_at)),
    )


def summed(hours: Iterable[Hour], width: int, by: Dimension | None) -> tuple[Span, ...]:
    """The sums of `hours` in spans of `width` seconds, a multiple of an hour, by the dimension `by`."""
    found: dict[tuple[int, str], tuple[float, ...]] = {}
    for hour in hours:
        group = "" if by is None else str(getattr(hour, "principal" if by == "key" else by))
        place = hour.hour * HOUR_SECONDS // width * width, group
        found[place] = added(found[place], hour.values) if place in found else hour.values
    return tuple(Span(*place, values) for place, values in sorted(found.items()))


def added(one: Sequence[float], other: Sequence[float]) -> tuple[float, ...]:
    """The sums of both."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _bucket(then: float | None, arrived: float) -> Iterable[int]:
    place = None if then is None else bisect_left(BOUNDS, then - arrived)
    return (int(number == place) for number in _BUCKETS)
