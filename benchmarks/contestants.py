"""Who is compared, and in which rounds: the contestants take turns, each alone on the machine and each round beginning
with another, so that what else the machine does falls on all alike.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias
from uuid import uuid4

import anyio
import httpx2
from claude_agent_sdk import ClaudeSDKClient

from benchmarks.asking import (
    ChatCompletions,
    Conversation,
    LiveClaudeCode,
    MessagesApi,
    Run,
    chat_options,
    measured,
    one_query,
)
from benchmarks.model import ANSWER, MODEL, PROMPT, QUESTION, RESULT, WEATHER, instructions
from benchmarks.openai_client import by_the_openai_client
from benchmarks.progress import show
from benchmarks.rest import START_SECONDS, UP_SECONDS, quiet, spare_ready
from benchmarks.server import Server
from benchmarks.upstream import requests_of, sessions_of
from claude_openai.claude_code.stream_json.transcript import transcript
from claude_openai.simulator import JsonObject, Simulator


class Case(StrEnum):
    """One way to ask in one situation: a row of the table."""

    API_NEW = "api_new"
    API_TURN_2 = "api_turn_2"
    API_TURN_5 = "api_turn_5"
    QUERY_NEW = "query_new"
    QUERY_RESUMED = "query_resumed"
    LIVE_NEW = "live_new"
    LIVE_TURN_2 = "live_turn_2"
    LIVE_TURN_5 = "live_turn_5"
    COLD = "server_cold"
    WARM = "server_warm"
    TURN_2 = "server_turn_2"
    TURN_3 = "server_turn_3_by_openai"
    TURN_5 = "server_turn_5"
    TOOL_RESULT = "server_tool_result"
    REBUILT = "server_rebuilt"


@dataclass(frozen=True, slots=True)
class Sample:
    """An answer, the seconds until upstream had received the request for it, and the sessions that have asked upstream
    in its conversation, one for each request.
    """

    case: Case
    run: Run
    to_upstream: float
    sessions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arena:
    """What the contestants meet in: the upstream and an open connection to it, the servers, a folder to write to."""

    upstream: Simulator
    api: httpx2.AsyncClient
    warm: Server
    cold: Server
    folder: Path

    def sample(self, case: Case, run: Run, conversation: str) -> Sample:
        newest = requests_of(self.upstream, conversation)[-1]
        return Sample(case, run, newest.received_at - run.asked_at, sessions_of(self.upstream, conversation))


Samples: TypeAlias = AsyncIterator[Sample]
Contestant: TypeAlias = Callable[[Arena, str], Samples]
Ready: TypeAlias = Callable[[], Awaitable[None]]


async def interleaved(arena: Arena, rounds: int) -> Mapping[Case, Sequence[Sample]]:
    """One round more than is told, which only warms up; a single round is for a look, and does without."""
    samples: dict[Case, list[Sample]] = defaultdict(list)
    count = len(CONTESTANTS)
    for number in range(0 if rounds > 1 else 1, rounds + 1):
        show(f"round {number} of {rounds}")
        for place in range(count):
            contestant = CONTESTANTS[(number + place) % count]
            await quiet()
            async for sample in contestant(arena, uuid4().hex):
                if number:
                    samples[sample.case].append(sample)
            arena.upstream.requests.clear()
    show("")
    return samples


async def _by_the_api(arena: Arena, name: str) -> Samples:
    cases = {1: Case.API_NEW, 2: Case.API_TURN_2, 5: Case.API_TURN_5}
    async for sample in _turns(arena, name, MessagesApi(arena.api, instructions(name)), cases, quiet):
        yield sample


async def _by_a_query(arena: Arena, name: str) -> Samples:
    run = await measured(one_query(PROMPT, chat_options(arena.folder, instructions(name))))
    yield arena.sample(Case.QUERY_NEW, run, name)


async def _by_a_query_that_resumes(arena: Arena, name: str) -> Samples:
    """What Claude Code itself needs for a conversation that it has to read first."""
    history = arena.folder / f"{name}.jsonl"
    history.write_bytes(transcript(_two_turns(), uuid4(), MODEL))
    run = await measured(one_query(PROMPT, chat_options(arena.folder, instructions(name), history)))
    yield arena.sample(Case.QUERY_RESUMED, run, name)


async def _by_a_live_claude_code(arena: Arena, name: str) -> Samples:
    """It is up before it is asked at all, as a warm process is, and rests after its first turn for as long as that of
    the server, which then starts another one.
    """
    async with ClaudeSDKClient(chat_options(arena.folder, instructions(name))) as client:
        conversation = LiveClaudeCode(client)
        await anyio.sleep(UP_SECONDS)
        async for sample in _turns(arena, name, conversation, {1: Case.LIVE_NEW}, quiet):
            yield sample
        await anyio.sleep(START_SECONDS + UP_SECONDS)
        async for sample in _turns(arena, name, conversation, {1: Case.LIVE_TURN_2, 4: Case.LIVE_TURN_5}, quiet):
            yield sample


async def _by_the_cold_server(arena: Arena, name: str) -> Samples:
    run = await measured(ChatCompletions(arena.cold.http, instructions(name)).ask(PROMPT))
    yield arena.sample(Case.COLD, run, name)


async def _by_the_server(arena: Arena, name: str) -> Samples:
    """Turn 3 by another client, so that the same conversation tells what that one costs."""
    conversation = ChatCompletions(arena.warm.http, instructions(name))
    ready = partial(spare_ready, arena.warm)
    async for sample in _turns(arena, name, conversation, {1: Case.WARM, 2: Case.TURN_2}, ready):
        yield sample
    await ready()
    run = await measured(by_the_openai_client(arena.warm.client, conversation.messages, PROMPT))
    yield arena.sample(Case.TURN_3, run, name)
    async for sample in _turns(arena, name, conversation, {2: Case.TURN_5}, ready):
        yield sample


async def _by_the_server_with_a_tool(arena: Arena, name: str) -> Samples:
    conversation = ChatCompletions(arena.warm.http, instructions(name), [WEATHER])
    await spare_ready(arena.warm)
    await conversation.call_the_tool(QUESTION, RESULT)
    await spare_ready(arena.warm)
    run = await measured(conversation.go_on())
    yield arena.sample(Case.TOOL_RESULT, run, name)


async def _by_the_server_from_a_history(arena: Arena, name: str) -> Samples:
    """A conversation that this server has never seen."""
    conversation = ChatCompletions(arena.warm.http, instructions(name))
    conversation.messages += _two_turns()
    await spare_ready(arena.warm)
    run = await measured(conversation.ask(PROMPT))
    yield arena.sample(Case.REBUILT, run, name)


async def _turns(
    arena: Arena, name: str, conversation: Conversation, cases: Mapping[int, Case], ready: Ready
) -> Samples:
    """The next turns of a conversation: those that are cases, and those between them."""
    for turn in range(1, max(cases) + 1):
        await ready()
        run = await measured(conversation.ask(PROMPT))
        if turn in cases:
            yield arena.sample(cases[turn], run, name)


def _two_turns() -> list[JsonObject]:
    return [{"role": "user", "content": PROMPT}, {"role": "assistant", "content": ANSWER}] * 2


CONTESTANTS: Final[Sequence[Contestant]] = (
    _by_the_api,
    _by_a_query,
    _by_a_query_that_resumes,
    _by_a_live_claude_code,
    _by_the_cold_server,
    _by_the_server,
    _by_the_server_with_a_tool,
    _by_the_server_from_a_history,
)
