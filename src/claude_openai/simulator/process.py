"""The program that runs the simulator in a process of its own, so that its work does not block the server's event loop.

`claude-openai --simulate` starts it as a child, passes the descriptor of a listening socket, and ends it.
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
"""Processor time for the work on one request, while other requests wait: 460,000 messages, which fill the largest body,
take 4.4 s (measured). Claude Code repeats a refused request twice."""

_AGAIN_SECONDS: Final = 0.1
"""Seconds until the signal is repeated: Python drops an exception that is raised in a finaliser."""


def main() -> None:
    """Serve until the parent exits or ends this process."""

    def exit_with_parent() -> None:
        """Exit at the end of stdin, where the kernel does not end this process with its parent. The event loop may be
        busy then; a thread still runs.
        """
        sys.stdin.buffer.read()
        os._exit(0)

    async def serve() -> None:
        listener = socket.socket(fileno=int(sys.argv[1]))
        async with Simulator(remember=False, bound=processor_time).serve_on(listener) as url:
            sys.stdout.write(f"{url}\n")
            sys.stdout.flush()
            await anyio.sleep_forever()

    threading.Thread(target=exit_with_parent, daemon=True).start()
    anyio.run(serve)


@contextmanager
def processor_time(seconds: float = REQUEST_SECONDS) -> Iterator[None]:
    """Limit the processor time of a block of the main thread by a signal, and raise `TooMuch` in the block.

    A signal interrupts even a regular expression: `re` checks for signals while it runs. Windows has no such timer, so
    the block is not limited there.
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
    """Make SIGINT and SIGTERM end this process at once with exit code 0: the event loop would handle them only after
    the work on a request. Nothing is lost, since the simulator stores nothing.
    """

    def end(_: int, __: FrameType | None) -> None:
        os._exit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


if __name__ == "__main__":
    main()
