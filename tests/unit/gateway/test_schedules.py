"""The whole gateway under any order of requests, results, time-outs, deaths, departures, cancellations and evictions:
whatever came, every turn is told its end once, nobody hears what was said to another, nothing is left, and what became
of each is on record. On the virtual clock.
"""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass
from enum import Enum, auto

import anyio
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from claude_openai.core.events import Event, TextDelta, ToolCalled, TurnFailed, TurnFinished, TurnStarted
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.load import Processes
from claude_openai.core.messages import AssistantMessage, Message, Text, ToolCall, ToolMessage, UserMessage
from claude_openai.core.models import Model
from claude_openai.core.ports import BackendStatus, Description, Session, SessionStart, StoreStatus
from claude_openai.core.runs import ACTIVE_STATES, TERMINAL_STATES, Run, RunState
from claude_openai.core.search import Query
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
from claude_openai.testing.batches import each_event
from claude_openai.testing.scripted_backend import DESCRIPTION
from tests.virtual_clock import on_virtual_clock

STARTED = TurnStarted("sonnet", "session")
NOTHING = Processes(answering=0, resting=0, parked=0, ending=0, warm=0)
LIMITS = GatewayLimits(
    Timeouts(request=60, first_byte=20, idle=30),
    QueueLimits(2, 3, 40),
    SessionLimits(idle_seconds=50, parked_seconds=80, max_sessions=3),
)
AT_LAST_SECONDS = 1000.0
"""Longer than the longest queue of the longest turns."""


class Mood(Enum):
    """How a session takes a turn."""

    SAYS = auto()
    CALLS = auto()
    IS_CUT = auto()
    FAILS = auto()
    DIES_AT_ONCE = auto()
    DIES_IN_BETWEEN = auto()
    DIES_AFTERWARDS = auto()
    IS_SILENT = auto()
    IS_STUCK = auto()
    REFUSES_MORE = auto()


DIED = TurnFailed(Failure(Kind.CLAUDE_CODE_FAILED, "died"), session_lost=True)
FAILED = TurnFailed(Failure(Kind.OVERLOADED, "busy"))


class Moody:
    """A backend whose sessions have moods, know what they have heard, and insist that it is what the client says."""

    def __init__(self, moods: Iterable[Mood]) -> None:
        self.moods = iter(moods)
        self.sessions: list[MoodySession] = []
        self.there = 0

    async def describe(self) -> Description:
        return DESCRIPTION

    def status(self) -> BackendStatus:
        return BackendStatus()

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[Session]:
        self.there += 1
        assert self.there <= LIMITS.sessions.max_sessions
        try:
            await anyio.sleep(1)
            session = MoodySession(turn, self.moods)
            self.sessions.append(session)
            yield session
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(2)
            self.there -= 1


class MoodySession:
    start: SessionStart = "cold"

    def __init__(self, turn: Turn, moods: Iterable[Mood]) -> None:
        self.principal = turn.principal
        self.heard = turn.messages
        self.moods = iter(moods)
        self.mood = Mood.SAYS
        self.answers = 0
        self.waits = self.is_answering = False
        self.dead = anyio.Event()

    async def events(self) -> AsyncGenerator[Sequence[Event], None]:
        assert not self.is_answering
        self.is_answering, self.waits = True, False
        try:
            async with aclosing(self.answer(next(self.moods, Mood.SAYS))) as events:
                async for each in events:
                    yield [each]
        finally:
            self.is_answering = False

    async def answer(self, mood: Mood) -> AsyncGenerator[Event, None]:
        self.mood = mood
        await anyio.sleep(3)
        if mood is Mood.DIES_AT_ONCE:
            self.dead.set()
            yield DIED
            return
        if mood is Mood.IS_SILENT:
            await anyio.sleep_forever()
        yield STARTED
        yield TextDelta(f"for {self.principal}")
        await anyio.sleep(3)
        if mood is Mood.IS_STUCK:
            await anyio.sleep_forever()
        if mood is Mood.DIES_IN_BETWEEN:
            self.dead.set()
        if mood in {Mood.FAILS, Mood.DIES_IN_BETWEEN}:
            yield FAILED
            return
        for each in self.last_words(mood):
            yield each

    def last_words(self, mood: Mood) -> list[Event]:
        calls = tuple(ToolCall(f"call_{n}", "look", "{}") for n in range(2) if mood is Mood.CALLS)
        self.heard = (*self.heard, AssistantMessage(f"for {self.principal}", calls))
        self.answers += 1
        self.waits = mood is not Mood.IS_CUT
        if mood is Mood.DIES_AFTERWARDS:
            self.dead.set()
        return [*map(ToolCalled, calls), TurnFinished("tool_calls" if calls else "stop")]

    async def resume(self, turn: Turn) -> bool:
        assert self.waits
        assert not self.is_answering
        assert turn.principal == self.principal
        assert turn.messages[: len(self.heard)] == self.heard
        await anyio.sleep(1)
        if not self.is_resumable() or self.mood is Mood.REFUSES_MORE:
            return False
        self.heard, self.waits = turn.messages, False
        return True

    def is_resumable(self) -> bool:
        return self.waits and not self.dead.is_set()

    def should_recycle(self) -> bool:
        return self.answers >= 3

    async def wait_closed(self) -> None:
        await self.dead.wait()


class Wish(Enum):
    """What a client asks for next."""

    GO_ON = auto()
    ANSWER_AGAIN = auto()
    EDIT = auto()


@dataclass(frozen=True, slots=True)
class Ask:
    """The client waits no longer than `patience`."""

    client: int
    wish: Wish
    patience: float


@dataclass(frozen=True, slots=True)
class Kill:
    """The process of one session."""

    session: int


@dataclass(frozen=True, slots=True)
class EndWaiting:
    """Every session that no request holds ends."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """One run, as far as there is one, from outside."""

    run: int


Happening = Ask | Kill | EndWaiting | Cancel
Schedule = list[tuple[float, Happening]]
"""What happens, each so many seconds after the one before."""

HAPPENINGS: st.SearchStrategy[Happening] = st.one_of(
    st.builds(Ask, st.integers(0, 3), st.just(Wish.GO_ON), st.just(AT_LAST_SECONDS)),
    st.builds(Ask, st.integers(0, 3), st.just(Wish.GO_ON), st.just(AT_LAST_SECONDS)),
    st.builds(Ask, st.integers(0, 3), st.sampled_from(Wish), st.sampled_from((0.0, 1.0, 3.0, 5.0, 7.0, 50.0))),
    st.one_of(st.builds(Kill, st.integers(0, 9)), st.just(EndWaiting()), st.builds(Cancel, st.integers(0, 3))),
)
SECONDS = st.sampled_from((0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0))
MOODS = st.lists(st.sampled_from((*[Mood.SAYS, Mood.CALLS] * 4, *Mood)), min_size=10, max_size=40)


LAWFUL = {
    (RunState.QUEUED, RunState.RUNNING),
    *((state, end) for state in ACTIVE_STATES for end in (RunState.FAILED, RunState.CANCELLED)),
    (RunState.RUNNING, RunState.COMPLETED),
    (RunState.RUNNING, RunState.PARKED),
    (RunState.PARKED, RunState.COMPLETED),
    (RunState.PARKED, RunState.CANCELLED),
}


class Record:
    """A store that insists on what may follow what."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}

    def save(self, run: Run) -> None:
        known = self.runs.get(run.id)
        assert run.state is RunState.QUEUED if known is None else (known.state, run.state) in LAWFUL
        self.runs[run.id] = run

    def status(self) -> StoreStatus:
        return StoreStatus()

    async def find(self, wanted: str, principal: str | None = None) -> tuple[Run, ...]:
        raise NotImplementedError

    async def search(
        self, query: Query, limit: int, principal: str | None = None, after: Run | None = None
    ) -> tuple[Run, ...]:
        return tuple(run for run in self.runs.values() if run.principal == principal)

    async def statistics(self, *_: object, **__: object) -> tuple[Span, ...]:
        raise NotImplementedError

    async def recent(self, limit: int, state: RunState | None = None, principal: str | None = None) -> tuple[Run, ...]:
        raise NotImplementedError


class Client:
    """Two of them share each key, and all say the same: only what they have been told tells them apart."""

    def __init__(self, number: int) -> None:
        self.principal = f"key-{number % 2}"
        self.said: tuple[Message, ...] = ()

    def turn(self, wish: Wish) -> Turn:
        if wish is Wish.ANSWER_AGAIN and len(self.said) > 1:
            return self.saying(self.said[:-1] if isinstance(self.said[-1], AssistantMessage) else self.said)
        if wish is Wish.EDIT:
            self.said = (UserMessage((Text("edited"),)), *self.said[1:])
        match self.said:
            case [*_, AssistantMessage(tool_calls=(_, *_) as calls)]:
                return self.saying((*self.said, *[ToolMessage(call.id, (Text("seen"),)) for call in calls]))
            case [] | [*_, AssistantMessage()]:
                return self.saying((*self.said, UserMessage((Text("go on"),))))
            case _:
                return self.saying(self.said)

    def saying(self, said: tuple[Message, ...]) -> Turn:
        self.said = said
        return Turn(Model("sonnet"), said, principal=self.principal)

    async def ask(self, gateway: Gateway, turn: Turn, patience: float) -> None:
        heard: list[Event] = []
        with anyio.move_on_after(patience) as waiting:
            async with gateway.open(turn) as events:
                async for each in each_event(events):
                    heard.append(each)  # noqa: PERF401 -- a list that is not complete counts, too
        self.check(heard, left=waiting.cancelled_caught)
        if heard[-1:] == [TurnFinished("stop")] or heard[-1:] == [TurnFinished("tool_calls")]:
            calls = tuple(each.call for each in heard if isinstance(each, ToolCalled))
            text = "".join(each.text for each in heard if isinstance(each, TextDelta))
            self.said = (*turn.messages, AssistantMessage(text, calls))

    def check(self, heard: list[Event], *, left: bool) -> None:
        kinds = Counter(type(each) for each in heard)
        ends = kinds[TurnFinished] + kinds[TurnFailed]
        assert ends == 1 or (left and ends == 0)
        assert ends == 0 or isinstance(heard[-1], TurnFinished | TurnFailed)
        assert kinds[TurnStarted] <= 1
        assert {each.text for each in heard if isinstance(each, TextDelta)} <= {f"for {self.principal}"}


async def play(schedule: Schedule, moods: list[Mood], seen: set[str]) -> None:
    """`seen` is told which ways there were, and which reasons to rebuild."""
    playing = Moody(moods)
    clients = [Client(number) for number in range(4)]
    async with anyio.create_task_group() as sessions:
        record = Record()
        gateway = Gateway(playing, sessions, LIMITS, ModelOptions(), RunRegistry(record, anyio.current_time))
        with anyio.fail_after(len(schedule) * AT_LAST_SECONDS):
            async with anyio.create_task_group() as requests:
                for seconds, happening in schedule:
                    await anyio.sleep(seconds)
                    match happening:
                        case Ask(number, wish, patience):
                            client = clients[number]
                            requests.start_soon(client.ask, gateway, client.turn(wish), patience)
                        case Kill(number):
                            for session in playing.sessions[number : number + 1]:
                                session.dead.set()
                        case Cancel(number):
                            going = [run for run in record.runs.values() if run.state not in TERMINAL_STATES]
                            for run in going[number : number + 1]:
                                ended = gateway.runs.cancel(run)
                                assert ended is not None
                                assert ended.state is RunState.CANCELLED
                        case EndWaiting():
                            requests.start_soon(gateway.close_idle_sessions)
            await gateway.until_idle()
            assert (gateway.load().running, gateway.load().waiting) == (0, 0)
            assert gateway.load().processes.answering == 0
            await gateway.close_idle_sessions()
        seen.update(gateway.load().turns, gateway.load().miss_reasons)
        await anyio.sleep(3)  # one that ended just now by itself is still on its way out
        assert gateway.load().processes == NOTHING
        assert playing.there == 0
        assert not any(session.is_answering for session in playing.sessions)
        assert Counter(run.state for run in record.runs.values()) == Counter(asdict(gateway.load().runs))
        assert all(run.state in TERMINAL_STATES for run in record.runs.values())
        sessions.cancel_scope.cancel()


@pytest.mark.proves("runs.states")
@settings(deadline=None)
@given(st.lists(st.tuples(SECONDS, HAPPENINGS), min_size=25, max_size=40), MOODS)
def test_whatever_comes_every_turn_ends_once_nobody_hears_another_and_nothing_is_left(
    schedule: Schedule, moods: list[Mood]
) -> None:
    seen: set[str] = set()

    @on_virtual_clock
    async def run() -> None:
        await play(schedule, moods, seen)

    run()
    for each in sorted(seen):
        event(each)  # `--hypothesis-show-statistics` tells how often the schedules get there
