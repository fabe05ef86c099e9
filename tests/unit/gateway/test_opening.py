"""What comes before a turn is with Claude Code has a bound too: the queue, the start, the hand-over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
import trio.testing

from claude_openai.core.events import Event, TextDelta, TurnFinished, TurnStarted, Working
from claude_openai.core.failures import Kind
from claude_openai.core.ports import Session
from claude_openai.core.turn import Turn
from claude_openai.gateway import QueueLimits, Timeouts
from claude_openai.simulator import Gate
from claude_openai.testing.scripted_backend import ScriptedBackend
from tests.unit.gateway.test_gateway import TURN, events_of, failure, gateway
from tests.virtual_clock import on_virtual_clock

STARTED, DONE = TurnStarted("sonnet", "session"), TurnFinished("stop")


class Hanging(ScriptedBackend):
    """A start that never ends."""

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[Session]:
        await anyio.sleep_forever()
        async with super().open(turn) as session:
            yield session


@on_virtual_clock
async def test_a_start_that_hangs_ends_with_the_requests_time_and_frees_its_place() -> None:
    async with gateway(Hanging(), Timeouts(request=30)) as opened:
        begun = anyio.current_time()
        (event,) = await events_of(opened)
        assert anyio.current_time() - begun == pytest.approx(30)
        assert failure(event) is Kind.TIMEOUT
        load = opened.load()
    assert (load.running, load.waiting, load.processes.answering) == (0, 0, 0)


@pytest.mark.proves("admission.queue-full")
@on_virtual_clock
async def test_a_wait_in_the_queue_ends_with_the_requests_time_and_starts_nothing() -> None:
    backend = ScriptedBackend([STARTED, Gate(), DONE])
    async with gateway(backend, Timeouts(request=30), queue=QueueLimits(max_running=1, wait_seconds=600)) as opened:
        ends: list[Event] = []

        async def one() -> None:
            ends.extend(await events_of(opened))

        async with anyio.create_task_group() as group:
            group.start_soon(events_of, opened)
            await trio.testing.wait_all_tasks_blocked()
            group.start_soon(one)
    assert [failure(end) for end in ends] == [Kind.TIMEOUT]
    assert len(backend.performances) == 1


@on_virtual_clock
async def test_a_stop_ends_a_start_that_hangs() -> None:
    ends: list[Event] = []
    async with gateway(Hanging()) as opened, anyio.create_task_group() as group:

        async def one() -> None:
            ends.extend(await events_of(opened))

        group.start_soon(one)
        await trio.testing.wait_all_tasks_blocked()
        opened.stop()
    assert [failure(end) for end in ends] == [Kind.SHUTTING_DOWN]


@on_virtual_clock
async def test_what_is_written_and_not_shown_is_no_silence() -> None:
    steps: list[Event | Gate] = [STARTED, *[Gate() for _ in range(3)], TextDelta("done"), DONE]
    gates = [step for step in steps if isinstance(step, Gate)]
    script = [part for step in steps for part in ((step, Working()) if isinstance(step, Gate) else (step,))]
    async with gateway(ScriptedBackend(script), Timeouts(idle=60)) as opened, anyio.create_task_group() as group:

        async def write() -> None:
            for gate in gates:
                await anyio.sleep(40)
                gate.open()

        group.start_soon(write)
        assert (await events_of(opened, TURN))[-1] == DONE
