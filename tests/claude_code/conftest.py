"""The whole server in this process, over the real Claude Code, with only the model simulated."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import uvicorn
from openai import AsyncOpenAI

from claude_openai.claude_code.processes.scratch import server_folder
from claude_openai.gateway import Gateway
from claude_openai.server.application import application
from claude_openai.server.backends import start_folders
from claude_openai.settings import Settings
from claude_openai.simulator import RecordedRequest, Reply, Script, Simulator, Stall
from claude_openai.system.serving import Server, base_url, bound, serving
from claude_openai.testing.environment import simulated_login
from tests.patience import PATIENCE_SECONDS

NEW_MODEL, OLD_MODEL = "claude-sonnet-5", "claude-haiku-4-5"
"""One that takes no temperature, one that does."""

TURNS_TO_ARRIVE = 50
"""Of the event loop, generously: what a Claude Code that was killed has still sent upstream must not count as a request
of the next test.
"""


@dataclass(frozen=True)
class Rig:
    """One running server, the simulator behind it, and a client of it."""

    simulator: Simulator
    gateway: Gateway
    url: str
    client: AsyncOpenAI

    def plays(self, script: Script | None) -> None:
        """From now on upstream answers so; what was recorded before is forgotten."""
        self.simulator.script = script
        self.simulator.requests.clear()
        self.simulator.other_requests.clear()

    @property
    def asked(self) -> RecordedRequest:
        """The one request that reached upstream."""
        (request,) = self.simulator.requests
        return request

    def plays_once(self, reply: Reply) -> None:
        """From now on upstream answers one request so, and keeps any further one waiting for ever."""
        self.plays(lambda _: reply if len(self.simulator.requests) == 1 else Reply.of("x", fault=Stall()))

    def asked_for_once(self) -> bool:
        """Whether one answer was asked for: Claude Code's own next request may have left before it was killed."""
        return 1 <= len(self.simulator.requests) <= 2

    async def said(self, content: Any, **parameters: Any) -> str | None:
        """The answer to one user message."""
        request = {"model": NEW_MODEL, "messages": [{"role": "user", "content": content}], **parameters}
        with anyio.fail_after(PATIENCE_SECONDS):
            answer = await self.client.chat.completions.create(**request)
        message: str | None = answer.choices[0].message.content
        return message


Serve = Callable[..., AbstractAsyncContextManager[Rig]]


@pytest.fixture(scope="session")
async def upstream(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Simulator, dict[str, str]]]:
    simulator = Simulator()
    home = tmp_path_factory.mktemp("claude-home")
    async with simulator.serve() as url:
        yield simulator, simulated_login(url, home, os.environ)


@pytest.fixture(scope="session")
def serve(upstream: tuple[Simulator, dict[str, str]]) -> Serve:
    """A server with settings of its own, for as long as a block lasts."""
    return partial(_serve, *upstream)


@pytest.fixture(scope="session")
async def shared_rig(serve: Serve) -> AsyncIterator[Rig]:
    async with serve() as rig:
        yield rig


@pytest.fixture
async def rig(shared_rig: Rig) -> AsyncIterator[Rig]:
    """The server that all tests share; upstream is the simulated model until the test says otherwise."""
    shared_rig.plays(None)
    yield shared_rig
    with anyio.fail_after(PATIENCE_SECONDS):
        await shared_rig.gateway.until_idle()
        await shared_rig.gateway.close_idle_sessions()
        for _ in range(TURNS_TO_ARRIVE):
            await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def _serve(
    simulator: Simulator, login: dict[str, str], environment: dict[str, str] | None = None, **settings: Any
) -> AsyncIterator[Rig]:
    chosen = Settings(**{"port": 0, "max_retries": 1, "request_timeout": 60, "warm_processes": 0, **settings})
    login = login | (environment or {})
    folders = start_folders(chosen)
    with bound("127.0.0.1", chosen.port) as listener, server_folder(folders.runtime) as folder:
        async with anyio.create_task_group() as sessions:
            gateway, app = application(chosen, login, folders, sessions, scratch=folder.scratch)
            config = uvicorn.Config(app, log_config=None, ws="none", lifespan="off", timeout_graceful_shutdown=5)
            async with serving(Server(config), listener):
                url = base_url(listener)
                async with AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
                    yield Rig(simulator, gateway, url, client)
            sessions.cancel_scope.cancel()


def spoken(request: RecordedRequest) -> list[dict[str, Any]]:
    """What upstream was told, as turns: without cache marks, and without what Claude Code sends of its own."""
    return [
        {"role": message["role"], "content": [_bare(block) for block in _blocks(message["content"])]}
        for message in request.messages
        if message["role"] != "system"
    ]


def system_prompt(request: RecordedRequest) -> list[str]:
    """The client's part of the system prompt: Claude Code's two lines come first."""
    return [block["text"] for block in request.body["system"][2:]]


def text(content: str) -> dict[str, str]:
    return {"type": "text", "text": content}


def _blocks(content: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [text(content)] if isinstance(content, str) else content


def _bare(block: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != "cache_control"}


def session_files(sandbox: Path) -> list[str]:
    """Names in the temporary folder besides the folders and locks of servers, which stay as long as these run."""
    names = (name for _, *entries in os.walk(sandbox / "tmp") for name in chain(*entries))  # a folder may go meanwhile
    return [name for name in names if not name.startswith(("claude-openai-", "s-", "server.lock"))]


def folder_is_empty(folder: Path) -> bool:
    return not any(folder.iterdir())
