"""Runs work whose duration grows with the request in a thread, so that other streams continue meanwhile.

A thread that runs Python yields to the event loop every `SWITCH_SECONDS`. Only C code that works on one large object
blocks it for longer; the cyclic garbage collector blocks longest, and is paused (`CollectorPause`).
"""

import gc
import sys
import threading
import time
from collections.abc import Callable
from typing import ClassVar, Final, TypeVar, TypeVarTuple

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

SWITCH_SECONDS: Final = 0.001
"""Interval at which threads take turns. Python's default is 5 ms, and one small request waits for some ten turns."""

LONGEST_PAUSE_SECONDS: Final = 600.0
"""Without a collection of cyclic garbage, of which some requests leave a few kilobytes."""

_MOST: Final = 2
"""Concurrent threads: more would not be faster, since Python runs one at a time, and would slow down the event loop."""

_LIMITER: Final[RunVar[anyio.CapacityLimiter]] = RunVar("threads for large work")


def favour_event_loop() -> None:
    """Tune the whole process, after all imports: threads take turns more often, and the cyclic garbage collector, which
    may have been off until now, skips all objects that exist.

    It does not collect before: loading leaves 2,000 objects of garbage, and a collection takes 60 ms (measured).
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()
    gc.enable()


async def in_thread_if(large: bool, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """Run `work`, a pure function, in a thread if it is `large`: a thread costs some 0.2 ms. Returns its result.

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
    """Run `work` in a thread, of which `limiter` allows a number at a time. Returns its result; see `in_thread_if`.

    An exception does not pass through the thread's future: the future and the exception's traceback would refer to one
    another, and keep all arguments of the work until a collection, which then takes half a second (measured).
    """
    results: list[Result] = []
    failures: list[Exception] = []
    wanted = True

    def run() -> None:
        with CollectorPause():
            try:
                results.append(work(*arguments))
            except Exception as error:  # noqa: BLE001 -- raised below
                failures.append(error)
            if not wanted:
                failures.clear()

    try:
        await anyio.to_thread.run_sync(run, limiter=limiter, abandon_on_cancel=True)
    except BaseException:
        wanted = False
        failures.clear()
        raise
    if failures:
        raise failures.pop()
    return results.pop()


class CollectorPause:
    """A block without the cyclic garbage collector, in all threads: after hundreds of thousands of new values it would
    examine all objects, for 200 ms in which no other thread runs (measured). Values of a request have no cycles.

    Values stay new until the pause is over. Where they outlive it, the next collection examines all of them, for up to
    a second (measured): a large request is therefore answered within such a block. It leaves no cycles at its end
    (58 objects after 100,000 messages, measured), so the collection after the pause is short. Where blocks always
    overlap, garbage is collected every `LONGEST_PAUSE_SECONDS` all the same; only that collection examines the values
    of the large requests that are open then.
    """

    lock: ClassVar = threading.Lock()
    blocks: ClassVar = 0
    last: ClassVar = 0.0
    """When a pause began or garbage was collected in it, on the monotonic clock."""

    def __enter__(self) -> None:
        with self.lock:
            if not CollectorPause.blocks:
                CollectorPause.last = time.monotonic()
            CollectorPause.blocks += 1
            gc.disable()

    def __exit__(self, *_: object) -> None:
        with self.lock:
            CollectorPause.blocks -= 1
            if not CollectorPause.blocks:
                gc.enable()
            elif time.monotonic() - CollectorPause.last > LONGEST_PAUSE_SECONDS:
                gc.collect()
                CollectorPause.last = time.monotonic()
