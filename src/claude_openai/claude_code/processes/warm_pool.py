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

log = structlog.get_logger(__name__)

START_SECONDS = 10.0
"""A process that ends after this time had started successfully; a start takes 0.35 to 0.7 s (measured)."""


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


class WarmPool:
    """Keeps as many processes waiting as `table` requires. `start` starts one, which ends with the given stack."""

    def __init__(
        self, table: ProcessTable, start: Callable[[AsyncExitStack, WaitsFor], Awaitable[StartedProcess]]
    ) -> None:
        self._table = table
        self._start = start
        self._waiting: deque[WarmProcess] = deque()
        self._refill = anyio.Event()

    async def run(self) -> None:
        """Keep the pool filled until cancelled; the processes that still wait are then ended."""
        async with anyio.create_task_group() as tasks:
            while True:
                await self._refill.wait()
                self._refill = anyio.Event()
                if backoff := self._table.backoff(anyio.current_time()):
                    await anyio.sleep(backoff.pause)
                    self.refill()  # check again: a failure elsewhere may have prolonged the back-off
                    continue
                for kind in self._table.to_replace():
                    self._dismiss(kind)
                for kind in self._table.to_start(anyio.current_time()):
                    tasks.start_soon(self._wait, self._table.start(kind=kind), kind)

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

    def _dismiss(self, kind: WaitsFor) -> None:
        """End a process that waits for `kind`, unless it still starts: the next refill asks again."""
        if process := self._first(kind):
            self._waiting.remove(process)
            self._table.leave(process.number)
            process.taken.set()  # nobody has taken its resources: its task ends it

    async def _wait(self, number: int, kind: WaitsFor) -> None:
        """Start a process, and own it until it is taken or ends."""
        try:
            async with AsyncExitStack() as stack:
                started_at = anyio.current_time()
                started = await self._start(stack, kind)
                process = WarmProcess(number, kind, started.child, started.history, stack)
                self._waiting.append(process)
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
                elif not process.taken.is_set():
                    self._fail(number, process.child.stderr_tail())
        except OSError as error:
            self._fail(number, str(error))

    def _fail(self, number: int, error: str) -> None:
        log.error("process.start_failed", error=error or "it ended while it waited")
        self._table.fail(number, anyio.current_time())
        self.refill()


async def _cancel_when_closed(child: Child, scope: anyio.CancelScope) -> None:
    await child.wait_closed()
    scope.cancel()
