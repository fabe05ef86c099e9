"""Waiting until a measurement has the machine to itself, as far as that is ours to say."""

import time
from typing import Final

import anyio
import psutil

from benchmarks.processor import processor_seconds, used_between
from benchmarks.server import SPARES, Server

WINDOW_SECONDS: Final = 0.1
"""Ten ticks of the kernel's clock: it counts processor time no finer."""

MOST_BUSY: Final = 0.35
"""Processor seconds a second that pass for rest: an idle Claude Code takes some 0.02, one that starts over 1."""

QUIET_SECONDS: Final = 15
"""After which what is still at work is measured with the rest; an ending process takes some 0.05."""

SPARE_SECONDS: Final = 30
"""Bound on the wait for a warm process; it starts in half a second."""

UP_SECONDS: Final = 1.5
"""How long a Claude Code goes on with its start after it has said that it is there."""

START_SECONDS: Final = 0.5
"""From the start of a process until it says so."""

POLL_SECONDS: Final = 0.05


async def quiet() -> None:
    """Wait until nothing that this program has started is at work."""
    with anyio.move_on_after(QUIET_SECONDS):
        while await _busy() > MOST_BUSY:
            pass


async def spare_ready(server: Server) -> None:
    """Wait until a conversation would find a warm process, with a history or without, and one that is really up.

    Raises:
        TimeoutError: none comes.
    """
    with anyio.fail_after(SPARE_SECONDS):
        while await server.warm_processes() < SPARES:  # noqa: ASYNC110 -- it is another process's
            await anyio.sleep(POLL_SECONDS)
    await _up(server)


async def pool_ready(server: Server) -> None:
    """Wait until as many processes wait as bursts have asked for, all of them really up.

    Raises:
        TimeoutError: they do not come.
    """
    with anyio.fail_after(SPARE_SECONDS):
        while not await server.pool_is_filled():  # noqa: ASYNC110 -- it is another process's
            await anyio.sleep(POLL_SECONDS)
    await _up(server)


async def _up(server: Server) -> None:
    youngest = max(process.create_time() for process in server.claude_codes())
    await anyio.sleep(max(0.0, youngest + START_SECONDS + UP_SECONDS - time.time()))
    await quiet()


async def _busy() -> float:
    """Processor seconds a second of all that this program has started."""
    before = _processor_seconds()
    await anyio.sleep(WINDOW_SECONDS)
    return used_between(before, _processor_seconds()) / WINDOW_SECONDS


def _processor_seconds() -> dict[int, float]:
    return processor_seconds(psutil.Process().children(recursive=True))
