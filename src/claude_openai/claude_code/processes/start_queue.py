"""The order in which processes are started. A start costs Claude Code a third of a second of processor, which the
requests that are being answered need as well.

The starts that requests need take turns, as many at a time as there are cores, in the order of arrival: of eight at
once on two cores all would be ready when the last of eight in turn is. A start in advance waits until no request needs
the processor for its first token.
"""

import math
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio

MAX_WAIT_SECONDS: Final = 5.0
"""After which a start does not wait any longer, for whatever reason the others take so long. The eighth of eight on two
cores waits 3 seconds (measured)."""

START_SECONDS: Final = 0.4
"""Processor time of a start (measured): starts in advance are so far apart, divided by the number of cores."""

FIRST_TOKEN_SECONDS: Final = 0.5
"""How long Claude Code is at work after it got the prompt, unless its answer begins before that; then it waits for
upstream. 60 to 100 ms, more where several work at once (measured)."""


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class StartQueue:
    """The starts of one backend on `cores` cores."""

    def __init__(self, cores: int | None = None) -> None:
        self._cores = cores or usable_cores()
        self._places = anyio.Semaphore(self._cores)
        self._at_work: dict[int, float] = {}  # by request: until when it counts
        self._last_request = 0
        self._changed = anyio.Event()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place among those that start: from the start until the prompt is in Claude Code's pipe."""
        has_place = False
        with anyio.move_on_after(MAX_WAIT_SECONDS):
            await self._places.acquire()
            has_place = True
        try:
            yield
        finally:
            if has_place:
                self._places.release()

    def request_came(self) -> int:
        """Record that a request needs a process. Returns its number, for the two methods below."""
        self._last_request += 1
        self._at_work[self._last_request] = math.inf
        return self._last_request

    def prompt_sent(self, request: int) -> None:
        """Record that Claude Code has the prompt of the request."""
        self._at_work[request] = anyio.current_time() + FIRST_TOKEN_SECONDS
        self._notify()

    def request_served(self, request: int) -> None:
        """Record that the answer to the request has begun, or never will. May be called again."""
        if self._at_work.pop(request, None) is not None:
            self._notify()

    async def turn_of_advance_start(self) -> None:
        """Wait until no request needs the processor for its first token."""
        with anyio.move_on_after(MAX_WAIT_SECONDS):
            while (until := max(self._at_work.values(), default=0.0)) > anyio.current_time():
                with anyio.move_on_at(until) if until < math.inf else anyio.CancelScope():
                    await self._changed.wait()

    async def pause_between_advance_starts(self) -> None:
        """Wait until the start in advance that has just begun leaves a core free."""
        await anyio.sleep(START_SECONDS / self._cores)

    def _notify(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
