"""The server under test: the installed command in a process of its own, for as long as a block lasts."""

import json
import shutil
import sysconfig
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from anyio.to_thread import run_sync

from benchmarks.report import Memory
from claude_openai.backends.process import Command, child_process, dying_with_parent

START_SECONDS = 60
"""Bound on a start: one or two are usual, a cold disk first has to read the 200 MB of Claude Code."""

SETTLE_SECONDS = 15
"""Bound on the end of a Claude Code whose answer is complete; some 30 ms are usual."""

POLL_SECONDS = 0.005
"""How finely the time of a start is known."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, and the seconds from its start until it answered requests."""

    url: str
    start: float
    process: psutil.Process

    async def settled(self) -> None:
        """Wait until no process of an earlier answer is left to share the cores with the next one.

        Raises:
            TimeoutError: one stays.
        """
        children = self.process.children(recursive=True)
        _, left = await run_sync(partial(psutil.wait_procs, children, timeout=SETTLE_SECONDS))
        if left:
            raise TimeoutError(f"the server left a process behind: {left}")

    def memory(self) -> Memory:
        """What is resident now."""
        children = self.process.children(recursive=True)
        return Memory(self.process.memory_info().rss, sum(child.memory_info().rss for child in children))


@asynccontextmanager
async def running_server(environment: Mapping[str, str], directory: Path) -> AsyncIterator[Server]:
    """Start the command, wait until it is ready, stop it after the block.

    Raises:
        OSError (FileNotFoundError and TimeoutError among them): it is not installed, or did not start.
    """
    program = shutil.which("claude-openai", path=sysconfig.get_path("scripts"))
    if program is None:
        raise FileNotFoundError("claude-openai is not installed for this Python; `make bench` sees to that")
    argv = dying_with_parent((program, "--port", "0", "--log-format", "json"))
    log = directory / "server.log"
    begin = time.perf_counter()
    async with child_process(Command(argv, environment, directory, log)) as child:
        url = await run_sync(_announced_url, child.pid, log)
        yield Server(url, time.perf_counter() - begin, psutil.Process(child.pid))


def _announced_url(pid: int, log: Path) -> str:
    """What the server says once it answers requests."""
    deadline = time.monotonic() + START_SECONDS
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        for line in log.read_text(encoding="utf-8").splitlines():
            if '"event": "server.ready"' in line:
                return str(json.loads(line)["url"])
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"the server did not start: {log.read_text(encoding='utf-8')}")
