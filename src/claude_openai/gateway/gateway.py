"""Runs turns under limits: a bounded number at once, every wait bounded, and exactly one last event for every turn.

The backend answers. The gateway admits turns, leases a session for each, applies the timeouts, ends running turns when
the server stops, reports progress to the turn's run, and caches the backend's description.
"""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

import anyio
from anyio.abc import TaskGroup

from claude_openai.core.events import Event, RateLimitReported, Retrying, TextDelta, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.load import Load, Outage, Processes
from claude_openai.core.metrics import Metric, Samples
from claude_openai.core.models import Catalogue
from claude_openai.core.ports import Backend, Description, ResponseStore, UsageStore
from claude_openai.core.runs import Caller, Run
from claude_openai.core.stop_sequences import StopSequenceFilter
from claude_openai.core.turn import Turn
from claude_openai.gateway.admission import Admission
from claude_openai.gateway.key_limits import KeyLimiter
from claude_openai.gateway.measurements import Measurements, model_label
from claude_openai.gateway.models import build_catalogue
from claude_openai.gateway.responses import ResponseRegistry
from claude_openai.gateway.runs import LiveRun, RunRegistry, anonymous_caller
from claude_openai.gateway.session_pool import LeasedSession, SessionLimits, SessionPool
from claude_openai.gateway.session_table import SessionState
from claude_openai.gateway.timeouts import StopSignal, Timeouts, TurnClock
from claude_openai.gateway.upstream import UpstreamHealth

DESCRIPTION_TTL_SECONDS = 15.0
"""How long a description is cached while Claude Code is not signed in or upstream refuses its login. Asking Claude Code
again starts a process, which costs some 0.4 s of a core."""


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How many turns run at once, how many may wait, and how many seconds each."""

    max_running: int = 10
    max_waiting: int = 100
    wait_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """All limits of a gateway; `ask_again` in seconds, see `DESCRIPTION_TTL_SECONDS`."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    queue: QueueLimits = field(default_factory=QueueLimits)
    sessions: SessionLimits = field(default_factory=SessionLimits)
    ask_again: float = DESCRIPTION_TTL_SECONDS


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """The operator's settings for models: see `core.models.Catalogue`; `override` replaces Claude Code's list."""

    default: str = "sonnet"
    aliases: tuple[tuple[str, str], ...] = ()
    override: tuple[str, ...] = ()


STOPPED = TurnFailed(Failure(Kind.SHUTTING_DOWN, "The server is stopping. Send the request again in a moment."))


class Gateway:
    """Opens turns on `backend`, `places` at once. Sessions run in `tasks`, idle ones too, until that is cancelled."""

    def __init__(
        self,
        backend: Backend,
        tasks: TaskGroup,
        limits: GatewayLimits,
        model_options: ModelOptions,
        runs: RunRegistry | None = None,
        *,
        responses: ResponseStore | None = None,
        usage: UsageStore | None = None,
        now: Callable[[], float] = time.time,
        upstream_ended: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`upstream_ended` returns why there is no upstream any more, as a sentence, if that is known beforehand."""
        queue = limits.queue
        self.runs = runs or RunRegistry()
        self.responses = ResponseRegistry(self.runs, responses)
        self.places = queue.max_running
        self._backend = backend
        self._admission = Admission(queue.max_running, queue.max_waiting, queue.wait_seconds)
        self._sessions = SessionPool(backend, tasks, limits.sessions)
        self._timeouts = limits.timeouts
        self._ask_again = limits.ask_again
        self._stopping = StopSignal(STOPPED)
        self._model_options = model_options
        self._describing = anyio.Lock()
        self._description: Description | None = None
        self._described_at = 0.0
        self._catalogue: tuple[Description, Catalogue] | None = None
        self._rate_limit: RateLimitReported | None = None
        self._upstream = UpstreamHealth()
        self._measurements = Measurements()
        self.limiter = KeyLimiter(usage, now)
        self._now = now
        self._upstream_ended = upstream_ended
        self._turns = 0
        self._idle = anyio.Event()

    async def description(self) -> Description:
        """The backend's description: cached, and renewed while Claude Code is not signed in or its login is refused.

        Raises:
            RequestFailed: Claude Code cannot be started.
        """
        if self._description and not self._is_stale(self._description):
            return self._description
        async with self._describing:
            if self._description is None or self._is_stale(self._description):
                self._description = await self._backend.describe()
                self._described_at = anyio.current_time()
                self._upstream.learn(self._description.login)
            return self._description

    def outage(self, description: Description) -> Outage | None:
        """Why no request can be answered at present: by Claude Code's `description`, or by what the last turns met."""
        if ended := self._upstream_ended():
            return Outage(ended)
        now = self._now()
        if failure := self._backend.status().start_failure:
            return Outage(failure.message, now + failure.retry_after if failure.retry_after else None)
        return self._upstream.outage(description.login, now)

    async def catalogue(self) -> Catalogue:
        """The models that a request may name.

        Raises:
            RequestFailed: Claude Code cannot be started.
        """
        # A refused login does not change the models, so no request waits for Claude Code to be asked again.
        cached = self._description
        description = cached if cached and cached.login.ready else await self.description()
        if self._catalogue is None or self._catalogue[0] is not description:
            options = self._model_options
            catalogue = build_catalogue(
                description.models,
                default=options.default,
                aliases=options.aliases,
                override=options.override,
                capabilities=description.capabilities,
            )
            self._catalogue = description, catalogue
        return self._catalogue[1]

    def rate_limit(self) -> RateLimitReported | None:
        """The account's rate limit as the latest report of any turn has it."""
        return self._rate_limit

    def load(self) -> Load:
        """How many turns, runs and sessions there are now, by state."""
        table, warm_pool = self._sessions.table, self._backend.status().warm_pool
        return Load(
            running=self._admission.running,
            waiting=self._admission.waiting,
            runs=self.runs.counts(),
            processes=Processes(
                answering=table.count(SessionState.ANSWERING),
                resting=table.count(SessionState.RESTING),
                parked=table.count(SessionState.PARKED),
                ending=table.count(SessionState.ENDING),
                warm=warm_pool.ready,
            ),
            warm_pool=warm_pool,
            turns=dict(self._sessions.route_counts),
            miss_reasons=dict(self._sessions.miss_reasons),
            end_reasons=dict(self._sessions.end_reasons),
        )

    def metrics(self) -> Mapping[Metric, Samples]:
        """The values of the metrics that the gateway knows, as copies."""
        return self._measurements.samples(self.load(), self.places, self._backend.status(), self.runs.store_status())

    def note_refused(self, endpoint: str, code: str) -> None:
        """Count a request that was refused before it became a turn."""
        self._measurements.note_refused(endpoint, code)

    @asynccontextmanager
    async def open(self, turn: Turn, caller: Caller | None = None) -> AsyncIterator[AsyncIterator[Sequence[Event]]]:
        """Start `turn`; the block yields its events, in the batches in which they come, and ends the turn when it
        is left, for whatever reason.
        """
        caller = caller or anonymous_caller(turn)
        turn = replace(turn, run_id=caller.run_id)
        model = model_label(turn.model, self._catalogue and self._catalogue[1])
        with self._counted(), self.runs.start(caller, turn) as run:
            run.on_end(partial(self._note_end, caller, model))
            async with AsyncExitStack() as stack:
                signals = self._stopping, run.stop_signal
                clock = stack.enter_context(TurnClock(self._timeouts, *signals, elapsed=caller.parse_seconds))
                try:
                    self._require_upstream()
                    with clock.before_start() as starting:
                        await stack.enter_async_context(self._admission.place(turn.principal, run.queued))
                        run.begin()
                        lease = await stack.enter_async_context(self._sessions.lease(turn))
                        lease.reusable = caller.choice == 0
                        lease.on_unparked = run.release_parked
                        run.on_cancel(partial(self._sessions.cancel, lease))
                        run.set_route(lease.route, lease.reason)
                        events = self._events(lease, turn, clock, run)
                    failure = clock.start_failure() if starting.cancelled_caught else None
                except RequestFailed as error:
                    failure = TurnFailed(error.failure)
                if failure:
                    events = _single_event(failure, run)
                yield await stack.enter_async_context(aclosing(events))

    async def until_idle(self) -> None:
        """Wait until no turn is open."""
        while self._turns:
            await self._idle.wait()

    async def until_stopped(self) -> Failure:
        """Wait until the server stops; the failure of requests that have not become turns by then."""
        with anyio.CancelScope() as wait:
            self._stopping.attach(wait)
            try:
                await anyio.sleep_forever()
            finally:
                self._stopping.detach(wait)
        return STOPPED.failure

    async def close_idle_sessions(self) -> None:
        """End the sessions that no request leases. Later requests are answered all the same, by new sessions."""
        await self._sessions.close_idle()

    def stop(self) -> None:
        """End every turn, now and from now on, with the last event `STOPPED`."""
        self._admission.close()
        self._stopping.trigger()

    def _note_end(self, caller: Caller, model: str, run: Run) -> None:
        self._measurements.note_end(caller, model, run)
        self.limiter.charge(caller, run)

    def _require_upstream(self) -> None:
        if ended := self._upstream_ended():
            raise RequestFailed(Failure(Kind.UPSTREAM_UNREACHABLE, ended))

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

    async def _events(
        self, lease: LeasedSession, turn: Turn, clock: TurnClock, run: LiveRun
    ) -> AsyncGenerator[Sequence[Event], None]:
        """The turn's events. A resumed session that is lost before it begins the answer is replaced once."""
        clock.start()
        stop_sequences = StopSequenceFilter(turn.sampling.local_stop, streamed=turn.streamed)
        replaceable = lease.resumed
        async with AsyncExitStack() as stack:
            events = await stack.enter_async_context(aclosing(lease.session.events()))
            while True:
                *earlier, last = await clock.next(events)
                replaceable = replaceable and all(isinstance(each, RateLimitReported | Retrying) for each in earlier)
                if replaceable and isinstance(last, TurnFailed) and last.session_lost:
                    replaceable = False
                    with clock.before_start() as starting:
                        await self._sessions.replace_lost(lease, turn)
                        run.set_route(lease.route, lease.reason)
                        clock.start()
                        events = await stack.enter_async_context(aclosing(lease.session.events()))
                    batch = [*earlier, clock.start_failure()] if starting.cancelled_caught else earlier
                else:
                    replaceable = replaceable and isinstance(last, RateLimitReported | Retrying)
                    batch = [*earlier, last]
                passed: list[Event] = []
                for event in chain.from_iterable(map(stop_sequences.feed, batch)):
                    passed.append(event)
                    lease.note(event)
                    run.note(event)
                    if not isinstance(event, TextDelta):  # most events, which say nothing of upstream's health
                        self._upstream.note(event, self._now())
                        self._measurements.note_event(event)
                        if isinstance(event, RateLimitReported):
                            self._rate_limit = event
                        elif isinstance(event, TurnFinished | TurnFailed):
                            break
                if passed:
                    is_last = isinstance(passed[-1], TurnFinished | TurnFailed)
                    if isinstance(passed[-1], TurnFinished):
                        await lease.finish()
                    yield passed
                    if is_last:
                        return


async def _single_event(event: Event, run: LiveRun) -> AsyncGenerator[Sequence[Event], None]:
    run.note(event)
    yield [event]
