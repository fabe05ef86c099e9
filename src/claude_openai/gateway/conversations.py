"""Sessions that outlive a request: parked on tool calls until the client sends the results, or for a bounded time.

Each session lives in a task of its own. A request holds it while it is answered; afterwards the session ends, or is
parked under the fingerprint of all it has said and heard. Only a request whose history has that very fingerprint gets
it. It is only ever an optimisation: whatever is lost here is rebuilt from the request.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import structlog
from anyio.abc import TaskGroup, TaskStatus

from claude_openai.core.events import Event, TextDelta, ToolCalled, TurnFinished
from claude_openai.core.fingerprint import fingerprint
from claude_openai.core.messages import AssistantMessage, Message, ToolMessage
from claude_openai.core.ports import Backend, Session
from claude_openai.core.turn import Turn

log = structlog.get_logger(__name__)

MOST_PARKED = 16
"""Sessions that wait at once, each with a process of some 200 MB. The oldest goes first, and can be rebuilt."""


@dataclass(eq=False)
class Conversation:
    """One session and what was said in it so far. `turn` shaped it; `over` ends it, `ended` says that it has."""

    session: Session
    turn: Turn
    heard: tuple[Message, ...]
    text: list[str] = field(default_factory=list)
    calls: list[ToolCalled] = field(default_factory=list)
    parked: bool = False
    resumed: bool = False
    over: anyio.Event = field(default_factory=anyio.Event)
    ended: anyio.Event = field(default_factory=anyio.Event)
    expiry: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    def note(self, event: Event) -> None:
        """Remember what the client is told, as it will send it back."""
        match event:
            case TextDelta(text):
                self.text.append(text)
            case ToolCalled():
                self.calls.append(event)
            case TurnFinished("tool_calls"):
                self.parked = True
            case _:
                pass

    def history(self) -> tuple[Message, ...]:
        """All messages up to the calls it is parked on."""
        answer = AssistantMessage("".join(self.text), tuple(called.call for called in self.calls))
        return (*self.heard, answer)

    def next(self, turn: Turn) -> None:
        """The client has sent the results: `turn` is what it was told from here on."""
        self.turn, self.heard, self.text, self.calls = turn, turn.messages, [], []
        self.parked, self.resumed = False, True


class Conversations:
    """The live sessions of `backend`, each a task of `tasks`: cancelling those ends them all."""

    def __init__(self, backend: Backend, tasks: TaskGroup, park_seconds: float) -> None:
        self._backend = backend
        self._tasks = tasks
        self._park_seconds = park_seconds
        self._parked: dict[str, Conversation] = {}

    @asynccontextmanager
    async def held(self, turn: Turn) -> AsyncIterator[Conversation]:
        """A conversation that answers `turn`, for the block; then it is parked if it waits for results, or ends."""
        conversation = await self._continued(turn) or await self._begun(turn)
        try:
            yield conversation
        except BaseException:
            conversation.parked = False
            raise
        finally:
            if conversation.parked:
                self._park(conversation)
            else:
                with anyio.CancelScope(shield=True):  # bounded by the session's own end
                    await self._end(conversation)

    async def renew(self, conversation: Conversation) -> None:
        """Answer its turn in a fresh session: the one it was resumed in turned out to be dead."""
        await self._end(conversation)
        fresh = await self._begun(conversation.turn)
        conversation.session, conversation.resumed = fresh.session, False
        conversation.over, conversation.ended = fresh.over, fresh.ended

    async def end_parked(self) -> None:
        """End every session that waits for results: whoever sends them is answered all the same."""
        ending = list(self._parked.values())
        self._parked.clear()
        for conversation in ending:
            conversation.expiry.cancel()
            conversation.over.set()
        for conversation in ending:
            await conversation.ended.wait()

    async def _continued(self, turn: Turn) -> Conversation | None:
        """The session that waits for exactly the results at the end of `turn`."""
        asked = turn.messages
        while asked and isinstance(asked[-1], ToolMessage):
            asked = asked[:-1]
        if asked == turn.messages:
            return None
        conversation = self._parked.pop(fingerprint(turn, asked), None)
        if conversation is None:
            return None
        conversation.expiry.cancel()
        taken = False
        try:
            taken = await conversation.session.resume(turn)
        finally:
            if not taken:
                conversation.over.set()
        if not taken:
            return None
        conversation.next(turn)
        return conversation

    async def _begun(self, turn: Turn) -> Conversation:
        conversation: Conversation = await self._tasks.start(self._live, turn)
        return conversation

    async def _live(self, turn: Turn, *, task_status: TaskStatus[Conversation]) -> None:
        ended = anyio.Event()
        begun = False
        try:
            async with self._backend.open(turn) as session:
                conversation = Conversation(session, turn, turn.messages, ended=ended)
                task_status.started(conversation)
                begun = True
                await conversation.over.wait()
        except Exception:
            if not begun:
                raise  # it is the request's, which still waits for this
            log.exception("session.end")  # nobody waits any more, and other sessions live on
        finally:
            ended.set()

    def _park(self, conversation: Conversation) -> None:
        key = fingerprint(conversation.turn, conversation.history())
        twin = self._parked.pop(key, None)
        if twin is not None:  # two sessions that nothing tells apart: neither may get the other's results
            twin.expiry.cancel()
            for each in (twin, conversation):
                each.over.set()
            return
        while len(self._parked) >= MOST_PARKED:
            oldest = self._parked.pop(next(iter(self._parked)))
            oldest.expiry.cancel()
            oldest.over.set()
        conversation.expiry = anyio.CancelScope()
        self._parked[key] = conversation
        self._tasks.start_soon(self._expire, key, conversation)

    async def _expire(self, key: str, conversation: Conversation) -> None:
        with conversation.expiry:
            await anyio.sleep(self._park_seconds)
            self._parked.pop(key, None)
            conversation.over.set()

    async def _end(self, conversation: Conversation) -> None:
        conversation.over.set()
        await conversation.ended.wait()
