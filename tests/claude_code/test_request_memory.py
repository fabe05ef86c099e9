"""A request's values are freed with its answer, without the garbage collector; its session keeps none of them."""

import gc
from typing import Any

import anyio
import pytest

from claude_openai.core.messages import UserMessage
from claude_openai.core.turn import Turn
from tests.claude_code.conftest import NEW_MODEL, Rig
from tests.patience import PATIENCE_SECONDS

ROLES = ("user", "assistant")

TOOLS = [{"type": "function", "function": {"name": "do", "parameters": {"type": "object"}}}]

MESSAGES: list[Any] = [{"role": ROLES[number % 2], "content": f"{number}"} for number in range(3001)]
"""So many that they are parsed in a thread."""


@pytest.mark.proves("safety.event-loop.reading")
@pytest.mark.parametrize("more", [{}, {"tools": TOOLS, "tool_choice": "required"}])
async def test_a_large_request_leaves_nothing_while_its_session_waits(rig: Rig, more: dict[str, Any]) -> None:
    gc.collect()
    gc.disable()
    before = kept()
    try:
        with anyio.fail_after(PATIENCE_SECONDS):
            await rig.client.chat.completions.create(model=NEW_MODEL, messages=MESSAGES, **more)
            rig.simulator.requests.clear()
            gc.disable()  # a large request switches it on at its end
            while kept() > before:  # noqa: ASYNC110 -- nobody reports that a value is freed
                await anyio.sleep(0.01)
        assert gc.collect() < len(MESSAGES)
    finally:
        gc.enable()


def kept() -> int:
    return sum(isinstance(each, Turn | UserMessage) for each in gc.get_objects())
