"""The program that plays the simulator in a process of its own, where its work holds up nobody else's event loop.

`claude-openai --simulate` starts it as a child, with the number of a socket that listens already, and ends it.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import anyio

from claude_openai.jsontools.work_limit import TooMuch
from claude_openai.simulator.simulator import Simulator

REQUEST_SECONDS: Final = 6.0
"""Of the processor's time, for the work on one request, while others wait: 460,000 messages, which fill the largest
body, take 4.4 s (measured). Claude Code sends what is refused twice more."""

_AGAIN_SECONDS: Final = 0.1
"""From one signal to the next: Python drops an exception that is raised in a finaliser."""


def main() -> None:
    """Play, until the parent is gone or ends this process."""
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    anyio.run(_play, int(sys.argv[1]))


async def _play(descriptor: int) -> None:
    async with Simulator(remember=False, bound=processor_time).serve_on(socket.socket(fileno=descriptor)) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        await anyio.sleep_forever()


def _end_with_the_parent() -> None:
    """Where the kernel does not see to it. A thread gets its turn while the event loop is busy, too."""
    sys.stdin.buffer.read()
    os._exit(0)


@contextmanager
def processor_time(seconds: float = REQUEST_SECONDS) -> Iterator[None]:
    """Bound a block of the main thread by a signal, as even a regular expression is interrupted by one: `re` looks for
    signals while it runs. Unbounded on Windows, which has no such timer. Raises `TooMuch` in the block.
    """
    if sys.platform == "win32":
        yield
        return

    def end(_: int, __: FrameType | None) -> None:
        if running:
            raise TooMuch

    running = True
    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN_SECONDS)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def end_on_signals() -> None:
    """Have SIGINT and SIGTERM end this process at once with exit code 0, whatever it is doing: the event loop would
    hear of them only after the work on a request. Nothing is lost, since the simulator keeps nothing.
    """

    def end(_: int, __: FrameType | None) -> None:
        os._exit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


if __name__ == "__main__":
    main()
