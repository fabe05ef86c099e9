"""The simulator of `--simulate`: a process of its own, owned by the block that opened it.

A client's request may keep the simulator busy. Meanwhile the server answers other requests, and can stop.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import structlog

from claude_openai.claude_code.processes.child import Child, child_process, module_command
from claude_openai.errors import LaunchError
from claude_openai.system.serving import base_url, bound

log = structlog.get_logger(__name__)

START_SECONDS: Final = 60.0
"""Timeout of the start, which takes 0.3 s of processor time (measured): more than that on a busy machine."""

HOST: Final = "127.0.0.1"
"""The simulator accepts any key, so only this machine can reach it."""


class SimulatorProcess:
    """The simulator's address, and whether it runs. A connection that comes before it has started waits."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ended: str | None = None
        """A sentence about its end; None while it runs."""
        self.known = anyio.Event()
        """Set when it has started, or has ended without a start."""

    async def started(self) -> None:
        """Wait until it has started.

        Raises:
            LaunchError: it has ended, or does not start in time.
        """
        with anyio.move_on_after(START_SECONDS):
            await self.known.wait()
        if self.ended or not self.known.is_set():
            problem = self.ended or f"the simulator has not started within {START_SECONDS:g} seconds"
            raise LaunchError(
                problem.rstrip("."), "the log has more with --log-level debug; or serve without --simulate"
            )

    async def watch(self, child: Child) -> None:
        """Record when `child` has started, and when it has ended."""
        async for _ in child.lines():
            self.known.set()
        code = await child.exit_code()
        self.ended = f"The simulator has ended (exit code {code}). Start the server again."
        self.known.set()
        log.error("simulator.ended", exit_code=code, stderr=child.stderr_tail())


@asynccontextmanager
async def simulator_process(folder: Path) -> AsyncIterator[SimulatorProcess]:
    """A context manager with the simulator's process; its standard error is a file in `folder`. On Windows, where a
    process cannot inherit a socket this way, the simulator runs on this event loop.

    Raises:
        OSError: it cannot be started.
    """
    with bound(HOST, 0) as listener:
        simulator = SimulatorProcess(base_url(listener))
        if sys.platform == "win32":
            from claude_openai.simulator import Simulator  # noqa: PLC0415 -- only on Windows

            async with Simulator(remember=False).serve_on(listener):
                simulator.known.set()
                yield simulator
            return
        number = listener.fileno()
        command = module_command(
            "claude_openai.simulator.process", str(number), stderr=folder / "simulator.log", descriptors=(number,)
        )
        async with child_process(command) as child:
            listener.close()  # otherwise connections would wait for a simulator that has ended
            async with anyio.create_task_group() as group:
                group.start_soon(simulator.watch, child)
                yield simulator
                group.cancel_scope.cancel()
