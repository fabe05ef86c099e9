"""A pool of warm processes: started before a request needs them, they wait for a new conversation.

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
from claude_openai.claude_code.processes.pool_state import ProcessTable

log = structlog.get_logger(__name__)

START_SECONDS = 10.0
"""A process that ends after this time had started successfully; a start takes 0.35 to 0.7 s (measured)."""


@dataclass(eq=False, slots=True)
class WarmProcess:
    """A process that waits, and the resources that are released when it ends."""

    number: int
    child: Child
    resources: AsyncExitStack
    taken: anyio.Event = field(default_factory=anyio.Event)


class WarmPool:
    """Keeps as many processes waiting as `table` requires. `start` starts one, which ends with the given stack."""

    def __init__(self, table: ProcessTable, start: Callable[[AsyncExitStack], Awaitable[Child]]) -> None:
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
                for _ in range(self._table.missing(anyio.current_time())):
                    tasks.start_soon(self._wait, self._table.start())

    def refill(self) -> None:
        """Start the missing processes, in the background."""
        self._refill.set()

    def take(self) -> WarmProcess | None:
        """Take a process that waits, or None. The caller owns the `resources` of the process from now on."""
        while self._waiting:
            process = self._waiting.popleft()
            if process.child.is_running:
                self._table.take(process.number)
                process.resources = process.resources.pop_all()
                process.taken.set()
                return process
        return None

    async def _wait(self, number: int) -> None:
        """Start a process, and own it until it is taken or ends."""
        try:
            async with AsyncExitStack() as stack:
                started_at = anyio.current_time()
                process = WarmProcess(number, await self._start(stack), stack)
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
