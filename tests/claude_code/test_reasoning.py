"""How hard the model thinks is the request's choice, whichever way that reaches Claude Code; its thinking is told."""

from typing import Any

import anyio
import pytest

from claude_openai.simulator import RecordedRequest, Reply, Text, Thinking
from tests.claude_code.conftest import NEW_MODEL, OLD_MODEL, Rig
from tests.claude_code.test_live import Chat, asked_for, ways
from tests.patience import PATIENCE_SECONDS

THOUGHTFUL = Reply((Thinking.of("Hm, so it is.", 2), Text.of("Yes.")))


def thought(request: RecordedRequest) -> tuple[str, str]:
    """Whether upstream was to think, and how hard."""
    return request.body["thinking"]["type"], request.body["output_config"]["effort"]


@pytest.mark.proves("params.effort", "params.one-request-only", "conversations.settings-anew")
async def test_effort_reaches_the_model_live_and_rebuilt_for_that_request_only(rig: Rig) -> None:
    rig.plays(lambda _: Reply.of("fine"))
    chat = Chat(rig)
    await chat.say("hi")
    steps = [("low", "live"), (None, "live"), ("none", "live"), (None, "live"), ("max", "rebuilt"), (None, "live")]
    for effort, way in steps:
        if way == "rebuilt":
            await rig.gateway.close_idle_sessions()
        before = ways(rig)
        await chat.say("and now?", reasoning_effort=effort)
        assert (ways(rig) - before)[way] == 1
    first, low, second, none, third, most, last = rig.simulator.requests
    assert [thought(first), thought(low), thought(most)] == [
        ("adaptive", "high"),
        ("adaptive", "low"),
        ("adaptive", "max"),
    ]
    assert thought(none)[0] == "disabled"
    for request in (second, third, last):
        assert asked_for(request) == asked_for(first)


@pytest.mark.proves("params.effort")
async def test_a_new_conversation_begins_with_the_effort_that_it_asks_for(rig: Rig) -> None:
    rig.plays(None)
    await rig.said("hi", reasoning_effort="medium")
    assert thought(rig.asked) == ("adaptive", "medium")


@pytest.mark.proves("models.capabilities")
async def test_claude_code_says_which_efforts_the_models_take(rig: Rig) -> None:
    listed = (await rig.gateway.catalogue()).resolve("sonnet")
    assert listed.facts.efforts == ("low", "medium", "high", "xhigh", "max")


@pytest.mark.proves("chat.reasoning-content", "chat.reply.text")
@pytest.mark.parametrize("model", [NEW_MODEL, OLD_MODEL])
async def test_thinking_is_told_beside_the_text_and_may_be_sent_back(rig: Rig, model: str) -> None:
    rig.plays(lambda _: THOUGHTFUL)
    chat = Chat(rig, model=model)
    answer = await chat.say("So?")
    message: Any = answer.choices[0].message
    assert (message.reasoning_content, message.content) == ("Hm, so it is.", "Yes.")
    assert rig.asked.body["thinking"]["display"] == "summarized"
    chat.messages[-1] = {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm, so it is."}
    before = ways(rig)
    streamed: Any = (await chat.say("Sure?", stream=True)).choices[0].message
    assert (streamed.reasoning_content, streamed.content) == ("Hm, so it is.", "Yes.")
    assert ways(rig) - before == {"live": 1}


@pytest.mark.proves("chat.reasoning-content", "responses.stream")
async def test_a_response_tells_thinking_as_a_summary_where_that_is_asked_for(rig: Rig) -> None:
    rig.plays(lambda _: THOUGHTFUL)
    with anyio.fail_after(PATIENCE_SECONDS):
        async with rig.client.responses.stream(
            model=NEW_MODEL, input="So?", reasoning={"effort": "low", "summary": "auto"}
        ) as events:
            told = [event.type.removeprefix("response.") async for event in events]
            response = await events.get_final_response()
    assert told[2:9] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    thinking, answer = response.output
    assert thinking.type == "reasoning"
    assert [part.text for part in thinking.summary] == ["Hm, so it is."]
    assert (answer.type, response.output_text) == ("message", "Yes.")
    assert thought(rig.asked) == ("adaptive", "low")
