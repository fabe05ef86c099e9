"""`GET /metrics`: the numbers of `core.metrics`, for Prometheus.

The counts are copied on the event loop; everything else, the import of the library at the first scrape included, is
done in a thread: streams would stall while thousands of lines are rendered.
"""

from collections.abc import Mapping

import anyio
import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_openai.core import metrics
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.metrics import METRICS, Distribution, Metric, Samples
from claude_openai.http.middleware.auth import known_identity
from claude_openai.http.ports import Gateway
from claude_openai.logs import dropped_events
from claude_openai.system.processes import resident_bytes_of_children

DESCRIPTION_SECONDS = 5.0
"""How long a scrape waits for Claude Code's description, which is known from the start on; Prometheus's own timeout is
10 s."""


_NOT_AN_OPERATOR = (
    "The metrics are totals of all keys, and the key of {} is not an operator's. Make one for the scraper with: "
    "claude-openai keys add NAME --operator"
)


class MetricsEndpoint:
    """Answers in the format that the scraper accepts: OpenMetrics, or else Prometheus's text format."""

    def __init__(self, gateway: Gateway, *, version: str, simulated: bool) -> None:
        self._gateway = gateway
        self._version = version
        self._simulated = simulated
        self._one_at_a_time = anyio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        who = known_identity(scope)
        if who and who.name and not who.is_operator:
            raise RequestFailed(Failure(Kind.PERMISSION_DENIED, _NOT_AN_OPERATOR.format(who.name)))
        async with self._one_at_a_time:
            name, claude_code, ready = await self._description()
            build = (self._version, claude_code, name, str(self._simulated).lower())
            values: dict[Metric, Samples] = {
                **self._gateway.metrics(),
                metrics.BUILD: {build: 1},
                metrics.READY: {(): int(ready)},
                metrics.LOG_DROPPED: {(): dropped_events()},
            }
            accept = Headers(scope=scope).get("accept", "")
            body, content_type = await anyio.to_thread.run_sync(_rendered, values, accept)
        # Not `media_type`: Starlette would add a second charset.
        response = Response(body, headers={"content-type": content_type, "cache-control": "no-store"})
        await response(scope, receive, send)

    async def _description(self) -> tuple[str, str, bool]:
        """The backend's name and version, empty if they are not known, and whether requests can be answered."""
        with anyio.move_on_after(DESCRIPTION_SECONDS):
            try:
                description = await self._gateway.description()
            except RequestFailed:
                return "", "", False
            return description.name, description.version, self._gateway.outage(description) is None
        return "", "", False


def _rendered(values: Mapping[Metric, Samples], accept: str) -> tuple[bytes, str]:
    """The body and its content type."""
    from prometheus_client import GCCollector, ProcessCollector  # noqa: PLC0415 -- 60 ms, at the first scrape only
    from prometheus_client.core import (  # noqa: PLC0415
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )
    from prometheus_client.exposition import choose_encoder  # noqa: PLC0415
    from prometheus_client.registry import Collector, CollectorRegistry  # noqa: PLC0415

    types = {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
    values = {**values, metrics.RESIDENT_MEMORY: {(): resident_bytes_of_children()}}

    class Ours(Collector):
        def collect(self) -> list[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]:
            families = []
            for metric in METRICS:
                family = types[metric.type](metric.full_name, metric.help, labels=metric.labels)
                for labels, value in values.get(metric, {}).items():
                    if isinstance(value, Distribution):
                        family.add_metric(labels, _buckets(metric, value), value.sum)
                    else:
                        family.add_metric(labels, value)
                families.append(family)
            return families

    registry = CollectorRegistry()
    registry.register(Ours())
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def _buckets(metric: Metric, distribution: Distribution) -> list[tuple[str, float]]:
    """The cumulative counts of a histogram, by the upper bounds as Prometheus writes them."""
    total, buckets = 0, []
    for bound, count in zip((*metric.buckets, float("inf")), distribution.counts, strict=True):
        total += count
        buckets.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
    return buckets
