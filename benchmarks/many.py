"""Many conversations on one server: how much memory each takes, and how they fare when they go on at once.

So many bare Claude Codes, kept open, go on at once too: on two cores it is their own work that takes the time.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import anyio
import httpx2
import psutil
from claude_agent_sdk import ClaudeSDKClient

from benchmarks.asking import (
    ChatCompletions,
    Conversation,
    LiveClaudeCode,
    MessagesApi,
    Run,
    chat_options,
    measured,
)
from benchmarks.model import PROMPT, instructions
from benchmarks.progress import show
from benchmarks.rest import UP_SECONDS, quiet
from benchmarks.server import Server
from benchmarks.upstream import sessions_of
from claude_openai.simulator import Simulator

AT_ONCE: Final = (1, 2, 4, 8)
FEW: Final = 1
MORE: Final = 4
"""The memory of a conversation is the difference between these two numbers of them."""


@dataclass(frozen=True, slots=True)
class Burst:
    """The answers of conversations that went on at the same moment."""

    runs: tuple[Run, ...]

    @property
    def firsts(self) -> list[float]:
        return [run.first for run in self.runs]

    @property
    def done(self) -> float:
        """Seconds from the first that asked until all had their answer."""
        return max(run.asked_at + run.end for run in self.runs) - min(run.asked_at for run in self.runs)


@dataclass(frozen=True, slots=True)
class Footprint:
    """Proportional bytes of a server with the Claude Codes that it keeps, and their number."""

    together: int
    kept: int


@dataclass(frozen=True, slots=True)
class Many:
    """Bursts in rounds, each with one of every size in `AT_ONCE`; which sessions have asked upstream in each
    conversation, in their order; the footprint with few conversations and with more.
    """

    api: Sequence[Sequence[Burst]]
    live: Sequence[Sequence[Burst]]
    server: Sequence[Sequence[Burst]]
    sessions: Sequence[tuple[str, ...]]
    few: Footprint
    more: Footprint


async def many_conversations(
    server: Server, api: httpx2.AsyncClient, upstream: Simulator, folder: Path, rounds: int
) -> Many:
    """Open them one by one, then have them go on together, round by round; a first round only opens connections."""
    names = [uuid4().hex for _ in range(max(AT_ONCE))]
    conversations = [ChatCompletions(server.http, instructions(name)) for name in names]
    unserved = [MessagesApi(api, instructions(name)) for name in ("bare" + name for name in names)]
    await _opened(conversations[:FEW])
    few = _footprint(server)
    await _opened(conversations[FEW:MORE])
    more = _footprint(server)
    await _opened([*conversations[MORE:], *unserved])
    through, bare, live = [], [], []
    async with AsyncExitStack() as stack:
        clients = [ClaudeSDKClient(chat_options(folder, instructions("live" + name))) for name in names]
        kept_open = [LiveClaudeCode(await stack.enter_async_context(client)) for client in clients]
        await _opened(kept_open)
        for number in range(rounds + 1):
            show(f"at once {number} of {rounds}")
            bare.append([await _burst(unserved[:count]) for count in AT_ONCE])
            live.append([await _burst(kept_open[:count]) for count in AT_ONCE])
            through.append([await _burst(conversations[:count]) for count in AT_ONCE])
    show("")
    sessions = [sessions_of(upstream, name) for name in names]
    return Many(bare[1:], live[1:], through[1:], sessions, few, more)


def proportional(process: psutil.Process) -> int:
    """Bytes of memory, what is shared in parts where the system tells that (Linux); nothing where it has ended."""
    try:
        memory = process.memory_full_info()
    except psutil.NoSuchProcess:
        return 0
    return int(getattr(memory, "pss", memory.rss))


def _footprint(server: Server) -> Footprint:
    kept = server.claude_codes()
    return Footprint(proportional(server.process) + sum(map(proportional, kept)), len(kept))


async def _opened(conversations: Sequence[Conversation]) -> None:
    for conversation in conversations:
        await measured(conversation.ask(PROMPT))
    await anyio.sleep(UP_SECONDS)
    await quiet()


async def _burst(conversations: Sequence[Conversation]) -> Burst:
    runs: list[Run] = []

    async def go_on(conversation: Conversation) -> None:
        runs.append(await measured(conversation.ask(PROMPT)))

    await quiet()
    async with anyio.create_task_group() as group:
        for conversation in conversations:
            group.start_soon(go_on, conversation)
    return Burst(tuple(runs))
