"""Sessions that outlive a request: at rest after an answer, or parked on tool calls, each for a bounded time.

Each session lives in a task of its own. A request holds it while it is answered. Afterwards the session ends, or waits
under the fingerprint of all it has said and heard: only a request whose history has that very fingerprint gets it. It
is only ever an optimisation: whatever is lost here is rebuilt from the request.
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
from claude_openai.core.messages import AssistantMessage
from claude_openai.core.ports import Backend, Session, SessionStart
from claude_openai.core.turn import Turn
from claude_openai.gateway.session_table import (
    EndReason,
    MissReason,
    SessionEntry,
    SessionEvent,
    SessionState,
    SessionTable,
)
from claude_openai.system.threads import beside

log = structlog.get_logger(__name__)

TurnRoute = Literal["live", "results", SessionStart]
"""How a turn reaches Claude Code: in the session that gave the last answer, in the one that waits for its results, or
in a new one."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session waits, in seconds, after an answer (`idle`) or for results (`parked`); how many there may be.

    Those that are answering count among them.
    """

    idle_seconds: float = 300.0
    parked_seconds: float = 600.0
    max_sessions: int = 15


@dataclass(eq=False)
class LeasedSession:
    """One session and what was said in it. `lease` is its time: the session ends when this is cancelled, and with its
    answer where it is not to be `kept`.

    `parked_no_more` is called once after each answer: when the session does not wait (any more) for what comes next.
    """

    fingerprint: Fingerprint
    entry: SessionEntry
    session: Session
    scope: anyio.CancelScope
    closed: anyio.Event
    resumed: bool = False
    reusable: bool = True
    route: TurnRoute = "cold"
    text: list[str] = field(default_factory=list)
    calls: list[ToolCalled] = field(default_factory=list)
    last_event: TurnFinished | TurnFailed | None = None
    on_unparked: Callable[[], None] | None = None

    def note(self, event: Event) -> None:
        """Remember what the client is told, as it will send it back."""
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

    def fingerprint_after_answer(self) -> Fingerprint:
        """Where the session stands after its answer."""
        answer = AssistantMessage("".join(self.text), tuple(called.call for called in self.calls))
        return self.fingerprint.after(answer)

    def begin_next_turn(self, asked: Fingerprint) -> None:
        """From here on it answers what is new in `asked`."""
        self.scope.deadline = math.inf
        self.fingerprint, self.resumed = asked, True
        self.text, self.calls, self.last_event = [], [], None

    def move_to(self, fresh: "LeasedSession") -> None:
        """The same conversation goes on in the session of `fresh`."""
        self.entry, self.session, self.scope, self.closed = fresh.entry, fresh.session, fresh.scope, fresh.closed
        self.route, self.resumed = fresh.route, False

    def notify_unparked(self) -> None:
        """Whoever asked for its last answer need not think of it any more."""
        if self.on_unparked:
            self.on_unparked()
            self.on_unparked = None


class SessionPool:
    """The sessions of `backend`, each a task of `tasks`: cancelling those ends them all."""

    def __init__(self, backend: Backend, tasks: TaskGroup, keep: SessionLimits) -> None:
        self.table = SessionTable(keep.max_sessions)
        self.route_counts: Counter[str] = Counter()
        self.miss_reasons: Counter[str] = Counter()
        self._backend = backend
        self._tasks = tasks
        self._keep = keep
        self._waiting: dict[int, LeasedSession] = {}
        self._changed = anyio.Event()

    @asynccontextmanager
    async def lease(self, turn: Turn) -> AsyncIterator[LeasedSession]:
        """A conversation that answers `turn`, for the block; then it waits for what comes next, or ends."""
        conversation = await self._lease_for(turn)
        try:
            yield conversation
        except BaseException:
            conversation.last_event = None
            raise
        finally:
            if why := self._end_reason(conversation):
                conversation.notify_unparked()
                with anyio.CancelScope(shield=True):  # bounded by the session's own end
                    await self._close(conversation, why)
            else:
                self._release(conversation)

    async def replace_dead(self, conversation: LeasedSession, turn: Turn) -> None:
        """Answer `turn` in a fresh session: the one it was resumed in turned out to be dead."""
        await self._close(conversation, "died")
        self.route_counts[conversation.route] -= 1
        fresh = await self._start(turn, conversation.fingerprint, "died")
        conversation.move_to(fresh)

    def cancel(self, conversation: LeasedSession) -> None:
        """End its session now, whether a request holds it or it waits."""
        self._begin_close(conversation, "cancelled")

    async def close_idle(self) -> None:
        """End every session that no request holds: whoever goes on with one is answered all the same."""
        waiting = list(self._waiting.values())
        for conversation in waiting:
            self._begin_close(conversation, "stopped")
        for conversation in waiting:
            await conversation.closed.wait()

    async def _lease_for(self, turn: Turn) -> LeasedSession:
        asked, new, has_history = await beside(turn.is_large, _placed, turn)
        if not new:
            return await self._start(turn, asked, "mixed" if has_history else None)
        standing = asked.before(new)
        seat = self.table.find(standing, asked)
        if seat is None:
            return await self._start(turn, asked, self.table.miss_reason(standing, asked))
        conversation = self._waiting.pop(seat.number)
        conversation.notify_unparked()
        return await self._resume(conversation, turn, asked)

    async def _resume(self, conversation: LeasedSession, turn: Turn, asked: Fingerprint) -> LeasedSession:
        way: TurnRoute = "results" if conversation.calls else "live"
        if conversation.scope.cancel_called:  # its time was over in this very moment
            self.table.end(conversation.entry, "expired")
            return await self._start(turn, asked, "expired")
        conversation.begin_next_turn(asked)
        taken = False
        try:
            taken = await conversation.session.resume(turn)
        finally:
            if not taken:
                self._begin_close(conversation, "unable")
        if not taken:
            return await self._start(turn, asked, "unable")
        self._record_route(way, conversation, None)
        return conversation

    async def _start(self, turn: Turn, asked: Fingerprint, reason: MissReason | None) -> LeasedSession:
        conversation: LeasedSession = await self._tasks.start(self._run_session, turn, asked)
        self._record_route(conversation.session.start, conversation, reason)
        return conversation

    async def _run_session(self, turn: Turn, asked: Fingerprint, *, task_status: TaskStatus[LeasedSession]) -> None:
        """A session, from its beginning to its end."""
        seat = await self._reserve(asked)
        ended = anyio.Event()
        begun = False
        try:
            async with self._backend.open(turn) as session:
                lease = anyio.CancelScope()
                task_status.started(LeasedSession(asked, seat, session, lease, ended))
                begun = True
                with lease:
                    await _until_closed(session, seat)
                self._mark_ended(seat, "expired" if lease.cancel_called else "died")
        except Exception:
            if not begun:
                raise  # it is the request's, which still waits for this
            log.exception("session.end")  # nobody waits any more, and other sessions live on
        finally:
            self._mark_ended(seat, "stopped" if begun else "failed")
            self.table.remove(seat)
            ended.set()
            self._notify()

    async def _reserve(self, asked: Fingerprint) -> SessionEntry:
        while not self.table.has_room():
            if victim := self.table.eviction_candidate():
                self._begin_close(self._waiting[victim.number], "evicted")
            await self._changed.wait()
        return self.table.add(asked, anyio.current_time())

    def _end_reason(self, conversation: LeasedSession) -> EndReason | None:
        if conversation.entry.state is not SessionState.ANSWERING:
            return "cancelled"
        match conversation.last_event:
            case None:
                return "left"
            case TurnFailed(failure):
                return "cancelled" if failure.kind is Kind.CANCELLED else "failed"
            case TurnFinished(reason):
                if not conversation.session.is_resumable():
                    return "cut"
                if not conversation.reusable:
                    return "further"
                return "worn" if reason != "tool_calls" and conversation.session.should_recycle() else None

    def _release(self, conversation: LeasedSession) -> None:
        seat, now = conversation.entry, anyio.current_time()
        parked = bool(conversation.calls)
        if not parked:
            conversation.notify_unparked()
        self.table.release(
            seat, conversation.fingerprint_after_answer(), SessionEvent.PARK if parked else SessionEvent.REST, now
        )
        conversation.scope.deadline = now + (self._keep.parked_seconds if parked else self._keep.idle_seconds)
        self._waiting[seat.number] = conversation
        self._notify()

    async def _close(self, conversation: LeasedSession, why: EndReason) -> None:
        self._begin_close(conversation, why)
        await conversation.closed.wait()

    def _begin_close(self, conversation: LeasedSession, why: EndReason) -> None:
        self._mark_ended(conversation.entry, why)
        conversation.scope.cancel()

    def _mark_ended(self, seat: SessionEntry, why: EndReason) -> None:
        if waiting := self._waiting.pop(seat.number, None):
            waiting.notify_unparked()
        if self.table.end(seat, why):
            log.info("conversation.end", session=seat.number, reason=why)

    def _notify(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def _record_route(self, way: TurnRoute, conversation: LeasedSession, reason: MissReason | None) -> None:
        self.route_counts[way] += 1
        conversation.route = way
        if reason:
            self.miss_reasons[reason] += 1
        log.info("conversation.turn", session=conversation.entry.number, way=way, reason=reason)


def _placed(turn: Turn) -> tuple[Fingerprint, int, bool]:
    """Where a session stands that has heard all of `turn`, how many messages are new in it, whether any is older."""
    has_history = any(isinstance(message, AssistantMessage) for message in turn.messages)
    return fingerprint(turn), len(newest(turn.messages)), has_history


async def _until_closed(session: Session, seat: SessionEntry) -> None:
    """A session that dies while it answers still has its last words in the pipe: its request ends it."""
    await session.wait_closed()
    if seat.state is SessionState.ANSWERING:
        await anyio.sleep_forever()
