"""Turns under limits, on trio's virtual clock: a test of ten minutes takes none."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
import trio.testing

from claude_openai.core.events import Event, TextDelta, TurnFailed, TurnFinished, TurnStarted
from claude_openai.core.failures import Kind
from claude_openai.core.messages import Text, UserMessage
from claude_openai.core.models import Model
from claude_openai.core.ports import Description, Login, Session
from claude_openai.core.turn import Turn
from claude_openai.gateway import Choice, Gateway, Keep, Limits, Patience, Queue
from claude_openai.testing import Gate
from claude_openai.testing.scripted_backend import DESCRIPTION, Performance, ScriptedBackend, ScriptedSession
from tests.virtual_clock import on_virtual_clock

TURN = Turn(Model("sonnet"), (UserMessage((Text("hi"),)),))
STARTED, DONE = TurnStarted("sonnet", "session"), TurnFinished("stop")


@asynccontextmanager
async def gateway(
    backend: ScriptedBackend,
    patience: Patience = Patience(request=600, first_byte=120, idle=60),
    keep: Keep = Keep(),
    queue: Queue = Queue(),
) -> AsyncIterator[Gateway]:
    async with anyio.create_task_group() as tasks:
        yield Gateway(backend, tasks, Limits(patience, queue, keep), Choice())
        tasks.cancel_scope.cancel()


async def events_of(gateway: Gateway, turn: Turn = TURN) -> list[Event]:
    async with gateway.open(turn) as events:
        return [event async for event in events]


async def played(backend: ScriptedBackend, patience: Patience) -> list[Event]:
    async with gateway(backend, patience) as opened:
        return await events_of(opened)


def failure(event: Event) -> Kind:
    assert isinstance(event, TurnFailed)
    return event.failure.kind


@pytest.mark.proves("core.one-pipeline")
@on_virtual_clock
async def test_events_pass_as_the_backend_gives_them() -> None:
    script: list[Event] = [STARTED, TextDelta("a"), TextDelta("b"), DONE]
    assert await played(ScriptedBackend(script), Patience()) == script


@pytest.mark.proves("errors.upstream.silent")
@on_virtual_clock
async def test_an_upstream_that_falls_silent_ends_the_turn() -> None:
    backend = ScriptedBackend([STARTED, TextDelta("a"), Gate(), DONE])
    started = anyio.current_time()
    events = await played(backend, Patience(idle=60))
    assert anyio.current_time() - started == pytest.approx(60)
    assert events[:-1] == [STARTED, TextDelta("a")]
    assert failure(events[-1]) is Kind.IDLE_TIMEOUT
    assert all(turn.ended.is_set() for turn in backend.performances)


@pytest.mark.proves("lifetime.timeout")
@on_virtual_clock
async def test_a_turn_over_its_whole_time_ends_even_if_it_speaks() -> None:
    class Talker(ScriptedBackend):
        @asynccontextmanager
        async def open(self, turn: Turn) -> AsyncIterator[Session]:
            yield Talking((), Performance(turn))

    started = anyio.current_time()
    events = await played(Talker(), Patience(request=100, idle=60))
    assert anyio.current_time() - started == pytest.approx(100)
    assert failure(events[-1]) is Kind.TIMEOUT


@pytest.mark.proves("lifetime.stop.ends-everything")
@on_virtual_clock
async def test_stopping_tells_every_turn_and_lets_none_begin() -> None:
    backend = ScriptedBackend([STARTED, Gate(), DONE])
    ends: list[Event] = []

    async def one(stopping: Gateway) -> None:
        ends.append((await events_of(stopping))[-1])

    async with gateway(backend) as stopping, anyio.create_task_group() as group:
        with anyio.fail_after(5):
            group.start_soon(one, stopping)
            group.start_soon(one, stopping)
            await trio.testing.wait_all_tasks_blocked()
            stopping.stop()
            await stopping.until_idle()
            await one(stopping)
    assert [failure(end) for end in ends] == [Kind.SHUTTING_DOWN] * 3
    assert all(turn.ended.is_set() for turn in backend.performances)


@pytest.mark.proves("errors.own-fault")
@on_virtual_clock
async def test_a_backend_that_ends_without_a_last_event_is_a_failure() -> None:
    assert failure((await played(ScriptedBackend([STARTED]), Patience()))[-1]) is Kind.INTERNAL


@pytest.mark.proves("http.health.not-ready")
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


class Talking(ScriptedSession):
    async def events(self) -> AsyncGenerator[Event, None]:
        yield STARTED
        while True:
            await anyio.sleep(1)
            yield TextDelta("on and ")
