"""The ways to have an answer streamed: by the bare Messages API, by Claude Code itself, by the server.

Each gives the pieces of text as they come in, and `END` once its answer is complete; what it tidies up after that is
not part of the answer and is not measured. A conversation remembers what was said and asks with all of it.
"""

import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

import anyio
import httpx2
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, Message, ResultMessage, StreamEvent, query

from benchmarks.model import MODEL
from claude_openai.claude_code.sdk.command import SDK_ENVIRONMENT
from claude_openai.claude_code.stream_json.launch import CHAT_ENVIRONMENT
from claude_openai.simulator import JsonObject

END: Final = None
Answer: TypeAlias = AsyncIterator[str | None]

CHAT_COMPLETIONS: Final = "/v1/chat/completions"

ANSWER_SECONDS: Final = 60
"""Bound on one answer, its tidying up included."""


@dataclass(frozen=True, slots=True)
class Run:
    """One streamed answer: when it was asked for (monotonic), the seconds from there to its first piece of text and to
    its end, and the pieces.
    """

    asked_at: float
    first: float
    end: float
    pieces: tuple[str, ...]


async def measured(answer: Answer) -> Run:
    """Ask, and wait until everything that belongs to the asking is over."""
    pieces: list[str] = []
    first = end = 0.0
    asked_at = time.monotonic()
    with anyio.fail_after(ANSWER_SECONDS):
        async for piece in answer:
            now = time.monotonic() - asked_at
            if piece is END:
                end = now
            else:
                first = first or now
                pieces.append(piece)
    return Run(asked_at, first, end, tuple(pieces))


class Conversation(Protocol):
    """Who can be asked one prompt after the other."""

    def ask(self, prompt: str) -> Answer:
        """Ask for the next answer, with all that was said before."""
        ...


class MessagesApi:
    """The upstream itself, over a connection that is open already: what no way can be faster than."""

    def __init__(self, http: httpx2.AsyncClient, instructions: str) -> None:
        self._http = http
        self._instructions = instructions
        self.messages: list[JsonObject] = []

    async def ask(self, prompt: str) -> Answer:
        self.messages.append({"role": "user", "content": prompt})
        said = ""
        body = {"model": MODEL, "max_tokens": 32_000, "system": self._instructions, "messages": self.messages}
        async for event in _events(self._http, "/v1/messages", body):
            if text := _text_of(event):
                said += text
                yield text
        self.messages.append({"role": "assistant", "content": said})
        yield END


class ChatCompletions:
    """The server, read just as `MessagesApi` reads: where the two are compared, the client costs the same. `messages`
    is what was said so far, as each request resends it.
    """

    def __init__(self, http: httpx2.AsyncClient, instructions: str, tools: Sequence[JsonObject] = ()) -> None:
        self._http = http
        self._shape = {"model": MODEL, "tools": tools} if tools else {"model": MODEL}
        self.messages: list[JsonObject] = [{"role": "system", "content": instructions}]

    def ask(self, prompt: str) -> Answer:
        self.messages.append({"role": "user", "content": prompt})
        return self.go_on()

    async def go_on(self) -> Answer:
        """The answer to what was said so far."""
        said = ""
        async for chunk in _events(self._http, CHAT_COMPLETIONS, {**self._shape, "messages": self.messages}):
            if text := chunk["choices"][0]["delta"].get("content"):
                said += text
                yield text
        self.messages.append({"role": "assistant", "content": said})
        yield END

    async def call_the_tool(self, prompt: str, result: str) -> None:
        """Ask, up to where the model has called the tool and its result is at hand."""
        self.messages.append({"role": "user", "content": prompt})
        response = await self._http.post(CHAT_COMPLETIONS, json={**self._shape, "messages": self.messages})
        message = response.raise_for_status().json()["choices"][0]["message"]
        (call,) = message["tool_calls"]
        self.messages += [message, {"role": "tool", "tool_call_id": call["id"], "content": result}]


class LiveClaudeCode:
    """A Claude Code that stays, as the Agent SDK has it: what the server cannot be faster than."""

    def __init__(self, client: ClaudeSDKClient) -> None:
        self._client = client

    async def ask(self, prompt: str) -> Answer:
        await self._client.query(prompt)
        async for piece in _pieces(self._client.receive_response()):
            yield piece


def one_query(prompt: str, options: ClaudeAgentOptions) -> Answer:
    """A `query()`, which starts a Claude Code for this answer alone: the baseline.

    Its end is the result. `query()` then waits until its process has ended too, which is left out, because the server
    does not keep its client waiting for that either.
    """
    return _pieces(query(prompt=prompt, options=options))


def chat_options(directory: Path, instructions: str, history: Path | None = None) -> ClaudeAgentOptions:
    """The options and the environment of the server's chat profile. The login is the environment of this process."""
    return ClaudeAgentOptions(
        model=MODEL,
        system_prompt=instructions,
        resume=str(history) if history else None,
        tools=[],
        setting_sources=[],
        strict_mcp_config=True,
        verbatim_prompts=True,
        include_partial_messages=True,
        cwd=directory,
        env={**CHAT_ENVIRONMENT, **SDK_ENVIRONMENT, "CLAUDE_CODE_SIMPLE": "1", "CLAUDE_CODE_TMPDIR": str(directory)},
        extra_args={"no-session-persistence": None},
    )


async def _events(http: httpx2.AsyncClient, path: str, body: JsonObject) -> AsyncIterator[JsonObject]:
    async with http.stream("POST", path, json={**body, "stream": True}) as response:
        async for line in response.raise_for_status().aiter_lines():
            if line.startswith("data: {"):  # the last of a chat completion is [DONE]
                event: JsonObject = json.loads(line.removeprefix("data: "))
                yield event


async def _pieces(messages: AsyncIterator[Message]) -> Answer:
    async for message in messages:
        if isinstance(message, StreamEvent) and (text := _text_of(message.event)):
            yield text
        elif isinstance(message, ResultMessage):
            yield END


def _text_of(event: JsonObject) -> str:
    """The piece of text that an event of the Messages API carries; empty where it carries none."""
    match event:
        case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(text)}}:
            return text
        case _:
            return ""
