"""The Responses API over the real Claude Code, asked by the official client."""

from typing import Any

import anyio
import pytest

from claude_openai.protocols.common.conversation import CONTINUE
from claude_openai.simulator import Replies, Reply, ToolUse
from tests.claude_code.conftest import NEW_MODEL, Rig, spoken
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


@pytest.mark.proves("responses.continued")
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


@pytest.mark.proves("responses.continued")
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


@pytest.mark.proves("responses.input.foreign", "responses.continued")
async def test_a_conversation_that_began_at_openai_is_native_and_goes_on_in_its_session(rig: Rig) -> None:
    begun: list[Any] = [
        {"role": "user", "content": "Mend it"},
        {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": "*** Begin Patch"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
        {"role": "assistant", "content": "Done."},
        {"role": "user", "content": "Thanks"},
    ]
    rig.plays(Replies("one", "two"))
    with anyio.fail_after(PATIENCE_SECONDS):
        first = await rig.client.responses.create(model=NEW_MODEL, input=begun)
        grown: list[Any] = [*begun, {"role": "assistant", "content": first.output_text}]
        await rig.client.responses.create(model=NEW_MODEL, input=[*grown, {"role": "user", "content": "And?"}])
    sent = spoken(rig.simulator.requests[0])
    blocks = [block for message in sent for block in message["content"]]
    assert [(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"] == [
        ("apply_patch", {"input": "*** Begin Patch"}),
        ("web_search", {"action": {"type": "search", "query": "q"}}),
    ]
    assert sum(block["type"] == "tool_result" for block in blocks) == 2
    assert len({request.headers["x-claude-code-session-id"] for request in rig.simulator.requests}) == 1


@pytest.mark.proves("responses.input")
@pytest.mark.parametrize("empty", [{"input": ""}, {"input": []}, {}], ids=["blank", "no items", "none"])
async def test_instructions_alone_are_answered_in_a_stream(rig: Rig, empty: dict[str, Any]) -> None:
    rig.plays(Replies("Hello."))
    with anyio.fail_after(PATIENCE_SECONDS):
        events = [
            event
            async for event in await rig.client.responses.create(
                model=NEW_MODEL, instructions="Say hello.", stream=True, **empty
            )
        ]
    assert events[-1].response.output_text == "Hello."
    (message,) = spoken(rig.asked)
    assert message["content"] == [{"type": "text", "text": "<system>\nSay hello.\n</system>"}]


@pytest.mark.proves("responses.input")
async def test_an_answer_at_the_end_is_continued(rig: Rig) -> None:
    rig.plays(Replies(" time."))
    items: Any = [{"role": "user", "content": "Tell"}, {"role": "assistant", "content": "Once upon a"}]
    with anyio.fail_after(PATIENCE_SECONDS):
        raw = await rig.client.responses.with_raw_response.create(model=NEW_MODEL, input=items)
    assert raw.headers["x-claude-openai-adjusted"] == "input=continued"
    assert spoken(rig.asked)[-1]["content"] == [{"type": "text", "text": f"<system>\n{CONTINUE}\n</system>"}]
