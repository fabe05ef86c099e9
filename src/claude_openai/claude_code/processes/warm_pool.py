"""Processes that are started before anybody needs them, and wait for a new conversation.

Each is owned by a task here until a conversation takes it; from then on it is owned by that conversation's block. They
are replaced when `refill` says so, which is not the moment one is taken: a start would slow down the very request that
took it.
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
"""A process that ends later than this had started; a start takes 0.35 to 0.7 s (measured)."""


@dataclass(eq=False, slots=True)
class WarmProcess:
    """A process that waits, and what ends with it."""

    number: int
    child: Child
    resources: AsyncExitStack
    taken: anyio.Event = field(default_factory=anyio.Event)


class WarmPool:
    """Keeps as many processes waiting as `supply` wants; `start` starts one, which ends with the stack it is given."""

    def __init__(self, supply: ProcessTable, start: Callable[[AsyncExitStack], Awaitable[Child]]) -> None:
        self._supply = supply
        self._start = start
        self._waiting: deque[WarmProcess] = deque()
        self._asked = anyio.Event()

    async def run(self) -> None:
        """Do it, until cancelled; whoever still waits then ends."""
        async with anyio.create_task_group() as tasks:
            while True:
                asked = self._asked
                await asked.wait()
                self._asked = anyio.Event()
                if trouble := self._supply.backoff(anyio.current_time()):
                    await anyio.sleep(trouble.pause)
                    self.refill()  # and look again: a failure elsewhere may have prolonged it
                    continue
                for _ in range(self._supply.missing(anyio.current_time())):
                    tasks.start_soon(self._wait, self._supply.start())

    def refill(self) -> None:
        """Start what is missing, in the background."""
        self._asked.set()

    def take(self) -> WarmProcess | None:
        """A process that waits, or None. Its `owned` is the caller's from now on."""
        while self._waiting:
            spare = self._waiting.popleft()
            if spare.child.is_running:
                self._supply.take(spare.number)
                spare.resources = spare.resources.pop_all()
                spare.taken.set()
                return spare
        return None

    async def _wait(self, number: int) -> None:
        """A process, until it is taken or ends."""
        try:
            async with AsyncExitStack() as stack:
                started_at = anyio.current_time()
                spare = WarmProcess(number, await self._start(stack), stack)
                self._waiting.append(spare)
                try:
                    await _first_of(spare.taken.wait, spare.child.wait_closed)
                finally:
                    self._waiting = deque(each for each in self._waiting if each is not spare)
                if not spare.taken.is_set() and anyio.current_time() - started_at > START_SECONDS:
                    self._supply.leave(number)  # it had started well
                    self.refill()
                elif not spare.taken.is_set():
                    self._failed(number, spare.child.stderr_tail())
        except OSError as error:
            self._failed(number, str(error))

    def _failed(self, number: int, why: str) -> None:
        log.error("process.start_failed", error=why or "it ended while it waited")
        self._supply.fail(number, anyio.current_time())
        self.refill()


async def _first_of(*waits: Callable[[], Awaitable[object]]) -> None:
    """Returns as soon as one of `waits` does."""
    async with anyio.create_task_group() as group:
        for wait in waits:
            group.start_soon(_then_cancel, wait, group.cancel_scope)


async def _then_cancel(wait: Callable[[], Awaitable[object]], scope: anyio.CancelScope) -> None:
    await wait()
    scope.cancel()
