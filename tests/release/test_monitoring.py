"""The dashboard and the alert rules of `deploy/`: they name metrics that exist, and the guide has each alert."""

import json
import re
import shutil
import subprocess
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from claude_openai.core.metrics import METRICS
from tests.patience import PATIENCE_SECONDS
from tests.repository import ROOT

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "claude-openai.json"

OF_THE_LIBRARY = frozenset({"process_resident_memory_bytes"})

pytestmark = pytest.mark.proves("metrics.alerts")


def rules() -> list[dict[str, Any]]:
    loaded = YAML(typ="safe").load(RULES)
    return list(chain.from_iterable(group["rules"] for group in loaded["groups"]))


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


def test_every_metric_that_they_name_exists_with_the_labels_that_they_name() -> None:
    labels = {metric.full_name: {*metric.labels, "instance"} for metric in METRICS if metric.type != "histogram"}
    for metric in METRICS:
        if metric.type == "histogram":
            labels[f"{metric.full_name}_bucket"] = {*metric.labels, "instance", "le"}
    for expression in (*expressions(), *(rule["expr"] for rule in rules())):
        named = set(re.findall(r"\b(?:claude_openai|process|python)_\w+", expression))
        assert named <= labels.keys() | OF_THE_LIBRARY, expression
        known = set().union(*(labels.get(name, {"instance"}) for name in named)) | {"job"}
        by = re.findall(r"by \(([^)]*)\)", expression)
        selectors = re.findall(r"{([^}]*)}", expression)
        used = {label.strip() for each in by for label in each.split(",") if label.strip()}
        used |= {found for each in selectors for found in re.findall(r"(\w+)\s*(?:=~|!=|=)", each)}
        assert used <= known, expression


def test_the_page_says_of_each_alert_what_it_means() -> None:
    page = (ROOT / "docs" / "guide" / "operate.md").read_text("utf-8")
    assert re.findall(r"^\| `(ClaudeOpenai\w+)` \| .+ \| .+ \|$", page, re.MULTILINE) == [
        rule["alert"] for rule in rules()
    ]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing: apt-get install prometheus")
def test_prometheus_accepts_the_rules_and_each_alert_fires_where_it_should(tmp_path: Path) -> None:
    fires = [
        ("ClaudeOpenaiDown", "5m", {'up{job="claude-openai", instance="a"}': "0x10"}),
        ("ClaudeOpenaiNotReady", "6m", {'claude_openai_ready{instance="a"}': "0x10"}),
        (
            "ClaudeOpenaiErrors",
            "25m",
            {
                'claude_openai_requests_total{instance="a", model="m", outcome="failed"}': "0+1x40",
                'claude_openai_requests_total{instance="a", model="m", outcome="completed"}': "0+9x40",
            },
        ),
        ("ClaudeOpenaiQueueFull", "5m", {'claude_openai_queue_rejections_total{instance="a"}': "0 0 1x10"}),
        ("ClaudeOpenaiStartFailures", "9m", {'claude_openai_process_start_failures_total{instance="a"}': "0+1x20"}),
        (
            "ClaudeOpenaiRebuilds",
            "70m",
            {
                'claude_openai_rebuilds_total{instance="a", reason="evicted"}': "0+2x90",
                'claude_openai_turns_total{instance="a", way="rebuilt"}': "0+2x90",
                'claude_openai_turns_total{instance="a", way="live"}': "0+1x90",
            },
        ),
        (
            "ClaudeOpenaiUsageWindowNear",
            "2m",
            {
                'claude_openai_rate_limit_utilization_ratio{instance="a", window="five_hour"}': "0.95x10",
                'claude_openai_rate_limit_reset_timestamp_seconds{instance="a", window="five_hour"}': "9000x10",
            },
        ),
        (
            "ClaudeOpenaiUsageWindowUsedUp",
            "5m",
            {'claude_openai_rate_limit_rejections_total{instance="a", window="five_hour"}': "0 0 1x10"},
        ),
        ("ClaudeOpenaiStoreLosesRuns", "5m", {'claude_openai_store_lost_runs_total{instance="a"}': "0 0 3x10"}),
        ("ClaudeOpenaiLogDropsEvents", "5m", {'claude_openai_log_dropped_events_total{instance="a"}': "0 0 3x10"}),
        (
            "ClaudeOpenaiSlowFirstToken",
            "40m",
            {
                'claude_openai_time_to_first_token_seconds_bucket{instance="a", way="cold", le="60.0"}': "0+1x60",
                'claude_openai_time_to_first_token_seconds_bucket{instance="a", way="cold", le="30.0"}': "0x60",
                'claude_openai_time_to_first_token_seconds_bucket{instance="a", way="cold", le="+Inf"}': "0+1x60",
            },
        ),
        (
            "ClaudeOpenaiQueueSlow",
            "30m",
            {
                'claude_openai_queue_wait_seconds_bucket{instance="a", le="60.0"}': "0+1x60",
                'claude_openai_queue_wait_seconds_bucket{instance="a", le="10.0"}': "0x60",
                'claude_openai_queue_wait_seconds_bucket{instance="a", le="+Inf"}': "0+1x60",
            },
        ),
    ]
    assert {name for name, _, _ in fires} == {rule["alert"] for rule in rules()}
    # promtool compares an alert's labels and annotations whole; ALERTS is the series that Prometheus makes of it.
    cases = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": series, "values": values} for series, values in samples.items()],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}})',
                        "eval_time": when,
                        "exp_samples": [{"labels": "{}", "value": 1}],
                    }
                ],
            }
            for name, when, samples in fires
        ],
    }
    file = tmp_path / "cases.yml"
    with file.open("w", encoding="utf-8") as written:
        YAML(typ="safe").dump(cases, written)
    for command in (["check", "rules", str(RULES)], ["test", "rules", str(file)]):
        done = subprocess.run(
            ["promtool", *command], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
