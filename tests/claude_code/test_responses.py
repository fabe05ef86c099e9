"""The Responses API over the real Claude Code, asked by the official client."""

from typing import Any

import anyio
import pytest

from claude_openai.testing import Replies, Reply, ToolUse
from tests.claude_code.conftest import NEW_MODEL, PATIENCE_SECONDS, Rig

pytestmark = pytest.mark.anyio

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


@pytest.mark.proves("responses.live")
async def test_a_response_goes_on_in_the_session_that_gave_the_one_before(rig: Rig) -> None:
    rig.plays(Replies("one", "two", "three"))
    before = rig.gateway.load().turns
    previous: str | None = None
    with anyio.fail_after(PATIENCE_SECONDS):
        for word in ("one", "two", "three"):
            response = await rig.client.responses.create(
                model=NEW_MODEL, input=f"Say {word}", instructions="Count.", previous_response_id=previous
            )
            assert response.output_text == word
            previous = response.id
    ways = {way: count - before.get(way, 0) for way, count in rig.gateway.load().turns.items()}
    assert ways["live"] == 2
    assert len({request.headers["x-claude-code-session-id"] for request in rig.simulator.requests}) == 1


@pytest.mark.proves("responses.live")
async def test_a_functions_result_reaches_the_session_that_waits_for_it(rig: Rig) -> None:
    rig.plays(Replies(Reply((ToolUse("get_weather", {"city": "Rome"}),)), "Warm."))
    before = rig.gateway.load().turns.get("results", 0)
    with anyio.fail_after(PATIENCE_SECONDS):
        asked = await rig.client.responses.create(model=NEW_MODEL, input="How is Rome?", tools=[WEATHER])
        (call,) = (item for item in asked.output if item.type == "function_call")
        result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "32 degrees"}
        answer = await rig.client.responses.create(
            model=NEW_MODEL, input=[result], tools=[WEATHER], previous_response_id=asked.id
        )
    assert (call.name, call.arguments) == ("get_weather", '{"city": "Rome"}')
    assert answer.output_text == "Warm."
    assert rig.gateway.load().turns["results"] == before + 1
    block = rig.simulator.requests[-1].messages[-1]["content"][0]
    assert (block["type"], block["content"]) == ("tool_result", [{"type": "text", "text": "32 degrees"}])
