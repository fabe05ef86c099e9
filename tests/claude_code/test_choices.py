"""Several answers to one request, each by a Claude Code of its own."""

from typing import Any

import anyio
import pytest

from claude_openai.simulator import Replies
from tests.claude_code.conftest import NEW_MODEL, Rig, spoken, text
from tests.patience import PATIENCE_SECONDS

ASKED: list[Any] = [{"role": "user", "content": "Name a city."}]


@pytest.mark.proves("params.n", "params.n.places")
async def test_several_answers_come_in_one_stream_and_each_can_be_gone_on_from(rig: Rig) -> None:
    rig.plays(Replies("Rome.", "Ur.", "Oslo.", "Of this one.", "Of that one."))
    with anyio.fail_after(PATIENCE_SECONDS):
        async with rig.client.chat.completions.stream(
            model=NEW_MODEL, messages=ASKED, n=3, stream_options={"include_usage": True}
        ) as stream:
            answer = await stream.get_final_completion()
    assert sorted(choice.message.content or "" for choice in answer.choices) == ["Oslo.", "Rome.", "Ur."]
    assert [spoken(request) for request in rig.simulator.requests] == [spoken(rig.simulator.requests[0])] * 3
    assert len(sessions(rig)) == 3
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    for choice, same_session in ((answer.choices[1], False), (answer.choices[0], True)):
        known = sessions(rig)
        history = [
            *ASKED,
            {"role": "assistant", "content": choice.message.content},
            {"role": "user", "content": "Why?"},
        ]
        with anyio.fail_after(PATIENCE_SECONDS):
            await rig.client.chat.completions.create(model=NEW_MODEL, messages=history)
        assert (sessions(rig) == known) is same_session
        assert spoken(rig.simulator.requests[-1])[1]["content"] == [text(choice.message.content or "")]


def sessions(rig: Rig) -> set[str]:
    return {request.headers["x-claude-code-session-id"] for request in rig.simulator.requests}
