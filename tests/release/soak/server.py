"""The server of a long soak: the installed command in a process of its own, so that what it holds is its own too."""

import json
import shutil
import sysconfig
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import psutil

from claude_openai.claude_code.processes.child import Child, Command, child_process, dying_with_parent
from tests.release.soak.footprint import Watched
from tests.release.soak.setting import WARM_PROCESSES

LOG: Final = "server.log"

KEEPS_NO_WORDS: Final = ("--store", "memory", "--log-level", "info")
"""By default both have what was said."""
"""In the folder it runs in."""

START_SECONDS = 60
"""Bound on a start: one or two are usual, a cold disk first has to read the 200 MB of Claude Code."""

POLL_SECONDS = 0.05


@asynccontextmanager
async def running_server(flags: Sequence[str], environment: Mapping[str, str], folder: Path) -> AsyncIterator[Watched]:
    """Start it in `folder`, wait until it is ready, stop it after the block.

    Raises:
        OSError (FileNotFoundError and TimeoutError among them): it is not installed, or did not start.
    """
    program = shutil.which("claude-openai", path=sysconfig.get_path("scripts"))
    if program is None:
        raise FileNotFoundError("claude-openai is not installed for this Python; `make soak` sees to that")
    temporary = folder / "tmp"
    temporary.mkdir()
    argv = dying_with_parent((program, "--port", "0", "--log-file", str(folder / LOG), *KEEPS_NO_WORDS, *flags))
    command = Command(argv, {**environment, "TMPDIR": str(temporary)}, folder, folder / "server.err")
    async with child_process(command) as child:
        url = await _announced_url(child, anyio.Path(folder / LOG))
        yield Watched(url, psutil.Process(child.pid), temporary, resting=WARM_PROCESSES)


async def _announced_url(child: Child, log: anyio.Path) -> str:
    """What the server says once it answers requests."""
    with anyio.move_on_after(START_SECONDS):
        while child.is_running:
            for line in (await log.read_text(encoding="utf-8")).splitlines() if await log.exists() else ():
                if '"event": "server.ready"' in line:
                    return str(json.loads(line)["url"])
            await anyio.sleep(POLL_SECONDS)
    raise TimeoutError(f"the server did not start: {child.stderr_tail()}")
