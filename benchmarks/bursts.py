"""Eight new conversations at once: what a team after lunch, or an agent that starts sub-agents, asks for.

Each round has them from the Messages API, as eight `query()` at the same moment, and twice from a server that has just
been started: a first burst, which it could not know of, and a second one once its pool has grown.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias
from uuid import uuid4

import anyio
import httpx2

from benchmarks.asking import Answer, ChatCompletions, MessagesApi, Run, chat_options, measured, one_query
from benchmarks.model import PROMPT, instructions
from benchmarks.progress import show
from benchmarks.rest import pool_ready, quiet
from benchmarks.server import running_server

SIZE: Final = 8
TRIAL_SIZE: Final = 2
"""How many at once; the second where one round only tries whether everything works."""

ROUNDS: Final = 3
"""A server of its own for each takes time."""

By: TypeAlias = Literal["api", "query", "first", "second"]


@dataclass(frozen=True, slots=True)
class NewAtOnce:
    """The answers of new conversations, in the order in which they were asked for."""

    runs: tuple[Run, ...]

    @property
    def firsts(self) -> list[float]:
        """Seconds from the first that asked to each first token."""
        asked = min(run.asked_at for run in self.runs)
        return [run.asked_at - asked + run.first for run in self.runs]

    @property
    def out_of_order(self) -> int:
        """By how many places the one was late that others overtook most."""
        by_time = sorted(range(len(self.runs)), key=self.firsts.__getitem__)
        return max(place - number for place, number in enumerate(by_time))


async def bursts_of_new(
    login: Mapping[str, str], folder: Path, api: httpx2.AsyncClient, rounds: int
) -> Mapping[By, Sequence[NewAtOnce]]:
    """Have them asked for, round by round."""
    size = SIZE if rounds > 1 else TRIAL_SIZE
    found: dict[By, list[NewAtOnce]] = {"api": [], "query": [], "first": [], "second": []}
    for number in range(rounds):
        show(f"bursts {number} of {rounds}")
        found["api"].append(await _burst(size, lambda name: MessagesApi(api, instructions(name)).ask(PROMPT)))
        found["query"].append(
            await _burst(size, lambda name: one_query(PROMPT, chat_options(folder, instructions(name))))
        )
        async with running_server(login, folder, "burst") as server:

            def ask(name: str, http: httpx2.AsyncClient = server.http) -> Answer:
                return ChatCompletions(http, instructions(name)).ask(PROMPT)

            await pool_ready(server)
            found["first"].append(await _burst(size, ask))
            await pool_ready(server)
            found["second"].append(await _burst(size, ask))
    show("")
    return found


async def _burst(size: int, ask: Callable[[str], Answer]) -> NewAtOnce:
    runs: dict[int, Run] = {}

    async def one(number: int) -> None:
        runs[number] = await measured(ask(uuid4().hex))

    await quiet()
    async with anyio.create_task_group() as group:
        for number in range(size):
            group.start_soon(one, number)
    return NewAtOnce(tuple(runs[number] for number in range(size)))
