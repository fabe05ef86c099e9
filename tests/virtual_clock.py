"""Tests of timers run on trio's virtual clock: waiting takes no time, and there is no race to lose."""

from collections.abc import Awaitable, Callable
from functools import wraps

import trio.testing

from tests.own_loop import in_a_loop_of_its_own


def on_virtual_clock(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """`test`, run in a thread of its own: the loop that the other tests share has a real clock."""

    @wraps(test)
    def run() -> None:
        clock = trio.testing.MockClock(autojump_threshold=0)
        in_a_loop_of_its_own(test, backend="trio", backend_options={"clock": clock})

    return run
