"""Turns answered by Claude Code through the Claude Agent SDK: one process per turn, for as long as the turn lasts."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import anyio
import structlog
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, ClaudeSDKError, Message, ProcessError

from claude_openai.backends.process import child_process, dying_with_parent
from claude_openai.backends.scratch import Scratch, scratch_folder
from claude_openai.backends.sdk.account import login_of, models_of
from claude_openai.backends.sdk.command import chat_command
from claude_openai.backends.sdk.failures import process_failure
from claude_openai.backends.sdk.reader import AnswerReader
from claude_openai.backends.sdk.transcript import Json, dialogue, prompt_of, system_prompt, transcript
from claude_openai.backends.sdk.transport import ChildTransport
from claude_openai.core.events import Event, TurnFailed
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.ports import Description
from claude_openai.core.turn import DEFAULT_SAMPLING, Sampling, Turn

log = structlog.get_logger(__name__)

START_TIMEOUT_SECONDS = 30.0
"""From the start of a process to its reply to `initialize`: 0.35 to 0.7 s measured, more from a slow disk."""

SETTLE_TIMEOUT_SECONDS = 5.0
"""From the end of the answer to Claude Code's result: some ms by itself, 20 to 40 ms after an interrupt (measured)."""


@dataclass(frozen=True, slots=True)
class SdkSettings:
    """What the backend needs to know.

    `cli` is the Claude Code executable; `login` the part of the server's environment that Claude Code signs in with;
    `request_timeout` in seconds; `max_retries` how often Claude Code may repeat a request that failed upstream.
    """

    cli: str
    login: Mapping[str, str]
    max_retries: int = 2
    request_timeout: float = 600.0


class SdkBackend:
    """Implements `core.ports.Backend`."""

    def __init__(self, settings: SdkSettings) -> None:
        self._settings = settings
        self._program = dying_with_parent((settings.cli,))

    async def describe(self) -> Description:
        """Ask Claude Code who it is and which models it has: one process, started and ended.

        Raises:
            RequestFailed: `CLAUDE_CODE_FAILED`, naming the executable.
        """
        try:
            async with AsyncExitStack() as stack:
                client = await self._start(stack, stack.enter_context(scratch_folder()))
                info = await client.get_server_info() or {}
        except (ClaudeSDKError, OSError) as error:
            what = f"{self._settings.cli}: {_cause(error)}"
            raise RequestFailed(Failure(Kind.CLAUDE_CODE_FAILED, f"Claude Code does not start ({what})")) from error
        return Description(
            name="claude-agent-sdk",
            version=str(info.get("claude_code_version", "unknown")),
            login=login_of(info, self._settings.login),
            models=models_of(info),
        )

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[AsyncIterator[Event]]:
        """Start `turn`; see `core.ports.Backend.open`."""
        async with AsyncExitStack() as stack:
            try:
                client = await self._ask(stack, turn)
                events = _answer(client, AnswerReader(turn.model.id, time.time))
            except (ClaudeSDKError, OSError) as error:
                log.error("sdk.error", stage="start", error=_cause(error))
                events = _failed(process_failure("could not be started"))
            yield await stack.enter_async_context(aclosing(events))

    async def _ask(self, stack: AsyncExitStack, turn: Turn) -> ClaudeSDKClient:
        """A client whose Claude Code is answering `turn`; it ends with `stack`."""
        scratch = stack.enter_context(scratch_folder())
        model = turn.model.resolved or turn.model.id
        messages = dialogue(turn.messages)
        prompt = prompt_of(messages)
        history = messages[:-1] if prompt else messages
        if history:
            scratch.history.write_bytes(transcript(history, uuid4(), model))
        if instructions := system_prompt(turn.messages):
            scratch.instructions.write_text(instructions, encoding="utf-8", newline="")
        client = await self._start(stack, scratch, model, turn.sampling, prompted=prompt is not None)
        if prompt:
            await client.query(_sent(prompt))
        return client

    async def _start(
        self,
        stack: AsyncExitStack,
        scratch: Scratch,
        model: str | None = None,
        sampling: Sampling = DEFAULT_SAMPLING,
        *,
        prompted: bool = True,
    ) -> ClaudeSDKClient:
        """An initialised client over a process of its own; both end with `stack`.

        Raises:
            OSError (TimeoutError among them), ClaudeSDKError: it did not start.
        """
        command = chat_command(
            self._program,
            self._settings.login,
            scratch,
            model=model,
            sampling=sampling,
            max_retries=self._settings.max_retries,
            request_timeout=self._settings.request_timeout,
            prompted=prompted,
        )
        child = await stack.enter_async_context(child_process(command))
        options = ClaudeAgentOptions(verbatim_prompts=True)
        with anyio.fail_after(START_TIMEOUT_SECONDS):
            return await stack.enter_async_context(ClaudeSDKClient(options, ChildTransport(child)))


async def _sent(message: Json) -> AsyncIterator[dict[str, Any]]:
    yield {"type": "user", "message": message, "parent_tool_use_id": None}


async def _answer(client: ClaudeSDKClient, reader: AnswerReader) -> AsyncGenerator[Event, None]:
    messages = client.receive_messages()
    why = process_failure("ended unexpectedly")
    try:
        async for message in messages:
            for event in reader.feed(message):
                yield event
            if reader.done:
                return
            if reader.complete:
                break
        rest = await _settled(client, messages, reader)
    except ClaudeSDKError as error:
        log.error("sdk.error", stage="answer", error=_cause(error))
        rest = []
    for event in rest or reader.abandoned(why):
        yield event


async def _settled(client: ClaudeSDKClient, messages: AsyncIterator[Message], reader: AnswerReader) -> list[Event]:
    """The result's events, after the answer is complete; nothing if it does not come in time."""
    with anyio.move_on_after(SETTLE_TIMEOUT_SECONDS):
        if reader.goes_on:
            await client.interrupt()
        async for message in messages:
            if events := reader.feed(message):
                return events
    return []


async def _failed(failure: Failure) -> AsyncGenerator[Event, None]:
    yield TurnFailed(failure)


def _cause(error: BaseException) -> str:
    complaints = error.stderr if isinstance(error, ProcessError) else None
    return ": ".join(part for part in (type(error).__name__, str(error), complaints) if part)
