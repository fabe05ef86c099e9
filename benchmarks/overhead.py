"""What the server adds to the bare Messages API and to Claude Code.

The model is the simulator, in this process, as are the clients: what it takes is in the numbers of the bare Messages
API as well. The servers are the real command in processes of their own, and every Claude Code is the real one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import httpx2

from benchmarks.bursts import ROUNDS as BURST_ROUNDS
from benchmarks.bursts import bursts_of_new
from benchmarks.contestants import Arena, interleaved
from benchmarks.many import many_conversations, proportional
from benchmarks.progress import show
from benchmarks.report import Report, reported
from benchmarks.server import running_server
from benchmarks.share import shares
from benchmarks.stream import long_streams
from claude_openai.simulator import Simulator

Login: TypeAlias = Mapping[str, str]
"""The whole environment of the servers."""

FEWER = 5
"""Rounds of what takes as long as several answers: a start, a long stream, answers at once."""


async def overhead(upstream: Simulator, api: httpx2.AsyncClient, login: Login, folder: Path, rounds: int) -> Report:
    fewer = min(rounds, FEWER)
    starts = await _starts(login, folder, fewer)
    async with running_server(login, folder, "cold") as cold:
        async with running_server(login, folder, "warm") as warm:
            samples = await interleaved(Arena(upstream, api, warm, cold, folder), rounds)
            server_bytes, ways = proportional(warm.process), await warm.ways()
            pairs = await shares(warm, folder, rounds)
        streams = await long_streams(upstream, api, cold, fewer)
    async with running_server(login, folder, "many") as server:
        many = await many_conversations(server, api, upstream, folder, fewer)
    bursts = await bursts_of_new(login, folder, api, min(rounds, BURST_ROUNDS))
    return reported(
        samples,
        streams=streams,
        many=many,
        bursts=bursts,
        pairs=pairs,
        server_bytes=server_bytes,
        ways=ways,
        starts=starts,
    )


async def _starts(login: Mapping[str, str], folder: Path, count: int) -> list[float]:
    """Of a server as it is by default. A first start compiles what an installation has compiled, and does not count."""
    starts = []
    for number in range(count + 1):
        show(f"start {number} of {count}")
        async with running_server(login, folder) as server:
            starts.append(server.start)
    show("")
    return starts[1:]
