"""What the server adds: `python -m benchmarks.overhead` measures it in one run, without an account.

The model is the simulator, in this process, as are the clients: what it takes is in the numbers of the bare Messages
API as well. The servers are the real command in processes of their own, and every Claude Code is the real one. The
command fails where an answer or its session is not right, never for its times: those are also the machine's.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import anyio
import httpx2

from benchmarks.asking import ANSWER_SECONDS
from benchmarks.bursts import ROUNDS as BURST_ROUNDS
from benchmarks.bursts import bursts_of_new
from benchmarks.contestants import Arena, interleaved
from benchmarks.machine import clocks, commit, machine
from benchmarks.many import many_conversations, proportional
from benchmarks.model import model
from benchmarks.progress import show
from benchmarks.report import Report, reported
from benchmarks.server import running_server
from benchmarks.share import shares
from benchmarks.stream import long_streams
from benchmarks.table import table
from claude_openai.simulator import Simulator
from claude_openai.testing.environment import simulated_login

ROUNDS = 10
"""Three minutes and a half on two cores."""

FEWER = 5
"""Rounds of what takes as long as several answers: a start, a long stream, answers at once."""


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as with Ctrl-C: what was started is stopped
    with tempfile.TemporaryDirectory(prefix="claude-openai-bench-") as folder:
        report = anyio.run(measure, options.rounds, Path(folder))
    print(json.dumps(asdict(report), indent=2) if options.json else table(report))
    return 0 if report.correct else 1


async def measure(rounds: int, folder: Path) -> Report:
    since, measured_commit = clocks(), commit()
    fewer = min(rounds, FEWER)
    upstream = Simulator(model)
    async with upstream.serve() as url, _open_connection(url) as api:
        login = _only_login(url, folder)
        starts = await _starts(login, folder, fewer)
        async with running_server(login, folder, "cold") as cold:
            version = await cold.claude_code_version()
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
        machine=machine(since, version),
        commit=measured_commit,
    )


def _open_connection(url: str) -> httpx2.AsyncClient:
    """It stays open for as long as it takes."""
    limits = httpx2.Limits(keepalive_expiry=None)
    return httpx2.AsyncClient(base_url=url, headers={"x-api-key": "any"}, limits=limits, timeout=ANSWER_SECONDS)


def _only_login(upstream: str, folder: Path) -> Mapping[str, str]:
    """An environment without anything of the caller's, made this process's own: `query()` hands all of that on."""
    environment = simulated_login(upstream, folder, os.environ)
    os.environ.clear()
    os.environ.update(environment)
    return environment


async def _starts(login: Mapping[str, str], folder: Path, count: int) -> list[float]:
    """Of a server as it is by default. A first start compiles what an installation has compiled, and does not count."""
    starts = []
    for number in range(count + 1):
        show(f"start {number} of {count}")
        async with running_server(login, folder) as server:
            starts.append(server.start)
    show("")
    return starts[1:]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.overhead", description="Measure what the server adds.")
    parser.add_argument("--rounds", type=_count, default=ROUNDS, metavar="N", help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print one JSON object, times in seconds, memory in bytes")
    return parser.parse_args()


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of rounds")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
