"""Tests of timers run on trio's virtual clock: waiting takes no time, and there is no race to lose."""

from collections.abc import Awaitable, Callable
from functools import wraps

import anyio
import trio.testing


def on_virtual_clock(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """`test`, run by itself: the loop that the other tests share has a real clock."""

    @wraps(test)
    def run() -> None:
        anyio.run(test, backend="trio", backend_options={"clock": trio.testing.MockClock(autojump_threshold=0)})

    return run
