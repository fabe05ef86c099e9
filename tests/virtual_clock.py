"""Tests of timers run on trio's virtual clock: waiting takes no time, and there is no race to lose."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial, wraps

import anyio
import trio.testing


def on_virtual_clock(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """`test`, run in a thread of its own: the loop that the other tests share has a real clock."""

    @wraps(test)
    def run() -> None:
        clock = trio.testing.MockClock(autojump_threshold=0)
        play = partial(anyio.run, test, backend="trio", backend_options={"clock": clock})
        with ThreadPoolExecutor(1) as thread:
            thread.submit(play).result()

    return run
