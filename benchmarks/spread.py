"""Samples in a few numbers. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of the samples, the quartiles around it, and the samples, which a comparison needs."""

    median: float
    low: float
    high: float
    samples: tuple[float, ...] = ()


def spread(samples: Sequence[float]) -> Spread:
    """At least one sample."""
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0], tuple(samples))
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(median, low, high, tuple(samples))


def percentile(samples: Sequence[float], percent: int) -> float:
    """The sample that so many of a hundred do not exceed, interpolated."""
    if len(samples) == 1:
        return samples[0]
    return statistics.quantiles(samples, n=100, method="inclusive")[percent - 1]
