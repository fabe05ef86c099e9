"""A pool of warm processes: started before a request needs them, they wait for a new conversation or for a history.

A task of the pool owns each process until a conversation takes it; from then on the conversation's block owns it. The
pool starts new ones when `refill` is called, not when one is taken: a start would slow down the request that took it.
"""

from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import anyio
import structlog

from claude_openai.claude_code.processes.child import Child
from claude_openai.claude_code.processes.late_history import LateHistory
from claude_openai.claude_code.processes.pool_state import ProcessTable, WaitsFor
from claude_openai.claude_code.processes.start_queue import StartQueue

log = structlog.get_logger(__name__)

START_SECONDS = 10.0
"""A process that ends after this time had started successfully; a start takes 0.35 to 0.7 s (measured)."""

CHECK_SECONDS = 10.0
"""How often an adaptive pool compares what waits with the time and the available memory."""


@dataclass(frozen=True, slots=True)
class StartedProcess:
    """A process that was started to wait; with `history`, for a history."""

    child: Child
    history: LateHistory | None = None


@dataclass(eq=False, slots=True)
class WarmProcess:
    """A process that waits, and the resources that are released when it ends."""

    number: int
    kind: WaitsFor
    child: Child
    history: LateHistory | None
    resources: AsyncExitStack
    taken: anyio.Event = field(default_factory=anyio.Event)
    dismissed: bool = False


class WarmPool:
    """Keeps as many processes waiting as `table` requires. `start` starts one, which ends with the given stack;
    `starts` says when it may. `available_memory` returns bytes.
    """

    def __init__(
        self,
        table: ProcessTable,
        start: Callable[[AsyncExitStack, WaitsFor], Awaitable[StartedProcess]],
        starts: StartQueue | None = None,
        available_memory: Callable[[], float] = lambda: 0,
    ) -> None:
        self._table = table
        self._start = start
        self._starts = starts or StartQueue()
        self._available_memory = available_memory
        self._waiting: deque[WarmProcess] = deque()
        self._refill = anyio.Event()
        self._changed = anyio.Event()

    async def run(self) -> None:
        """Keep the pool filled until cancelled; the processes that still wait are then ended."""
        async with anyio.create_task_group() as tasks:
            while True:
                with anyio.move_on_after(CHECK_SECONDS if self._table.adapts else None):
                    await self._refill.wait()
                self._refill = anyio.Event()
                if backoff := self._table.backoff(anyio.current_time()):
                    await anyio.sleep(backoff.pause)
                    self.refill()  # check again: a failure elsewhere may have prolonged the back-off
                    continue
                if self._table.adapts:
                    self._table.available_bytes = self._available_memory()
                for kind in self._table.to_dismiss(anyio.current_time()):
                    if process := self._first(kind):  # else it still starts: the next refill asks again
                        self._dismiss(process)
                for _ in self._table.to_start(anyio.current_time()):
                    await self._starts.turn_of_advance_start()
                    for kind in self._table.to_start(anyio.current_time())[:1]:  # it may have changed meanwhile
                        tasks.start_soon(self._wait, self._table.start(kind=kind), kind)
                        await self._starts.pause_between_advance_starts()

    async def make_room(self) -> None:
        """End waiting processes until one more process may start for a conversation."""
        while self._table.is_full():
            if self._waiting:
                self._dismiss(self._waiting[-1])
            await self._changed.wait()  # the end of a process is bounded

    def refill(self) -> None:
        """Start the missing processes, in the background."""
        self._refill.set()

    def take(self, kind: WaitsFor = WaitsFor.NEW_CONVERSATION) -> WarmProcess | None:
        """Take a process that waits for `kind`, or None. The caller owns the `resources` of the process from now on."""
        while process := self._first(kind):
            self._waiting.remove(process)
            if process.child.is_running:
                self._table.take(process.number)
                process.resources = process.resources.pop_all()
                process.taken.set()
                return process
        return None

    def _first(self, kind: WaitsFor) -> WarmProcess | None:
        return next((each for each in self._waiting if each.kind is kind), None)

    def _dismiss(self, process: WarmProcess) -> None:
        self._waiting.remove(process)
        self._table.dismiss(process.number)
        process.dismissed = True
        process.taken.set()  # nobody has taken its resources: its task ends it

    async def _wait(self, number: int, kind: WaitsFor) -> None:
        """Start a process, and own it until it is taken or ends."""
        try:
            async with AsyncExitStack() as stack:
                started_at = anyio.current_time()
                started = await self._start(stack, kind)
                process = WarmProcess(number, kind, started.child, started.history, stack)
                self._waiting.append(process)
                self._notify()
                try:
                    async with anyio.create_task_group() as group:
                        group.start_soon(_cancel_when_closed, process.child, group.cancel_scope)
                        await process.taken.wait()
                        group.cancel_scope.cancel()
                finally:
                    self._waiting = deque(each for each in self._waiting if each is not process)
                if not process.taken.is_set() and anyio.current_time() - started_at > START_SECONDS:
                    self._table.leave(number)  # it ended after a successful start
                    self.refill()
                    self._notify()
                elif not process.taken.is_set():
                    self._fail(number, process.child.stderr_tail())
            if process.dismissed:  # and ended by now
                self._table.leave(number)
                self.refill()
                self._notify()
        except OSError as error:
            self._fail(number, str(error))

    def _fail(self, number: int, error: str) -> None:
        log.error("process.start_failed", error=error or "it ended while it waited")
        self._table.fail(number, anyio.current_time())
        self.refill()
        self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()


async def _cancel_when_closed(child: Child, scope: anyio.CancelScope) -> None:
    await child.wait_closed()
    scope.cancel()
