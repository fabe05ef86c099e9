"""Work that takes as long as a client wrote much: in a thread, so that the streams of others go on meanwhile.

A thread that runs Python lets the event loop in every 5 ms (`sys.getswitchinterval`).
"""

from collections.abc import Callable
from typing import Final, TypeVar, TypeVarTuple

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

_MOST: Final = 2
"""At once: more would not be faster, since they take turns, and would slow down the event loop."""

_LIMITER: Final[RunVar[anyio.CapacityLimiter]] = RunVar("threads for large work")


async def beside(large: bool, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """What `work`, which is pure, comes to. What is not `large` is done at once: a thread costs some 0.2 ms.

    Where this call is cancelled, the thread goes on for nobody.
    """
    if not large:
        return work(*arguments)
    limiter = _LIMITER.get(None) or anyio.CapacityLimiter(_MOST)
    _LIMITER.set(limiter)
    return await anyio.to_thread.run_sync(work, *arguments, limiter=limiter, abandon_on_cancel=True)
