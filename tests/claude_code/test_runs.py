"""What becomes of requests that the real Claude Code answers."""

from pathlib import Path

import anyio
import httpx2
import openai
import pytest

from claude_openai.simulator import Replies, Reply, Stall, Text
from tests.claude_code.conftest import NEW_MODEL, Rig
from tests.claude_code.test_lifetime import nothing_is_left
from tests.claude_code.test_tools import TOOLS, USER, ask, back, results, weather
from tests.patience import PATIENCE_SECONDS


async def run_of(rig: Rig, name: str, action: str = "", method: str = "GET") -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=rig.url, timeout=PATIENCE_SECONDS) as http:
        return await http.request(method, f"/runs/{name}{action}")


@pytest.mark.proves("runs.cancel")
async def test_a_run_that_is_cancelled_in_mid_answer_ends_upstream_and_leaves_no_process(
    rig: Rig, sandbox: Path
) -> None:
    rig.plays(lambda _: Reply((Text(("one ", "two ")),), fault=Stall(5)))
    with anyio.fail_after(PATIENCE_SECONDS):
        stream = await rig.client.chat.completions.create(
            model=NEW_MODEL, messages=[{"role": "user", "content": "hi"}], stream=True
        )
        first = await anext(stream)
        request = await rig.simulator.request(0)
        assert (await run_of(rig, first.id)).json()["state"] == "running"
        assert (await run_of(rig, first.id, "/cancel", "POST")).json()["state"] == "cancelled"
        with pytest.raises(openai.APIError) as raised:
            [chunk async for chunk in stream]
        await request.closed.wait()
    assert raised.value.code == "run_cancelled"
    assert await nothing_is_left(rig, sandbox)


@pytest.mark.proves("runs.states")
async def test_a_run_is_parked_until_the_results_of_its_calls_come(rig: Rig) -> None:
    rig.plays(Replies(weather(), Reply.of("Sunny.")))
    answer = await ask(rig, [USER])
    parked = (await run_of(rig, answer.id)).json()
    assert (parked["state"], parked["finish_reason"]) == ("parked", "tool_calls")
    assert [call["name"] for call in parked["tool_calls"]] == [TOOLS[0]["function"]["name"]]
    final = await ask(rig, [USER, back(answer), *results(answer, ["22 degrees"])])
    assert (await run_of(rig, answer.id)).json()["state"] == "completed"
    last = (await run_of(rig, final.id)).json()
    assert (last["state"], last["way"], last["text"]) == ("completed", "results", "Sunny.")
    assert last["model"] == NEW_MODEL
    assert last["usage"]["completion_tokens"] == (final.usage.completion_tokens if final.usage else None)
    assert last["cost_usd"] > 0
