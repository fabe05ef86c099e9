"""The metrics of the whole server over the real Claude Code."""

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from claude_openai.simulator import Replies, Reply, Text, ToolUse
from tests.claude_code.conftest import Serve
from tests.patience import PATIENCE_SECONDS

TOOL = {
    "type": "function",
    "function": {"name": "clock", "parameters": {"type": "object", "required": ["zone"], "properties": {"zone": {}}}},
}


@pytest.mark.proves("metrics.values")
async def test_calls_ways_processes_and_tokens_are_counted(serve: Serve) -> None:
    async with serve() as rig:
        rig.plays(
            Replies(
                Reply((ToolUse("clock", {}),)),  # does not fit, so that the model mends it
                Reply((ToolUse("clock", {"zone": "UTC"}),)),
                Reply((Text.of("noon"),)),
            )
        )
        question = {"role": "user", "content": "What time is it?"}
        async with httpx2.AsyncClient(base_url=rig.url, timeout=PATIENCE_SECONDS) as client:
            asked = {"model": "sonnet", "messages": [question], "tools": [TOOL]}
            answer = (await client.post("/v1/chat/completions", json=asked)).json()["choices"][0]["message"]
            result = {"role": "tool", "tool_call_id": answer["tool_calls"][0]["id"], "content": "12:00"}
            asked["messages"] = [question, answer, result]
            assert (await client.post("/v1/chat/completions", json=asked)).status_code == 200
            text = (await client.get("/metrics")).text
    samples = {
        (sample.name.removeprefix("claude_openai_"), *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["tool_calls_total", "true"] == 1
    assert samples["tool_calls_total", "false"] == 1
    assert samples["turns_total", "results"] == 1
    assert samples["turns_total", "cold"] == 1
    assert sum(value for (name, *_), value in samples.items() if name == "requests_total") == 2
    assert samples["tokens_total", "output", "sonnet"] > 0
    assert samples["process_start_failures_total",] == 0
    assert samples["process_resident_memory_bytes",] > 0
