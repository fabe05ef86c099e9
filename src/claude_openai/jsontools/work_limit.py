"""A bound on the work of pure functions whose input a client writes.

They call `spend` once for each piece of work. Whoever must not wait for long runs them within `bounded`, with a
function that raises `TooMuch` when it has been enough: it has the clock, which is not for pure code.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_BOUND: ContextVar[Callable[[], object] | None] = ContextVar("bound", default=None)


class TooMuch(Exception):
    """The work takes longer than its bound allows; nothing came of it."""


def spend() -> None:
    """Count one piece of work.

    Raises:
        TooMuch: the bound is used up.
    """
    if bound := _BOUND.get():
        bound()


@contextmanager
def bounded(bound: Callable[[], object]) -> Iterator[None]:
    """Call `bound` for each piece of work in the block; it raises `TooMuch` to end the block."""
    token = _BOUND.set(bound)
    try:
        yield
    finally:
        _BOUND.reset(token)
