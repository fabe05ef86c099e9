"""Turns answered by Claude Code through the Claude Agent SDK: one process per conversation, while its session lasts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import anyio
import structlog
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, ClaudeSDKError, CLIConnectionError, McpSdkServerConfig

from claude_openai.claude_code.agent.long_output import LongOutput
from claude_openai.claude_code.agent.protected_paths import config_of
from claude_openai.claude_code.agent.sandbox import unwritable
from claude_openai.claude_code.agent.user_settings import widened_by
from claude_openai.claude_code.processes.child import Child, child_process, dying_with_parent
from claude_openai.claude_code.processes.placeholders import Placeholders, remove_placeholders
from claude_openai.claude_code.processes.pool_state import ProcessState, ProcessTable
from claude_openai.claude_code.processes.scratch import Scratch, scratch_folder
from claude_openai.claude_code.processes.warm_pool import WarmPool, WarmProcess
from claude_openai.claude_code.schema_checks.checks import Checks
from claude_openai.claude_code.sdk.agent import AgentPolicy, PermissionHook, agent_command, with_prefixed_tool_names
from claude_openai.claude_code.sdk.calls import SERVER, ParkedCalls
from claude_openai.claude_code.sdk.command import (
    GATED_HERE,
    command_for_history,
    command_for_new_conversation,
    is_gated,
)
from claude_openai.claude_code.sdk.session import RecyclePolicy, RunningProcess, SdkSession, describe_error
from claude_openai.claude_code.sdk.transport import ChildTransport, SessionSetup
from claude_openai.claude_code.stream_json.account import login_of, models_of
from claude_openai.claude_code.stream_json.failed_session import FailedSession, start_back_off_failure
from claude_openai.claude_code.stream_json.failures import process_failure
from claude_openai.claude_code.stream_json.launch import (
    ClaudeCodeExecutable,
    GenerationOptions,
    LaunchSpec,
    ResumeFiles,
    upstream_model,
)
from claude_openai.claude_code.stream_json.transcript import Json, handed, system_prompt
from claude_openai.core.agent import AgentProfile
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.ports import BackendStatus, Capabilities, Description, Session, SessionStart
from claude_openai.core.turn import Turn
from claude_openai.system.descriptors import as_before
from claude_openai.system.threads import beside

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SdkSettings:
    """What the backend needs to know.

    `cli` is the Claude Code executable; `login` the part of the server's environment that Claude Code signs in with;
    `request_timeout` in seconds; `max_retries` how often Claude Code may repeat a request that failed upstream;
    `max_tool_mends` how often the model may mend calls whose arguments do not fit; `warm_processes` how many wait for
    a new conversation. `start_timeout`, in seconds, is from the start of a process to its reply to `initialize`: 0.35
    to 0.7 measured, more from a slow disk; `introduction_timeout` that of one that has been waiting: 0.04;
    `hand_over_timeout` until a prompt is in its hands, since a long one stays in the pipe until it is read. `ground`
    is where agents may work; without it there is no agent profile.
    """

    cli: str
    environment: Mapping[str, str]
    max_retries: int = 2
    max_tool_corrections: int = 2
    request_timeout: float = 600.0
    warm_processes: int = 0
    recycle_policy: RecyclePolicy = field(default_factory=RecyclePolicy)
    start_timeout: float = 30.0
    introduction_timeout: float = 10.0
    hand_over_timeout: float = 10.0
    agent_policy: AgentPolicy | None = None


class SdkBackend:
    """Implements `core.ports.Backend`. Processes wait for new conversations as long as `run` does.

    Each process has a folder of its own, from `scratch`.
    """

    def __init__(
        self, settings: SdkSettings, scratch: Callable[[], AbstractContextManager[Scratch]] = scratch_folder
    ) -> None:
        self._settings = settings
        self._scratch = scratch
        self._claude_code = ClaudeCodeExecutable(
            dying_with_parent(as_before((settings.cli,))),
            settings.environment,
            settings.max_retries,
            settings.request_timeout,
        )
        self._supply = ProcessTable(settings.warm_processes)
        self._spares = WarmPool(self._supply, self._waiting)
        self._checks = Checks()

    async def run(self) -> None:
        """Keep processes waiting, and check what the model writes, until cancelled."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._checks.run)
            group.start_soon(self._spares.run)

    async def describe(self) -> Description:
        """Ask Claude Code who it is and which models it has: one process, started and ended.

        Raises:
            RequestFailed: `CLAUDE_CODE_FAILED`, naming the executable.
        """
        try:
            async with AsyncExitStack() as stack:
                child = await self._waiting(stack)
                client = await self._connected(
                    stack, ChildTransport(child), ParkedCalls(()), self._settings.start_timeout
                )
                info = await client.get_server_info() or {}
        except (ClaudeSDKError, OSError) as error:
            log.error("sdk.error", stage="describe", error=describe_error(error))
            what = f"{self._settings.cli}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
            raise RequestFailed(Failure(Kind.CLAUDE_CODE_FAILED, f"Claude Code does not start ({what})")) from error
        self._spares.refill()
        return Description(
            name="claude-agent-sdk",
            version=str(info.get("claude_code_version", "unknown")),
            login=login_of(info, self._settings.environment),
            models=models_of(info),
            capabilities=Capabilities(agent=self._settings.agent_policy is not None),
        )

    def status(self) -> BackendStatus:
        """See `core.ports.Backend.status`."""
        trouble = self._supply.known_backoff(anyio.current_time())
        return BackendStatus(
            self._supply.count(ProcessState.WAITING), start_back_off_failure(trouble) if trouble else None
        )

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[Session]:
        """Start `turn`; see `core.ports.Backend.open`."""
        async with AsyncExitStack() as stack:
            stack.callback(self._spares.refill)
            yield await self._session(stack, turn)

    async def _session(self, stack: AsyncExitStack, turn: Turn) -> Session:
        """Of a Claude Code that is answering `turn`, or of none; its process ends with `stack`."""
        if trouble := self._supply.backoff(anyio.current_time()):
            return FailedSession(start_back_off_failure(trouble))
        if turn.agent and not self._allows(turn.agent):
            return FailedSession(_not_allowed(turn.agent))
        if turn.agent and (widened := self._widened(turn.agent)):
            return FailedSession(widened)
        messages = with_prefixed_tool_names(turn.messages) if turn.agent else turn.messages
        history, prompt = await beside(turn.is_large, handed, messages)
        calls = await beside(turn.is_large, ParkedCalls, turn.tools)
        try:
            if history or turn.agent:
                running = await self._rebuilt(stack, turn, calls, history, prompted=prompt is not None)
            else:
                running = await self._fresh(stack, turn, calls)
            if prompt:
                with anyio.fail_after(self._settings.hand_over_timeout):
                    await running.transport.hand_over(prompt)
        except (ClaudeSDKError, OSError) as error:
            log.error("sdk.error", stage="start", error=describe_error(error))
            return FailedSession(process_failure("could not be started"))
        settings = self._settings
        return SdkSession(
            running,
            calls,
            turn,
            checks=self._checks,
            max_corrections=settings.max_tool_corrections,
            recycle_policy=settings.recycle_policy,
            hand_over_timeout=settings.hand_over_timeout,
            on_started=self._spares.refill,
            may_resume=partial(self._allows, turn.agent) if turn.agent else lambda: True,
        )

    def _allows(self, profile: AgentProfile) -> bool:
        return self._settings.agent_policy is not None and self._settings.agent_policy.allows(profile)

    def _widened(self, profile: AgentProfile) -> Failure | None:
        """Why the user's own settings cannot be loaded for `profile`, where they are asked for."""
        ground = self._settings.agent_policy
        if ground is None or "user" not in profile.setting_sources:
            return None
        file = Path(config_of(self._settings.environment), "settings.json")
        setting = widened_by(file, ground.workspace, (profile.directory, *profile.add_dirs))
        if setting is None:
            return None
        return Failure(
            Kind.PERMISSION_DENIED,
            f"The settings of 'user' cannot be loaded: {setting} in {file} would let commands out of the folders of the"
            " work. Take it out there, or leave 'user' out.",
            param="claude.settingSources",
        )

    async def _fresh(self, stack: AsyncExitStack, turn: Turn, calls: ParkedCalls) -> RunningProcess:
        """A process that waits, or a new one, introduced to a new conversation."""
        server = SERVER if turn.tools else None
        introduction = SessionSetup(
            upstream_model(turn), GenerationOptions.of(turn), system_prompt(turn.messages, turn.reply_format), server
        )
        told = partial(ChildTransport, introduction=introduction, schema=turn.schema)
        if spare := self._spares.take():
            try:
                return await self._served(stack, spare.number, partial(self._warm, spare, told, calls))
            except (ClaudeSDKError, OSError) as error:  # nothing went upstream, so nothing is lost but time
                log.error("sdk.error", stage="introduction", error=describe_error(error))
        return await self._served(stack, self._supply.start(ProcessState.TAKEN), partial(self._cold, told, calls))

    async def _warm(
        self, spare: WarmProcess, told: Callable[[Child], ChildTransport], calls: ParkedCalls, owned: AsyncExitStack
    ) -> RunningProcess:
        await owned.enter_async_context(spare.resources)
        transport = told(spare.child)
        client = await self._connected(owned, transport, calls, self._settings.introduction_timeout)
        return RunningProcess(client, transport, spare.child, "warm")

    async def _cold(
        self, told: Callable[[Child], ChildTransport], calls: ParkedCalls, owned: AsyncExitStack
    ) -> RunningProcess:
        child = await self._waiting(owned)
        transport = told(child)
        client = await self._connected(owned, transport, calls, self._settings.start_timeout)
        return RunningProcess(client, transport, child, "cold")

    async def _rebuilt(
        self, stack: AsyncExitStack, turn: Turn, calls: ParkedCalls, history: list[Json], *, prompted: bool
    ) -> RunningProcess:
        """A new process that goes on with `history`, which an agent may not have yet."""
        order = LaunchSpec.of(turn, prompted=prompted)
        past = await beside(turn.is_large, ResumeFiles.of, turn, history)
        start = partial(self._resumed, order, past, calls, turn.agent)
        return await self._served(stack, self._supply.start(ProcessState.TAKEN), start, typical=turn.agent is None)

    async def _resumed(
        self,
        order: LaunchSpec,
        past: ResumeFiles,
        calls: ParkedCalls,
        profile: AgentProfile | None,
        owned: AsyncExitStack,
    ) -> RunningProcess:
        schema = order.schema
        if GATED_HERE or order.has_prompt:  # over the pipe, where nobody else can read it
            order = replace(order, schema=None)
        scratch = owned.enter_context(self._scratch())
        past.write_to(scratch)
        guard = None
        if profile and (ground := self._settings.agent_policy):
            fence = await ground.tool_policy(self._settings.environment, profile)
            guard = PermissionHook(fence, profile, LongOutput(fence.protected.config, scratch))
            owned.callback(scratch.remove_long_output)
            if fence.allows_commands:
                work = (profile.directory, *profile.add_dirs)
                Placeholders.before(work, unwritable(fence.protected, work), scratch)
                owned.callback(remove_placeholders, scratch)
            command = agent_command(self._claude_code, scratch, order, profile, fence, has_tools=calls.any)
        else:
            waits = GATED_HERE and schema is not None and not order.has_prompt
            command = command_for_history(self._claude_code, scratch, order, has_tools=calls.any, waits=waits)
        child = await owned.enter_async_context(child_process(command))
        scratch.close()
        scratch.record(child.pid)
        transport = ChildTransport(child, schema=schema, gated=is_gated(command))
        client = await self._connected(owned, transport, calls, self._settings.start_timeout, guard)
        start: SessionStart = "rebuilt" if past.history else "cold"
        return RunningProcess(client, transport, child, start, order.generation.thinks, guard)

    async def _served(
        self,
        stack: AsyncExitStack,
        process: int,
        start: Callable[[AsyncExitStack], Awaitable[RunningProcess]],
        *,
        typical: bool = True,
    ) -> RunningProcess:
        """What `start` starts, as `process`; it ends with `stack`, or at once where it fails.

        One that is not `typical` may fail for what its own request asks for: that says nothing of other requests.

        Raises:
            OSError (TimeoutError among them), ClaudeSDKError: it does not serve.
        """
        async with AsyncExitStack() as owned:
            owned.callback(self._supply.leave, process)
            try:
                running = await start(owned)
            except (ClaudeSDKError, OSError):
                if typical:
                    self._supply.fail(process, anyio.current_time())
                raise
            self._supply.serve(process)
            stack.push_async_exit(owned.pop_all())
            return running

    async def _waiting(self, owned: AsyncExitStack) -> Child:
        """A process that waits to be introduced."""
        scratch = owned.enter_context(self._scratch())
        child = await owned.enter_async_context(child_process(command_for_new_conversation(self._claude_code, scratch)))
        scratch.record(child.pid)
        return child

    async def _connected(
        self,
        owned: AsyncExitStack,
        transport: ChildTransport,
        calls: ParkedCalls,
        seconds: float,
        guard: PermissionHook | None = None,
    ) -> ClaudeSDKClient:
        options = ClaudeAgentOptions(verbatim_prompts=True)
        if guard:
            guard.install(options)
        if calls.any:
            options.mcp_servers = {SERVER: McpSdkServerConfig(type="sdk", name=SERVER, instance=calls.server())}
        try:
            with anyio.fail_after(seconds):
                client = await owned.enter_async_context(ClaudeSDKClient(options, transport))
        except (ClaudeSDKError, OSError):
            raise
        except Exception as error:  # the SDK's own, with no better type, where Claude Code refuses to be initialised
            raise CLIConnectionError(f"Claude Code refused: {error}") from error
        if transport.refusal:
            raise CLIConnectionError(f"Claude Code refused: {transport.refusal}")
        return client


def _not_allowed(profile: AgentProfile) -> Failure:
    folders = ", ".join((profile.directory, *profile.add_dirs))
    return Failure(
        Kind.PERMISSION_DENIED,
        f"Claude Code may not work in {folders} any more: it is gone, or leads elsewhere than when it was asked for.",
        param="claude.workingDirectory",
    )
