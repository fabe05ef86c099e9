"""Turns under limits: so many at once, nothing waits for ever, and every turn ends in exactly one last event.

The backend answers; this lets turns in, finds or begins the session for each, adds the bounds on time, ends what runs
when the server stops, tells its run of all of it, and remembers what the backend said of itself.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import anyio
from anyio.abc import TaskGroup

from claude_openai.core.events import Event, RateLimitReported, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.load import Load, Outage, Processes
from claude_openai.core.models import Catalogue
from claude_openai.core.ports import Backend, Description
from claude_openai.core.runs import Caller
from claude_openai.core.stop_sequences import StopSequenceFilter
from claude_openai.core.turn import Turn
from claude_openai.gateway.admission import Admission
from claude_openai.gateway.models import build_catalogue
from claude_openai.gateway.runs import LiveRun, RunRegistry, anonymous_caller
from claude_openai.gateway.session_pool import LeasedSession, SessionLimits, SessionPool
from claude_openai.gateway.session_table import SessionState
from claude_openai.gateway.timeouts import StopSignal, Timeouts, TurnClock
from claude_openai.gateway.upstream import UpstreamHealth

DESCRIPTION_TTL_SECONDS = 15.0
"""While Claude Code is not signed in or upstream refuses its login, how long its word on that is taken before it is
asked again: that starts a process, some 0.4 s of a core."""


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How many turns run at once, how many may wait, and how many seconds each."""

    max_running: int = 10
    max_waiting: int = 100
    wait_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """All bounds of a gateway; `ask_again` in seconds, see `DESCRIPTION_TTL_SECONDS`."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    queue: QueueLimits = field(default_factory=QueueLimits)
    sessions: SessionLimits = field(default_factory=SessionLimits)
    ask_again: float = DESCRIPTION_TTL_SECONDS


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What the server's owner says of models: see `core.models.Catalogue`; `override` replaces Claude Code's list.

    `agents`: there is an agent profile, and models to choose it by.
    """

    default: str = "sonnet"
    aliases: tuple[tuple[str, str], ...] = ()
    override: tuple[str, ...] = ()
    agents: bool = False


STOPPED = TurnFailed(Failure(Kind.SHUTTING_DOWN, "The server is stopping. Send the request again in a moment."))


class Gateway:
    """Opens turns on `backend`, `places` at once.

    Sessions live in `tasks`, those that no request holds too, until it is cancelled.
    """

    def __init__(
        self,
        backend: Backend,
        tasks: TaskGroup,
        limits: GatewayLimits,
        choice: ModelOptions,
        runs: RunRegistry | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        queue = limits.queue
        self.runs = runs or RunRegistry()
        self._backend = backend
        self.places = queue.max_running
        self._admission = Admission(queue.max_running, queue.max_waiting, queue.wait_seconds)
        self._conversations = SessionPool(backend, tasks, limits.sessions)
        self._patience = limits.timeouts
        self._ask_again = limits.ask_again
        self._stopping = StopSignal(STOPPED)
        self._choice = choice
        self._asking = anyio.Lock()
        self._description: Description | None = None
        self._described_at = 0.0
        self._catalogued: tuple[Description, Catalogue] | None = None
        self._rate_limit: RateLimitReported | None = None
        self._upstream = UpstreamHealth()
        self._now = now
        self._turns = 0
        self._idle = anyio.Event()

    async def description(self) -> Description:
        """What the backend says of itself: asked once, and again while it is not signed in or its login is refused.

        Raises:
            RequestFailed: it cannot be started.
        """
        if self._description and not self._is_stale(self._description):
            return self._description
        async with self._asking:
            if self._description is None or self._is_stale(self._description):
                self._description = await self._backend.describe()
                self._described_at = anyio.current_time()
                self._upstream.learn(self._description.login)
            return self._description

    def outage(self, description: Description) -> Outage | None:
        """Why no request is answered at present, by Claude Code's `description` and by what the last turns met."""
        now = self._now()
        if trouble := self._backend.status().start_failure:
            return Outage(trouble.message, now + trouble.retry_after if trouble.retry_after else None)
        return self._upstream.outage(description.login, now)

    async def catalogue(self) -> Catalogue:
        """The models a request may name.

        Raises:
            RequestFailed: the backend cannot be started.
        """
        # A login that upstream refuses has the same models: no request waits until Claude Code was asked again.
        described = self._description
        offering = described if described and described.login.ready else await self.description()
        if self._catalogued is None or self._catalogued[0] is not offering:
            choice = self._choice
            known = build_catalogue(
                offering.models,
                default=choice.default,
                aliases=choice.aliases,
                override=choice.override,
                agents=choice.agents,
                tools=offering.tools,
            )
            self._catalogued = offering, known
        return self._catalogued[1]

    def rate_limit(self) -> RateLimitReported | None:
        """How the account stands with upstream's rate limit, as any turn last reported it."""
        return self._rate_limit

    def load(self) -> Load:
        """What is going on right now."""
        roster = self._conversations.table
        return Load(
            running=self._admission.running,
            waiting=self._admission.waiting,
            runs=self.runs.counts(),
            processes=Processes(
                answering=roster.count(SessionState.ANSWERING),
                resting=roster.count(SessionState.RESTING),
                parked=roster.count(SessionState.PARKED),
                ending=roster.count(SessionState.ENDING),
                warm=self._backend.status().warm,
            ),
            turns=dict(self._conversations.route_counts),
            miss_reasons=dict(self._conversations.miss_reasons),
        )

    @asynccontextmanager
    async def open(self, turn: Turn, caller: Caller | None = None) -> AsyncIterator[AsyncIterator[Event]]:
        """Start `turn`; the block yields its events and ends the turn when it is left, for whatever reason."""
        caller = caller or anonymous_caller(turn)
        turn = replace(turn, run_id=caller.run_id)
        with self._counted(), self.runs.start(caller, turn) as run:
            deadlines = TurnClock(self._patience, self._stopping, run.stop_signal, elapsed=caller.understood_in)
            async with AsyncExitStack() as stack:
                try:
                    with deadlines.before_start() as opening:
                        conversation = await self._opened(turn, run, stack)
                        conversation.reusable = caller.choice == 0
                        events = self._events(conversation, turn, deadlines, run)
                    if opening.cancelled_caught:
                        events = _only(deadlines.start_failure(), run)
                except RequestFailed as error:
                    events = _only(TurnFailed(error.failure), run)
                yield await stack.enter_async_context(aclosing(events))

    async def until_idle(self) -> None:
        """Wait until no turn is open."""
        while self._turns:
            await self._idle.wait()

    async def close_idle_sessions(self) -> None:
        """End the sessions that no request holds; nothing is lost but time."""
        await self._conversations.close_idle()

    def stop(self) -> None:
        """End every turn, now and from now on, with a last event that says so."""
        self._admission.close()
        self._stopping.trigger()

    def _is_stale(self, description: Description) -> bool:
        doubtful = not description.login.ready or self._upstream.refuses_login
        return doubtful and anyio.current_time() - self._described_at >= self._ask_again

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._turns += 1
        try:
            yield
        finally:
            self._turns -= 1
            if not self._turns:
                self._idle.set()
                self._idle = anyio.Event()

    async def _opened(self, turn: Turn, run: LiveRun, stack: AsyncExitStack) -> LeasedSession:
        """A conversation that answers `turn`, after its wait for a place; both for the time of `stack`."""
        await stack.enter_async_context(self._admission.place(turn.principal, run.queued))
        run.begin()
        conversation = await stack.enter_async_context(self._conversations.lease(turn))
        conversation.on_unparked = run.release_parked
        run.on_cancel(partial(self._conversations.cancel, conversation))
        run.set_route(conversation.route)
        return conversation

    async def _events(
        self, conversation: LeasedSession, turn: Turn, deadlines: TurnClock, run: LiveRun
    ) -> AsyncGenerator[Event, None]:
        deadlines.start()
        async with AsyncExitStack() as stack:
            events = await stack.enter_async_context(aclosing(conversation.session.events()))
            event = await deadlines.next(events)
            if conversation.resumed and _session_died(event):
                with deadlines.before_start() as opening:
                    await self._conversations.replace_dead(conversation, turn)
                    run.set_route(conversation.route)
                    deadlines.start()
                    events = await stack.enter_async_context(aclosing(conversation.session.events()))
                event = deadlines.start_failure() if opening.cancelled_caught else await deadlines.next(events)
            halt = StopSequenceFilter(turn.sampling.local_stop, streamed=turn.streamed)
            while True:
                for told in halt.feed(event):
                    self._note(told, conversation, run)
                    yield told
                    if isinstance(told, TurnFinished | TurnFailed):
                        return
                event = await deadlines.next(events)

    def _note(self, event: Event, conversation: LeasedSession, run: LiveRun) -> None:
        conversation.note(event)
        run.note(event)
        self._upstream.note(event, self._now())
        if isinstance(event, RateLimitReported):
            self._rate_limit = event


async def _only(event: Event, run: LiveRun) -> AsyncGenerator[Event, None]:
    run.note(event)
    yield event


def _session_died(event: Event) -> bool:
    return isinstance(event, TurnFailed) and event.failure.kind is Kind.CLAUDE_CODE_FAILED
