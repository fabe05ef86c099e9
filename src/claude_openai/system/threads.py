"""Runs work whose duration grows with the request in a thread, so that other streams continue meanwhile.

A thread that runs Python yields to the event loop every `SWITCH_SECONDS`. Only C code that works on one large object
blocks it for longer; the cyclic garbage collector blocks longest, and is paused (`_uncollected`).
"""

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar, TypeVarTuple

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

SWITCH_SECONDS: Final = 0.001
"""Python's own figure is 5 ms, and one small request takes its turn some ten times."""

_MOST: Final = 2
"""Concurrent threads: more would not be faster, since Python runs one at a time, and would slow down the event loop."""

_LIMITER: Final[RunVar[anyio.CapacityLimiter]] = RunVar("threads for large work")


def favour_event_loop() -> None:
    """For the whole process, once all is imported: threads take turns more often, and no collection of cyclic garbage
    looks at what is there for good.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()


async def beside(large: bool, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """The result of `work`, a pure function. Work that is not `large` runs at once: a thread costs some 0.2 ms.

    If this call is cancelled, the thread continues and its result is dropped.
    """
    if not large:
        return work(*arguments)
    limiter = _LIMITER.get(None) or anyio.CapacityLimiter(_MOST)
    _LIMITER.set(limiter)
    return await in_thread(limiter, work, *arguments)


async def in_thread(
    limiter: anyio.CapacityLimiter, work: Callable[[*Arguments], Result], *arguments: *Arguments
) -> Result:
    """What `work` comes to in a thread, of which there are as many as `limiter` has. See `beside`.

    What it raises does not come through the thread's future: that and the exception's traceback would hold one another,
    and so all that the work was given, until a collection, which then takes half a second (measured).
    """
    results: list[Result] = []
    failures: list[Exception] = []

    def uncollected() -> None:
        with _uncollected():
            try:
                results.append(work(*arguments))
            except Exception as error:  # noqa: BLE001 -- raised below
                failures.append(error)

    await anyio.to_thread.run_sync(uncollected, limiter=limiter, abandon_on_cancel=True)
    if failures:
        raise failures.pop()
    return results.pop()


class _Collections:
    """How many threads run that must not be interrupted by a collection of cyclic garbage."""

    lock = threading.Lock()
    paused = 0


@contextmanager
def _uncollected() -> Iterator[None]:
    """A block without the cyclic garbage collector, in all threads: hundreds of thousands of new values have it look
    at everything there is, for 200 ms in which no other thread runs (measured). Values of a request have no cycles.
    """
    with _Collections.lock:
        _Collections.paused += 1
        gc.disable()
    try:
        yield
    finally:
        with _Collections.lock:
            _Collections.paused -= 1
            if not _Collections.paused:
                gc.enable()
