"""The server under test: the installed command in a process of its own, for as long as a block lasts."""

import json
import os
import shutil
import signal
import sysconfig
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

import anyio
import httpx2
import openai
import psutil
from anyio.to_thread import run_sync

from benchmarks.asking import ANSWER_SECONDS
from claude_openai.claude_code.processes.child import Child, Command, child_process, dying_with_parent
from claude_openai.simulator import JsonObject

SPARES: Final = 2
"""The processes that wait in the warm server: one for a new conversation, one for a history."""

Role: TypeAlias = Literal["default", "warm", "cold", "many", "burst", "curve"]

FLAGS: Final[Mapping[Role, tuple[str, ...]]] = {
    "default": (),
    # Conversations that are over go before they are many: each idle Claude Code takes some of a core.
    "warm": ("--session-ttl", "10", "--max-processes", "16", "--warm-processes", str(SPARES)),
    # No process waits for a new conversation, and none stays for long after one.
    "cold": ("--session-ttl", "1", "--warm-processes", "0"),
    # Room for all that are asked at once, and nothing beside them.
    # By default the number of those that wait follows the bursts; here any machine has the places for two.
    "burst": ("--max-processes", "17", "--max-concurrency", "8"),
    "many": ("--max-processes", "16", "--max-concurrency", "8", "--warm-processes", "0"),
    "curve": ("--max-processes", "40", "--max-concurrency", "40", "--warm-processes", "0"),
}
"""What each server is told beside its port: all that a measurement needs to differ from the defaults."""

START_SECONDS = 60
"""Bound on a start: one or two are usual, a cold disk first has to read the 200 MB of Claude Code."""

STOP_SECONDS = 15
"""Bound on its end; some 100 ms are usual."""

POLL_SECONDS = 0.005
"""How finely the time of a start is known."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, the seconds from its start until it answered requests, and two clients of it."""

    url: str
    start: float
    process: psutil.Process
    http: httpx2.AsyncClient
    client: openai.AsyncOpenAI

    async def warm_processes(self) -> int:
        """How many Claude Codes wait for a conversation."""
        return int((await self._health())["processes"]["warm"])

    async def pool_is_filled(self) -> bool:
        """Whether as many wait as bursts have asked for; where bounds allow fewer, nobody knows."""
        pool = (await self._health())["warm_pool"]
        return bool(pool["bounded_by"]) or bool(pool["ready"] == pool["wanted"])

    async def ways(self) -> dict[str, int]:
        """How many requests reached Claude Code in which way."""
        return dict((await self._health())["turns"])

    async def claude_code_version(self) -> str:
        return str((await self._health())["backend"]["version"])

    def claude_codes(self) -> list[psutil.Process]:
        """What it has started and is still there."""
        return self.process.children(recursive=True)

    async def _health(self) -> JsonObject:
        health: JsonObject = (await self.http.get("/health")).json()
        return health


@asynccontextmanager
async def running_server(
    environment: Mapping[str, str], directory: Path, role: Role = "default", *, descriptors: int | None = None
) -> AsyncIterator[Server]:
    """Start the command, wait until it is ready, stop it after the block. `descriptors` limits its open files.

    Raises:
        OSError (FileNotFoundError and TimeoutError among them): it is not installed, or did not start.
    """
    program = shutil.which("claude-openai", path=sysconfig.get_path("scripts"))
    if program is None:
        raise FileNotFoundError("claude-openai is not installed for this Python; `make bench` sees to that")
    log = directory / f"{role}.log"
    log.unlink(missing_ok=True)  # a server adds to what the one before it has logged
    limit = () if descriptors is None else ("/bin/sh", "-c", f'ulimit -n {descriptors} && exec "$0" "$@"')
    argv = dying_with_parent((*limit, program, "--port", "0", "--log-file", str(log), *FLAGS[role]))
    begin = time.perf_counter()
    async with child_process(Command(argv, environment, directory, directory / f"{role}.err")) as child:
        url = await run_sync(_announced_url, child, log)
        start = time.perf_counter() - begin
        async with (
            httpx2.AsyncClient(base_url=url, timeout=ANSWER_SECONDS) as http,
            openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
        ):
            yield Server(url, start, psutil.Process(child.pid), http, client)
        os.kill(child.pid, signal.SIGTERM)  # it takes its folder with it, and the block would not give it the time
        with anyio.move_on_after(STOP_SECONDS):
            await child.wait_closed()


def _announced_url(child: Child, log: Path) -> str:
    """What the server says once it answers requests."""
    deadline = time.monotonic() + START_SECONDS
    while psutil.pid_exists(child.pid) and time.monotonic() < deadline:
        for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
            if '"event": "server.ready"' in line:
                return str(json.loads(line)["url"])
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"the server did not start: {child.stderr_tail()}")
