"""The metrics of a server: one table with the name, the type and the labels of each, and the values that are counted.

Names follow Prometheus: seconds and bytes, `_total` for what only grows, `_ratio` from 0 to 1. Every label takes values
from a list that no client can extend, so that the number of time series is bounded: a model that is not in the
catalogue is `other`, and no User-Agent, id or path is a label.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

OTHER: Final = "other"
"""The label of what is not in the list of a label's values."""

Labels = tuple[str, ...]
"""The values of a metric's labels, in the order of `Metric.labels`."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `name` lacks the prefix `claude_openai_`; `buckets` are the upper bounds of a histogram."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        """The name of its time series; those of a histogram end in `_bucket`, `_sum` and `_count`."""
        return f"claude_openai_{self.name}"


@dataclass(slots=True)
class Distribution:
    """The values of a histogram: how many are in each bucket (the last one has no upper bound), and their sum."""

    counts: list[int]
    sum: float = 0.0

    def copy(self) -> "Distribution":
        return Distribution(self.counts.copy(), self.sum)


Samples = Mapping[Labels, float | Distribution]
"""The values of one metric by its labels."""

_LATENCY: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_RATE: Final = (5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 150.0, 200.0, 400.0)

BUILD = Metric(
    "build_info", "gauge", "1, with the versions in its labels", ("version", "claude_code", "backend", "simulated")
)
READY = Metric("ready", "gauge", "1 if requests can be answered, as /health reports it, else 0")
REQUESTS = Metric(
    "requests_total",
    "counter",
    "Requests that have ended; `code` is empty if they were completed. A refused one has the model `none`",
    ("endpoint", "model", "outcome", "code"),
)
DURATION = Metric(
    "request_duration_seconds",
    "histogram",
    "From a request's arrival to the end of its answer",
    ("endpoint",),
    _LATENCY,
)
FIRST_TOKEN = Metric(
    "time_to_first_token_seconds",
    "histogram",
    "From a request's arrival to the first token of its answer, by the way on which it reached Claude Code",
    ("way",),
    _LATENCY,
)
QUEUE_WAIT = Metric(
    "queue_wait_seconds", "histogram", "Wait for a place, of requests that got one", (), (0.01, *_LATENCY)
)
OUTPUT_RATE = Metric(
    "output_tokens_per_second",
    "histogram",
    "Tokens of an answer by the time from its first to its last",
    ("model",),
    _RATE,
)
TOKENS = Metric("tokens_total", "counter", "Tokens, as upstream counts them", ("model", "kind"))
REASONING_TOKENS = Metric("reasoning_tokens_total", "counter", "Tokens of thinking, which are output too", ("model",))
COST = Metric("cost_usd_total", "counter", "Cost of answers as Claude Code reports it, in US dollars", ("model",))
RUNS = Metric("runs", "gauge", "Requests that wait in the queue, are answered, or wait for tool results", ("state",))
PLACES = Metric("places", "gauge", "Requests that may be answered at once (--max-concurrency)")
PROCESSES = Metric("processes", "gauge", "Claude Code processes by what they do", ("state",))
RESIDENT_MEMORY = Metric(
    "process_resident_memory_bytes", "gauge", "Resident memory of all processes that the server started: Claude Code's"
)
START_FAILURES = Metric("process_start_failures_total", "counter", "Claude Code processes that did not start")
TURNS = Metric("turns_total", "counter", "Requests by the way on which they reached Claude Code", ("way",))
REBUILDS = Metric(
    "rebuilds_total", "counter", "Requests whose history no process had, by the reason of that", ("reason",)
)
CONVERSATIONS_ENDED = Metric(
    "conversations_ended_total", "counter", "Conversations in a process that ended, by the reason", ("reason",)
)
RETRIES = Metric(
    "upstream_retries_total", "counter", "Repetitions of a request by Claude Code, by the status upstream", ("status",)
)
LIMIT_UTILIZATION = Metric(
    "rate_limit_utilization_ratio", "gauge", "Used share of the account's usage window, as last reported", ("window",)
)
LIMIT_RESET = Metric(
    "rate_limit_reset_timestamp_seconds", "gauge", "End of the account's usage window, in Unix seconds", ("window",)
)
LIMIT_REJECTIONS = Metric(
    "rate_limit_rejections_total", "counter", "Reports of upstream that a usage window is used up", ("window",)
)
TOOL_CALLS = Metric(
    "tool_calls_total", "counter", "Calls of the client's tools by the model; `valid` is whether they fit", ("valid",)
)
QUEUE_REJECTIONS = Metric("queue_rejections_total", "counter", "Requests that the full queue refused")
STORE_UNWRITTEN = Metric("store_unwritten_runs", "gauge", "Runs that wait to be written to the store")
STORE_LOST = Metric("store_lost_runs_total", "counter", "Runs that could not be written")
STORE_BYTES = Metric("store_bytes", "gauge", "Size of the store on disk")
LOG_DROPPED = Metric("log_dropped_events_total", "counter", "Events of the log that could not be written")

METRICS: Final = (
    BUILD,
    READY,
    REQUESTS,
    DURATION,
    FIRST_TOKEN,
    QUEUE_WAIT,
    OUTPUT_RATE,
    TOKENS,
    REASONING_TOKENS,
    COST,
    RUNS,
    PLACES,
    PROCESSES,
    RESIDENT_MEMORY,
    START_FAILURES,
    TURNS,
    REBUILDS,
    CONVERSATIONS_ENDED,
    RETRIES,
    LIMIT_UTILIZATION,
    LIMIT_RESET,
    LIMIT_REJECTIONS,
    TOOL_CALLS,
    QUEUE_REJECTIONS,
    STORE_UNWRITTEN,
    STORE_LOST,
    STORE_BYTES,
    LOG_DROPPED,
)
"""All metrics, in the order of the documents. The library adds `process_*` and `python_*`."""


@dataclass(slots=True)
class Counts:
    """What has been counted since the start: some dictionary updates a request, and none for a token."""

    _values: dict[Metric, dict[Labels, float]] = field(default_factory=dict)
    _distributions: dict[Metric, dict[Labels, Distribution]] = field(default_factory=dict)

    def add(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """Add `by` to a counter."""
        values = self._values.setdefault(metric, {})
        values[labels] = values.get(labels, 0) + by

    def set(self, metric: Metric, *labels: str, to: float) -> None:
        """Set a gauge."""
        self._values.setdefault(metric, {})[labels] = to

    def observe(self, metric: Metric, *labels: str, value: float) -> None:
        """Record a value of a histogram; one below 0, of a clock that was set back, counts as 0."""
        value = max(value, 0.0)
        distributions = self._distributions.setdefault(metric, {})
        if (found := distributions.get(labels)) is None:
            found = distributions[labels] = Distribution([0] * (len(metric.buckets) + 1))
        found.counts[bisect_left(metric.buckets, value)] += 1
        found.sum += value

    def copy(self) -> dict[Metric, Samples]:
        """A copy of all values, which another thread may read."""
        values: dict[Metric, Samples] = {metric: dict(samples) for metric, samples in self._values.items()}
        for metric, samples in self._distributions.items():
            values[metric] = {labels: each.copy() for labels, each in samples.items()}
        return values


def markdown_table() -> str:
    """The table of the documents."""
    rows = ["| Name | Type | Labels | What it is |", "|---|---|---|---|"]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        rows.append(f"| `{metric.full_name}` | {metric.type} | {labels} | {metric.help} |")
    return "\n".join(rows)
