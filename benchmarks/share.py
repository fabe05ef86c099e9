"""What of a later turn is the server's own: it and a bare Claude Code are asked turn by turn, each in its conversation.

So whatever else the machine does falls on both alike, and on the same number of turns into a conversation.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import anyio
from claude_agent_sdk import ClaudeSDKClient

from benchmarks.asking import ChatCompletions, LiveClaudeCode, chat_options, measured
from benchmarks.model import PROMPT, instructions
from benchmarks.progress import show
from benchmarks.rest import UP_SECONDS, quiet, spare_ready
from benchmarks.server import Server

TURNS: Final = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """Seconds to the first token of the same turn in both, and those of a request that needs no Claude Code."""

    live: float
    server: float
    request: float


async def shares(server: Server, folder: Path, count: int) -> list[Pair]:
    """Of turns 2 and later, in so many conversations."""
    pairs = []
    for number in range(count):
        show(f"turn by turn {number} of {count}")
        pairs += await _turn_by_turn(server, folder)
    show("")
    return pairs


async def _turn_by_turn(server: Server, folder: Path) -> list[Pair]:
    pairs: list[Pair] = []
    async with ClaudeSDKClient(chat_options(folder, instructions(uuid4().hex))) as client:
        live = LiveClaudeCode(client)
        ours = ChatCompletions(server.http, instructions(uuid4().hex))
        await anyio.sleep(UP_SECONDS)
        await spare_ready(server)
        await measured(live.ask(PROMPT))
        await measured(ours.ask(PROMPT))
        await spare_ready(server)
        pairs += [await _pair(live, ours, server) for _ in range(TURNS)]
    return pairs


async def _pair(live: LiveClaudeCode, ours: ChatCompletions, server: Server) -> Pair:
    await quiet()
    alone = await measured(live.ask(PROMPT))
    await quiet()
    through = await measured(ours.ask(PROMPT))
    await quiet()
    asked_at = time.monotonic()
    (await server.http.get("/health")).raise_for_status()
    return Pair(alone.first, through.first, time.monotonic() - asked_at)
