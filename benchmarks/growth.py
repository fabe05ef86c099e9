"""Whether a turn costs more with what was said before it: by the length of the history, by the runs in the store."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import anyio
import httpx2

from benchmarks.asking import ChatCompletions, MessagesApi, measured
from benchmarks.model import ANSWER, MODEL, PIECES, PROMPT, instructions
from benchmarks.processor import processor_seconds
from benchmarks.progress import show
from benchmarks.rest import UP_SECONDS, quiet
from benchmarks.server import Server, running_server
from benchmarks.spread import Spread, spread
from claude_openai.core.runs import Run, RunState
from claude_openai.simulator import JsonObject
from claude_openai.store.sqlite.retention import Retention
from claude_openai.store.sqlite.store import sqlite_store

MESSAGES: Final = (10, 100, 300, 1000)
RUNS: Final = (0, 200, 2000)
WAITING: Final = 100
"""Runs that wait to be written: the store drops what is too much."""

TURNS: Final = 12
"""Turns measured for each point; the clock of processor time is as fine as ten milliseconds for all of them."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Later turns in a conversation that began with so many messages, or with so many runs in the store.

    Seconds to the first token, and of the bare Messages API with the same body (None where that is the same at every
    point); processor seconds of the server a turn; the bytes of the last body; the seconds from the start to ready.
    """

    count: int
    first_token: Spread
    api: Spread | None
    processor: float
    body_bytes: int
    start: float
    whole: bool


async def by_history(login: Mapping[str, str], api: httpx2.AsyncClient, folder: Path) -> list[Turns]:
    """Conversations that are sent whole first and then go on in a live process."""
    points = []
    async with running_server(login, folder, "many") as server:
        for count in MESSAGES:
            show(f"a history of {count} messages")
            ours, bare = ChatCompletions(server.http, instructions(uuid4().hex)), MessagesApi(api, instructions("bare"))
            ours.messages += _history(count)
            bare.messages += _history(count)
            points.append(await _turns(server, count, ours, bare))
    show("")
    return points


async def by_runs(login: Mapping[str, str], folder: Path) -> list[Turns]:
    """A server each, with a store that has so many runs."""
    points = []
    for count in RUNS:
        show(f"{count} runs in the store")
        data = folder / f"{count} runs"
        async with sqlite_store(data, Retention(days=30, max_bytes=500_000_000)) as store:
            for number in range(count):
                store.save(_run(number))
                while store.status().unwritten > WAITING:  # noqa: ASYNC110 -- it is a thread's
                    await anyio.sleep(0.01)
        async with running_server({**login, "CLAUDE_OPENAI_DATA_DIR": str(data)}, folder, "many") as server:
            points.append(await _turns(server, count, ChatCompletions(server.http, instructions(uuid4().hex)), None))
    show("")
    return points


async def _turns(server: Server, count: int, ours: ChatCompletions, bare: MessagesApi | None) -> Turns:
    """The first turn rebuilds the history, or starts a process, and does not count."""
    await measured(ours.ask(PROMPT))
    await anyio.sleep(UP_SECONDS)
    firsts, others, pieces, processor = list[float](), list[float](), set[tuple[str, ...]](), 0.0
    for _ in range(TURNS):
        await quiet()
        before = sum(processor_seconds([server.process]).values())
        run = await measured(ours.ask(PROMPT))
        await quiet()
        processor += sum(processor_seconds([server.process]).values()) - before
        firsts.append(run.first)
        pieces.add(run.pieces)
        if bare is not None:
            others.append((await measured(bare.ask(PROMPT))).first)
    return Turns(
        count=count,
        first_token=spread(firsts),
        api=spread(others) if others else None,
        processor=processor / TURNS,
        body_bytes=len(json.dumps(ours.messages)),
        start=server.start,
        whole=pieces == {PIECES},
    )


def _history(messages: int) -> list[JsonObject]:
    return [{"role": "user", "content": PROMPT}, {"role": "assistant", "content": ANSWER}] * (messages // 2)


def _run(number: int) -> Run:
    """One that was answered in the last hour, with its text."""
    arrived_at = time.time() - 3_600 + number
    return Run(
        id=f"run_{number:08}",
        answer_id=f"chatcmpl-{number:08}",
        request_id=f"req_{number:08}",
        principal="",
        client="bench",
        model=MODEL,
        state=RunState.COMPLETED,
        arrived_at=arrived_at,
        began_at=arrived_at,
        first_token_at=arrived_at,
        ended_at=arrived_at + 1,
        session_start="live",
        finish="stop",
        text=ANSWER,
    )
