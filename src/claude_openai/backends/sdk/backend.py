"""Turns answered by Claude Code through the Claude Agent SDK: one process per conversation, while its session lasts."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import anyio
import structlog
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, ClaudeSDKError, McpSdkServerConfig

from claude_openai.backends.process import child_process, dying_with_parent
from claude_openai.backends.scratch import Scratch, scratch_folder
from claude_openai.backends.sdk.account import login_of, models_of
from claude_openai.backends.sdk.calls import SERVER, ParkedCalls
from claude_openai.backends.sdk.command import Order, chat_command
from claude_openai.backends.sdk.failures import process_failure
from claude_openai.backends.sdk.session import Running, SdkSession, cause
from claude_openai.backends.sdk.transcript import Json, dialogue, prompt_of, system_prompt, transcript
from claude_openai.backends.sdk.transport import ChildTransport
from claude_openai.core.events import Event, TurnFailed
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.ports import Description, Session
from claude_openai.core.turn import Turn

log = structlog.get_logger(__name__)

START_TIMEOUT_SECONDS = 30.0
"""From the start of a process to its reply to `initialize`: 0.35 to 0.7 s measured, more from a slow disk."""


@dataclass(frozen=True, slots=True)
class SdkSettings:
    """What the backend needs to know.

    `cli` is the Claude Code executable; `login` the part of the server's environment that Claude Code signs in with;
    `request_timeout` in seconds; `max_retries` how often Claude Code may repeat a request that failed upstream;
    `max_tool_mends` how often the model may mend calls whose arguments do not fit.
    """

    cli: str
    login: Mapping[str, str]
    max_retries: int = 2
    max_tool_mends: int = 2
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
                running = await self._start(stack, stack.enter_context(scratch_folder()), Order())
                info = await running.client.get_server_info() or {}
        except (ClaudeSDKError, OSError) as error:
            log.error("sdk.error", stage="describe", error=cause(error))
            what = f"{self._settings.cli}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
            raise RequestFailed(Failure(Kind.CLAUDE_CODE_FAILED, f"Claude Code does not start ({what})")) from error
        return Description(
            name="claude-agent-sdk",
            version=str(info.get("claude_code_version", "unknown")),
            login=login_of(info, self._settings.login),
            models=models_of(info),
        )

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[Session]:
        """Start `turn`; see `core.ports.Backend.open`."""
        async with AsyncExitStack() as stack:
            session: Session
            try:
                session = await self._ask(stack, turn)
            except (ClaudeSDKError, OSError) as error:
                log.error("sdk.error", stage="start", error=cause(error))
                session = _NeverStarted()
            yield session

    async def _ask(self, stack: AsyncExitStack, turn: Turn) -> SdkSession:
        """A session whose Claude Code is answering `turn`; it ends with `stack`."""
        scratch = stack.enter_context(scratch_folder())
        model = turn.model.resolved or turn.model.id
        messages = dialogue(turn.messages)
        prompt = prompt_of(messages)
        history = messages[:-1] if prompt else messages
        if history:
            scratch.history.write_bytes(transcript(history, uuid4(), model))
        if instructions := system_prompt(turn.messages):
            scratch.instructions.write_text(instructions, encoding="utf-8", newline="")
        calls = ParkedCalls(turn.tools)
        order = Order(
            model=model,
            sampling=turn.sampling,
            tool_choice=turn.tool_choice,
            has_tools=bool(turn.tools),
            prompted=prompt is not None,
        )
        running = await self._start(stack, scratch, order, calls)
        if prompt:
            await running.client.query(_sent(prompt))
        return SdkSession(running, calls, turn, self._settings.max_tool_mends)

    async def _start(
        self, stack: AsyncExitStack, scratch: Scratch, order: Order, calls: ParkedCalls | None = None
    ) -> Running:
        """A process of its own, which ends with `stack`.

        Raises:
            OSError (TimeoutError among them), ClaudeSDKError: it did not start.
        """
        command = chat_command(
            self._program,
            self._settings.login,
            scratch,
            order,
            max_retries=self._settings.max_retries,
            request_timeout=self._settings.request_timeout,
        )
        child = await stack.enter_async_context(child_process(command))
        options = ClaudeAgentOptions(verbatim_prompts=True)
        if calls and order.has_tools:
            options.mcp_servers = {SERVER: McpSdkServerConfig(type="sdk", name=SERVER, instance=calls.server())}
        transport = ChildTransport(child)
        with anyio.fail_after(START_TIMEOUT_SECONDS):
            client = await stack.enter_async_context(ClaudeSDKClient(options, transport))
        return Running(client, transport, child)


class _NeverStarted:
    """The session of a Claude Code that could not be started."""

    async def events(self) -> AsyncGenerator[Event, None]:
        yield TurnFailed(process_failure("could not be started"))

    async def resume(self, turn: Turn) -> bool:  # noqa: ARG002 -- the port's
        return False


async def _sent(message: Json) -> AsyncIterator[dict[str, Any]]:
    yield {"type": "user", "message": message, "parent_tool_use_id": None}
