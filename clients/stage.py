"""What a client plays on: the installed server in a process of its own, the real Claude Code under it, our simulator as
the model, a home and a project folder that hold nothing of the caller's.
"""

import os
import shutil
import sysconfig
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2

from claude_openai.simulator import Simulator
from claude_openai.testing.environment import simulated_login
from clients.capabilities import BEFORE, NOTES, SQUARE, Seen
from tests.release.soak.server import running_server

KEY: Final = "sk-clients-of-the-stage"
"""The server wants it, so that a client that does not send its key is found out."""

NOWHERE: Final = "http://127.0.0.1:9"
"""Port 9 of this machine answers nobody: what a client sends elsewhere than to the server ends here."""

PICTURE: Final = "square.png"

PATIENCE_SECONDS: Final = 20
"""For one look at the server."""


@dataclass(frozen=True, slots=True)
class Stage:
    """`home` and `project` are what clients have, the latter as their working folder."""

    simulator: Simulator
    url: str
    home: Path
    project: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """All that a client is given."""
        own = simulated_login(NOWHERE, self.home, os.environ).items()
        return {
            **{name: value for name, value in own if not name.startswith(("ANTHROPIC_", "CLAUDE_"))},
            **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), NOWHERE),
            "CLAUDE_OPENAI_API_KEY": KEY,
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(__file__).parent),
            "TMPDIR": str(self.home / "tmp"),
        }

    async def set(self) -> None:
        """As at the beginning: no client has left anything. The project is a repository, as agents trust no other."""
        for folder in (self.home, self.project):
            shutil.rmtree(folder, ignore_errors=True)
        self.project.mkdir()
        (self.home / "tmp").mkdir(parents=True)
        (self.project / PICTURE).write_bytes(SQUARE)
        await anyio.run_process(["git", "init", "--quiet"], cwd=self.project, env=self.environment)
        await self.clear()

    async def clear(self) -> int:
        """Forget what was asked, and put the file back that agents change. Gives back the live turns so far."""
        (self.project / NOTES).write_text(BEFORE, encoding="utf-8")
        self.simulator.requests.clear()
        return await self._live_turns()

    async def seen(self, live_before: int) -> Seen:
        """What has happened since."""
        notes = (self.project / NOTES).read_text(encoding="utf-8")
        return Seen(tuple(self.simulator.requests), await self._live_turns() - live_before, notes)

    async def _live_turns(self) -> int:
        async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE_SECONDS) as client:
            health: dict[str, Any] = (await client.get(f"{self.url}/health")).json()
        return int(health["turns"].get("live", 0))


@asynccontextmanager
async def set_up(folder: Path) -> AsyncIterator[Stage]:
    """The stage in this folder, for as long as the block lasts."""
    simulator = Simulator()
    (claude := folder / "claude").mkdir()
    async with simulator.serve() as upstream:
        login = {**simulated_login(upstream, claude, os.environ), "CLAUDE_OPENAI_API_KEY": KEY}
        async with running_server(("--store", "memory", "--max-concurrency", "4"), login, folder) as server:
            yield Stage(simulator, server.url, folder / "home", folder / "project")


def installed_command() -> str:
    """Our command, of the same installation as this program."""
    return str(shutil.which("claude-openai", path=sysconfig.get_path("scripts")))
