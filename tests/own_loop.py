"""A whole `anyio.run` within a test that is not async: in a thread of its own, since the other tests share a loop that
stays open in this one.
"""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import anyio

Result = TypeVar("Result")


def in_a_loop_of_its_own(work: Callable[..., Awaitable[Result]], *arguments: object, **options: Any) -> Result:
    """What `work` comes to; `options` are those of `anyio.run`."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(partial(anyio.run, work, *arguments, **options)).result()
