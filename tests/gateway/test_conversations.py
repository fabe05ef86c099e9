"""Sessions that wait for a client's results: who gets them back, and how they end. On the virtual clock."""

from dataclasses import replace

import anyio
import pytest
import trio.testing

from claude_openai.core.events import Event, TextDelta, ToolCalled, TurnFailed, TurnFinished, TurnStarted
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import AssistantMessage, Text, ToolCall, ToolMessage, UserMessage
from claude_openai.core.models import Model
from claude_openai.core.tools import Tool
from claude_openai.core.turn import Turn
from claude_openai.gateway import Keep
from claude_openai.testing.scripted_backend import ScriptedBackend
from tests.gateway.test_gateway import events_of, gateway
from tests.virtual_clock import on_virtual_clock

TOOL = Tool("look", '{"type": "object"}')
USER = UserMessage((Text("weather?"),))
CALL = ToolCall("call_1", "look", '{"city": "Rome", "day": 1}')
ASKED = Turn(Model("sonnet"), (USER,), tools=(TOOL,))
STARTED, DONE = TurnStarted("sonnet", "session"), TurnFinished("stop")
CALLING: list[Event] = [STARTED, TextDelta("Let me "), TextDelta("look."), ToolCalled(CALL), TurnFinished("tool_calls")]
MOST_PARKED = 3
AFTER: list[Event] = [STARTED, TextDelta("Hot."), DONE]
ANSWER = AssistantMessage("Let me look.", (CALL,))
RESULT = ToolMessage("call_1", (Text("32"),))
BROUGHT = replace(ASKED, messages=(USER, ANSWER, RESULT))


def backend() -> ScriptedBackend:
    return ScriptedBackend([*CALLING, *AFTER], AFTER)


@pytest.mark.proves("tools.same-session")
@on_virtual_clock
async def test_results_go_on_in_the_session_that_waits_for_them() -> None:
    playing = backend()
    async with gateway(playing) as opened:
        assert await events_of(opened, ASKED) == CALLING
        assert await events_of(opened, BROUGHT) == AFTER
    (performance,) = playing.performances
    assert performance.resumed == [BROUGHT]


LAWFUL = {
    "white space around the text": AssistantMessage("  Let me look.\n", (CALL,)),
    "arguments written differently": AssistantMessage(
        "Let me look.", (ToolCall("call_1", "look", '{"day":1,\n"city":"Rome"}'),)
    ),
}

DIFFERENT = {
    "another text": replace(BROUGHT, messages=(USER, AssistantMessage("Let me see.", (CALL,)), RESULT)),
    "other arguments": replace(
        BROUGHT, messages=(USER, AssistantMessage("Let me look.", (replace(CALL, arguments="{}"),)), RESULT)
    ),
    "an edited question": replace(BROUGHT, messages=(UserMessage((Text("Weather?"),)), ANSWER, RESULT)),
    "another key": replace(BROUGHT, principal="key-2"),
    "another model": replace(BROUGHT, model=Model("opus")),
    "other tools": replace(BROUGHT, tools=()),
    "words after the result": replace(BROUGHT, messages=(*BROUGHT.messages, USER)),
}


@pytest.mark.proves("tools.same-session")
@pytest.mark.parametrize("answer", LAWFUL.values(), ids=LAWFUL.keys())
def test_what_a_client_may_write_differently_does_not_matter(answer: AssistantMessage) -> None:
    @on_virtual_clock
    async def play() -> None:
        playing = backend()
        async with gateway(playing) as opened:
            await events_of(opened, ASKED)
            assert await events_of(opened, replace(BROUGHT, messages=(USER, answer, RESULT))) == AFTER
        assert len(playing.performances) == 1

    play()


@pytest.mark.proves("tools.rebuilt", "tools.no-leak")
@pytest.mark.parametrize("turn", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_anything_else_is_answered_by_a_session_of_its_own(turn: Turn) -> None:
    @on_virtual_clock
    async def play() -> None:
        playing = backend()
        async with gateway(playing) as opened:
            await events_of(opened, ASKED)
            assert await events_of(opened, turn) == AFTER
        assert [len(performance.resumed) for performance in playing.performances] == [0, 0]

    play()


@pytest.mark.proves("tools.parked.bounded")
@on_virtual_clock
async def test_a_session_waits_for_a_bounded_time() -> None:
    playing = backend()
    async with gateway(playing, keep=Keep(parked=600)) as opened:
        await events_of(opened, ASKED)
        await anyio.sleep(599)
        assert not playing.performances[0].ended.is_set()
        await anyio.sleep(2)
        assert playing.performances[0].ended.is_set()
        assert await events_of(opened, BROUGHT) == AFTER


@pytest.mark.proves("tools.parked.bounded")
@on_virtual_clock
async def test_no_more_than_so_many_wait_and_the_oldest_goes_first() -> None:
    scripts = ScriptedBackend(*[[*CALLING, *AFTER] for _ in range(MOST_PARKED + 1)])
    async with gateway(scripts, keep=Keep(most=MOST_PARKED)) as opened:
        for number in range(MOST_PARKED + 1):
            await events_of(opened, replace(ASKED, principal=f"key-{number}"))
        await trio.testing.wait_all_tasks_blocked()
        ended = [performance.ended.is_set() for performance in scripts.performances]
    assert ended == [True] + [False] * MOST_PARKED


@pytest.mark.proves("tools.no-leak")
@on_virtual_clock
async def test_of_two_that_nothing_tells_apart_each_goes_on_once() -> None:
    playing = ScriptedBackend([*CALLING, *AFTER], [*CALLING, *AFTER], AFTER)
    async with gateway(playing) as opened:
        await events_of(opened, ASKED)
        await events_of(opened, ASKED)
        assert await events_of(opened, BROUGHT) == AFTER
        assert await events_of(opened, BROUGHT) == AFTER
    assert [len(performance.resumed) for performance in playing.performances] == [1, 1]


@pytest.mark.proves("tools.rebuilt")
@on_virtual_clock
async def test_a_session_that_cannot_take_the_results_is_replaced() -> None:
    playing = ScriptedBackend(CALLING, AFTER)
    async with gateway(playing) as opened:
        await events_of(opened, ASKED)
        assert await events_of(opened, BROUGHT) == AFTER
    assert [performance.ended.is_set() for performance in playing.performances] == [True, True]


@pytest.mark.proves("tools.rebuilt", "errors.process-died")
@on_virtual_clock
async def test_a_session_that_dies_as_it_is_resumed_is_replaced() -> None:
    died = TurnFailed(Failure(Kind.CLAUDE_CODE_FAILED, "died"))
    playing = ScriptedBackend([*CALLING, died], AFTER)
    async with gateway(playing) as opened:
        await events_of(opened, ASKED)
        assert await events_of(opened, BROUGHT) == AFTER
    assert [performance.ended.is_set() for performance in playing.performances] == [True, True]


@pytest.mark.proves("tools.parked.bounded")
@on_virtual_clock
async def test_parked_sessions_can_be_ended_at_once() -> None:
    playing = backend()
    async with gateway(playing) as opened:
        await events_of(opened, ASKED)
        await opened.end_waiting()
        assert playing.performances[0].ended.is_set()
        assert await events_of(opened, BROUGHT) == AFTER
