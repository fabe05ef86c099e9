"""claude-openai beside LiteLLM's proxy, on one upstream, asked in turn: start, memory, first token, rate."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import anyio

from benchmarks.asking import ChatCompletions, measured
from benchmarks.litellm_proxy import VERSION, running_litellm
from benchmarks.many import proportional
from benchmarks.model import LONG_PIECES, LONG_TOKENS, PROMPT, instructions
from benchmarks.progress import show
from benchmarks.rest import START_SECONDS, UP_SECONDS, quiet
from benchmarks.server import Server, running_server
from benchmarks.spread import Spread, spread
from benchmarks.stream import Stream, of_the_server
from claude_openai.simulator import Simulator

STARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds from the start to ready; proportional bytes after all rounds, without Claude Codes; seconds to the first
    token of a new conversation and of turn 2; tokens a second; processor seconds for 1,000 tokens, of the server alone
    and with all that it has started.
    """

    start: Spread
    memory: int
    new: Spread
    turn_2: Spread
    rate: Spread
    processor: Spread
    processor_together: Spread
    whole: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """`wins` says in what the server is better, of what it has to be."""

    ours: Figures
    litellm: Figures
    wins: Mapping[str, bool]
    version: str = VERSION


@dataclass(slots=True)
class _Samples:
    starts: list[float]
    new: list[float]
    turn_2: list[float]
    streams: list[Stream]


async def beside(upstream: Simulator, login: Mapping[str, str], folder: Path, rounds: int) -> Beside:
    """Each round asks both, each alone on the machine.

    Raises:
        clients.environments.NotInstallableError: the environment of LiteLLM cannot be made here.
    """
    ways = (partial(running_server, login, folder, "warm"), partial(running_litellm, login, folder))
    ours, theirs = _Samples([], [], [], []), _Samples([], [], [], [])
    for number in range(STARTS + 1):  # the first compiles and reads from the disk what an installation has
        show(f"start beside LiteLLM {number} of {STARTS}")
        for samples, way in ((ours, ways[0]), (theirs, ways[1])):
            async with way() as server:
                samples.starts += [server.start] * (number > 0)
    async with ways[0]() as server, ways[1]() as proxy:
        for number in range(rounds + 1):
            show(f"beside LiteLLM {number} of {rounds}")
            for samples, asked in ((ours, server), (theirs, proxy)):
                new, turn_2, stream = await _round(upstream, asked)
                if number:
                    samples.new.append(new)
                    samples.turn_2.append(turn_2)
                    samples.streams.append(stream)
            upstream.requests.clear()
        memory = proportional(server.process), sum(map(proportional, (proxy.process, *proxy.claude_codes())))
    show("")
    return _result(_figures(ours, memory[0]), _figures(theirs, memory[1]))


async def _round(upstream: Simulator, server: Server) -> tuple[float, float, Stream]:
    conversation = ChatCompletions(server.http, instructions(uuid4().hex))
    await anyio.sleep(START_SECONDS + UP_SECONDS)  # a process that waits for the conversation is up
    await quiet()
    new = await measured(conversation.ask(PROMPT))
    await anyio.sleep(START_SECONDS + UP_SECONDS)
    await quiet()
    turn_2 = await measured(conversation.ask(PROMPT))
    return new.first, turn_2.first, await of_the_server(upstream, server)


def _figures(samples: _Samples, memory: int) -> Figures:
    thousands = LONG_TOKENS / 1000
    return Figures(
        start=spread(samples.starts),
        memory=memory,
        new=spread(samples.new),
        turn_2=spread(samples.turn_2),
        rate=spread([stream.rate for stream in samples.streams]),
        processor=spread([stream.server / thousands for stream in samples.streams]),
        processor_together=spread([(stream.server + stream.claude_code) / thousands for stream in samples.streams]),
        whole=all(stream.run.pieces == LONG_PIECES for stream in samples.streams),
    )


def _result(ours: Figures, theirs: Figures) -> Beside:
    wins = {
        "rate": ours.rate.median > theirs.rate.median,
        "processor per token": ours.processor.median < theirs.processor.median,
        "start": ours.start.median < theirs.start.median,
        "memory": ours.memory < theirs.memory,
    }
    return Beside(ours, theirs, wins)
