"""What a request asks for beside its messages reaches upstream, and only for that request."""

from typing import Any

import anyio
import pytest

from claude_openai.simulator import Reply, Text, ToolUse
from tests.claude_code.conftest import NEW_MODEL, OLD_MODEL, Rig, spoken, text
from tests.patience import PATIENCE_SECONDS


async def asked(rig: Rig, **parameters: Any) -> dict[str, Any]:
    """The body that reached upstream."""
    rig.plays(None)
    await rig.said("hi", **parameters)
    return rig.asked.body


async def first_asked(rig: Rig, **parameters: Any) -> dict[str, Any]:
    """The body that reached upstream first: Claude Code may ask again for an answer that was cut before it ends."""
    rig.plays(None)
    await rig.said("hi", **parameters)
    return rig.simulator.requests[0].body


@pytest.mark.proves("params.max-tokens", "chat.finish")
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_a_limit_on_tokens_is_upstreams_limit(rig: Rig, name: str) -> None:
    rig.plays(None)
    assert await rig.said("Count to 50", **{name: 5}) != await rig.said("Count to 50")
    assert rig.simulator.requests[0].body["max_tokens"] == 5


@pytest.mark.proves("params.max-tokens", "tools.choice")
@pytest.mark.parametrize(
    "asking",
    [
        {"max_completion_tokens": 1024},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "function": {"name": "look"}}},
    ],
)
async def test_a_model_with_a_budget_for_thinking_does_without_where_upstream_refuses_it(
    rig: Rig, asking: dict[str, Any]
) -> None:
    rig.plays(lambda _: Reply((ToolUse("look", {}),)))
    tools: list[Any] = [{"type": "function", "function": {"name": "look"}}]
    rig.simulator.requests.clear()
    answer = await rig.client.chat.completions.create(
        model=OLD_MODEL, messages=[{"role": "user", "content": "Go."}], tools=tools, **asking
    )
    assert answer.choices[0].message.tool_calls
    assert rig.asked.body["thinking"]["type"] == "disabled"


@pytest.mark.proves("params.stop", "chat.finish")
@pytest.mark.parametrize("pieces", [1, 3, 7])
async def test_a_stop_sequence_ends_the_answer_wherever_upstream_cuts_it(rig: Rig, pieces: int) -> None:
    rig.plays(None)
    assert await rig.said(f'[[sim text="one two" pieces={pieces}]]', stop=["e t", "never"]) == "on"
    assert rig.asked.body["stop_sequences"] == ["e t", "never"]


@pytest.mark.proves("params.stop")
async def test_a_stop_sequence_of_white_space_ends_the_answer_here_and_the_session_with_it(rig: Rig) -> None:
    rig.plays(lambda _: Reply((Text(("one\n", "\ntwo", " three")),)))
    before = rig.gateway.load().turns
    messages: list[Any] = [{"role": "user", "content": "Count"}]
    with anyio.fail_after(PATIENCE_SECONDS):
        answer = await rig.client.chat.completions.create(model=NEW_MODEL, messages=messages, stop=["\n\n", "x"])
        assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("one", "stop")
        assert rig.asked.body["stop_sequences"] == ["x"]
        messages += [{"role": "assistant", "content": "one"}, {"role": "user", "content": "Go on"}]
        await rig.client.chat.completions.create(model=NEW_MODEL, messages=messages)
    ways = {way: count - before.get(way, 0) for way, count in rig.gateway.load().turns.items()}
    assert ways["rebuilt"] == 1
    assert spoken(rig.simulator.requests[-1])[1]["content"] == [text("one")]


@pytest.mark.proves("params.sampling")
async def test_sampling_reaches_a_model_that_takes_it_and_switches_its_thinking_off(rig: Rig) -> None:
    body = await asked(rig, model=OLD_MODEL, temperature=0.25)
    assert body["temperature"] == 0.25
    assert body.get("thinking", {"type": "disabled"})["type"] == "disabled"
    assert "top_p" not in await asked(rig, model=OLD_MODEL, top_p=0.5)
    assert (await asked(rig, model="claude-sonnet-4-20250514", top_p=0.5))["top_p"] == 0.5


@pytest.mark.proves("params.sampling", "params.ignored")
async def test_sampling_is_kept_from_a_model_that_refuses_it(rig: Rig) -> None:
    body = await asked(rig, model=NEW_MODEL, temperature=0.25, top_p=0.5)
    assert "temperature" not in body
    assert "top_p" not in body


@pytest.mark.proves("params.one-request-only")
async def test_no_parameter_has_effect_on_the_next_request(rig: Rig) -> None:
    before = await asked(rig, model=OLD_MODEL)
    await asked(rig, model=OLD_MODEL, temperature=0.25, max_tokens=700, stop=["x"])
    after = await asked(rig, model=OLD_MODEL)
    settings = {"temperature", "top_p", "max_tokens", "stop_sequences", "thinking"}
    assert {name: after.get(name) for name in settings} == {name: before.get(name) for name in settings}


@pytest.mark.proves("models.names")
@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"),
        ("claude-opus-4-1", "claude-opus-4-1"),
        ("haiku", "claude-haiku"),
        ("claude-opus", "claude-opus"),
    ],
)
async def test_a_models_name_becomes_the_full_id(rig: Rig, name: str, full: str) -> None:
    assert (await asked(rig, model=name))["model"].startswith(full)


@pytest.mark.proves("models.names")
@pytest.mark.parametrize(
    ("name", "full", "large"),
    [
        ("anthropic/claude-Sonnet-4.5", "claude-sonnet-4-5", False),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929", False),
        ("claude-sonnet-4-5[1m]", "claude-sonnet-4-5", True),
    ],
)
async def test_another_spelling_becomes_the_full_id_too(rig: Rig, name: str, full: str, large: bool) -> None:
    assert (await asked(rig, model=name))["model"] == full
    assert ("context-1m" in rig.asked.headers.get("anthropic-beta", "")) is large


@pytest.mark.proves("params.max-tokens")
@pytest.mark.parametrize("model", [OLD_MODEL, NEW_MODEL])
async def test_a_small_limit_is_not_eaten_by_thinking_unless_an_effort_is_asked_for(rig: Rig, model: str) -> None:
    small = await first_asked(rig, model=model, max_tokens=20)
    assert small.get("thinking", {}).get("type", "disabled") == "disabled"
    assert (await asked(rig, model=model, max_tokens=2000))["thinking"]["type"] != "disabled"


@pytest.mark.proves("params.max-tokens")
async def test_who_asks_for_an_effort_gets_it_within_a_small_limit(rig: Rig) -> None:
    small = await first_asked(rig, model=NEW_MODEL, max_tokens=20, reasoning_effort="low")
    assert small["thinking"]["type"] == "adaptive"
