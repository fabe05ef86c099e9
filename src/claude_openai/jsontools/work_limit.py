"""Limits the work of pure functions whose input comes from a client.

They call `spend` once for each unit of work. A caller with a time limit runs them in `bounded`, with a function that
raises `TooMuch` when the limit is reached: that function may read a clock, which pure code must not.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_BOUND: ContextVar[Callable[[], object] | None] = ContextVar("bound", default=None)


class TooMuch(Exception):
    """The work takes longer than its limit allows; it has no result."""


def spend() -> None:
    """Count one unit of work.

    Raises:
        TooMuch: the limit is reached.
    """
    if bound := _BOUND.get():
        bound()


@contextmanager
def bounded(bound: Callable[[], object]) -> Iterator[None]:
    """Call `bound` for each unit of work in the block; it raises `TooMuch` to end the block."""
    token = _BOUND.set(bound)
    try:
        yield
    finally:
        _BOUND.reset(token)
