"""What becomes of requests: each is on record from its arrival to its end, can be followed, and can be ended. On the
virtual clock, which is also the clock of the records.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.core.events import (
    Event,
    ReasoningDelta,
    TextDelta,
    ToolCalled,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    Usage,
    UsageReported,
)
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.load import RunCounts
from claude_openai.core.messages import AssistantMessage, Text, ToolCall, ToolMessage, UserMessage
from claude_openai.core.models import Model
from claude_openai.core.ports import Session, StoreStatus
from claude_openai.core.runs import ACTIVE_STATES, Caller, Run, RunState, Visible
from claude_openai.core.search import Query, in_state, matches
from claude_openai.core.statistics import Span
from claude_openai.core.turn import Turn
from claude_openai.gateway import (
    Gateway,
    GatewayLimits,
    ModelOptions,
    QueueLimits,
    RunRegistry,
    SessionLimits,
    Timeouts,
)
from claude_openai.gateway.runs import merge_adjacent_text
from claude_openai.simulator import Gate
from claude_openai.testing.batches import each_event
from claude_openai.testing.scripted_backend import ScriptedBackend, Step
from tests.patience import PATIENCE_SECONDS
from tests.virtual_clock import on_virtual_clock

HI = UserMessage((Text("hi"),))
TURN = Turn(Model("sonnet"), (HI,))
STARTED, DONE = TurnStarted("claude-sonnet-4-6", "session"), TurnFinished("stop")
USED = UsageReported(Usage(10, 5), cost_usd=0.25)
CALL = ToolCall("call_1", "look", "{}")
CALLING: list[Step] = [STARTED, ToolCalled(CALL), TurnFinished("tool_calls"), STARTED, DONE]
RESULTS = replace(TURN, messages=(HI, AssistantMessage("", (CALL,)), ToolMessage("call_1", (Text("seen"),))))


def caller(number: int = 1, principal: str = "local") -> Caller:
    run_id = f"{number:032x}"
    return Caller(run_id, f"chatcmpl-{run_id}", f"req_{number}", principal, "a test")


@dataclass
class Record:
    """A store that keeps every value it was given."""

    saved: list[Run] = field(default_factory=list)

    def save(self, run: Run) -> None:
        self.saved.append(run)

    def states(self, run_id: str = caller().run_id) -> list[RunState]:
        return [run.state for run in self.saved if run.id == run_id]

    def status(self) -> StoreStatus:
        return StoreStatus()

    async def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        return tuple(run for run in self._latest() if run.id.startswith(wanted) and run.principal == principal)

    async def search(
        self, query: Query, limit: int, principal: str | None = None, after: Run | None = None
    ) -> tuple[Run, ...]:
        runs = [run for run in self._latest() if matches(query, run) and run.principal == principal]
        return tuple(reversed(runs))[:limit]

    async def statistics(self, *_: object, **__: object) -> tuple[Span, ...]:
        raise NotImplementedError

    async def recent(self, limit: int, state: RunState | None = None, principal: str | None = None) -> tuple[Run, ...]:
        return await self.search(in_state(state), limit, principal)

    def _latest(self) -> list[Run]:
        return list({run.id: run for run in self.saved}.values())


class Lossy(Record):
    """A store that keeps nothing."""

    def save(self, run: Run) -> None:
        pass


@dataclass
class House:
    """A gateway and what it writes down. `asked` are the requests' tasks."""

    gateway: Gateway
    record: Record
    asked: anyio.abc.TaskGroup

    def ask(self, number: int = 1, turn: Turn = TURN) -> list[Event]:
        """The events of a request of its own, as they come."""
        heard: list[Event] = []
        self.asked.start_soon(self.listen, heard, number, turn)
        return heard

    async def listen(self, heard: list[Event], number: int = 1, turn: Turn = TURN) -> None:
        async with self.gateway.open(turn, caller(number, turn.principal)) as events:
            async for event in each_event(events):
                heard.append(event)  # noqa: PERF401 -- who asks looks at it meanwhile

    async def run(self, number: int = 1, principal: str = "local") -> Run:
        [run] = await self.gateway.runs.find(caller(number).run_id, principal)
        return run

    async def cancel(self, number: int = 1) -> Run | None:
        return self.gateway.runs.cancel(await self.run(number))

    async def followed(self, number: int = 1) -> list[Visible]:
        """Everything that is said in a run, to its end."""
        follower, said = self.gateway.runs.follow(await self.run(number)), list[Visible]()
        while new := await follower.receive():
            said += new
        return said


@asynccontextmanager
async def house(*scripts: list[Step], most_running: int = 2, record: Record | None = None) -> AsyncIterator[House]:
    record = record or Record()
    limits = GatewayLimits(Timeouts(), QueueLimits(most_running, 10, 60), SessionLimits(parked_seconds=100))
    async with anyio.create_task_group() as tasks:
        backend = ScriptedBackend(*scripts)
        gateway = Gateway(backend, tasks, limits, ModelOptions(), RunRegistry(record, anyio.current_time))
        async with anyio.create_task_group() as asked:
            yield House(gateway, record, asked)
            asked.cancel_scope.cancel()
        tasks.cancel_scope.cancel()


def was_cancelled(heard: list[Event]) -> bool:
    return isinstance(heard[-1], TurnFailed) and heard[-1].failure.kind is Kind.CANCELLED


# What is on record


@pytest.mark.proves("runs.states")
@on_virtual_clock
async def test_a_run_is_on_record_from_its_arrival_with_all_that_is_known_of_it() -> None:
    async with house([STARTED, ReasoningDelta("Hm."), TextDelta("Hel"), TextDelta("lo"), USED, DONE]) as there:
        began = anyio.current_time()
        there.ask()
        await anyio.sleep(1)
        assert there.record.states() == [RunState.QUEUED, RunState.RUNNING, RunState.COMPLETED]
        assert await there.run() == Run(
            id=caller().run_id,
            answer_id=caller().answer_id,
            request_id="req_1",
            principal="local",
            client="a test",
            model="claude-sonnet-4-6",
            state=RunState.COMPLETED,
            arrived_at=began,
            began_at=began,
            first_token_at=began,
            ended_at=began,
            session_start="cold",
            finish="stop",
            usage=Usage(10, 5),
            cost_usd=0.25,
            text="Hello",
            asked_model="sonnet",
        )


@pytest.mark.proves("runs.states")
@on_virtual_clock
async def test_its_place_in_the_queue_and_its_wait_are_on_record() -> None:
    gate = Gate()
    async with house([STARTED, gate, DONE], [STARTED, DONE], most_running=1) as there:
        began = anyio.current_time()
        for number in range(1, 4):
            there.ask(number)
            await anyio.sleep(1)
        waiting = await there.gateway.runs.recent(10, RunState.QUEUED, "local")
        assert sorted((run.queue_position, run.began_at) for run in waiting) == [(1, None), (2, None)]
        assert there.gateway.load().runs == RunCounts(2, 1, 0, 0, 0, 0)
        gate.open()
        await anyio.sleep(1)
        assert [(run.queue_position, run.began_at) for run in [await there.run(number) for number in (1, 2, 3)]] == [
            (0, began),
            (1, began + 3),
            (2, began + 3),
        ]
        assert there.gateway.load().runs == RunCounts(0, 0, 0, 3, 0, 0)


@pytest.mark.proves("runs.states")
@on_virtual_clock
async def test_a_run_that_fails_says_why() -> None:
    async with house([TurnFailed(Failure(Kind.OVERLOADED, "Busy."))]) as there:
        there.ask()
        await anyio.sleep(1)
        run = await there.run()
        assert (run.state, run.error_code, run.error) == (RunState.FAILED, "overloaded", "Busy.")


@pytest.mark.proves("runs.states")
@on_virtual_clock
async def test_a_run_that_finds_the_queue_full_is_on_record_too() -> None:
    async with house([STARTED, Gate(), DONE], most_running=1) as there:
        for number in range(1, 13):
            there.ask(number)
            await anyio.sleep(1)
        assert there.record.states(caller(12).run_id) == [RunState.QUEUED, RunState.FAILED]
        assert (await there.run(12)).error_code == "queue_full"


@pytest.mark.proves("runs.states")
@on_virtual_clock
async def test_a_defect_of_ours_is_a_run_that_failed() -> None:
    async with house([STARTED, ValueError("oops")]) as there:
        with pytest.raises(ValueError, match="oops"):
            await there.listen([])
        run = await there.run()
        assert (run.state, run.error_code) == (RunState.FAILED, "internal")


@on_virtual_clock
async def test_a_client_that_leaves_has_cancelled_its_run() -> None:
    async with house([STARTED, TextDelta("Hel"), Gate(), DONE]) as there:
        with anyio.move_on_after(5):
            await there.listen([])
        run = await there.run()
        assert (run.state, run.text, run.error) == (
            RunState.CANCELLED,
            "Hel",
            "The client left before the answer was complete.",
        )


# Parked


@on_virtual_clock
async def test_a_parked_run_is_completed_when_its_results_come() -> None:
    async with house(CALLING) as there:
        there.ask(1)
        await anyio.sleep(1)
        assert (await there.run(1)).state is RunState.PARKED
        assert there.gateway.load().runs.parked == 1
        there.ask(2, RESULTS)
        await anyio.sleep(1)
        assert there.record.states()[-2:] == [RunState.PARKED, RunState.COMPLETED]
        assert ((await there.run(1)).calls, (await there.run(2)).session_start) == ((CALL,), "results")


@on_virtual_clock
async def test_a_parked_run_is_completed_when_its_session_is_given_up() -> None:
    async with house(CALLING) as there:
        there.ask()
        await anyio.sleep(99)
        assert (await there.run()).state is RunState.PARKED
        await anyio.sleep(2)
        assert (await there.run()).state is RunState.COMPLETED


@on_virtual_clock
async def test_a_run_whose_session_cannot_wait_is_not_parked_for_long() -> None:
    async with house([STARTED, ToolCalled(CALL), TurnFinished("tool_calls")]) as there:
        there.ask()
        await anyio.sleep(1)
        assert (await there.run()).state is RunState.COMPLETED


# Cancelling


@on_virtual_clock
async def test_a_run_that_waits_for_its_place_can_be_cancelled() -> None:
    async with house([STARTED, Gate(), DONE], most_running=1) as there:
        there.ask(1)
        await anyio.sleep(1)
        heard = there.ask(2)
        await anyio.sleep(1)
        await there.cancel(2)
        await anyio.sleep(1)
        assert was_cancelled(heard)
        assert there.record.states(caller(2).run_id) == [RunState.QUEUED, RunState.CANCELLED]
        assert (there.gateway.load().running, there.gateway.load().waiting) == (1, 0)


@on_virtual_clock
async def test_a_run_whose_process_is_starting_can_be_cancelled() -> None:
    class Slow(ScriptedBackend):
        @asynccontextmanager
        async def open(self, turn: Turn) -> AsyncIterator[Session]:
            await anyio.sleep(10)
            async with super().open(turn) as session:
                yield session

    async with anyio.create_task_group() as tasks, anyio.create_task_group() as asked:
        backend = Slow([STARTED, DONE])
        gateway = Gateway(
            backend, tasks, GatewayLimits(), ModelOptions(), RunRegistry(record := Record(), anyio.current_time)
        )
        heard = House(gateway, record, asked).ask()
        await anyio.sleep(5)
        gateway.runs.cancel(record.saved[-1])
        await anyio.sleep(1)
        assert was_cancelled(heard)
        assert record.states() == [RunState.QUEUED, RunState.RUNNING, RunState.CANCELLED]
        assert backend.performances == []


@pytest.mark.parametrize("said", [[], [STARTED], [STARTED, TextDelta("Hel")]])
def test_a_run_is_ended_upstream_when_it_is_cancelled(said: list[Event]) -> None:
    @on_virtual_clock
    async def play() -> None:
        async with anyio.create_task_group() as tasks, anyio.create_task_group() as asked:
            backend = ScriptedBackend([*said, Gate(), DONE])
            gateway = Gateway(
                backend, tasks, GatewayLimits(), ModelOptions(), RunRegistry(record := Record(), anyio.current_time)
            )
            heard = House(gateway, record, asked).ask()
            await anyio.sleep(5)
            ended = gateway.runs.cancel(record.saved[-1])
            assert ended is not None
            assert ended.state is RunState.CANCELLED
            await anyio.sleep(1)
            assert was_cancelled(heard)
            assert heard[:-1] == said
            assert backend.performances[0].ended.is_set()
            assert record.states() == [RunState.QUEUED, RunState.RUNNING, RunState.CANCELLED]
            assert gateway.runs.cancel(record.saved[-1]) is None

    play()


@on_virtual_clock
async def test_a_run_whose_client_does_not_read_is_ended_upstream_all_the_same() -> None:
    async with anyio.create_task_group() as tasks:
        backend = ScriptedBackend([STARTED, TextDelta("Hel"), TextDelta("lo"), DONE])
        gateway = Gateway(
            backend, tasks, GatewayLimits(), ModelOptions(), RunRegistry(record := Record(), anyio.current_time)
        )
        async with gateway.open(TURN, caller()) as events:
            assert await anext(events) == [STARTED]
            gateway.runs.cancel(record.saved[-1])
            await anyio.sleep(1)
            assert backend.performances[0].ended.is_set()
            assert was_cancelled([event async for event in each_event(events)])
        assert gateway.load().turns == {"cold": 1}
        assert gateway.load().processes.resting == 0


@on_virtual_clock
async def test_a_run_that_is_cancelled_while_its_last_word_is_on_its_way_keeps_no_session() -> None:
    async with anyio.create_task_group() as tasks:
        gateway = Gateway(
            ScriptedBackend(CALLING), tasks, GatewayLimits(), ModelOptions(), RunRegistry(record := Record())
        )
        async with gateway.open(TURN, caller()) as events:
            assert [event async for event in each_event(events)][-1] == TurnFinished("tool_calls")
            ended = gateway.runs.cancel(record.saved[-1])
            assert ended is not None
            assert ended.state is RunState.CANCELLED
        assert gateway.load().processes.parked == 0


@on_virtual_clock
async def test_a_parked_run_that_is_cancelled_loses_its_session_and_its_results_are_answered_by_another() -> None:
    async with house(CALLING, [STARTED, DONE]) as there:
        there.ask(1)
        await anyio.sleep(1)
        await there.cancel()
        await anyio.sleep(1)
        assert there.gateway.load().processes.parked == 0
        heard = there.ask(2, RESULTS)
        await anyio.sleep(1)
        assert heard[-1] == DONE
        assert there.record.states()[-2:] == [RunState.PARKED, RunState.CANCELLED]
        assert there.gateway.load().miss_reasons == {"cancelled": 1}


# Following


@on_virtual_clock
async def test_a_follower_is_told_what_was_said_and_then_what_is() -> None:
    gate = Gate()
    async with house([STARTED, ReasoningDelta("Hm."), TextDelta("Hel"), TextDelta("lo"), gate, *CALLING[1:3]]) as there:
        there.ask()
        await anyio.sleep(1)
        follower = there.gateway.runs.follow(await there.run())
        assert await follower.receive() == (ReasoningDelta("Hm."), TextDelta("Hello"))
        gate.open()
        assert await follower.receive() == (ToolCalled(CALL),)
        assert await follower.receive() == ()
        assert follower.run.state not in ACTIVE_STATES


@on_virtual_clock
async def test_a_follower_that_does_not_read_holds_nobody_up_and_misses_nothing() -> None:
    gate = Gate()
    async with house([STARTED, TextDelta("a"), gate, *[TextDelta("b")] * 1000, DONE]) as there:
        heard = there.ask()
        await anyio.sleep(1)
        follower = there.gateway.runs.follow(await there.run())
        gate.open()
        await anyio.sleep(1)
        assert heard[-1] == DONE
        assert await follower.receive() == (TextDelta("a" + "b" * 1000),)
        assert await follower.receive() == ()


@on_virtual_clock
async def test_a_run_that_is_over_is_told_again() -> None:
    async with house([STARTED, TextDelta("Hel"), TextDelta("lo"), *CALLING[1:3]]) as there:
        there.ask()
        await anyio.sleep(1)
        assert await there.followed() == [TextDelta("Hello"), ToolCalled(CALL)]


@on_virtual_clock
async def test_a_follower_is_told_the_end_of_a_run_that_is_cancelled() -> None:
    async with house([STARTED, TextDelta("Hel"), Gate(), DONE]) as there:
        there.ask()
        await anyio.sleep(1)
        follower = there.gateway.runs.follow(await there.run())
        await follower.receive()
        await there.cancel()
        with anyio.fail_after(PATIENCE_SECONDS):
            assert await follower.receive() == ()
        assert follower.run.state is RunState.CANCELLED


@given(
    st.lists(
        st.one_of(st.builds(TextDelta, st.text()), st.builds(ReasoningDelta, st.text()), st.just(ToolCalled(CALL)))
    )
)
def test_what_is_joined_says_the_same_and_has_no_two_texts_in_a_row(said: list[Visible]) -> None:
    whole = merge_adjacent_text(said)
    assert spelt(whole) == spelt(said)
    assert not any(type(one) is type(other) is not ToolCalled for one, other in pairwise(whole))


def spelt(said: list[Visible] | tuple[Visible, ...]) -> list[tuple[type[Visible], object]]:
    return [
        (type(each), part)
        for each in said
        for part in (each.text if isinstance(each, TextDelta | ReasoningDelta) else [each])
    ]


# Whose, and where from


@on_virtual_clock
async def test_a_principal_finds_its_own_runs_only_while_they_go_on_and_afterwards() -> None:
    gate = Gate()
    async with house([STARTED, gate, DONE], [STARTED, gate, DONE]) as there:
        for number, principal in enumerate(("key-a", "key-b")):
            there.ask(number, replace(TURN, principal=principal))
        for _ in ("while they go on", "afterwards"):
            await anyio.sleep(1)
            [run] = await there.gateway.runs.recent(10, None, "key-a")
            assert run.principal == "key-a"
            assert await there.gateway.runs.find(caller(1).run_id, "key-a") == ()
            assert await there.gateway.runs.find("0", "key-a") == (run,)
            gate.open()


@on_virtual_clock
async def test_a_run_goes_by_its_own_id_its_answers_and_its_requests_or_the_beginning_of_one() -> None:
    async with house([STARTED, Gate(), DONE]) as there:
        for number in (1, 2, 0x10):
            there.ask(number)
        await anyio.sleep(1)
        find = there.gateway.runs.find
        for name in (caller(1).run_id, caller(1).answer_id, "req_1", f"chatcmpl-{'0' * 31}1"):
            assert [run.id for run in await find(name, "local")] == [caller(1).run_id]
        assert [run.id for run in await find("req_2", "local")] == [caller(2).run_id]
        assert len(await find("0", "local")) == 2
        assert await find("f", "local") == ()


@on_virtual_clock
async def test_a_run_that_ends_while_it_is_looked_up_is_told_whole() -> None:
    class Slow(Record):
        async def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
            found = await super().find(wanted, principal)
            await anyio.sleep(1)
            return found

    gate = Gate()
    async with house([STARTED, TextDelta("Hi"), gate, DONE], record=Slow()) as there:
        there.ask()
        await anyio.sleep(1)
        there.asked.start_soon(open_in, gate, 0.5)
        run = await there.run()
        assert (run.state, run.text) == (RunState.COMPLETED, "Hi")


async def open_in(gate: Gate, seconds: float) -> None:
    await anyio.sleep(seconds)
    gate.open()


@pytest.mark.proves("store.trouble")
@on_virtual_clock
async def test_a_store_that_keeps_nothing_changes_nothing_for_a_request() -> None:
    gate = Gate()
    async with house([STARTED, TextDelta("Hi"), gate, DONE], record=Lossy()) as there:
        heard = there.ask()
        await anyio.sleep(1)
        assert (await there.run()).text == "Hi"
        assert [run.state for run in await there.gateway.runs.recent(1, None, "local")] == [RunState.RUNNING]
        gate.open()
        await anyio.sleep(1)
        assert heard == [STARTED, TextDelta("Hi"), DONE]
        assert there.gateway.load().runs.completed == 1
