"""A long answer without a pause: how fast it comes, and how much of the processors it takes to hand it on."""

from dataclasses import dataclass, field
from uuid import uuid4

import httpx2

from benchmarks.asking import END, Answer, ChatCompletions, MessagesApi, Run, measured
from benchmarks.model import LONG_PROMPT, LONG_TOKENS, instructions
from benchmarks.processor import processor_seconds, used_between
from benchmarks.progress import show
from benchmarks.rest import quiet
from benchmarks.server import Server
from benchmarks.upstream import requests_of
from claude_openai.simulator import Simulator


@dataclass(frozen=True, slots=True)
class Stream:
    """A long answer: the seconds from upstream's first byte to its end, and the processor seconds from its first piece
    to its last. The start of a process is in neither.
    """

    run: Run
    seconds: float
    server: float = 0.0
    claude_code: float = 0.0

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return LONG_TOKENS / self.seconds


async def long_streams(
    upstream: Simulator, api: httpx2.AsyncClient, server: Server, count: int
) -> list[tuple[Stream, Stream]]:
    """Of the Messages API and of the server in turn, read alike, each in a conversation of its own."""
    streams = []
    for number in range(count):
        show(f"long stream {number} of {count}")
        streams.append((await _of_the_api(upstream, api), await of_the_server(upstream, server)))
        upstream.requests.clear()
    show("")
    return streams


async def _of_the_api(upstream: Simulator, api: httpx2.AsyncClient) -> Stream:
    name = uuid4().hex
    await quiet()
    run = await measured(MessagesApi(api, instructions(name)).ask(LONG_PROMPT))
    return Stream(run, _seconds(upstream, name, run))


async def of_the_server(upstream: Simulator, server: Server) -> Stream:
    """One long answer of a server in a new conversation."""
    name = uuid4().hex
    meter = _Meter(server)
    await quiet()
    run = await measured(meter.watched(ChatCompletions(server.http, instructions(name)).ask(LONG_PROMPT)))
    return Stream(run, _seconds(upstream, name, run), *meter.used())


def _seconds(upstream: Simulator, conversation: str, run: Run) -> float:
    """From upstream's first byte: the client may see its first piece when upstream is far ahead already."""
    begun = requests_of(upstream, conversation)[-1].first_byte_at or run.asked_at
    return run.asked_at + run.end - begun


@dataclass(slots=True)
class _Meter:
    server: Server
    readings: list[dict[int, float]] = field(default_factory=list)

    async def watched(self, answer: Answer) -> Answer:
        """`answer`, with a reading at its first and at its last piece: then its Claude Code is there for certain."""
        count = 0
        async for piece in answer:
            count += piece is not END
            if piece is not END and count in {1, LONG_TOKENS}:
                self.readings.append(processor_seconds([self.server.process, *self.server.claude_codes()]))
            yield piece

    def used(self) -> tuple[float, float]:
        """By the server, and by all that it has started."""
        before, after = self.readings[0], self.readings[-1]
        server = self.server.process.pid
        alone = after[server] - before[server]
        return alone, used_between(before, after) - alone
