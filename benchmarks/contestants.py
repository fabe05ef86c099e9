"""Three ways to have one answer streamed: by the bare Messages API, by a `query()` of the Agent SDK, by the server.

Each gives the pieces of text as they come in, and `END` once its answer is complete; what it tidies up after that is
not part of the answer and is not measured.
"""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import anyio
import httpx2
import openai
from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, StreamEvent, query

from claude_openai.backends.sdk.command import CHAT_ENVIRONMENT
from claude_openai.testing.simulator import JsonObject

TOKENS: Final = 200
"""A paragraph or two. The simulator sends them without a pause, so that all the time there is is overhead."""

PROMPT: Final = f"Count to {TOKENS}"
INSTRUCTIONS: Final = "You are terse."
MODEL: Final = "claude-sonnet-5"

END: Final = None
Answer: TypeAlias = AsyncIterator[str | None]

ANSWER_SECONDS = 60
"""Bound on one answer, its tidying up included."""


@dataclass(frozen=True, slots=True)
class Run:
    """One streamed answer: seconds from asking to its first piece of text and to its end, and the pieces."""

    first: float
    end: float
    pieces: tuple[str, ...]


async def measured(answer: Answer) -> Run:
    """Ask, and wait until everything that belongs to the asking is over."""
    pieces: list[str] = []
    first = end = 0.0
    begin = time.perf_counter()
    with anyio.fail_after(ANSWER_SECONDS):
        async for piece in answer:
            now = time.perf_counter() - begin
            if piece is END:
                end = now
            else:
                first = first or now
                pieces.append(piece)
    return Run(first, end, tuple(pieces))


async def messages_api(client: httpx2.AsyncClient) -> Answer:
    """The upstream itself, over a connection that is open already: what no way can be faster than."""
    request = {
        "model": MODEL,
        "max_tokens": 32_000,
        "system": INSTRUCTIONS,
        "messages": [{"role": "user", "content": PROMPT}],
        "stream": True,
    }
    async with client.stream("POST", "/v1/messages", json=request) as response:
        async for line in response.raise_for_status().aiter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                if text := text_of(event):
                    yield text
    yield END


async def agent_sdk(directory: Path) -> Answer:
    """The baseline: a `query()` for each request, with the options and the environment of the server's chat profile.

    Its login is the environment of this process. Its end is the result: `query()` then waits until its process has
    ended too, which is left out, because the server does not keep its client waiting for that either.
    """
    options = ClaudeAgentOptions(
        model=MODEL,
        system_prompt=INSTRUCTIONS,
        tools=[],
        setting_sources=[],
        strict_mcp_config=True,
        verbatim_prompts=True,
        include_partial_messages=True,
        cwd=directory,
        env={**CHAT_ENVIRONMENT, "CLAUDE_CODE_SIMPLE": "1", "CLAUDE_CODE_TMPDIR": str(directory)},
    )
    async for message in query(prompt=PROMPT, options=options):
        if isinstance(message, StreamEvent) and (text := text_of(message.event)):
            yield text
        elif isinstance(message, ResultMessage):
            yield END


async def chat_completions(client: openai.AsyncOpenAI) -> Answer:
    """The server, through the official client."""
    chunks = await client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": PROMPT}],
        stream=True,
    )
    async with chunks:
        async for chunk in chunks:
            if text := chunk.choices[0].delta.content:
                yield text
        yield END


def text_of(event: JsonObject) -> str:
    """The piece of text that an event of the Messages API carries; empty where it carries none."""
    match event:
        case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(text)}}:
            return text
        case _:
            return ""
