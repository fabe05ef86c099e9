"""`GET /metrics`: what Prometheus scrapes."""

import subprocess
import sys

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from claude_openai.core.events import RateLimitReported, Retrying, TurnFailed, Usage, UsageReported
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.metrics import METRICS
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, FINISHED, HELLO, STARTED, STREAMED, Served, said

Labels = tuple[tuple[str, str], ...]


async def scraped(served: Served, **headers: str) -> dict[str, dict[Labels, float]]:
    """The samples by name and labels."""
    answer = await served.client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name.removeprefix("claude_openai_"), {})[tuple(sorted(sample.labels.items()))] = (
                sample.value
            )
    return found


def outcome(model: str, outcome: str, code: str = "") -> Labels:
    return (("code", code), ("endpoint", "chat"), ("model", model), ("outcome", outcome))


@pytest.mark.proves("metrics.values")
async def test_every_request_counts_once_with_its_outcome_its_tokens_and_its_cost(serve: Serve) -> None:
    used = UsageReported(Usage(10, 5, cache_creation_tokens=3, cache_read_tokens=7, reasoning_tokens=2), cost_usd=0.25)
    limit = RateLimitReported("allowed", "five_hour", 0.4, 2e9)
    failed = TurnFailed(Failure(Kind.UPSTREAM_ERROR, "no"))
    served = serve(
        (limit, Retrying(1, 2, 529), STARTED, *said("Hi")[1:2], used, FINISHED),
        said("Hi", "you"),
        (failed,),
        said("Hi"),
    )
    assert (await served.chat()).status_code == 200
    assert (await served.client.post(CHAT, json=STREAMED)).status_code == 200
    assert (await served.chat()).status_code == 502
    assert (await served.chat({**HELLO, "model": "claude-invented-by-a-client"})).status_code == 200
    assert (await served.chat({**HELLO, "temperature": "hot"})).status_code == 400
    assert (await served.client.get("/runs/none")).status_code == 404  # of an endpoint that calls no model
    found = await scraped(served)
    assert found["requests_total"] == {
        outcome("sonnet", "completed"): 2,
        outcome("sonnet", "failed", "upstream_error"): 1,
        outcome("other", "completed"): 1,
        outcome("none", "failed", "invalid_request"): 1,
    }
    tokens = {labels: count for labels, count in found["tokens_total"].items() if ("model", "sonnet") in labels}
    kinds = {"input": 20, "cache_read": 14, "cache_write": 6, "output": 10}
    assert tokens == {(("kind", kind), ("model", "sonnet")): count for kind, count in kinds.items()}
    assert found["reasoning_tokens_total"] == {(("model", "sonnet"),): 4, (("model", "other"),): 2}
    assert found["cost_usd_total"] == {(("model", "sonnet"),): 0.5, (("model", "other"),): 0.25}
    assert found["turns_total"] == {(("way", "cold"),): 4}
    assert found["queue_wait_seconds_count"] == {(): 4}
    assert found["time_to_first_token_seconds_count"] == {(("way", "cold"),): 3}
    assert found["request_duration_seconds_count"] == {(("endpoint", "chat"),): 4}
    buckets = found["request_duration_seconds_bucket"]
    assert buckets[(("endpoint", "chat"), ("le", "+Inf"))] == 4
    assert sorted(buckets.values()) == list(buckets.values())  # cumulative
    assert found["upstream_retries_total"] == {(("status", "5xx"),): 1}
    assert found["rate_limit_utilization_ratio"] == {(("window", "five_hour"),): 0.4}
    assert found["rate_limit_reset_timestamp_seconds"] == {(("window", "five_hour"),): 2e9}
    assert found["runs"] == {(("state", state),): 0 for state in ("queued", "running", "parked")}
    assert found["places"] == {(): 2}
    assert found["ready"] == {(): 1}


@pytest.mark.proves("metrics.values")
async def test_nothing_that_a_client_writes_is_a_label(serve: Serve) -> None:
    window = RateLimitReported("rejected", "window-of-upstreams-own", None, None)
    served = serve((window, *said("Hi")))
    for index in range(3):
        planted = {"user-agent": f"planted-{index}", "x-request-id": f"planted-{index}"}
        await served.client.post(CHAT, json={**HELLO, "model": f"claude-planted-{index}"}, headers=planted)
        await served.client.post(CHAT, json={**HELLO, "model": f"planted-{index}"}, headers=planted)
        await served.client.get(f"/planted-{index}", headers=planted)
    text = (await served.client.get("/metrics")).text
    assert "planted" not in text
    assert "upstreams-own" not in text
    assert 'model="other"' in text
    assert 'rate_limit_rejections_total{window="other"} 3.0' in text


@pytest.mark.proves("metrics.scrape")
async def test_a_scraper_that_accepts_openmetrics_gets_it_and_head_has_no_body(serve: Serve) -> None:
    served = serve(said("Hi"))
    await served.chat()
    answer = await served.client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.headers["cache-control"] == "no-store"
    names = {family.name for family in open_metrics(answer.text)}  # type: ignore[no-untyped-call]
    assert {metric.full_name.removesuffix("_total").removesuffix("_info") for metric in METRICS} <= {
        name.removesuffix("_info") for name in names
    } | {"claude_openai_store_bytes"}  # the store of the test is in memory
    head = await served.client.head("/metrics")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.proves("metrics.scrape")
async def test_metrics_are_open_to_this_machine_only_where_the_operator_says_so(serve: Serve) -> None:
    served = serve(said("Hi"), keys=("sk-right",))
    assert (await served.client.get("/metrics")).status_code == 401
    assert (await served.client.get("/metrics", headers={"authorization": "Bearer sk-right"})).status_code == 200
    served = serve(said("Hi"), keys=("sk-right",), metrics_open=True)
    assert (await served.client.get("/metrics")).status_code == 200
    assert (await served.client.get("/metrics", headers={"authorization": "Bearer sk-wrong"})).status_code == 200
    for header in ("forwarded", "x-forwarded-for", "x-real-ip", "via"):  # a proxy's client may be anywhere
        assert (await served.client.get("/metrics", headers={header: "for=192.0.2.1"})).status_code == 401
    assert (await served.client.get("/v1/models")).status_code == 401
    assert (await served.client.get("/metrics/")).status_code == 401
    assert "requests_total" not in await scraped(served)  # of the model
    await served.chat()
    assert (await scraped(served))["requests_total"] == {outcome("none", "failed", "invalid_api_key"): 1}


@pytest.mark.proves("metrics.scrape")
def test_a_start_loads_the_library_never_and_the_sdk_only_once_claude_code_starts() -> None:
    code = (
        "import sys, claude_openai.server.wiring as _;"
        "early = {'claude_agent_sdk', 'mcp', 'starlette.routing'} & sys.modules.keys();"
        "import claude_openai.server.application;"
        "sys.exit(str(early) if early else 'prometheus_client' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_SECONDS)
