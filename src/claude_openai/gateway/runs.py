"""The registry of runs: each request from its arrival to its end, its followers, and its cancellation from outside.

`core.runs` has the rules of a run's states; this module saves each change of state to the store, once, and notifies the
followers. The visible events of a run are kept while it is live, so that followers read them at their own pace: a slow
follower gets more at a time, and the request waits for none. A parked run stays live until its session goes on or ends.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import groupby
from uuid import uuid4

import anyio
import structlog

from claude_openai.core.events import Event, ReasoningDelta, TextDelta, ToolCalled, TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.load import RunCounts
from claude_openai.core.ports import RunStore, StoreStatus
from claude_openai.core.runs import (
    ACTIVE_STATES,
    TERMINAL_STATES,
    Caller,
    Run,
    RunState,
    Visible,
    apply_event,
    mark_cancelled,
    mark_started,
    new_run,
    release_parked,
    without_content,
)
from claude_openai.core.search import Query, in_order, in_state, is_behind, matches
from claude_openai.core.statistics import Dimension, Span
from claude_openai.core.turn import Turn
from claude_openai.gateway.timeouts import StopSignal
from claude_openai.logs import shows

log = structlog.get_logger(__name__)

CANCELLED = Failure(Kind.CANCELLED, "The run was cancelled. Send the request again if you want an answer.")
LEFT = Failure(Kind.CANCELLED, "The client left before the answer was complete.")
ENDED_WITH_ANOTHER = Failure(
    Kind.CANCELLED,
    "The request ended before this one of its answers was complete: another one failed, or its client left.",
)
FAULT = Failure(Kind.INTERNAL, "The server made a mistake while answering this request.")


class LiveRun:
    """A run that has not ended. `stop_signal` ends its turn; `visible` are the events so far that followers see."""

    def __init__(self, run: Run, changed: Callable[["LiveRun"], None], now: Callable[[], float]) -> None:
        self._run = run
        self._changed = changed
        self._now = now
        self._pieces: list[str] = []
        self._awaited: anyio.Event | None = None
        self._cancel_session: Callable[[], None] | None = None
        self._on_end: Callable[[Run], None] | None = None
        self.stop_signal = StopSignal(TurnFailed(CANCELLED))
        self.visible: list[Visible] = []

    @property
    def run(self) -> Run:
        """The run as a value. Text is joined when it is read: to do that with each delta would be quadratic."""
        if self._pieces:
            text, self._pieces = "".join(self._pieces), []
            self._run = apply_event(self._run, TextDelta(text), self._now())
        return self._run

    @property
    def state(self) -> RunState:
        return self._run.state

    def queued(self, position: int) -> None:
        """The turn waits in the queue, with `position` others before it."""
        self._set(replace(self.run, queue_position=position + 1))

    def begin(self) -> None:
        """The turn got its place."""
        self._set(mark_started(self.run, self._now()))

    def set_route(self, route: str, reason: str | None) -> None:
        """Record how the turn reaches Claude Code (`session_pool.TurnRoute`), and why no session had its history."""
        self._set(replace(self.run, session_start=route, reason=reason))

    def note(self, event: Event) -> None:
        """Record an event that the client receives."""
        if self.state not in ACTIVE_STATES:
            return
        if isinstance(event, TextDelta) and self._run.first_token_at is not None:
            self._pieces.append(event.text)
        else:
            self._set(apply_event(self.run, event, self._now()))
        if isinstance(event, Visible):
            self.visible.append(event)
            self._notify()

    def delete_content(self) -> Run:
        """Forget what the client was sent, because its response was deleted."""
        self._run = without_content(self.run)
        return self._run

    def release_parked(self) -> None:
        """The session does not wait for tool results any more."""
        self._set(release_parked(self.run))

    def on_end(self, note: Callable[[Run], None]) -> None:
        """Call `note` once, at the end of the answer, before the client has its last event."""
        self._on_end = note

    def on_cancel(self, cancel_session: Callable[[], None]) -> None:
        """`cancel` calls `cancel_session` to end the session, whatever its state."""
        self._cancel_session = cancel_session

    def cancel(self) -> None:
        """End the turn and its session, without waiting for either."""
        self._set(mark_cancelled(self.run, CANCELLED, self._now()))
        self.stop_signal.trigger()
        if self._cancel_session:
            self._cancel_session()

    async def wait_for_change(self) -> None:
        """Return when there is a further visible event, or when the run has ended."""
        if self.state in ACTIVE_STATES:
            self._awaited = self._awaited or anyio.Event()
            await self._awaited.wait()

    def _set(self, run: Run) -> None:
        before, self._run = self._run.state, run
        if before in ACTIVE_STATES and run.state not in ACTIVE_STATES:
            _log_end(run)
            if self._on_end:
                self._on_end(run)
        if run.state is not before:
            self._changed(self)
            self._notify()

    def _notify(self) -> None:
        if self._awaited:
            self._awaited.set()
            self._awaited = None


class RunFollower:
    """A follower of a live run: it reads the visible events from the first one, at its own pace."""

    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self._seen = 0

    async def receive(self) -> tuple[Visible, ...]:
        """The new events, after a wait if there are none, neighbouring texts joined; nothing once the run has ended."""
        while self._seen == len(self._live.visible) and self._live.state in ACTIVE_STATES:
            await self._live.wait_for_change()
        new = self._live.visible[self._seen :]
        self._seen += len(new)
        return merge_adjacent_text(new)

    @property
    def run(self) -> Run:
        """The run as it is now."""
        return self._live.run


class FinishedRunFollower:
    """A follower of a run that has ended: it gets everything at once. Reasoning and agent activity are not stored."""

    def __init__(self, run: Run) -> None:
        self.run = run
        text = (TextDelta(run.text),) if run.text else ()
        self._unread: tuple[Visible, ...] = (*text, *map(ToolCalled, run.calls))

    async def receive(self) -> tuple[Visible, ...]:
        unread, self._unread = self._unread, ()
        return unread


class RunRegistry:
    """All runs: the live ones, and those in `store`. Without a store, runs that have ended are forgotten."""

    def __init__(self, store: RunStore | None = None, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now
        self._live: dict[str, LiveRun] = {}
        self._held: set[str] = set()
        self._ended: Counter[RunState] = Counter()

    @contextmanager
    def start(self, caller: Caller, turn: Turn) -> Iterator[LiveRun]:
        """A run for the block. If the block is left before the last event, the client has left."""
        live = LiveRun(new_run(caller, turn, self._now()), self._changed, self._now)
        self._live[caller.run_id] = live
        self._save(live.run)
        try:
            yield live
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException:
            live.note(TurnFailed(FAULT))
            raise
        finally:
            live.note(TurnFailed(LEFT if caller.choices == 1 else ENDED_WITH_ANOTHER))

    async def find(self, wanted: str, principal: str | None) -> tuple[Run, ...]:
        """The runs of `principal` (None: of all) whose id is or begins with `wanted`: one, two if it is ambiguous."""
        found = {run.id: run for run in await self._read(lambda store: store.find(wanted, principal))}
        for live in self._of(principal):
            if any(name.startswith(wanted) for name in live.run.names):
                found[live.run.id] = live.run
        exact = [run for run in found.values() if wanted in run.names]
        return tuple(exact or found.values())[:2]

    async def recent(self, limit: int, state: RunState | None, principal: str | None) -> tuple[Run, ...]:
        """The latest runs of `principal` (None: of every one), in `state` if one is given; the last to arrive first."""
        return await self.search(in_state(state), limit, principal)

    async def search(
        self, query: Query, limit: int, principal: str | None, after: Run | None = None
    ) -> tuple[Run, ...]:
        """The first `limit` runs of `principal` (None: of every one) that match `query`, in its order.

        With `after`, a run of this list, only those behind it. That needs an order by time.
        """
        stored = await self._read(lambda store: store.search(query, limit + len(self._live), principal, after))
        live = (live.run for live in self._of(principal))
        found = [run for run in live if is_behind(run, after, query) and matches(query, run)]
        found += [run for run in stored if run.id not in self._live]
        return tuple(in_order(query, found)[:limit])

    async def statistics(
        self, since: float, until: float, width: int, by: Dimension | None, principal: str | None
    ) -> tuple[Span, ...]:
        """As `core.ports.RunStore.statistics`; nothing without a store."""
        return await self._store.statistics(since, until, width, by, principal) if self._store else ()

    def follow(self, run: Run) -> RunFollower | FinishedRunFollower:
        """A follower of `run`, from its first event to its last."""
        live = self._live.get(run.id)
        return RunFollower(live) if live else FinishedRunFollower(run)

    def cancel(self, run: Run) -> Run | None:
        """End `run` now. Returns the run as it is then, or None if it had ended already."""
        live = self._live.get(run.id)
        if live is None or live.state in TERMINAL_STATES:
            return None
        log.info("run.cancelled", run_id=run.id, state=live.state)
        live.cancel()
        return live.run

    @contextmanager
    def hold(self, run_id: str) -> Iterator[None]:
        """A block in which the end of a run is not saved, so that it can be saved together with its response.

        `release` returns the run to be saved. Where it is not called, the run is saved at the end of the block.
        """
        self._held.add(run_id)
        try:
            yield
        finally:
            ended = run_id in self._live and self._live[run_id].state not in ACTIVE_STATES
            if run_id in self._held and ended:
                self._save(self.release(run_id))
            self._held.discard(run_id)

    def is_held(self, run_id: str) -> bool:
        """Whether the end of the run is not saved yet, although it may have ended."""
        return run_id in self._held

    def release(self, run_id: str) -> Run:
        """The live run as it is now, for the caller to save. It is held no more, and live no more if it has ended."""
        self._held.discard(run_id)
        live = self._live[run_id]
        if live.state in TERMINAL_STATES:
            del self._live[run_id]
            self._ended[live.state] += 1
        return live.run

    def delete_content(self, run: Run) -> Run:
        """`run` without what the client was sent, which the caller saves."""
        live = self._live.get(run.id)
        return live.delete_content() if live else without_content(run)

    def store_status(self) -> StoreStatus:
        """The status of the store."""
        return self._store.status() if self._store else StoreStatus()

    def counts(self) -> RunCounts:
        """How many runs there are in each active state, and how many have ended in each terminal state."""
        now = Counter(live.state for live in self._live.values())
        return RunCounts(**{state.value: now[state] + self._ended[state] for state in RunState})

    async def _read(self, read: Callable[[RunStore], Awaitable[tuple[Run, ...]]]) -> tuple[Run, ...]:
        """The runs in the store; read again if a run has ended meanwhile, which could be in neither list."""
        if self._store is None:
            return ()
        live_before = set(self._live)
        runs = await read(self._store)
        return runs if live_before <= self._live.keys() else await read(self._store)

    def _of(self, principal: str | None) -> Iterator[LiveRun]:
        return (live for live in self._live.values() if principal in {None, live.run.principal})

    def _changed(self, live: LiveRun) -> None:
        run_id = live.run.id
        if live.state in ACTIVE_STATES:
            self._save(live.run)
        elif run_id not in self._held:
            self._save(self.release(run_id))

    def _save(self, run: Run) -> None:
        if self._store:
            self._store.save(run)


def _log_end(run: Run) -> None:
    """The ids are logged explicitly, because the request that cancels a run is another one."""
    ids = {"run_id": run.id, "request_id": run.request_id}
    usage = run.usage and asdict(run.usage)
    log.info(
        "run.end",
        **ids,
        state=run.state,
        way=run.session_start,
        model=run.model,
        profile=run.profile,
        finish=run.finish,
        error=run.error_code,
        usage=usage,
        first_token_ms=run.first_token_at and round((run.first_token_at - run.arrived_at) * 1000),
        cost_usd=run.cost_usd,
    )
    if shows("debug"):
        log.debug(
            "openai.response",
            **ids,
            text=run.text,
            calls=[asdict(call) for call in run.calls],
            finish=run.finish,
            error=run.error,
            usage=usage,
        )


def anonymous_caller(turn: Turn) -> Caller:
    """The caller of a turn that was opened without one."""
    run_id = uuid4().hex
    return Caller(run_id, f"chatcmpl-{run_id}", f"req_{run_id}", turn.principal, "")


def merge_adjacent_text(events: Iterable[Visible]) -> tuple[Visible, ...]:
    """The same events, with texts (or reasoning) that follow one another joined."""
    merged: list[Visible] = []
    for kind, group in groupby(events, type):
        if issubclass(kind, TextDelta | ReasoningDelta):
            merged.append(kind("".join(event.text for event in group if isinstance(event, kind))))
        else:
            merged += group
    return tuple(merged)
