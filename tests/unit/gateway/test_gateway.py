"""Turns under limits, on trio's virtual clock: a test of ten minutes takes none."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import anyio
import pytest
import trio.testing

from claude_openai.core.events import (
    Event,
    RateLimitReported,
    Retrying,
    TextDelta,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.load import Processes
from claude_openai.core.messages import AssistantMessage, Text, UserMessage
from claude_openai.core.models import Model
from claude_openai.core.ports import Description, Login, Session
from claude_openai.core.turn import Turn
from claude_openai.gateway import Gateway, GatewayLimits, ModelOptions, QueueLimits, SessionLimits, Timeouts
from claude_openai.simulator import Gate
from claude_openai.testing.batches import each_event
from claude_openai.testing.scripted_backend import DESCRIPTION, Performance, ScriptedBackend, ScriptedSession
from tests.patience import PATIENCE_SECONDS
from tests.virtual_clock import on_virtual_clock

TURN = Turn(Model("sonnet"), (UserMessage((Text("hi"),)),))
STARTED, DONE = TurnStarted("sonnet", "session"), TurnFinished("stop")
PATIENCE, KEEP, QUEUE = Timeouts(request=600, first_byte=120, idle=300), SessionLimits(), QueueLimits(max_running=2)


@asynccontextmanager
async def gateway(
    backend: ScriptedBackend,
    patience: Timeouts = PATIENCE,
    keep: SessionLimits = KEEP,
    queue: QueueLimits = QUEUE,
) -> AsyncIterator[Gateway]:
    async with anyio.create_task_group() as tasks:
        yield Gateway(backend, tasks, GatewayLimits(patience, queue, keep), ModelOptions())
        tasks.cancel_scope.cancel()


async def events_of(gateway: Gateway, turn: Turn = TURN) -> list[Event]:
    async with gateway.open(turn) as events:
        return [event async for event in each_event(events)]


async def played(backend: ScriptedBackend, patience: Timeouts) -> list[Event]:
    async with gateway(backend, patience) as opened:
        return await events_of(opened)


def failure(event: Event) -> Kind:
    assert isinstance(event, TurnFailed)
    return event.failure.kind


@on_virtual_clock
async def test_events_pass_as_the_backend_gives_them() -> None:
    script: list[Event] = [STARTED, TextDelta("a"), TextDelta("b"), DONE]
    assert await played(ScriptedBackend(script), Timeouts()) == script


# Time


@on_virtual_clock
async def test_an_upstream_that_falls_silent_ends_the_turn() -> None:
    backend = ScriptedBackend([STARTED, TextDelta("a"), Gate(), DONE])
    began = anyio.current_time()
    events = await played(backend, Timeouts(first_byte=30, idle=60))
    assert anyio.current_time() - began == pytest.approx(60)
    assert events[:-1] == [STARTED, TextDelta("a")]
    assert failure(events[-1]) is Kind.IDLE_TIMEOUT
    assert all(turn.ended.is_set() for turn in backend.performances)


@pytest.mark.proves("errors.upstream.silent")
@on_virtual_clock
async def test_an_upstream_that_does_not_begin_ends_the_turn() -> None:
    backend = ScriptedBackend([Gate(), STARTED, DONE])
    began = anyio.current_time()
    [only] = await played(backend, PATIENCE)
    assert anyio.current_time() - began == pytest.approx(120)
    assert failure(only) is Kind.FIRST_BYTE_TIMEOUT
    assert all(turn.ended.is_set() for turn in backend.performances)


@pytest.mark.proves("errors.upstream.silent")
@on_virtual_clock
async def test_what_claude_code_says_before_upstream_begins_is_no_beginning() -> None:
    waiting: list[Event] = [RateLimitReported("allowed"), *(Retrying(attempt, 99) for attempt in range(99))]
    began = anyio.current_time()
    events = await played(Slow([*waiting, STARTED, DONE]), PATIENCE)
    assert anyio.current_time() - began == pytest.approx(120)
    assert failure(events[-1]) is Kind.FIRST_BYTE_TIMEOUT
    assert STARTED not in events


@pytest.mark.proves("errors.upstream.silent")
@on_virtual_clock
async def test_once_begun_an_answer_may_take_longer_than_its_beginning() -> None:
    script: list[Event] = [STARTED, *[TextDelta("on and ")] * 30, DONE]
    assert await played(Slow(script), PATIENCE) == script


@pytest.mark.proves("errors.upstream.silent")
@on_virtual_clock
async def test_a_session_that_replaces_a_dead_one_has_to_begin_in_time_too() -> None:
    dead = TurnFailed(Failure(Kind.CLAUDE_CODE_FAILED, "died"), session_lost=True)
    dying = Gate()
    backend = ScriptedBackend([STARTED, DONE, dying, dead, DONE], [Gate(), STARTED, DONE])
    later = replace(TURN, messages=(*TURN.messages, AssistantMessage(), *TURN.messages))
    async with gateway(backend) as opened, anyio.create_task_group() as group:
        await events_of(opened)
        group.start_soon(open_after, 100, dying)
        began = anyio.current_time()
        [only] = await events_of(opened, later)
        assert failure(only) is Kind.FIRST_BYTE_TIMEOUT
        assert anyio.current_time() - began == pytest.approx(100 + 120)


class OnceOnly(ScriptedBackend):
    """Every session but the first hangs at its start."""

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[Session]:
        if self.performances:
            await anyio.sleep_forever()
        async with super().open(turn) as session:
            yield session


@on_virtual_clock
async def test_a_session_that_should_replace_a_dead_one_and_hangs_at_its_start_takes_no_longer_than_the_turn() -> None:
    dead = TurnFailed(Failure(Kind.CLAUDE_CODE_FAILED, "died"), session_lost=True)
    backend = OnceOnly([STARTED, DONE, dead, DONE])
    later = replace(TURN, messages=(*TURN.messages, AssistantMessage(), *TURN.messages))
    async with gateway(backend, Timeouts(request=100)) as opened:
        await events_of(opened)
        began = anyio.current_time()
        with anyio.fail_after(1000):
            [only] = await events_of(opened, later)
        assert failure(only) is Kind.TIMEOUT
        assert anyio.current_time() - began == pytest.approx(100)
        assert (opened.load().running, opened.load().processes.answering) == (0, 0)


@on_virtual_clock
async def test_a_turn_over_its_whole_time_ends_even_if_it_speaks() -> None:
    began = anyio.current_time()
    events = await played(Slow([STARTED, *[TextDelta("on and ")] * 99]), Timeouts(request=100, idle=60))
    assert anyio.current_time() - began == pytest.approx(100)
    assert failure(events[-1]) is Kind.TIMEOUT


@on_virtual_clock
async def test_the_time_of_a_turn_includes_its_wait_in_the_queue() -> None:
    backend = ScriptedBackend([STARTED, Gate(), DONE])
    patience, queue = Timeouts(request=100, idle=60), QueueLimits(max_running=1, wait_seconds=90)
    ends: list[tuple[int, Kind]] = []

    async def one(opened: Gateway) -> None:
        [*_, last] = await events_of(opened)
        ends.append((round(anyio.current_time() - began), failure(last)))

    async with gateway(backend, patience, queue=queue) as opened:
        began = anyio.current_time()
        async with anyio.create_task_group() as group:
            group.start_soon(one, opened)
            group.start_soon(one, opened)
    assert ends == [(60, Kind.IDLE_TIMEOUT), (100, Kind.TIMEOUT)]


# The queue


@on_virtual_clock
async def test_a_third_turn_waits_and_is_let_in_when_one_ends() -> None:
    first, second = Gate(), Gate()
    backend = ScriptedBackend([STARTED, first, DONE], [STARTED, second, DONE], [STARTED, DONE])
    async with gateway(backend) as opened, anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(events_of, opened)
        await trio.testing.wait_all_tasks_blocked()
        assert (opened.load().running, opened.load().waiting) == (2, 1)
        assert len(backend.performances) == 2
        second.open()
        await trio.testing.wait_all_tasks_blocked()
        assert (opened.load().running, opened.load().waiting) == (1, 0)
        assert [performance.completed for performance in backend.performances] == [False, True, True]
        first.open()


@on_virtual_clock
async def test_a_session_that_waits_for_its_client_takes_no_place() -> None:
    backend = ScriptedBackend([STARTED, DONE, STARTED, DONE])
    async with gateway(backend, queue=QueueLimits(max_running=1)) as opened:
        for number in range(3):
            assert await events_of(opened, replace(TURN, principal=f"key-{number}")) == [STARTED, DONE]
        assert (opened.load().running, opened.load().processes.resting) == (0, 3)


@pytest.mark.proves("admission.queue-full")
@on_virtual_clock
async def test_a_turn_that_is_not_let_in_has_one_event_that_says_why() -> None:
    backend = ScriptedBackend([STARTED, Gate(), DONE])
    only: list[Kind] = []

    async def one(opened: Gateway) -> None:
        [event] = await events_of(opened)
        only.append(failure(event))

    async with gateway(backend, queue=QueueLimits(max_running=1, max_waiting=1, wait_seconds=60)) as opened:
        async with opened.open(TURN) as running, anyio.create_task_group() as group:
            assert await anext(running) == [STARTED]
            group.start_soon(one, opened)
            await trio.testing.wait_all_tasks_blocked()
            await one(opened)
            assert only == [Kind.QUEUE_FULL]
        assert only == [Kind.QUEUE_FULL, Kind.QUEUE_TIMEOUT]
        assert (opened.load().running, opened.load().waiting) == (0, 0)
    assert len(backend.performances) == 1


@pytest.mark.proves("admission.fair")
@on_virtual_clock
async def test_keys_take_turns() -> None:
    gate = Gate()
    backend = ScriptedBackend([STARTED, gate, DONE], [STARTED, DONE])
    async with gateway(backend, queue=QueueLimits(max_running=1)) as opened, anyio.create_task_group() as group:
        for principal in ("a", "a", "a", "b"):
            group.start_soon(events_of, opened, replace(TURN, principal=principal))
            await trio.testing.wait_all_tasks_blocked()
        gate.open()
    assert [performance.turn.principal for performance in backend.performances] == ["a", "a", "b", "a"]


# The end


@on_virtual_clock
async def test_stopping_tells_every_turn_and_lets_none_begin() -> None:
    backend = ScriptedBackend([STARTED, Gate(), DONE])
    ends: list[Event] = []

    async def one(stopping: Gateway) -> None:
        ends.append((await events_of(stopping))[-1])

    async with gateway(backend) as stopping, anyio.create_task_group() as group:
        with anyio.fail_after(PATIENCE_SECONDS):
            for _ in range(3):
                group.start_soon(one, stopping)
            await trio.testing.wait_all_tasks_blocked()
            assert (stopping.load().running, stopping.load().waiting) == (2, 1)
            stopping.stop()
            await stopping.until_idle()
            await one(stopping)
    assert [failure(end) for end in ends] == [Kind.SHUTTING_DOWN] * 4
    assert len(backend.performances) == 2
    assert all(turn.ended.is_set() for turn in backend.performances)


@on_virtual_clock
async def test_a_turn_whose_client_is_slow_is_told_of_the_stop_instead_of_what_comes_next() -> None:
    backend = ScriptedBackend([STARTED, TextDelta("a"), DONE])
    async with gateway(backend) as stopping, stopping.open(TURN) as events:
        assert await anext(events) == [STARTED]
        stopping.stop()
        assert [failure(event) async for event in each_event(events)] == [Kind.SHUTTING_DOWN]


@on_virtual_clock
async def test_a_turn_whose_session_is_taken_from_it_ends_quietly() -> None:
    gate = Gate()
    backend = ScriptedBackend([STARTED, gate, DONE, STARTED, DONE])
    async with anyio.create_task_group() as sessions:
        opened = Gateway(backend, sessions, GatewayLimits(), ModelOptions())
        async with opened.open(TURN) as events:
            assert await anext(events) == [STARTED]
            sessions.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await backend.performances[0].ended.wait()
                gate.open()
                assert [event async for event in each_event(events)] == [DONE]
    assert opened.load().processes == Processes(answering=0, resting=0, parked=0, ending=0, warm=0)


@on_virtual_clock
async def test_a_backend_that_ends_without_a_last_event_is_a_failure() -> None:
    assert failure((await played(ScriptedBackend([STARTED]), Timeouts()))[-1]) is Kind.INTERNAL


@on_virtual_clock
async def test_a_missing_login_is_asked_for_again_but_not_at_once() -> None:
    class Signing(ScriptedBackend):
        asked = 0

        async def describe(self) -> Description:
            self.asked += 1
            login = Login("key" if self.asked > 1 else None)
            return Description(DESCRIPTION.name, DESCRIPTION.version, login, DESCRIPTION.models)

    backend = Signing()
    async with gateway(backend) as asking:
        assert not (await asking.description()).login.ready
        assert not (await asking.description()).login.ready
        await anyio.sleep(20)
        assert (await asking.description()).login.ready
        await anyio.sleep(20)
        assert (await asking.description()).login.ready
    assert backend.asked == 2


async def open_after(seconds: float, gate: Gate) -> None:
    await anyio.sleep(seconds)
    gate.open()


class Slow(ScriptedBackend):
    """Takes ten seconds before each event of its one turn."""

    def __init__(self, script: list[Event]) -> None:
        super().__init__(script)
        self.script = script

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[Session]:
        yield SlowSession(self.script, Performance(turn))


class SlowSession(ScriptedSession):
    async def events(self) -> AsyncGenerator[Sequence[Event], None]:
        async with aclosing(super().events()) as events:
            async for event in events:
                await anyio.sleep(10)
                yield event
