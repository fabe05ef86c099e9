"""The turns of starts, on the virtual clock: nothing is started here."""

import anyio
import pytest
from anyio.lowlevel import checkpoint

from claude_openai.claude_code.processes.start_queue import (
    FIRST_TOKEN_SECONDS,
    MAX_WAIT_SECONDS,
    START_SECONDS,
    StartQueue,
)
from tests.virtual_clock import on_virtual_clock

TURNS_TO_ARRIVE = 5
"""Of the event loop: a task that is runnable runs in the next one."""

pytestmark = pytest.mark.proves("processes.starts")


@on_virtual_clock
async def test_starts_take_turns_in_the_order_of_arrival_as_many_at_a_time_as_there_are_cores() -> None:
    starts, began = StartQueue(cores=2), list[tuple[int, float]]()
    start = anyio.current_time()

    async def start_one(number: int) -> None:
        async with starts.place():
            began.append((number, anyio.current_time() - start))
            await anyio.sleep(1 + number / 10)  # no two end at the same moment

    async with anyio.create_task_group() as group:
        for number in range(6):
            group.start_soon(start_one, number)
            for _ in range(TURNS_TO_ARRIVE):
                await checkpoint()
    assert [number for number, _ in began] == [0, 1, 2, 3, 4, 5]
    assert [time for _, time in began] == pytest.approx([0, 0, 1, 1.1, 2.2, 2.4])


@on_virtual_clock
async def test_one_that_hangs_or_is_given_up_keeps_the_others_waiting_for_a_bounded_time() -> None:
    starts, waited = StartQueue(cores=1), list[float]()

    async def start_one() -> None:
        begin = anyio.current_time()
        async with starts.place():
            waited.append(anyio.current_time() - begin)

    async with anyio.create_task_group() as group:
        async with starts.place():  # as long as the others are given up, or have waited enough
            with anyio.move_on_after(1):
                await start_one()
            await start_one()
            await start_one()
        group.start_soon(start_one)
    assert waited == [MAX_WAIT_SECONDS, MAX_WAIT_SECONDS, 0]


@on_virtual_clock
async def test_a_start_in_advance_waits_for_the_first_tokens_of_the_requests_that_came() -> None:
    starts = StartQueue(cores=2)
    start = anyio.current_time()
    await starts.turn_of_advance_start()
    first, second, third = (starts.request_came() for _ in range(3))

    async def answer() -> None:
        await anyio.sleep(1)
        starts.request_served(first)  # it failed, or its answer began
        starts.prompt_sent(second)
        starts.prompt_sent(third)
        starts.request_served(third)
        starts.request_served(third)

    async with anyio.create_task_group() as group:
        group.start_soon(answer)
        await starts.turn_of_advance_start()
    assert anyio.current_time() - start == pytest.approx(1 + FIRST_TOKEN_SECONDS)
    starts.request_served(second)
    starts.request_came()
    await starts.turn_of_advance_start()
    assert anyio.current_time() - start == pytest.approx(1 + FIRST_TOKEN_SECONDS + MAX_WAIT_SECONDS)
    await starts.pause_between_advance_starts()
    assert anyio.current_time() - start == pytest.approx(1 + FIRST_TOKEN_SECONDS + MAX_WAIT_SECONDS + START_SECONDS / 2)
