"""What the server adds: `python -m benchmarks.overhead` measures it in one run, without an account.

The model is the simulator, in this process, as are the clients. The server is the real command in a process of its own,
and every Claude Code, its own or that of the baseline, is the real one. The contestants take turns round by round,
each alone on the machine and each round beginning with another, so that what else the machine does falls on all alike.
After them the round trip of a tool is measured, which only the server makes.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TypeAlias

import anyio
import httpx2
import openai

from benchmarks.contestants import Answer, Run, agent_sdk, chat_completions, measured, messages_api
from benchmarks.report import Memory, Report, reported, table
from benchmarks.round_trip import RoundTrip, round_trip
from benchmarks.server import Server, running_server
from claude_openai.testing.environment import simulated_login
from claude_openai.testing.simulator import Simulator

ROUNDS = 30
"""A minute on two cores."""

STARTS = 5
"""A start takes as long as two answers."""

Contestants: TypeAlias = Mapping[str, Callable[[], Answer]]
Runs: TypeAlias = Mapping[str, list[Run]]


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as with Ctrl-C: what was started is stopped
    with tempfile.TemporaryDirectory(prefix="claude-openai-bench-") as folder:
        report = anyio.run(measure, options.rounds, Path(folder))
    print(json.dumps(asdict(report), indent=2) if options.json else table(report))
    return 0 if report.whole and report.live else 1


async def measure(rounds: int, folder: Path) -> Report:
    simulator = Simulator()
    async with simulator.serve() as upstream:
        login = _only_login(upstream, folder)
        starts = [await _start(login, folder) for _ in range(min(rounds, STARTS))]
        async with running_server(login, folder) as server, _client(server) as client:
            async with _contestants(upstream, folder, client) as contestants:
                runs = await _interleaved(contestants, server, rounds)
            memory = await _memory(server, chat_completions(client))
            await server.settled()
            trips = await _round_trips(client, simulator, server, rounds)
    return reported(
        runs["upstream"],
        runs["baseline"],
        runs["server"],
        trips=trips,
        starts=starts,
        memory=memory,
        cores=os.cpu_count() or 1,
    )


def _only_login(upstream: str, folder: Path) -> Mapping[str, str]:
    """An environment without anything of the caller's, made this process's own: `query()` hands all of that on."""
    environment = simulated_login(upstream, folder, os.environ)
    os.environ.clear()
    os.environ.update(environment)
    return environment


async def _start(login: Mapping[str, str], folder: Path) -> float:
    async with running_server(login, folder) as server:
        return server.start


def _client(server: Server) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0)


@asynccontextmanager
async def _contestants(upstream: str, folder: Path, client: openai.AsyncOpenAI) -> AsyncIterator[Contestants]:
    async with httpx2.AsyncClient(base_url=upstream, headers={"x-api-key": "any"}) as http:
        yield {
            "upstream": lambda: messages_api(http),
            "baseline": lambda: agent_sdk(folder),
            "server": lambda: chat_completions(client),
        }


async def _interleaved(contestants: Contestants, server: Server, rounds: int) -> Runs:
    """One round more than is told: the first only warms up."""
    runs: Runs = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(rounds + 1):
        _show(f"round {number} of {rounds}")
        for name in names[number % len(names) :] + names[: number % len(names)]:
            run = await measured(contestants[name]())
            await server.settled()
            if number:
                runs[name].append(run)
    _show("")
    return runs


async def _round_trips(client: openai.AsyncOpenAI, upstream: Simulator, server: Server, rounds: int) -> list[RoundTrip]:
    """One more than is told, here too."""
    trips = []
    for number in range(rounds + 1):
        _show(f"tool {number} of {rounds}")
        trips.append(await round_trip(client, upstream))
        await server.settled()
    _show("")
    return trips[1:]


async def _memory(server: Server, answer: Answer) -> Memory:
    await anext(answer)
    memory = server.memory()
    async for _ in answer:
        pass
    return memory


def _show(progress: str) -> None:
    """On the line where the last one was, for a person who waits."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{progress}", end="", file=sys.stderr, flush=True)


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
