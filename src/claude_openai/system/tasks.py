"""Tasks that keep nothing after they were cancelled."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

Result = TypeVar("Result")


async def without_traceback(work: Callable[..., Awaitable[Result]], *arguments: object, **keywords: Any) -> Result:
    """Run `work` as the whole of a task; the exception that cancels it has no traceback.

    anyio's task group keeps that exception in a frame that is in the exception's own traceback (read in anyio 4.15).
    This reference cycle would keep the frames of `work` and a large request in them until the garbage collector runs,
    and make that slow.
    """
    running = work(*arguments, **keywords)
    del work, arguments, keywords
    try:
        return await running
    except anyio.get_cancelled_exc_class() as cancelled:
        error: BaseException | None = cancelled
        while error:
            error.__traceback__ = None
            error = error.__context__
        raise
