"""Processes that wait for a conversation: who owns them, and what becomes of those that do not start.

No Claude Code here: `cat` stands in. Where time matters nothing is started, on the virtual clock.
"""

import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import anyio
import psutil
import pytest
import trio.testing
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint

from claude_openai.claude_code.processes.child import Child, Command, child_process
from claude_openai.claude_code.processes.pool_state import ProcessState, ProcessTable, WaitsFor
from claude_openai.claude_code.processes.warm_pool import StartedProcess, WarmPool, WarmProcess
from tests.claude_code.test_process import gone
from tests.patience import PATIENCE_SECONDS
from tests.virtual_clock import on_virtual_clock


class Starter:
    """Starts processes that wait for their standard input to close."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cat = shutil.which("cat") or "cat"
        self.children: list[Child] = []
        self._started = anyio.Event()

    async def start(self, owned: AsyncExitStack, _: WaitsFor) -> StartedProcess:
        command = Command((self._cat,), {}, self._folder, self._folder / f"stderr-{len(self.children)}")
        child = await owned.enter_async_context(child_process(command))
        self.children.append(child)
        started, self._started = self._started, anyio.Event()
        started.set()
        return StartedProcess(child)

    async def have_started(self, count: int) -> None:
        with anyio.fail_after(PATIENCE_SECONDS):
            while len(self.children) < count:
                await self._started.wait()


@asynccontextmanager
async def running(spares: WarmPool) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(spares.run)
        yield
        tasks.cancel_scope.cancel()
    for _ in range(3):
        await checkpoint()  # asyncio closes the pipe of a dead process only when it sees its end


def taken(spares: WarmPool) -> WarmProcess:
    spare = spares.take()
    assert spare is not None
    return spare


def kill(child: Child) -> None:
    """It has ended when this returns, but the event loop has not heard of it."""
    os.kill(child.pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)


async def test_as_many_are_started_as_are_wanted_once_they_are_asked_for(tmp_path: Path) -> None:
    supply, starter = ProcessTable(2), Starter(tmp_path)
    spares = WarmPool(supply, starter.start)
    async with running(spares):
        await wait_all_tasks_blocked()
        assert starter.children == []
        assert spares.take() is None
        spares.refill()
        spares.refill()
        await starter.have_started(2)
        assert supply.count(ProcessState.WAITING) == 2
    assert len(starter.children) == 2


async def test_what_was_asked_for_before_anybody_listened_is_started(tmp_path: Path) -> None:
    starter = Starter(tmp_path)
    spares = WarmPool(ProcessTable(1), starter.start)
    spares.refill()
    async with running(spares):
        await starter.have_started(1)
        async with taken(spares).resources:
            pass


async def test_one_that_is_taken_is_the_takers_and_replaced_only_when_that_is_asked_for(tmp_path: Path) -> None:
    supply, starter = ProcessTable(1), Starter(tmp_path)
    spares = WarmPool(supply, starter.start)
    async with running(spares):
        spares.refill()
        await starter.have_started(1)
        async with taken(spares).resources:
            assert spares.take() is None
            assert (supply.count(ProcessState.WAITING), supply.count(ProcessState.TAKEN)) == (0, 1)
            await wait_all_tasks_blocked()
            assert len(starter.children) == 1
            spares.refill()
            await starter.have_started(2)
            assert starter.children[0].is_running
        assert gone(starter.children[0].pid)
        assert starter.children[1].is_running


@on_virtual_clock
async def test_one_that_is_taken_right_after_its_start_is_replaced_only_when_that_is_asked_for_too() -> None:
    supply, begun = ProcessTable(1), list[int]()

    async def start(_: AsyncExitStack, __: WaitsFor) -> StartedProcess:
        begun.append(supply.count(ProcessState.WAITING))
        await anyio.sleep_forever()
        raise AssertionError

    spares = WarmPool(supply, start)
    async with running(spares):
        spares.refill()
        await trio.testing.wait_all_tasks_blocked()
        supply.take(1)
        await anyio.sleep(60)
        assert begun == [1]
        spares.refill()
        await anyio.sleep(60)
        assert begun == [1, 1]


async def test_those_that_wait_end_with_their_owner_and_those_taken_with_their_takers(tmp_path: Path) -> None:
    starter = Starter(tmp_path)
    spares = WarmPool(ProcessTable(2), starter.start)
    async with AsyncExitStack() as conversation:
        async with running(spares):
            spares.refill()
            await starter.have_started(2)
            spare = taken(spares)
            await conversation.enter_async_context(spare.resources)
        assert [child.is_running for child in starter.children] == [child is spare.child for child in starter.children]
    assert all(gone(child.pid) for child in starter.children)


@pytest.mark.parametrize("steps", range(20))
async def test_a_start_that_is_cut_short_at_any_step_leaves_no_process(tmp_path: Path, steps: int) -> None:
    before = set(psutil.Process().children())
    spares = WarmPool(ProcessTable(1), Starter(tmp_path).start)
    async with running(spares):
        spares.refill()
        for _ in range(steps):
            await checkpoint()
    assert set(psutil.Process().children()) <= before


async def test_one_that_died_while_it_waited_is_not_handed_out_and_is_replaced(tmp_path: Path) -> None:
    supply, starter = ProcessTable(1), Starter(tmp_path)
    spares = WarmPool(supply, starter.start)
    async with running(spares):
        spares.refill()
        await starter.have_started(1)
        kill(starter.children[0])
        assert spares.take() is None
        await starter.have_started(2)
        assert supply.count(ProcessState.WAITING) == 1
        async with taken(spares).resources:
            assert starter.children[1].is_running


async def test_one_that_died_is_passed_over_for_one_that_lives(tmp_path: Path) -> None:
    starter = Starter(tmp_path)
    spares = WarmPool(ProcessTable(2), starter.start)
    async with running(spares):
        spares.refill()
        await starter.have_started(2)
        kill(starter.children[0])
        spare = taken(spares)
        async with spare.resources:
            assert spare.child is starter.children[1]


async def test_three_that_die_while_they_wait_are_trouble(tmp_path: Path) -> None:
    supply, starter = ProcessTable(1), Starter(tmp_path)
    spares = WarmPool(supply, starter.start)
    async with running(spares):
        spares.refill()
        for started in (1, 2, 3):
            await starter.have_started(started)
            assert supply.backoff(anyio.current_time()) is None
            kill(starter.children[-1])
        with anyio.fail_after(PATIENCE_SECONDS):
            while supply.count(ProcessState.WAITING):
                await checkpoint()
        assert supply.backoff(anyio.current_time()) is not None
        assert len(starter.children) == 3


@pytest.mark.proves("processes.warm.history")
async def test_one_that_nobody_asks_for_ends_for_one_that_is_asked_for(tmp_path: Path) -> None:
    supply, starter = ProcessTable(1), Starter(tmp_path)
    spares = WarmPool(supply, starter.start)
    async with running(spares):
        spares.refill()
        await starter.have_started(1)
        assert spares.take(WaitsFor.HISTORY) is None
        supply.note_start(WaitsFor.HISTORY, 0.0)
        spares.refill()
        await starter.have_started(2)
        with anyio.fail_after(PATIENCE_SECONDS):
            await starter.children[0].wait_closed()
        assert spares.take() is None
        spare = spares.take(WaitsFor.HISTORY)
        assert spare is not None
        async with spare.resources:
            assert spare.child is starter.children[1]
            assert supply.count(ProcessState.WAITING) == 0


# Where none starts


class Broken:
    """Cannot start anything, and remembers when that was tried."""

    def __init__(self) -> None:
        self.tried: list[float] = []

    async def start(self, owned: AsyncExitStack, _: WaitsFor) -> StartedProcess:
        await owned.enter_async_context(AsyncExitStack())
        self.tried.append(anyio.current_time())
        raise FileNotFoundError(2, "No such file or directory")


@on_virtual_clock
async def test_what_does_not_start_is_tried_three_times_and_then_after_longer_and_longer_pauses() -> None:
    broken, supply = Broken(), ProcessTable(2)
    spares = WarmPool(supply, broken.start)
    async with running(spares):
        began = anyio.current_time()
        spares.refill()
        await anyio.sleep(200)
        times = [round(time - began) for time in broken.tried]
    assert times == [0, 0, 0, 2, 6, 14, 30, 62, 122, 182]
    assert supply.count(ProcessState.WAITING) == 0


@on_virtual_clock
async def test_a_failure_elsewhere_that_prolongs_the_pause_does_not_end_the_trying() -> None:
    broken, supply = Broken(), ProcessTable(1)
    spares = WarmPool(supply, broken.start)
    elsewhere = supply.start(ProcessState.TAKEN)
    async with running(spares):
        began = anyio.current_time()
        spares.refill()
        await anyio.sleep(1)
        supply.fail(elsewhere, anyio.current_time())
        await anyio.sleep(5)
        times = [round(time - began) for time in broken.tried]
    assert times == [0, 0, 0, 5]


@on_virtual_clock
async def test_where_none_is_wanted_none_is_tried() -> None:
    broken = Broken()
    spares = WarmPool(ProcessTable(0), broken.start)
    async with running(spares):
        spares.refill()
        await trio.testing.wait_all_tasks_blocked()
    assert broken.tried == []
