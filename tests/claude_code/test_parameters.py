"""What a request asks for beside its messages reaches upstream, and only for that request."""

from typing import Any

import pytest

from tests.claude_code.conftest import NEW_MODEL, OLD_MODEL, Rig


async def asked(rig: Rig, **parameters: Any) -> dict[str, Any]:
    """The body that reached upstream."""
    rig.plays(None)
    await rig.said("hi", **parameters)
    return rig.asked.body


@pytest.mark.proves("params.max-tokens", "chat.finish.length")
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_a_limit_on_tokens_is_upstreams_limit(rig: Rig, name: str) -> None:
    rig.plays(None)
    assert await rig.said("Count to 50", **{name: 5}) != await rig.said("Count to 50")
    assert rig.simulator.requests[0].body["max_tokens"] == 5


@pytest.mark.proves("params.sampling")
async def test_sampling_reaches_a_model_that_takes_it_and_switches_its_thinking_off(rig: Rig) -> None:
    body = await asked(rig, model=OLD_MODEL, temperature=0.25)
    assert body["temperature"] == 0.25
    assert body.get("thinking", {"type": "disabled"})["type"] == "disabled"
    assert (await asked(rig, model=OLD_MODEL, top_p=0.5))["top_p"] == 0.5


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


@pytest.mark.proves("models.names.full", "models.names.short")
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
