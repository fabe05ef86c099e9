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
from claude_openai.core.ports import Backend, Session, Start
from claude_openai.core.turn import Turn
from claude_openai.gateway.session_table import End, Move, Reason, Roster, Seat, State
from claude_openai.system.threads import beside

log = structlog.get_logger(__name__)

Way = Literal["live", "results", Start]
"""How a turn reaches Claude Code: in the session that gave the last answer, in the one that waits for its results, or
in a new one."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long a session waits, in seconds, after an answer (`idle`) or for results (`parked`); how many there may be.

    Those that are answering count among them.
    """

    idle: float = 300.0
    parked: float = 600.0
    most: int = 15


@dataclass(eq=False)
class Conversation:
    """One session and what was said in it. `lease` is its time: the session ends when this is cancelled, and with its
    answer where it is not to be `kept`.

    `parked_no_more` is called once after each answer: when the session does not wait (any more) for what comes next.
    """

    asked: Fingerprint
    seat: Seat
    session: Session
    lease: anyio.CancelScope
    ended: anyio.Event
    resumed: bool = False
    kept: bool = True
    way: Way = "cold"
    text: list[str] = field(default_factory=list)
    calls: list[ToolCalled] = field(default_factory=list)
    over: TurnFinished | TurnFailed | None = None
    parked_no_more: Callable[[], None] | None = None

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
                self.over = event
            case _:
                pass

    def standing(self) -> Fingerprint:
        """Where the session stands after its answer."""
        answer = AssistantMessage("".join(self.text), tuple(called.call for called in self.calls))
        return self.asked.after(answer)

    def go_on(self, asked: Fingerprint) -> None:
        """From here on it answers what is new in `asked`."""
        self.lease.deadline = math.inf
        self.asked, self.resumed = asked, True
        self.text, self.calls, self.over = [], [], None

    def move_to(self, fresh: "Conversation") -> None:
        """The same conversation goes on in the session of `fresh`."""
        self.seat, self.session, self.lease, self.ended = fresh.seat, fresh.session, fresh.lease, fresh.ended
        self.way, self.resumed = fresh.way, False

    def waits_no_more(self) -> None:
        """Whoever asked for its last answer need not think of it any more."""
        if self.parked_no_more:
            self.parked_no_more()
            self.parked_no_more = None


class Conversations:
    """The sessions of `backend`, each a task of `tasks`: cancelling those ends them all."""

    def __init__(self, backend: Backend, tasks: TaskGroup, keep: Keep) -> None:
        self.roster = Roster(keep.most)
        self.ways: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self._backend = backend
        self._tasks = tasks
        self._keep = keep
        self._waiting: dict[int, Conversation] = {}
        self._changed = anyio.Event()

    @asynccontextmanager
    async def held(self, turn: Turn) -> AsyncIterator[Conversation]:
        """A conversation that answers `turn`, for the block; then it waits for what comes next, or ends."""
        conversation = await self._answering(turn)
        try:
            yield conversation
        except BaseException:
            conversation.over = None
            raise
        finally:
            if why := self._why_end(conversation):
                conversation.waits_no_more()
                with anyio.CancelScope(shield=True):  # bounded by the session's own end
                    await self._end(conversation, why)
            else:
                self._wait(conversation)

    async def renew(self, conversation: Conversation, turn: Turn) -> None:
        """Answer `turn` in a fresh session: the one it was resumed in turned out to be dead."""
        await self._end(conversation, "died")
        self.ways[conversation.way] -= 1
        fresh = await self._begun(turn, conversation.asked, "died")
        conversation.move_to(fresh)

    def cancel(self, conversation: Conversation) -> None:
        """End its session now, whether a request holds it or it waits."""
        self._give_up(conversation, "cancelled")

    async def end_waiting(self) -> None:
        """End every session that no request holds: whoever goes on with one is answered all the same."""
        waiting = list(self._waiting.values())
        for conversation in waiting:
            self._give_up(conversation, "stopped")
        for conversation in waiting:
            await conversation.ended.wait()

    async def _answering(self, turn: Turn) -> Conversation:
        asked, new, has_history = await beside(turn.is_large, _placed, turn)
        if not new:
            return await self._begun(turn, asked, "mixed" if has_history else None)
        standing = asked.before(new)
        seat = self.roster.find(standing, asked)
        if seat is None:
            return await self._begun(turn, asked, self.roster.why_not(standing, asked))
        conversation = self._waiting.pop(seat.number)
        conversation.waits_no_more()
        return await self._continued(conversation, turn, asked)

    async def _continued(self, conversation: Conversation, turn: Turn, asked: Fingerprint) -> Conversation:
        way: Way = "results" if conversation.calls else "live"
        if conversation.lease.cancel_called:  # its time was over in this very moment
            self.roster.end(conversation.seat, "expired")
            return await self._begun(turn, asked, "expired")
        conversation.go_on(asked)
        taken = False
        try:
            taken = await conversation.session.resume(turn)
        finally:
            if not taken:
                self._give_up(conversation, "unable")
        if not taken:
            return await self._begun(turn, asked, "unable")
        self._tell(way, conversation, None)
        return conversation

    async def _begun(self, turn: Turn, asked: Fingerprint, reason: Reason | None) -> Conversation:
        conversation: Conversation = await self._tasks.start(self._live, turn, asked)
        self._tell(conversation.session.start, conversation, reason)
        return conversation

    async def _live(self, turn: Turn, asked: Fingerprint, *, task_status: TaskStatus[Conversation]) -> None:
        """A session, from its beginning to its end."""
        seat = await self._place(asked)
        ended = anyio.Event()
        begun = False
        try:
            async with self._backend.open(turn) as session:
                lease = anyio.CancelScope()
                task_status.started(Conversation(asked, seat, session, lease, ended))
                begun = True
                with lease:
                    await _until_gone(session, seat)
                self._no_more(seat, "expired" if lease.cancel_called else "died")
        except Exception:
            if not begun:
                raise  # it is the request's, which still waits for this
            log.exception("session.end")  # nobody waits any more, and other sessions live on
        finally:
            self._no_more(seat, "stopped" if begun else "failed")
            self.roster.leave(seat)
            ended.set()
            self._tell_change()

    async def _place(self, asked: Fingerprint) -> Seat:
        while not self.roster.has_room():
            if victim := self.roster.victim():
                self._give_up(self._waiting[victim.number], "evicted")
            await self._changed.wait()
        return self.roster.begin(asked, anyio.current_time())

    def _why_end(self, conversation: Conversation) -> End | None:
        if conversation.seat.state is not State.ANSWERING:
            return "cancelled"
        match conversation.over:
            case None:
                return "left"
            case TurnFailed(failure):
                return "cancelled" if failure.kind is Kind.CANCELLED else "failed"
            case TurnFinished(reason):
                if not conversation.session.lasts():
                    return "cut"
                if not conversation.kept:
                    return "further"
                return "worn" if reason != "tool_calls" and conversation.session.worn() else None

    def _wait(self, conversation: Conversation) -> None:
        seat, now = conversation.seat, anyio.current_time()
        parked = bool(conversation.calls)
        if not parked:
            conversation.waits_no_more()
        self.roster.wait(seat, conversation.standing(), Move.PARK if parked else Move.REST, now)
        conversation.lease.deadline = now + (self._keep.parked if parked else self._keep.idle)
        self._waiting[seat.number] = conversation
        self._tell_change()

    async def _end(self, conversation: Conversation, why: End) -> None:
        self._give_up(conversation, why)
        await conversation.ended.wait()

    def _give_up(self, conversation: Conversation, why: End) -> None:
        self._no_more(conversation.seat, why)
        conversation.lease.cancel()

    def _no_more(self, seat: Seat, why: End) -> None:
        if waiting := self._waiting.pop(seat.number, None):
            waiting.waits_no_more()
        if self.roster.end(seat, why):
            log.info("conversation.end", session=seat.number, reason=why)

    def _tell_change(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def _tell(self, way: Way, conversation: Conversation, reason: Reason | None) -> None:
        self.ways[way] += 1
        conversation.way = way
        if reason:
            self.reasons[reason] += 1
        log.info("conversation.turn", session=conversation.seat.number, way=way, reason=reason)


def _placed(turn: Turn) -> tuple[Fingerprint, int, bool]:
    """Where a session stands that has heard all of `turn`, how many messages are new in it, whether any is older."""
    has_history = any(isinstance(message, AssistantMessage) for message in turn.messages)
    return fingerprint(turn), len(newest(turn.messages)), has_history


async def _until_gone(session: Session, seat: Seat) -> None:
    """A session that dies while it answers still has its last words in the pipe: its request ends it."""
    await session.gone()
    if seat.state is State.ANSWERING:
        await anyio.sleep_forever()
