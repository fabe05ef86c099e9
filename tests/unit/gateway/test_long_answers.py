"""A long answer becomes part of its conversation's fingerprint beside the event loop."""

import threading
from typing import Any

import anyio
import pytest

from claude_openai.core.events import TextDelta
from claude_openai.core.fingerprint import Fingerprint, fingerprint
from claude_openai.core.messages import AssistantMessage, Text, UserMessage
from claude_openai.core.models import Model
from claude_openai.core.turn import Turn
from claude_openai.gateway.session_pool import LeasedSession

pytestmark = pytest.mark.anyio

TURN = Turn(Model("sonnet"), (UserMessage((Text("Hi"),)),))


@pytest.mark.parametrize("length", [10, 100_000])
async def test_a_long_answer_is_not_hashed_on_the_event_loop(length: int) -> None:
    threads: list[int] = []
    before = fingerprint(TURN)

    class Recording:
        def after(self, answer: AssistantMessage) -> Fingerprint:
            threads.append(threading.get_ident())
            return before.after(answer)

    unused: Any = None
    recording: Any = Recording()
    lease = LeasedSession(recording, unused, unused, anyio.CancelScope(), anyio.Event())
    lease.note(TextDelta("x" * length))
    await lease.finish()
    assert lease.fingerprint == before.after(AssistantMessage("x" * length))
    assert [each == threading.get_ident() for each in threads] == [length == 10]
