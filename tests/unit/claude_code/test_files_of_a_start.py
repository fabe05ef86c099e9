"""The files that a process reads at its start are written beside the event loop where they are large."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from claude_openai.claude_code.processes.scratch import Scratch, scratch_folder
from claude_openai.claude_code.sdk.backend import SdkBackend, SdkSettings
from claude_openai.core.messages import AssistantMessage, Text, UserMessage
from claude_openai.core.models import Model
from claude_openai.core.turn import Turn

pytestmark = [pytest.mark.anyio, pytest.mark.proves("safety.event-loop.reading")]


@pytest.mark.parametrize("length", [10, 100_000])
async def test_a_large_history_is_not_written_on_the_event_loop(length: int) -> None:
    threads: list[int] = []

    class Recording(Scratch):
        def hand_over(self, name: str, content: bytes | bytearray) -> None:
            threads.append(threading.get_ident())
            super().hand_over(name, content)

    @contextmanager
    def scratch() -> Iterator[Scratch]:
        with scratch_folder() as folder:
            yield Recording(folder.root)

    user = UserMessage((Text("x" * length),))
    turn = Turn(Model("sonnet"), (user, AssistantMessage("y"), user))
    async with SdkBackend(SdkSettings("/no/such/program", {}), scratch).open(turn):
        pass
    assert [each == threading.get_ident() for each in threads] == [length < 1000]
