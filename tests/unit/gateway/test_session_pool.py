"""Sessions that outlive a request: who gets which, how long they wait, and who makes room. On the virtual clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import pytest
import trio
import trio.testing

from claude_openai.core.events import (
    Event,
    RateLimitReported,
    Retrying,
    TextDelta,
    ToolCalled,
    TurnFailed,
    TurnFinished,
)
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.load import Processes
from claude_openai.core.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from claude_openai.core.models import Model
from claude_openai.core.ports import Session
from claude_openai.core.tools import Tool, ToolChoice
from claude_openai.core.turn import Sampling, Turn
from claude_openai.gateway import Gateway, QueueLimits, SessionLimits, Timeouts
from claude_openai.simulator import Gate
from claude_openai.testing.batches import each_event
from claude_openai.testing.scripted_backend import ScriptedBackend, Step
from tests.unit.gateway.test_gateway import DONE, STARTED, events_of, gateway
from tests.virtual_clock import on_virtual_clock

# A chat of three turns, and the sessions that play it


def user(text: str) -> UserMessage:
    return UserMessage((Text(text),))


def said(*texts: str) -> list[Event]:
    """A turn that says `texts`, each in a delta of its own."""
    return [STARTED, *map(TextDelta, texts), DONE]


def chatting(*answers: str) -> list[Step]:
    """A session that gives `answers`, one per turn, and could go on."""
    return [event for answer in (*answers, "And so on.") for event in said(answer)]


SYSTEM = SystemMessage("Be brief.")
U1, U2, U3 = user("Hi."), user("Name a city."), user("Another.")
A1, A2, A3 = AssistantMessage("Hello."), AssistantMessage("Rome."), AssistantMessage("Oslo.")
FIRST = Turn(Model("sonnet"), (SYSTEM, U1), tools=(Tool("look", "{}"),))
SECOND = replace(FIRST, messages=(SYSTEM, U1, A1, U2))
THIRD = replace(FIRST, messages=(SYSTEM, U1, A1, U2, A2, U3))
REBUILT = said("I am another.")


def chat() -> ScriptedBackend:
    return ScriptedBackend(chatting("Hello.", "Rome.", "Oslo."), chatting("I am another."))


def saying(*messages: Message) -> Turn:
    """The third turn, with another history."""
    return replace(FIRST, messages=(SYSTEM, *messages))


async def two_turns(opened: Gateway) -> None:
    assert await events_of(opened, FIRST) == said("Hello.")
    assert await events_of(opened, SECOND) == said("Rome.")


CONTINUED = {
    "with the next words": THIRD,
    "with several new messages": saying(U1, A1, U2, A2, U3, user("Quick!")),
    "with white space trimmed from an answer or put around it": saying(
        U1, AssistantMessage("  Hello.\n"), U2, AssistantMessage("\tRome."), U3
    ),
    "with other sampling": replace(THIRD, sampling=Sampling(max_tokens=5, temperature=0.1, top_p=0.5, stop=("x",))),
    "with another choice of tools": replace(THIRD, tool_choice=ToolChoice("tool", "look", parallel=False)),
}


@pytest.mark.parametrize("turn", CONTINUED.values(), ids=CONTINUED.keys())
def test_a_conversation_goes_on_in_its_session(turn: Turn) -> None:
    @on_virtual_clock
    async def play() -> None:
        playing = chat()
        async with gateway(playing) as opened:
            await two_turns(opened)
            assert await events_of(opened, turn) == said("Oslo.")
            assert opened.load().turns == {"cold": 1, "live": 2}
            assert opened.load().miss_reasons == {}
        (performance,) = playing.performances
        assert performance.resumed == [SECOND, turn]

    play()


ANOTHER = {
    "an edited earlier message": (saying(U1, A1, user("Name a town."), A2, U3), "history"),
    "an edited first message": (saying(user("Ho."), A1, U2, A2, U3), "unknown"),
    "an edited answer": (saying(U1, A1, U2, AssistantMessage("Roma."), U3), "history"),
    "white space within an answer": (saying(U1, AssistantMessage("Hel lo."), U2, A2, U3), "history"),
    "a question asked again": (saying(U1, A1, U2), "history"),
    "a question asked in other words": (saying(U1, A1, user("Name a river.")), "history"),
    "a branch": (saying(U1, A1, user("Name a river."), AssistantMessage("Po."), U3), "history"),
    "first messages dropped": (saying(U2, A2, U3), "unknown"),
    "first messages summed up": (saying(user("We said hello."), A2, U3), "unknown"),
    "an answer left out": (saying(U1, U2, A2, U3), "history"),
    "other tools": (replace(THIRD, tools=(Tool("hear", "{}"),)), "tools"),
    "no tools": (replace(THIRD, tools=()), "tools"),
    "another model": (replace(THIRD, model=Model("haiku")), "model"),
    "other instructions": (replace(THIRD, messages=(SystemMessage("Be long."), *THIRD.messages[1:])), "instructions"),
    "no instructions": (replace(THIRD, messages=THIRD.messages[1:]), "instructions"),
    "another key": (replace(THIRD, principal="key-2"), "unknown"),
}


@pytest.mark.parametrize(("turn", "reason"), ANOTHER.values(), ids=ANOTHER.keys())
def test_anything_else_gets_a_session_of_its_own_and_leaves_the_other_alone(turn: Turn, reason: str) -> None:
    @on_virtual_clock
    async def play() -> None:
        playing = chat()
        async with gateway(playing) as opened:
            await two_turns(opened)
            assert await events_of(opened, turn) == REBUILT
            assert opened.load().miss_reasons == {reason: 1}
            assert await events_of(opened, THIRD) == said("Oslo.")
            assert opened.load().turns == {"cold": 2, "live": 2}
        assert [performance.resumed for performance in playing.performances] == [[SECOND, THIRD], []]

    play()


@on_virtual_clock
async def test_the_same_first_words_again_are_a_new_conversation_and_nothing_was_rebuilt() -> None:
    async with gateway(chat()) as opened:
        assert await events_of(opened, FIRST) == said("Hello.")
        assert await events_of(opened, FIRST) == REBUILT
        assert opened.load().turns == {"cold": 2}
        assert opened.load().miss_reasons == {}


@on_virtual_clock
async def test_branches_of_a_conversation_go_on_side_by_side() -> None:
    branch = saying(U1, A1, user("Name a river."))
    along = saying(U1, A1, user("Name a river."), AssistantMessage("Po."), U3)
    playing = ScriptedBackend(chatting("Hello.", "Rome.", "Oslo."), chatting("Po.", "Rhine."))
    async with gateway(playing) as opened:
        await two_turns(opened)
        assert await events_of(opened, branch) == said("Po.")
        assert await events_of(opened, THIRD) == said("Oslo.")
        assert await events_of(opened, along) == said("Rhine.")
    assert [performance.resumed for performance in playing.performances] == [[SECOND, THIRD], [along]]


# Results of calls

CALL = ToolCall("call_1", "look", '{"city": "Rome", "day": 1}')
CALLING: list[Event] = [STARTED, TextDelta("Let me "), TextDelta("look."), ToolCalled(CALL), TurnFinished("tool_calls")]
ANSWER = AssistantMessage("Let me look.", (CALL,))
RESULT = ToolMessage("call_1", (Text("32"),))
ASKED = replace(FIRST, messages=(U1,))
BROUGHT = replace(FIRST, messages=(U1, ANSWER, RESULT))
AFTER = said("Hot.")


def looking() -> ScriptedBackend:
    return ScriptedBackend([*CALLING, *chatting("Hot.", "Very.")], chatting("I am another."))


@on_virtual_clock
async def test_results_go_on_in_the_session_that_waits_for_them_and_so_do_the_words_after() -> None:
    playing = looking()
    more = replace(BROUGHT, messages=(*BROUGHT.messages, AssistantMessage("Hot."), U2))
    async with gateway(playing) as opened:
        assert await events_of(opened, ASKED) == CALLING
        assert await events_of(opened, BROUGHT) == AFTER
        assert await events_of(opened, more) == said("Very.")
        assert opened.load().turns == {"cold": 1, "results": 1, "live": 1}
    (performance,) = playing.performances
    assert performance.resumed == [BROUGHT, more]


def brought(answer: AssistantMessage) -> Turn:
    return replace(BROUGHT, messages=(U1, answer, RESULT))


LAWFUL = {
    "white space around the text": AssistantMessage("  Let me look.\n", (CALL,)),
    "arguments written differently": AssistantMessage(
        "Let me look.", (replace(CALL, arguments='{"day":1.0,\n"city":"\\u0052ome"}'),)
    ),
}


@pytest.mark.parametrize("answer", LAWFUL.values(), ids=LAWFUL.keys())
def test_what_a_client_may_write_differently_does_not_matter(answer: AssistantMessage) -> None:
    @on_virtual_clock
    async def play() -> None:
        playing = looking()
        async with gateway(playing) as opened:
            await events_of(opened, ASKED)
            assert await events_of(opened, brought(answer)) == AFTER
        assert len(playing.performances) == 1

    play()


DIFFERENT = {
    "another text": (brought(AssistantMessage("Let me see.", (CALL,))), "history"),
    "other arguments": (brought(AssistantMessage("Let me look.", (replace(CALL, arguments="{}"),))), "history"),
    "another call": (brought(AssistantMessage("Let me look.", (replace(CALL, id="call_2"),))), "history"),
    "an edited question": (replace(BROUGHT, messages=(user("Ho."), ANSWER, RESULT)), "unknown"),
    "another key": (replace(BROUGHT, principal="key-2"), "unknown"),
    "another model": (replace(BROUGHT, model=Model("opus")), "model"),
    "other tools": (replace(BROUGHT, tools=()), "tools"),
    "words after the result": (replace(BROUGHT, messages=(*BROUGHT.messages, U2)), "mixed"),
}


@pytest.mark.parametrize(("turn", "reason"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_other_results_are_answered_by_a_session_of_their_own(turn: Turn, reason: str) -> None:
    @on_virtual_clock
    async def play() -> None:
        playing = looking()
        async with gateway(playing) as opened:
            await events_of(opened, ASKED)
            assert await events_of(opened, turn) == REBUILT
            assert opened.load().miss_reasons == {reason: 1}
            assert await events_of(opened, BROUGHT) == AFTER
        assert [performance.resumed for performance in playing.performances] == [[BROUGHT], []]

    play()


@on_virtual_clock
async def test_of_two_that_nothing_tells_apart_each_goes_on_once() -> None:
    playing = ScriptedBackend([*CALLING, *AFTER], [*CALLING, *AFTER], AFTER)
    async with gateway(playing) as opened:
        await events_of(opened, ASKED)
        await events_of(opened, ASKED)
        assert await events_of(opened, BROUGHT) == AFTER
        assert await events_of(opened, BROUGHT) == AFTER
    assert [len(performance.resumed) for performance in playing.performances] == [1, 1]


# Two at once


@on_virtual_clock
async def test_of_two_requests_for_one_session_one_goes_on_and_the_other_gets_its_own() -> None:
    gate = Gate()
    playing = ScriptedBackend([*said("Hello."), STARTED, gate, TextDelta("Rome."), DONE], chatting("I am another."))
    answers: list[list[Event]] = []

    async def ask(opened: Gateway) -> None:
        answers.append(await events_of(opened, SECOND))

    async with gateway(playing) as opened:
        await events_of(opened, FIRST)
        async with anyio.create_task_group() as clients:
            clients.start_soon(ask, opened)
            clients.start_soon(ask, opened)
            await trio.testing.wait_all_tasks_blocked()
            gate.open()
        assert opened.load().turns == {"cold": 2, "live": 1}
        assert opened.load().miss_reasons == {"busy": 1}
    assert answers == [REBUILT, said("Rome.")]
    assert [performance.resumed for performance in playing.performances] == [[SECOND], []]


# How long a session waits


@pytest.mark.proves("conversations.bounded")
@on_virtual_clock
async def test_a_session_rests_for_a_bounded_time() -> None:
    playing = chat()
    async with gateway(playing, keep=SessionLimits(idle_seconds=300)) as opened:
        await events_of(opened, FIRST)
        await anyio.sleep(299)
        assert opened.load().processes == Processes(answering=0, resting=1, parked=0, ending=0, warm=0)
        await anyio.sleep(2)
        assert playing.performances[0].ended.is_set()
        assert opened.load().processes == Processes(answering=0, resting=0, parked=0, ending=0, warm=0)
        assert await events_of(opened, SECOND) == REBUILT
        assert opened.load().miss_reasons == {"expired": 1}


@on_virtual_clock
async def test_a_session_waits_for_results_for_a_bounded_time_of_its_own() -> None:
    playing = looking()
    async with gateway(playing, keep=SessionLimits(idle_seconds=10, parked_seconds=600)) as opened:
        await events_of(opened, ASKED)
        await anyio.sleep(599)
        assert opened.load().processes == Processes(answering=0, resting=0, parked=1, ending=0, warm=0)
        await anyio.sleep(2)
        assert playing.performances[0].ended.is_set()
        assert await events_of(opened, BROUGHT) == REBUILT
        assert opened.load().miss_reasons == {"expired": 1}


@pytest.mark.proves("conversations.bounded")
@on_virtual_clock
async def test_after_results_a_session_rests_as_after_any_answer() -> None:
    playing = looking()
    async with gateway(playing, keep=SessionLimits(idle_seconds=10, parked_seconds=600)) as opened:
        await events_of(opened, ASKED)
        await events_of(opened, BROUGHT)
        await anyio.sleep(11)
        assert playing.performances[0].ended.is_set()


@pytest.mark.proves("conversations.bounded")
@on_virtual_clock
async def test_the_time_starts_anew_with_each_answer() -> None:
    playing = chat()
    async with gateway(playing, keep=SessionLimits(idle_seconds=300)) as opened:
        for turn in (FIRST, SECOND, THIRD):
            await events_of(opened, turn)
            await anyio.sleep(299)
        assert opened.load().turns == {"cold": 1, "live": 2}
        assert not playing.performances[0].ended.is_set()
        await anyio.sleep(2)
        assert playing.performances[0].ended.is_set()


@pytest.mark.proves("conversations.bounded")
@on_virtual_clock
async def test_an_answer_may_take_longer_than_a_session_rests() -> None:
    gate = Gate()
    playing = ScriptedBackend([*said("Hello."), STARTED, gate, TextDelta("Rome."), DONE, *said("Oslo.")])
    async with (
        gateway(playing, Timeouts(600, 600, 600), SessionLimits(idle_seconds=10)) as opened,
        anyio.create_task_group() as clients,
    ):
        await events_of(opened, FIRST)
        clients.start_soon(events_of, opened, SECOND)
        await anyio.sleep(100)
        gate.open()
        await trio.testing.wait_all_tasks_blocked()
        assert await events_of(opened, THIRD) == said("Oslo.")


@pytest.mark.proves("conversations.bounded")
@on_virtual_clock
async def test_a_request_in_the_very_moment_in_which_a_session_expires_is_answered_all_the_same() -> None:
    playing = chat()
    async with gateway(playing, keep=SessionLimits(idle_seconds=300)) as opened:
        await events_of(opened, FIRST)
        clock = trio.lowlevel.current_clock()
        assert isinstance(clock, trio.testing.MockClock)
        clock.jump(300)  # and the session has not been told yet
        assert await events_of(opened, SECOND) == REBUILT
        assert opened.load().miss_reasons == {"expired": 1}
        await trio.testing.wait_all_tasks_blocked()
        assert playing.performances[0].ended.is_set()
        assert opened.load().processes == Processes(answering=0, resting=1, parked=0, ending=0, warm=0)


@pytest.mark.proves("conversations.bounded")
@on_virtual_clock
async def test_without_time_to_rest_no_session_is_kept() -> None:
    playing = chat()
    async with gateway(playing, keep=SessionLimits(idle_seconds=0)) as opened:
        await events_of(opened, FIRST)
        await trio.testing.wait_all_tasks_blocked()
        assert playing.performances[0].ended.is_set()
        assert await events_of(opened, SECOND) == REBUILT


# How many there are

CLOSING_SECONDS = 3.0


class Slow(ScriptedBackend):
    """Its sessions take their time to end, and it counts how many there are."""

    there = 0
    most = 0

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[Session]:
        self.there += 1
        self.most = max(self.most, self.there)
        try:
            async with super().open(turn) as session:
                yield session
                await anyio.sleep(CLOSING_SECONDS)
        finally:
            self.there -= 1


def of(key: str, turn: Turn = FIRST) -> Turn:
    return replace(turn, principal=key)


def ended(playing: ScriptedBackend) -> list[str]:
    return [performance.turn.principal for performance in playing.performances if performance.ended.is_set()]


@on_virtual_clock
async def test_a_new_session_begins_only_when_the_one_that_makes_room_is_gone() -> None:
    playing = Slow(chatting("Hello."))
    async with gateway(playing, keep=SessionLimits(max_sessions=2)) as opened:
        for key in ("a", "b"):
            await events_of(opened, of(key))
        began = anyio.current_time()
        await events_of(opened, of("c"))
        assert anyio.current_time() - began == pytest.approx(CLOSING_SECONDS)
        assert ended(playing) == ["a"]
        await events_of(opened, of("a", SECOND))
        assert opened.load().miss_reasons == {"evicted": 1}
    assert playing.most == 2


@on_virtual_clock
async def test_the_least_recently_used_makes_room_and_then_who_has_been_parked_longest() -> None:
    parks, rests = [*CALLING, *AFTER], chatting("Hello.", "Rome.")
    playing = ScriptedBackend(parks, rests, rests, parks)
    evicted: list[list[str]] = []
    async with gateway(playing, keep=SessionLimits(max_sessions=3)) as opened:
        for turn in (of("parked"), of("used again"), of("used once"), of("used again", SECOND)):
            await events_of(opened, turn)
            await anyio.sleep(1)
        for key in ("new", "newer", "newest"):
            await events_of(opened, of(key))
            evicted.append(ended(playing))
            await anyio.sleep(1)
    assert evicted == [["used once"], ["used again", "used once"], ["parked", "used again", "used once"]]


@on_virtual_clock
async def test_one_that_answers_never_makes_room_and_a_request_waits_until_one_rests() -> None:
    first, second = Gate(), Gate()
    playing = Slow([STARTED, first, *AFTER], [STARTED, second, *chatting("b")[1:]], chatting("c"))
    answered: list[str] = []

    async def ask(opened: Gateway, key: str) -> None:
        await events_of(opened, of(key))
        answered.append(key)

    keep, queue = SessionLimits(max_sessions=2), QueueLimits(max_running=3)
    async with gateway(playing, keep=keep, queue=queue) as opened, anyio.create_task_group() as clients:
        for key in ("a", "b", "c"):
            clients.start_soon(ask, opened, key)
            await trio.testing.wait_all_tasks_blocked()
        assert [performance.turn.principal for performance in playing.performances] == ["a", "b"]
        second.open()
        await anyio.sleep(CLOSING_SECONDS + 1)
        assert answered == ["b", "c"]
        first.open()
    assert playing.most == 2


@on_virtual_clock
async def test_a_client_that_leaves_while_it_waits_for_room_leaves_nothing() -> None:
    gate = Gate()
    playing = ScriptedBackend([STARTED, gate, *chatting("a")[1:]], chatting("b"))
    async with gateway(playing, keep=SessionLimits(max_sessions=1)) as opened, anyio.create_task_group() as clients:
        clients.start_soon(events_of, opened, of("a"))
        await trio.testing.wait_all_tasks_blocked()
        with anyio.move_on_after(5):
            await events_of(opened, of("b"))
        gate.open()
        await trio.testing.wait_all_tasks_blocked()
        assert [performance.turn.principal for performance in playing.performances] == ["a"]
        assert opened.load().processes == Processes(answering=0, resting=1, parked=0, ending=0, warm=0)
        assert opened.load().running == 0


@on_virtual_clock
async def test_as_many_requests_as_like_never_have_more_sessions_than_there_may_be() -> None:
    playing = Slow(chatting("Hello."))
    keep, queue = SessionLimits(max_sessions=2), QueueLimits(max_running=5, wait_seconds=600)
    async with gateway(playing, keep=keep, queue=queue) as opened:
        async with anyio.create_task_group() as clients:
            for number in range(12):
                clients.start_soon(events_of, opened, of(f"key-{number}"))
        assert opened.load().turns == {"cold": 12}
    assert playing.most == 2


# Sessions that die

DIED = TurnFailed(Failure(Kind.CLAUDE_CODE_FAILED, "died"), session_lost=True)


@on_virtual_clock
async def test_a_resting_session_that_dies_frees_its_place_at_once_and_is_rebuilt() -> None:
    playing = chat()
    async with gateway(playing, keep=SessionLimits(max_sessions=1)) as opened:
        await events_of(opened, FIRST)
        playing.performances[0].dies.set()
        await trio.testing.wait_all_tasks_blocked()
        assert playing.performances[0].ended.is_set()
        assert opened.load().processes == Processes(answering=0, resting=0, parked=0, ending=0, warm=0)
        assert await events_of(opened, SECOND) == REBUILT
        assert opened.load().miss_reasons == {"died": 1}


@on_virtual_clock
async def test_a_session_whose_death_nobody_has_noticed_yet_is_replaced() -> None:
    playing = chat()
    async with gateway(playing) as opened:
        await events_of(opened, FIRST)
        playing.performances[0].dies.set()
        assert await events_of(opened, SECOND) == REBUILT
        assert sum(opened.load().miss_reasons.values()) == 1
        await trio.testing.wait_all_tasks_blocked()
        assert playing.performances[0].ended.is_set()


@pytest.mark.parametrize(
    ("before", "first", "then"), [(said("Hello."), FIRST, SECOND), (CALLING, ASKED, BROUGHT)], ids=["words", "results"]
)
def test_a_session_that_dies_as_it_is_resumed_is_replaced(before: list[Event], first: Turn, then: Turn) -> None:
    @on_virtual_clock
    async def play() -> None:
        playing = ScriptedBackend([*before, DIED, *said("a ghost")], chatting("I am another.", "Still."))
        async with gateway(playing) as opened:
            await events_of(opened, first)
            assert await events_of(opened, then) == REBUILT
            assert playing.performances[0].ended.is_set()
            assert opened.load().miss_reasons == {"died": 1}
            more = replace(then, messages=(*then.messages, AssistantMessage("I am another."), U3))
            assert await events_of(opened, more) == said("Still.")

    play()


@on_virtual_clock
async def test_reports_before_the_loss_of_a_session_reach_the_client_and_the_session_is_replaced() -> None:
    reports: list[Event] = [RateLimitReported("allowed"), Retrying(1, 2)]
    playing = ScriptedBackend([*said("Hello."), *reports, DIED, *said("a ghost")], chatting("I am another."))
    async with gateway(playing) as opened:
        await events_of(opened, FIRST)
        assert await events_of(opened, SECOND) == [*reports, *REBUILT]


@on_virtual_clock
async def test_a_failure_of_claude_code_without_the_loss_of_its_session_is_the_answer() -> None:
    failed = replace(DIED, session_lost=False)
    playing = ScriptedBackend([*said("Hello."), failed, *said("a ghost")], chatting("I am another."))
    async with gateway(playing) as opened:
        await events_of(opened, FIRST)
        assert await events_of(opened, SECOND) == [failed]


@on_virtual_clock
async def test_a_session_that_dies_in_mid_answer_hurts_only_its_own_request() -> None:
    dying = [*said("Hello."), STARTED, TextDelta("Ro"), DIED, *said("a ghost")]
    playing = ScriptedBackend(dying, chatting("Hello.", "Paris."), chatting("I am another."))
    async with gateway(playing) as opened:
        await events_of(opened, of("a"))
        await events_of(opened, of("b"))
        assert await events_of(opened, of("a", SECOND)) == [STARTED, TextDelta("Ro"), DIED]
        assert await events_of(opened, of("b", SECOND)) == said("Paris.")
        assert await events_of(opened, of("a", SECOND)) == REBUILT
        assert ended(playing) == ["a"]


@on_virtual_clock
async def test_a_session_that_dies_while_it_answers_may_say_its_last_words_and_is_not_kept() -> None:
    gate = Gate()
    playing = ScriptedBackend([STARTED, gate, *said("Hello.")[1:], *said("a ghost")], chatting("I am another."))
    async with gateway(playing) as opened:
        async with opened.open(FIRST) as events:
            assert await anext(events) == [STARTED]
            playing.performances[0].dies.set()
            await trio.testing.wait_all_tasks_blocked()
            assert not playing.performances[0].ended.is_set()
            gate.open()
            assert [event async for event in each_event(events)] == said("Hello.")[1:]
        assert playing.performances[0].ended.is_set()
        assert await events_of(opened, SECOND) == REBUILT


# Turns that leave no session


@on_virtual_clock
async def test_a_turn_that_failed_is_not_continued() -> None:
    failed = TurnFailed(Failure(Kind.OVERLOADED, "busy"))
    playing = ScriptedBackend([STARTED, TextDelta("Hello."), failed, *said("a ghost")], chatting("I am another."))
    async with gateway(playing) as opened:
        assert (await events_of(opened, FIRST))[-1] == failed
        assert playing.performances[0].ended.is_set()
        assert await events_of(opened, SECOND) == REBUILT
        assert opened.load().miss_reasons == {"failed": 1}


@on_virtual_clock
async def test_a_turn_whose_client_left_in_mid_answer_is_not_continued() -> None:
    playing = ScriptedBackend([*said("Hello.", " Well?"), *said("a ghost")], chatting("I am another."))
    async with gateway(playing) as opened:
        async with opened.open(FIRST) as events:
            async for batch in events:
                if batch == [TextDelta("Hello.")]:
                    break
        assert playing.performances[0].ended.is_set()
        assert await events_of(opened, SECOND) == REBUILT
        assert opened.load().miss_reasons == {"left": 1}


@on_virtual_clock
async def test_a_turn_whose_client_left_with_the_last_event_on_its_way_is_not_continued() -> None:
    playing = chat()
    async with gateway(playing) as opened:
        with anyio.move_on_after(5):
            async with opened.open(FIRST) as events:
                async for batch in events:
                    if batch == [DONE]:
                        await anyio.sleep_forever()
        assert playing.performances[0].ended.is_set()
        assert await events_of(opened, SECOND) == REBUILT
        assert opened.load().miss_reasons == {"left": 1}


@on_virtual_clock
async def test_a_client_that_is_cut_off_in_mid_answer_ends_the_session_it_went_on_in() -> None:
    playing = ScriptedBackend([*said("Hello."), STARTED, Gate()], chatting("I am another."))
    async with gateway(playing) as opened:
        await events_of(opened, FIRST)
        with anyio.move_on_after(5):
            await events_of(opened, SECOND)
        assert playing.performances[0].ended.is_set()
        assert opened.load().running == 0
        assert await events_of(opened, SECOND) == REBUILT


@on_virtual_clock
async def test_a_question_that_is_asked_again_after_it_failed_was_rebuilt_because_of_that() -> None:
    failed = TurnFailed(Failure(Kind.OVERLOADED, "busy"))
    playing = ScriptedBackend([*said("Hello."), failed], chatting("I am another."))
    async with gateway(playing) as opened:
        await events_of(opened, FIRST)
        await events_of(opened, SECOND)
        assert await events_of(opened, SECOND) == REBUILT
        assert opened.load().miss_reasons == {"failed": 1}


@on_virtual_clock
async def test_an_answer_that_leaves_nothing_to_go_on_with_is_not_continued() -> None:
    playing = ScriptedBackend([STARTED, TextDelta("Hello."), TurnFinished("length")], chatting("I am another."))
    async with gateway(playing) as opened:
        await events_of(opened, FIRST)
        assert playing.performances[0].ended.is_set()
        assert await events_of(opened, SECOND) == REBUILT
        assert opened.load().miss_reasons == {"cut": 1}


@on_virtual_clock
async def test_a_session_that_cannot_take_what_comes_is_replaced() -> None:
    playing = looking()
    async with gateway(playing, keep=SessionLimits(max_sessions=1)) as opened:
        await events_of(opened, ASKED)
        playing.performances[0].unable = True
        assert await events_of(opened, BROUGHT) == REBUILT
        assert playing.performances[0].ended.is_set()
        assert opened.load().turns == {"cold": 2}
        assert opened.load().miss_reasons == {"unable": 1}


# Sessions that have served enough


@on_virtual_clock
async def test_a_session_that_has_served_enough_ends_with_its_answer() -> None:
    playing = chat()
    async with gateway(playing) as opened:
        await events_of(opened, FIRST)
        playing.performances[0].worn = True
        assert await events_of(opened, SECOND) == said("Rome.")
        assert playing.performances[0].ended.is_set()
        assert await events_of(opened, THIRD) == REBUILT
        assert opened.load().miss_reasons == {"worn": 1}


@on_virtual_clock
async def test_a_session_that_has_served_enough_still_takes_the_results_it_waits_for() -> None:
    gate = Gate()
    playing = ScriptedBackend([STARTED, gate, *CALLING[1:], *AFTER, *said("a ghost")])
    async with gateway(playing) as opened:
        async with opened.open(ASKED) as events:
            await anext(events)
            playing.performances[0].worn = True
            gate.open()
            assert [event async for event in each_event(events)] == CALLING[1:]
        assert not playing.performances[0].ended.is_set()
        assert await events_of(opened, BROUGHT) == AFTER
        assert playing.performances[0].ended.is_set()


# The end


@on_virtual_clock
async def test_sessions_that_wait_can_be_ended_at_once_and_together() -> None:
    playing = Slow([*CALLING, *AFTER], chatting("Hello."), chatting("I am another."))
    async with gateway(playing) as opened:
        await events_of(opened, ASKED)
        await events_of(opened, of("b"))
        began = anyio.current_time()
        await opened.close_idle_sessions()
        assert anyio.current_time() - began == pytest.approx(CLOSING_SECONDS)
        assert ended(playing) == ["local", "b"]
        assert await events_of(opened, BROUGHT) == REBUILT
        assert opened.load().miss_reasons == {"stopped": 1}


@on_virtual_clock
async def test_a_request_that_goes_on_while_the_others_are_ended_is_answered() -> None:
    playing = Slow(chatting("Hello.", "Rome."), chatting("Hello.", "Paris."), chatting("I am another."))
    async with gateway(playing) as opened, anyio.create_task_group() as ending:
        for key in ("a", "b"):
            await events_of(opened, of(key))
        ending.start_soon(opened.close_idle_sessions)
        await trio.testing.wait_all_tasks_blocked()
        assert await events_of(opened, of("b", SECOND)) == REBUILT
