"""How the server fares with more and more conversations that stream at a model's pace."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import anyio
import psutil

from benchmarks.asking import END, ChatCompletions, measured
from benchmarks.many import proportional
from benchmarks.model import PROMPT, instructions
from benchmarks.pace import PACED, PacedModel
from benchmarks.processor import processor_seconds, used_between
from benchmarks.progress import show
from benchmarks.rest import UP_SECONDS, quiet
from benchmarks.server import Server, running_server
from benchmarks.spread import Spread, percentile, spread
from claude_openai.simulator import Simulator

CONVERSATIONS: Final = (1, 2, 4, 8, 16, 32)

FEWEST_ANSWERS: Final = 8
"""Answers at each size, in at least two rounds."""

OPENED_AT_ONCE: Final = 4

WITHIN_SECONDS: Final = 1.0
"""In which all conversations go on, one after the other: what a burst costs is another table's."""

FULL: Final = 0.9
"""The share of all cores at which the machine counts as full; nothing gets the rest in a round of three seconds."""


@dataclass(frozen=True, slots=True)
class Point:
    """So many conversations. Seconds to the first token and from upstream's saying a token to the client's having it;
    processors at work for the server and for its Claude Codes; proportional bytes of both; the share of all cores that
    was used, the simulator's and the clients' included.
    """

    count: int
    first_token: Spread
    first_token_95: float
    lag: float
    lag_99: float
    server_cores: Spread
    claude_code_cores: Spread
    server_bytes: int
    claude_code_bytes: int
    machine: float
    whole: bool

    @property
    def full(self) -> bool:
        return self.machine >= FULL


@dataclass(frozen=True, slots=True)
class _Answer:
    first: float
    lags: tuple[float, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class _Round:
    answers: Sequence[_Answer]
    server: float
    claude_code: float
    machine: float


async def curve(login: Mapping[str, str], folder: Path, counts: Sequence[int] = CONVERSATIONS) -> list[Point]:
    """With a simulator of its own, for each of `counts` in ascending order."""
    points = []
    async with anyio.create_task_group() as group:
        model = PacedModel(group)
        async with (
            Simulator(model).serve() as url,
            running_server({**login, "ANTHROPIC_BASE_URL": url}, folder, "curve") as server,
        ):
            opened: list[ChatCompletions] = []
            for count in counts:
                show(f"{count} conversations at a model's pace")
                new = [ChatCompletions(server.http, instructions(uuid4().hex)) for _ in range(count - len(opened))]
                await _open(new)
                opened += new
                points.append(await _point(server, model, opened))
    show("")
    return points


async def _open(conversations: Sequence[ChatCompletions]) -> None:
    limiter = anyio.CapacityLimiter(OPENED_AT_ONCE)

    async def begin(conversation: ChatCompletions) -> None:
        async with limiter:
            await measured(conversation.ask(PROMPT))

    async with anyio.create_task_group() as group:
        for conversation in conversations:
            group.start_soon(begin, conversation)
    await anyio.sleep(UP_SECONDS)
    await quiet()


async def _point(server: Server, model: PacedModel, conversations: Sequence[ChatCompletions]) -> Point:
    rounds = [await _round(server, model, conversations) for _ in range(max(2, FEWEST_ANSWERS // len(conversations)))]
    answers = [answer for one in rounds for answer in one.answers]
    firsts, lags = [answer.first for answer in answers], [lag for answer in answers for lag in answer.lags]
    return Point(
        count=len(conversations),
        first_token=spread(firsts),
        first_token_95=percentile(firsts, 95),
        lag=percentile(lags, 50),
        lag_99=percentile(lags, 99),
        server_cores=spread([one.server for one in rounds]),
        claude_code_cores=spread([one.claude_code for one in rounds]),
        server_bytes=proportional(server.process),
        claude_code_bytes=sum(map(proportional, server.claude_codes())),
        machine=max(one.machine for one in rounds),
        whole=all(answer.whole for answer in answers),
    )


async def _round(server: Server, model: PacedModel, conversations: Sequence[ChatCompletions]) -> _Round:
    answers: list[_Answer] = []

    async def go_on(conversation: ChatCompletions, after: float) -> None:
        await anyio.sleep(after)
        answers.append(await _answer(model, conversation))

    await quiet()
    codes = server.claude_codes()
    since, before = time.monotonic(), (processor_seconds([server.process]), processor_seconds(codes))
    psutil.cpu_percent()
    async with anyio.create_task_group() as group:
        for number, conversation in enumerate(conversations):
            group.start_soon(go_on, conversation, number / len(conversations) * WITHIN_SECONDS)
    seconds, machine = time.monotonic() - since, psutil.cpu_percent() / 100
    own, others = processor_seconds([server.process]), processor_seconds(codes)
    return _Round(answers, used_between(before[0], own) / seconds, used_between(before[1], others) / seconds, machine)


async def _answer(model: PacedModel, conversation: ChatCompletions) -> _Answer:
    asked_at, pieces, came = time.monotonic(), list[str](), list[float]()
    async for piece in conversation.ask(PROMPT):
        if piece is not END:
            came.append(time.monotonic())
            pieces.append(piece)
    said = model.said_to(str(conversation.messages[0]["content"]))
    lags = tuple(there - then for then, there in zip(said, came, strict=False))
    return _Answer(came[0] - asked_at, lags, tuple(pieces) == PACED)
