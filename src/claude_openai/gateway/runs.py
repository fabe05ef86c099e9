"""Every request from its arrival to its end: what has become of it, what was said, and how it is ended from outside.

The rules are `core.runs`; here is who is told. Each change of a run's state goes to the store, once. What is said is
kept as long as the run lasts, so that followers read it at their own pace: one that is slow finds more at a time, and
the request waits for none of them. A run that is parked stays here, with its session, until that goes on or ends.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import chain, groupby
from typing import assert_never
from uuid import uuid4

import anyio
import structlog

from claude_openai.core.events import Activity, Event, ReasoningDelta, TextDelta, ToolCalled, TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.load import RunCounts
from claude_openai.core.ports import RunStore
from claude_openai.core.runs import (
    ACTIVE_STATES,
    TERMINAL_STATES,
    Caller,
    Kept,
    Run,
    RunState,
    Visible,
    apply_event,
    mark_cancelled,
    mark_started,
    new_run,
    release_parked,
    with_kept,
)
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
    """One run as it goes on. `ending` ends its turn; `said` is all that was said so far."""

    def __init__(self, run: Run, changed: Callable[["LiveRun"], None], now: Callable[[], float]) -> None:
        self._run = run
        self._changed = changed
        self._now = now
        self._pieces: list[str] = []
        self._awaited: anyio.Event | None = None
        self._let_go_of: Callable[[], None] = _nothing
        self.stop_signal = StopSignal(TurnFailed(CANCELLED))
        self.visible: list[Visible] = []

    @property
    def run(self) -> Run:
        """It as a value. Text is added when somebody looks, not with each delta: that would be quadratic."""
        if self._pieces:
            text, self._pieces = "".join(self._pieces), []
            self._run = apply_event(self._run, TextDelta(text), self._now())
        return self._run

    @property
    def state(self) -> RunState:
        return self._run.state

    def queued(self, position: int) -> None:
        """It waits, with `position` others before it."""
        self._set(replace(self.run, queue_position=position + 1))

    def begin(self) -> None:
        """It got its place."""
        self._set(mark_started(self.run, self._now()))

    def set_route(self, way: str) -> None:
        """How it reaches Claude Code."""
        self._set(replace(self.run, session_start=way))

    def note(self, event: Event) -> None:
        """What its client is told."""
        if self.state not in ACTIVE_STATES:
            return
        if isinstance(event, TextDelta) and self._run.first_token_at is not None:
            self._pieces.append(event.text)
        else:
            self._set(apply_event(self.run, event, self._now()))
        if isinstance(event, Visible):
            self.visible.append(event)
            self._notify()

    def store_response(self, kept: Kept | None) -> Run:
        """What its client may come back to."""
        self._run = with_kept(self.run, kept)
        return self._run

    def release_parked(self) -> None:
        """Its session does not wait for results any more."""
        self._set(release_parked(self.run))

    def on_cancel(self, let_go_of: Callable[[], None]) -> None:
        """What it takes to end its session, whatever that does at the time."""
        self._let_go_of = let_go_of

    def cancel(self) -> None:
        """End it, here and upstream, without waiting for either."""
        self._set(mark_cancelled(self.run, CANCELLED, self._now()))
        self.stop_signal.trigger()
        self._let_go_of()

    async def wait_for_change(self) -> None:
        """Until something more is said, or nothing more will be."""
        if self.state in ACTIVE_STATES:
            self._awaited = self._awaited or anyio.Event()
            await self._awaited.wait()

    def _set(self, run: Run) -> None:
        before, self._run = self._run.state, run
        if before in ACTIVE_STATES and run.state not in ACTIVE_STATES:
            _log_end(run)
        if run.state is not before:
            self._changed(self)
            self._notify()

    def _notify(self) -> None:
        if self._awaited:
            self._awaited.set()
            self._awaited = None


class RunFollower:
    """One follower: reads what was said in a run, from its beginning, at its own pace."""

    def __init__(self, live: LiveRun) -> None:
        self._live = live
        self._seen = 0

    async def receive(self) -> tuple[Visible, ...]:
        """What is new, waiting for it if need be, with neighbouring texts as one; nothing once all is said."""
        while self._seen == len(self._live.visible) and self._live.state in ACTIVE_STATES:
            await self._live.wait_for_change()
        new = self._live.visible[self._seen :]
        self._seen += len(new)
        return merge_adjacent_text(new)

    @property
    def run(self) -> Run:
        """As it stands."""
        return self._live.run


class FinishedRunFollower:
    """A follower of a run that is over: everything at once. What the model thought, and its own tools, are not kept."""

    def __init__(self, run: Run) -> None:
        self.run = run
        text = (TextDelta(run.text),) if run.text else ()
        self._said: tuple[Visible, ...] = (*text, *map(ToolCalled, run.calls))

    async def receive(self) -> tuple[Visible, ...]:
        said, self._said = self._said, ()
        return said


class RunRegistry:
    """All runs: those that go on, and those that `store` remembers. Without a store, what is over is forgotten."""

    def __init__(self, store: RunStore | None = None, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now
        self._live: dict[str, LiveRun] = {}
        self._over: Counter[RunState] = Counter()

    @contextmanager
    def start(self, caller: Caller, turn: Turn) -> Iterator[LiveRun]:
        """A run for the block. Where that is left before the last event, its client has left."""
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

    async def find(self, wanted: str, principal: str) -> tuple[Run, ...]:
        """Those of `principal` that `wanted` names or begins to name: one, or two where it is not clear which."""
        found = {run.id: run for run in await self._read(lambda store: store.find(wanted, principal))}
        for live in self._of(principal):
            if any(name.startswith(wanted) for name in live.run.names):
                found[live.run.id] = live.run
        exact = [run for run in found.values() if wanted in run.names]
        return tuple(exact or found.values())[:2]

    async def recent(self, limit: int, state: RunState | None, principal: str) -> tuple[Run, ...]:
        """The latest of `principal`, in `state` if one is named; the last to arrive first."""
        kept = await self._read(lambda store: store.recent(limit, state, principal))
        live = [live.run for live in self._of(principal) if state in {None, live.state}]
        runs = [*live, *(run for run in kept if run.id not in self._live)]
        return tuple(sorted(runs, key=lambda run: run.arrived_at, reverse=True)[:limit])

    def follow(self, run: Run) -> RunFollower | FinishedRunFollower:
        """What is said in `run`, from its beginning to its end."""
        live = self._live.get(run.id)
        return RunFollower(live) if live else FinishedRunFollower(run)

    def cancel(self, run: Run) -> Run | None:
        """End `run` now: it as it is then; None where it is over already."""
        live = self._live.get(run.id)
        if live is None:
            return None
        log.info("run.cancelled", run_id=run.id, state=live.state)
        live.cancel()
        return live.run

    async def store_response(self, run_id: str, principal: str, kept: Kept | None) -> None:
        """Remember with a run what its client may come back to, or forget that and what was said."""
        if live := self._live.get(run_id):
            self._save(live.store_response(kept))
            return
        for run in await self.find(run_id, principal):
            self._save(with_kept(run, kept))

    def counts(self) -> RunCounts:
        """How many there are, and how many there have been."""
        now = Counter(live.state for live in self._live.values())
        return RunCounts(**{state.value: now[state] + self._over[state] for state in RunState})

    async def _read(self, read: Callable[[RunStore], Awaitable[tuple[Run, ...]]]) -> tuple[Run, ...]:
        """What the store says; read once more where a run has ended meanwhile, so that nobody is told half of it."""
        if self._store is None:
            return ()
        there = set(self._live)
        runs = await read(self._store)
        return runs if there <= self._live.keys() else await read(self._store)

    def _of(self, principal: str) -> Iterator[LiveRun]:
        return (live for live in self._live.values() if live.run.principal == principal)

    def _changed(self, live: LiveRun) -> None:
        run = live.run
        if run.state in TERMINAL_STATES:
            self._live.pop(run.id, None)
            self._over[run.state] += 1
        self._save(run)

    def _save(self, run: Run) -> None:
        if self._store:
            self._store.save(run)


def _log_end(run: Run) -> None:
    """Named here, since another request may have cancelled it."""
    named = {"run_id": run.id, "request_id": run.request_id}
    usage = run.usage and asdict(run.usage)
    log.info(
        "run.end",
        **named,
        state=run.state,
        way=run.session_start,
        model=run.model,
        finish=run.finish,
        error=run.error_code,
        usage=usage,
        cost_usd=run.cost_usd,
    )
    if shows("debug"):
        log.debug(
            "openai.response",
            **named,
            text=run.text,
            calls=[asdict(call) for call in run.calls],
            finish=run.finish,
            error=run.error,
            usage=usage,
        )


def anonymous_caller(turn: Turn) -> Caller:
    """Who asks where nobody said."""
    run_id = uuid4().hex
    return Caller(run_id, f"chatcmpl-{run_id}", f"req_{run_id}", turn.principal, "")


def merge_adjacent_text(said: Iterable[Visible]) -> tuple[Visible, ...]:
    """The same with texts that come in a row as one."""
    return tuple(chain.from_iterable(_joined(list(row)) for _, row in groupby(said, type)))


def _joined(row: list[Visible]) -> list[Visible]:
    match row[0]:
        case TextDelta():
            return [TextDelta(_text(row))]
        case ReasoningDelta():
            return [ReasoningDelta(_text(row))]
        case ToolCalled() | Activity():
            return row
        case never:
            assert_never(never)


def _text(row: Iterable[Visible]) -> str:
    return "".join(each.text for each in row if isinstance(each, TextDelta | ReasoningDelta))


def _nothing() -> None:
    pass
