"""The simulator that plays the model with `--simulate`: a process of its own, owned by the block that opened it.

What is asked of it is up to the clients, and may keep it busy. The server answers others meanwhile, and can stop.
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
"""Until it listens: 0.3 s of the processor (measured), which a busy machine may not have for long."""

HOST: Final = "127.0.0.1"
"""It takes any key, so it is for this machine only."""


class SimulatorProcess:
    """Where the simulator listens, from the beginning on: what connects before it has started waits."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ended: str | None = None
        """Why it answers no more, as a sentence; None as long as it runs."""
        self.known = anyio.Event()
        """Set when it has started, or has ended before."""

    async def started(self) -> None:
        """Returns when it can answer.

        Raises:
            LaunchError: it has ended, or does not start within a bound.
        """
        with anyio.move_on_after(START_SECONDS):
            await self.known.wait()
        if self.ended or not self.known.is_set():
            what = self.ended or f"the simulator has not started within {START_SECONDS:g} seconds"
            raise LaunchError(what.rstrip("."), "the log says more with --log-level debug; or serve without --simulate")

    async def watch(self, child: Child) -> None:
        """Learn when `child` has started, and that it has ended."""
        async for _ in child.lines():
            self.known.set()
        code = await child.exit_code()
        self.ended = f"The simulator has ended (exit code {code}). Start the server again."
        self.known.set()
        log.error("simulator.ended", exit_code=code, stderr=child.stderr_tail())


@asynccontextmanager
async def simulator_process(folder: Path) -> AsyncIterator[SimulatorProcess]:
    """Start it, and end it with the block; `folder` gets what it complains about. On Windows, where a process cannot be
    given a socket this way, it runs on this event loop.

    Raises:
        OSError: it cannot be started.
    """
    with bound(HOST, 0) as listener:
        simulator = SimulatorProcess(base_url(listener))
        if sys.platform == "win32":
            from claude_openai.simulator import Simulator  # noqa: PLC0415 -- only here

            async with Simulator(remember=False).serve_on(listener):
                simulator.known.set()
                yield simulator
            return
        number = listener.fileno()
        command = module_command(
            "claude_openai.simulator.process", str(number), stderr=folder / "simulator.log", descriptors=(number,)
        )
        async with child_process(command) as child:
            listener.close()  # else connections would wait here for a simulator that has ended
            async with anyio.create_task_group() as group:
                group.start_soon(simulator.watch, child)
                yield simulator
                group.cancel_scope.cancel()
