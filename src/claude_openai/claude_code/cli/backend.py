"""Answers turns with the `claude` command: one process for each turn, which gets its whole input at its start.

This backend is for servers whose SDK and Claude Code must differ, so it relies on documented parts of the command:
options, files and `stream-json`. Only `describe` uses the control protocol.
"""

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import anyio
import structlog

from claude_openai.claude_code.cli.output import Output, forget, output_of
from claude_openai.claude_code.cli.session import CliSession, RunningCli
from claude_openai.claude_code.model_facts import facts_of
from claude_openai.claude_code.processes.child import Child, child_process
from claude_openai.claude_code.processes.pool_state import ProcessState, ProcessTable
from claude_openai.claude_code.processes.scratch import Scratch, scratch_folder
from claude_openai.claude_code.schema_checks.checks import Checks
from claude_openai.claude_code.stream_json.account import login_of, models_of
from claude_openai.claude_code.stream_json.failed_session import FailedSession, start_back_off_failure
from claude_openai.claude_code.stream_json.failures import process_failure
from claude_openai.claude_code.stream_json.launch import ClaudeCodeExecutable, LaunchSpec, ResumeFiles
from claude_openai.claude_code.stream_json.parser import RawMessage, UnreadableMessage, parse_line
from claude_openai.claude_code.stream_json.transcript import Json, history_and_prompt
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.ports import BackendStatus, Capabilities, Description, Session
from claude_openai.core.turn import ReplyFormat, Turn
from claude_openai.system.threads import in_thread_if

log = structlog.get_logger(__name__)

_PRINT = "--print"
"""Claude Code answers one prompt and ends; without this option it is an interactive program for a terminal."""

_SECONDS_OF_A_DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class CliSettings:
    """The settings of the backend.

    `cli` is the Claude Code executable; `environment` the part of the server's environment that Claude Code signs in
    with; `timeout` in seconds the longest time for an answer, the start of its process included; `max_retries` how
    often Claude Code may repeat a request that failed upstream. Its output is stored for `retention_days` in folders in
    `output`, if that is set. `start_timeout`, in seconds, is until its first message: 0.35 to 0.7 measured.
    """

    cli: str
    environment: Mapping[str, str]
    max_retries: int = 2
    timeout: float = 120.0
    output: Path | None = None
    retention_days: int = 30
    start_timeout: float = 30.0


class CliBackend:
    """Implements `core.ports.Backend`. Each process has a folder of its own, from `scratch`."""

    CAPABILITIES: ClassVar = Capabilities(tools=False, model_facts=facts_of)

    def __init__(
        self, settings: CliSettings, scratch: Callable[[], AbstractContextManager[Scratch]] = scratch_folder
    ) -> None:
        self._settings = settings
        self._scratch = scratch
        self._claude_code = ClaudeCodeExecutable.supervised(
            settings.cli, settings.environment, settings.max_retries, settings.timeout
        )
        self._processes = ProcessTable(max_waiting=0)
        self._checks = Checks()

    async def run(self) -> None:
        """Remove old stored output; then run the schema checks, until cancelled."""
        if self._settings.output:
            before = time.time() - self._settings.retention_days * _SECONDS_OF_A_DAY
            if removed := await anyio.to_thread.run_sync(forget, self._settings.output, before):
                log.info("output.forgotten", folders=removed)
        await self._checks.run()

    async def describe(self) -> Description:
        """Ask Claude Code for its version, login and models: one process, started and ended.

        Raises:
            RequestFailed: `CLAUDE_CODE_FAILED`, naming the executable.
        """
        try:
            with anyio.fail_after(self._settings.start_timeout):
                info = await self._initialize_reply()
        except (UnreadableMessage, OSError, anyio.DelimiterNotFound) as error:
            log.error("sdk.error", stage="describe", error=f"{type(error).__name__}: {error}")
            what = f"{self._settings.cli}: {str(error) or type(error).__name__}"
            raise RequestFailed(Failure(Kind.CLAUDE_CODE_FAILED, f"Claude Code does not start ({what})")) from error
        return Description(
            name="claude-cli",
            version=str(info.get("claude_code_version", "unknown")),
            login=login_of(info, self._settings.environment),
            models=models_of(info),
            capabilities=self.CAPABILITIES,
        )

    def status(self) -> BackendStatus:
        """See `core.ports.Backend.status`."""
        backoff = self._processes.known_backoff(anyio.current_time())
        return BackendStatus(
            start_failure=start_back_off_failure(backoff) if backoff else None,
            start_failures=self._processes.failed_starts,
        )

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[Session]:
        """Start `turn`; see `core.ports.Backend.open`."""
        async with AsyncExitStack() as stack:
            session = await self._session(stack, turn)
            yield session
            if isinstance(session, CliSession):
                await session.end_by_itself()

    async def _session(self, stack: AsyncExitStack, turn: Turn) -> CliSession | FailedSession:
        """Start a process that answers `turn`; it ends with `stack`. Returns its session, or that of a failed start."""
        for is_asked, subject, param in (
            (turn.agent, "The agent profile", "claude"),
            (turn.tools, "Tools of the client's", "tools"),
        ):
            if is_asked:
                why = f"{subject} cannot be carried by this server's backend, the claude command; --backend sdk can."
                return FailedSession(Failure(Kind.UNSUPPORTED_PARAMETER, why, param=param))
        if backoff := self._processes.backoff(anyio.current_time()):
            return FailedSession(start_back_off_failure(backoff))
        now = anyio.current_time()
        process = self._processes.start(ProcessState.TAKEN)
        stack.callback(self._processes.leave, process)

        def failed() -> None:
            self._processes.fail(process, anyio.current_time())

        history, prompt = await in_thread_if(turn.is_large, history_and_prompt, turn.messages)
        try:
            with anyio.fail_after(self._settings.start_timeout):
                child, output = await self._started(stack, turn, history, prompted=prompt is not None)
                await _hand_over(child, prompt, last=turn.reply_format != ReplyFormat(None))
        except OSError as error:
            failed()
            log.error("sdk.error", stage="start", error=f"{type(error).__name__}: {error}")
            return FailedSession(process_failure("could not be started"))
        running = RunningCli(
            child,
            output,
            "rebuilt" if history else "cold",
            begins_by=now + self._settings.start_timeout,
            ends_by=now + self._settings.timeout,
            served=partial(self._processes.serve, process),
            failed=failed,
        )
        return CliSession(running, turn, self._checks)

    async def _started(
        self, stack: AsyncExitStack, turn: Turn, history: list[Json], *, prompted: bool
    ) -> tuple[Child, Output]:
        """Start a process that continues `history`. Returns it and where its output is stored."""
        scratch = stack.enter_context(self._scratch())
        spec = LaunchSpec.of(turn, prompted=prompted)
        files = await in_thread_if(turn.is_large, ResumeFiles.of, turn, history)
        await in_thread_if(files.are_large, files.write_to, scratch)
        command = self._claude_code.command(scratch, (_PRINT, *spec.options(scratch)), spec.environment())
        output = output_of(turn.run_id, self._settings.output)
        child: Child | None = None
        stack.callback(lambda: output.ended(None if child is None else child.returncode))
        command = replace(command, stderr=output.stderr() or command.stderr)
        child = await stack.enter_async_context(child_process(command))
        scratch.close()
        scratch.record(child.pid)
        return child, output

    async def _initialize_reply(self) -> RawMessage:
        """Run a process until its reply to `initialize`, and return that.

        Raises:
            UnreadableMessage, OSError, anyio.DelimiterNotFound: there is no reply, or an error.
        """
        request = {"type": "control_request", "request_id": "describe", "request": {"subtype": "initialize"}}
        with self._scratch() as scratch:
            async with child_process(self._claude_code.command(scratch, (_PRINT,), {})) as child:
                scratch.record(child.pid)
                await _hand_over(child, json.dumps(request).encode() + b"\n")
                async with aclosing(child.lines()) as lines:
                    async for line in lines:
                        if (message := parse_line(line)) and message.get("type") == "control_response":
                            response = message["response"]
                            if response.get("subtype") != "success":
                                raise UnreadableMessage(str(response.get("error")))
                            reply: RawMessage = response["response"]
                            return reply
                raise UnreadableMessage(child.stderr_tail() or f"it ended with exit code {await child.exit_code()}")


async def _hand_over(child: Child, line: bytes | bytearray | None, *, last: bool = True) -> None:
    """Write `line`, and close the input after the `last` line: the process ends when it has answered.

    A process that has ended raises no error here: its output has the reason.
    """
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        if line:
            await child.send(line)
        if last:
            await child.end_input()
