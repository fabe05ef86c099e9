"""The pool of sessions that outlive a request: idle after an answer, or parked on tool calls, each for a bounded time.

Each session runs in a task of its own. A request leases it while it is answered. Afterwards the session ends, or waits
under the fingerprint of its conversation: only a request whose history has exactly that fingerprint gets it. The pool
is only an optimisation: a session that is gone is rebuilt from the request.
"""

import math
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import anyio
import structlog
from anyio.abc import TaskGroup, TaskStatus

from claude_openai.core.events import Event, TextDelta, TextWithdrawn, ToolCalled, TurnFailed, TurnFinished
from claude_openai.core.failures import Kind
from claude_openai.core.fingerprint import Fingerprint, fingerprint, newest
from claude_openai.core.messages import AssistantMessage, are_large
from claude_openai.core.ports import Backend, Session, SessionStart
from claude_openai.core.turn import Turn
from claude_openai.gateway.session_table import (
    WAITING_STATES,
    EndReason,
    MissReason,
    SessionEntry,
    SessionState,
    SessionTable,
)
from claude_openai.system.tasks import without_traceback
from claude_openai.system.threads import in_thread_if

log = structlog.get_logger(__name__)

TurnRoute = Literal["live", "results", SessionStart]
"""How a turn reaches Claude Code: in the session that gave the last answer (`live`), in the session that is parked on
the tool calls (`results`), or in a new one."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session waits, in seconds, after an answer or parked on tool calls, and how many sessions there may
    be, those that are answering included.
    """

    idle_seconds: float = 300.0
    parked_seconds: float = 600.0
    max_sessions: int = 15


@dataclass(eq=False)
class LeasedSession:
    """A session and the conversation in it. The session ends when `scope` is cancelled, and with its answer unless it
    is `reusable`.

    `on_unparked` is called once after each answer, when the session stops waiting for tool results (or does not begin).
    """

    fingerprint: Fingerprint
    entry: SessionEntry
    session: Session
    scope: anyio.CancelScope
    closed: anyio.Event
    resumed: bool = False
    reusable: bool = True
    route: TurnRoute = "cold"
    reason: MissReason | None = None
    text: list[str] = field(default_factory=list)
    calls: list[ToolCalled] = field(default_factory=list)
    last_event: TurnFinished | TurnFailed | None = None
    on_unparked: Callable[[], None] | None = None

    def note(self, event: Event) -> None:
        """Record what the client receives, as it will send it back in its next request."""
        match event:
            case TextDelta(text):
                self.text.append(text)
            case TextWithdrawn():
                self.text.clear()
            case ToolCalled():
                self.calls.append(event)
            case TurnFinished() | TurnFailed():
                self.last_event = event
            case _:
                pass

    async def finish(self) -> None:
        """Compute the fingerprint of the conversation with the answer at its end. It must be known before the client
        has the last event, and can send the next turn.
        """
        answer = AssistantMessage("".join(self.text), tuple(called.call for called in self.calls))
        self.fingerprint = await in_thread_if(are_large((answer,)), self.fingerprint.after, answer)

    def begin_next_turn(self, request: Fingerprint) -> None:
        """The session is resumed for `request`, the fingerprint of the whole conversation as the client sent it."""
        self.scope.deadline = math.inf
        self.fingerprint, self.resumed = request, True
        self.text, self.calls, self.last_event = [], [], None

    def move_to(self, fresh: "LeasedSession") -> None:
        """Continue the same conversation in the session of `fresh`."""
        self.entry, self.session, self.scope, self.closed = fresh.entry, fresh.session, fresh.scope, fresh.closed
        self.route, self.reason, self.resumed = fresh.route, fresh.reason, False

    def notify_unparked(self) -> None:
        """Report to the run that last used this session that the session is no longer parked."""
        if self.on_unparked:
            self.on_unparked()
            self.on_unparked = None


class SessionPool:
    """The sessions of `backend`, each a task of `tasks`: cancelling `tasks` ends them all."""

    def __init__(self, backend: Backend, tasks: TaskGroup, limits: SessionLimits) -> None:
        self.table = SessionTable(limits.max_sessions)
        self.route_counts: Counter[str] = Counter()
        self.miss_reasons: Counter[str] = Counter()
        self.end_reasons: Counter[str] = Counter()
        self._backend = backend
        self._tasks = tasks
        self._limits = limits
        self._released: dict[int, LeasedSession] = {}  # by number; the table has the states
        self._changed = anyio.Event()

    @asynccontextmanager
    async def lease(self, turn: Turn) -> AsyncIterator[LeasedSession]:
        """A session that answers `turn`, for the block. Afterwards it waits for the next request, or ends."""
        lease = await self._lease_for(turn)
        try:
            yield lease
        except BaseException:
            lease.last_event = None
            raise
        finally:
            if reason := self._end_reason(lease):
                lease.notify_unparked()
                with anyio.CancelScope(shield=True):  # bounded by the session's own end
                    await self._close(lease, reason)
            else:
                self._release(lease)

    async def replace_lost(self, lease: LeasedSession, turn: Turn) -> None:
        """Answer `turn` in a new session, because the session that was resumed for it is lost."""
        await self._close(lease, "died")
        self.route_counts[lease.route] -= 1
        lease.move_to(await self._start(turn, lease.fingerprint, "died"))

    def cancel(self, lease: LeasedSession) -> None:
        """End the session now, whether a request leases it or it waits."""
        self._begin_close(lease, "cancelled")

    async def close_idle(self) -> None:
        """End every session that no request leases."""
        waiting = [self._released[entry.number] for entry in self.table if entry.state in WAITING_STATES]
        for lease in waiting:
            self._begin_close(lease, "stopped")
        for lease in waiting:
            await lease.closed.wait()

    async def _lease_for(self, turn: Turn) -> LeasedSession:
        """The session whose conversation the turn continues, resumed; or a new one."""
        request, new, has_history = await in_thread_if(turn.is_large, _fingerprint_of_request, turn)
        if not new:
            return await self._start(turn, request, "mixed" if has_history else None)
        history = request.before(new)
        entry = self.table.find(history, request)
        if entry is None:
            return await self._start(turn, request, self.table.miss_reason(history, request))
        lease = self._released[entry.number]
        lease.notify_unparked()
        route: TurnRoute = "results" if lease.calls else "live"
        if lease.scope.cancel_called:  # it expired at this very moment
            self.table.end(entry, "expired")
            return await self._start(turn, request, "expired")
        lease.begin_next_turn(request)
        resumed = False
        try:
            resumed = await lease.session.resume(turn)
        finally:
            if not resumed:
                self._begin_close(lease, "unable")
        if not resumed:
            return await self._start(turn, request, "unable")
        self._record_route(route, lease, None)
        return lease

    async def _start(self, turn: Turn, request: Fingerprint, reason: MissReason | None) -> LeasedSession:
        lease: LeasedSession = await self._tasks.start(without_traceback, self._run_session, turn, request)
        self._record_route(lease.session.start, lease, reason)
        return lease

    async def _run_session(self, turn: Turn, request: Fingerprint, *, task_status: TaskStatus[LeasedSession]) -> None:
        """The task of one session, from its start to its end."""
        while not self.table.has_room():
            if candidate := self.table.eviction_candidate():
                self._begin_close(self._released[candidate.number], "evicted")
            await self._changed.wait()
        entry = self.table.add(request, anyio.current_time())
        closed = anyio.Event()
        started = False
        try:
            async with self._backend.open(turn) as session:
                del turn  # it may be tens of megabytes, and the session may rest for minutes
                scope = anyio.CancelScope()
                task_status.started(LeasedSession(request, entry, session, scope, closed))
                started = True
                with scope:
                    await session.wait_closed()
                    # A session that ends while it answers may have events in the pipe: its request reads them first
                    # and then ends the session.
                    if entry.state is SessionState.ANSWERING:
                        await anyio.sleep_forever()
                self._mark_ended(entry, "expired" if scope.cancel_called else "died")
        except Exception:
            if not started:
                raise  # to the request, which still waits in `_start`
            log.exception("session.end")  # no request waits for this task, and the other sessions go on
        finally:
            self._mark_ended(entry, "stopped" if started else "failed")
            self.table.remove(entry)
            self._released.pop(entry.number, None)
            closed.set()
            self._notify()

    def _end_reason(self, lease: LeasedSession) -> EndReason | None:
        """Why the session ends with its answer; None where it waits for the next request."""
        if lease.entry.state is not SessionState.ANSWERING:
            return "cancelled"
        match lease.last_event:
            case None:
                return "left"
            case TurnFailed(failure):
                return "cancelled" if failure.kind is Kind.CANCELLED else "failed"
            case TurnFinished(reason):
                if not lease.session.is_resumable():
                    return "cut"
                if not lease.reusable:
                    return "further"
                return "worn" if reason != "tool_calls" and lease.session.should_recycle() else None

    def _release(self, lease: LeasedSession) -> None:
        """The session waits for the next request: parked where it made tool calls, else idle."""
        entry, now, limits = lease.entry, anyio.current_time(), self._limits
        parked = bool(lease.calls)
        if not parked:
            lease.notify_unparked()
        self.table.release(entry, lease.fingerprint, now, parked=parked)
        lease.scope.deadline = now + (limits.parked_seconds if parked else limits.idle_seconds)
        self._released[entry.number] = lease
        self._notify()

    async def _close(self, lease: LeasedSession, reason: EndReason) -> None:
        self._begin_close(lease, reason)
        await lease.closed.wait()

    def _begin_close(self, lease: LeasedSession, reason: EndReason) -> None:
        self._mark_ended(lease.entry, reason)
        lease.scope.cancel()

    def _mark_ended(self, entry: SessionEntry, reason: EndReason) -> None:
        if entry.state in WAITING_STATES:
            self._released[entry.number].notify_unparked()
        if self.table.end(entry, reason):
            self.end_reasons[reason] += 1
            log.info("conversation.end", session=entry.number, reason=reason)

    def _notify(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def _record_route(self, route: TurnRoute, lease: LeasedSession, reason: MissReason | None) -> None:
        self.route_counts[route] += 1
        lease.route, lease.reason = route, reason
        if reason:
            self.miss_reasons[reason] += 1
        log.info("conversation.turn", session=lease.entry.number, way=route, reason=reason)


def _fingerprint_of_request(turn: Turn) -> tuple[Fingerprint, int, bool]:
    """The fingerprint of all messages, the number of new messages at the end, and whether there is an older answer."""
    has_history = any(isinstance(message, AssistantMessage) for message in turn.messages)
    return fingerprint(turn), len(newest(turn.messages)), has_history
