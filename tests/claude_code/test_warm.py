"""A new conversation is answered by a process that waited for it, which learns all it needs to know over its pipe."""

import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import psutil
import pytest

from claude_openai.claude_code.processes.late_history import CAN_COME_LATE
from claude_openai.core.load import WarmPoolLoad
from claude_openai.simulator import Reply, Stall
from tests.claude_code.conftest import NEW_MODEL, OLD_MODEL, Rig, Serve, spoken, system_prompt, text
from tests.claude_code.test_live import Chat, drawn, in_turn, ways
from tests.claude_code.test_tools import TOOLS, sessions, tool
from tests.patience import PATIENCE_SECONDS
from tests.processes import children

STARTS = 15
AT_ONCE = 5

TURNS_TO_TAKE = 50
"""Of the event loop, generously: a process runs already while its pipes are still being connected."""

LONG = "Not for the eyes of others. " * 12_000
"""Over 300 kB; an argument or a variable of a process can have 128 KiB."""


def processes() -> set[psutil.Process]:
    """Those that this program started."""
    return set(children())


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 -- nobody tells when a process that waits has started
            await anyio.sleep(0.01)


async def ready(rig: Rig, count: int = 1) -> set[psutil.Process]:
    """All processes, as soon as `count` of them wait."""
    await rig.gateway.description()
    await until(lambda: rig.gateway.load().processes.warm == count and len(processes()) == total(rig))
    for _ in range(TURNS_TO_TAKE):
        await anyio.lowlevel.checkpoint()
    return processes()


def total(rig: Rig) -> int:
    """How many processes there should be."""
    there = rig.gateway.load().processes
    return there.answering + there.resting + there.parked + there.ending + there.warm


@asynccontextmanager
async def counted() -> AsyncIterator[list[int]]:
    """How many processes there were, over and over, for as long as the block lasts."""
    counts: list[int] = []

    async def count() -> None:
        while True:
            counts.append(len(processes()))
            await anyio.sleep(0.01)

    async with anyio.create_task_group() as group:
        group.start_soon(count)
        yield counts
        group.cancel_scope.cancel()


def shown(process: psutil.Process) -> str:
    """What other users of the machine can see of it, and what only its own can."""
    return " ".join(process.cmdline()) + " ".join(f"{name}={value}" for name, value in process.environ().items())


@pytest.mark.proves("processes.warm", "safety.argv")
async def test_a_process_that_waited_takes_a_conversation_of_any_length_and_shows_nothing_of_it(serve: Serve) -> None:
    described = tool("get_weather", {"type": "object", "description": LONG})
    async with serve(warm_processes=1) as rig:
        (waited,) = await ready(rig)
        rig.plays(lambda _: Reply.of("fine"))
        chat = Chat(rig, tools=[described, *TOOLS[1:]], tool_choice="none", max_tokens=777)
        chat.messages = [{"role": "system", "content": LONG}]
        await chat.say(LONG)
        assert system_prompt(rig.asked) == [LONG]
        assert spoken(rig.asked) == [{"role": "user", "content": [text(LONG)]}]
        assert {each["name"]: each["input_schema"] for each in rig.asked.tools}["get_weather"]["description"] == LONG
        assert (rig.asked.body["max_tokens"], rig.asked.body["tool_choice"]) == (777, {"type": "none"})
        both = await ready(rig) | {waited}
        assert len(both) == 2
        assert not any("Not for the eyes" in shown(process) for process in both)
        await chat.say("and now?")
        assert processes() == both
        assert rig.gateway.load().turns == {"warm": 1, "live": 1}
        assert list(sessions(rig.simulator.requests).values()) == [2]


@pytest.mark.proves("processes.warm")
async def test_the_next_process_is_not_started_before_upstream_has_begun_to_answer(serve: Serve) -> None:
    async with serve(warm_processes=1) as rig:
        before = await ready(rig)
        rig.plays(lambda _: Reply.of("never", fault=Stall(0)))
        async with anyio.create_task_group() as leaving:
            leaving.start_soon(Chat(rig).say, "hi")
            with anyio.fail_after(PATIENCE_SECONDS):
                await rig.simulator.request(0)
            assert rig.gateway.load().processes.warm == 0
            assert processes() == before
            leaving.cancel_scope.cancel()
        await until(lambda: not before & processes())
        assert len(await ready(rig)) == 1


@pytest.mark.proves("processes.warm", "conversations.settings-anew", "params.one-request-only")
async def test_what_a_process_is_told_before_its_first_turn_is_never_late(serve: Serve) -> None:
    async with serve(warm_processes=AT_ONCE, max_concurrency=AT_ONCE, max_processes=2 * AT_ONCE, session_ttl=0) as rig:
        rig.plays(lambda _: Reply.of("fine"))
        for first in range(0, STARTS, AT_ONCE):
            await ready(rig, AT_ONCE)
            async with anyio.create_task_group() as group:
                for number in range(first, first + AT_ONCE):
                    group.start_soon(_ask_in_its_own_way, rig, number)
        assert rig.gateway.load().turns == {"warm": STARTS}
    asked = {spoken(request)[-1]["content"][0]["text"]: request for request in rig.simulator.requests}
    assert len(asked) == STARTS
    for number in range(STARTS):
        request, way = asked[f"number {number}"], _way(number)
        assert request.model.startswith(way["model"])
        assert system_prompt(request) == [f"You are number {number}."]
        assert [each["name"] for each in request.tools] == [f"tool_{number}"]
        told = drawn(request)
        thinks = told.pop("thinking", {"type": "disabled"})["type"] != "disabled"
        assert told == _upstream(number)
        assert thinks == ("temperature" not in way)


def _way(number: int) -> dict[str, Any]:
    """Each differs from all others in what is told before its first turn; some think, and some have a newer model."""
    return {
        "model": NEW_MODEL if number % 5 == 4 else OLD_MODEL,
        "max_tokens": 3000 + number,
        "stop": [f"stop {number}"],
        "tools": [tool(f"tool_{number}")],
        **({"temperature": number / 100, "tool_choice": "required"} if number % 5 in {1, 2, 3} else {}),
    }


def _upstream(number: int) -> dict[str, Any]:
    way = _way(number)
    drawn_coldly = {"temperature": number / 100, "tool_choice": {"type": "any"}}
    usual = {"max_tokens": way["max_tokens"], "stop_sequences": way["stop"]}
    return usual | (drawn_coldly if "temperature" in way else {})


async def _ask_in_its_own_way(rig: Rig, number: int) -> None:
    chat = Chat(rig, **_way(number))
    chat.messages = [{"role": "system", "content": f"You are number {number}."}]
    await chat.say(f"number {number}")


@pytest.mark.proves("processes.warm", "errors.process-died")
async def test_a_waiting_process_that_dies_is_replaced_and_hurts_nobody(serve: Serve) -> None:
    async with serve(warm_processes=1) as rig:
        rig.plays(lambda _: Reply.of("fine"))
        (first,) = await ready(rig)
        first.send_signal(signal.SIGKILL)
        await Chat(rig).say("hi")  # whether or not its end has been noticed
        await until(lambda: first not in processes())
        await ready(rig)
        await rig.gateway.close_idle_sessions()
        (second,) = await ready(rig)
        second.send_signal(signal.SIGKILL)
        await until(lambda: second not in processes())
        before, (third,) = ways(rig), await ready(rig)
        await Chat(rig).say("hi")
        assert ways(rig) - before == {"warm": 1}
        assert third in processes()
    assert processes() == set()


@pytest.mark.proves("processes.warm.bursts", "processes.bounded")
async def test_after_a_burst_as_many_wait_as_it_had_and_there_are_never_more_than_may_be(serve: Serve) -> None:
    burst = 3
    async with serve(warm_processes="auto", max_processes=5, max_concurrency=burst) as rig, counted() as counts:
        rig.plays(lambda _: Reply.of("fine"))
        await ready(rig)
        assert rig.gateway.load().warm_pool == WarmPoolLoad(1, 1)
        await _all_at_once(rig, burst)
        assert ways(rig) == {"warm": 1, "cold": 2}
        await ready(rig, 2)
        assert rig.gateway.load().warm_pool == WarmPoolLoad(burst, 2, "max_processes")
        told = Chat(rig)
        told.messages = in_turn(["from elsewhere", "yes"])
        await told.say("a place for it?")  # one that waits for a new conversation makes room
        assert rig.gateway.load().turns == {"warm": 1, "cold": 2, "rebuilt": 1}
        await rig.gateway.close_idle_sessions()
        waiting = burst + CAN_COME_LATE  # one of them for a history, where they can wait for one
        await ready(rig, waiting)
        assert rig.gateway.load().warm_pool == WarmPoolLoad(waiting, waiting)
        await _all_at_once(rig, burst)
        assert rig.gateway.load().turns == {"warm": 1 + burst, "cold": 2, "rebuilt": 1}
    assert max(counts) <= 5


async def _all_at_once(rig: Rig, count: int) -> None:
    async with anyio.create_task_group() as group:
        for number in range(count):
            group.start_soon(Chat(rig).say, f"number {number}")
