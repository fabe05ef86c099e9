"""Answers turns by Claude Code through the Claude Agent SDK: one process per conversation, while its session lasts."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final
from uuid import uuid4

import anyio
import structlog
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, ClaudeSDKError, CLIConnectionError, McpSdkServerConfig

from claude_openai.claude_code.agent.command_guard import CommandGuard
from claude_openai.claude_code.agent.git_paths import control_folder, git_directory_around, linked_directories
from claude_openai.claude_code.agent.long_output import LongOutput
from claude_openai.claude_code.agent.protected_paths import home_of
from claude_openai.claude_code.agent.user_settings import user_settings_file, widened_by
from claude_openai.claude_code.processes.child import Child, child_process
from claude_openai.claude_code.processes.late_history import CAN_COME_LATE
from claude_openai.claude_code.processes.placeholders import remove_placeholders
from claude_openai.claude_code.processes.pool_state import ProcessState, ProcessTable, WaitsFor
from claude_openai.claude_code.processes.scratch import Scratch, scratch_folder
from claude_openai.claude_code.processes.start_queue import StartQueue
from claude_openai.claude_code.processes.warm_pool import StartedProcess, WarmPool, WarmProcess
from claude_openai.claude_code.schema_checks.checks import Checks
from claude_openai.claude_code.sdk.agent import (
    AgentPolicy,
    PermissionHook,
    agent_command,
    sandbox_settings,
    users_variables,
    with_prefixed_tool_names,
)
from claude_openai.claude_code.sdk.capabilities import CAPABILITIES
from claude_openai.claude_code.sdk.command import (
    GATED_HERE,
    SERVER,
    command_for_history,
    is_gated,
)
from claude_openai.claude_code.sdk.parked_calls import ParkedCalls
from claude_openai.claude_code.sdk.session import RecyclePolicy, RunningProcess, SdkSession, describe_error
from claude_openai.claude_code.sdk.transport import ChildTransport, SessionSetup
from claude_openai.claude_code.sdk.waiting import FirstProcess, start_waiting
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
from claude_openai.claude_code.stream_json.transcript import history_and_prompt, system_prompt
from claude_openai.core.agent import AgentProfile
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.ports import BackendStatus, Description, Session, SessionStart
from claude_openai.core.turn import Turn
from claude_openai.system.threads import in_thread_if
from claude_openai.system.untrusted_files import folder_to_start_in
from claude_openai.system.workspace import unprotectable_name

log = structlog.get_logger(__name__)


LONG_HISTORY_BYTES: Final = 1_000_000
"""A longer one costs Claude Code seconds of processor, in which conversations of other clients go first."""


@dataclass(frozen=True, slots=True)
class SdkSettings:
    """The settings of the backend.

    `cli` is the Claude Code executable; `environment` the part of the server's environment that Claude Code signs in
    with; `request_timeout` in seconds; `max_retries` how often Claude Code may repeat a request that failed upstream;
    `max_tool_corrections` how often the model may correct calls whose arguments do not fit; `warm_processes` how many
    wait for a conversation; None: as many as the bursts of conversations need, with `max_processes` in all and a part
    of `available_memory()`, in bytes. `start_timeout`, in seconds, is from the start of a process to its reply to
    `initialize`: 0.35 to 0.7 measured, more from a slow disk; `introduction_timeout` that of a warm process: 0.04;
    `hand_over_timeout` until the process has read a prompt, since a long one stays in the pipe until then.
    `agent_policy` restricts agents; without it there is no agent profile.
    """

    cli: str
    environment: Mapping[str, str]
    max_retries: int = 2
    max_tool_corrections: int = 2
    request_timeout: float = 600.0
    warm_processes: int | None = 0
    max_processes: int = 16
    available_memory: Callable[[], float] = lambda: 0
    recycle_policy: RecyclePolicy = field(default_factory=RecyclePolicy)
    start_timeout: float = 30.0
    introduction_timeout: float = 10.0
    hand_over_timeout: float = 10.0
    agent_policy: AgentPolicy | None = None


class SdkBackend:
    """Implements `core.ports.Backend`. Processes wait for conversations as long as `run` does.

    Each process has a folder of its own, from `scratch`.
    """

    def __init__(
        self,
        settings: SdkSettings,
        scratch: Callable[[], AbstractContextManager[Scratch]] = scratch_folder,
        first_process: FirstProcess | None = None,
    ) -> None:
        self._settings = settings
        self._scratch = scratch
        self._first_process = first_process
        self._claude_code = ClaudeCodeExecutable.supervised(
            settings.cli, settings.environment, settings.max_retries, settings.request_timeout
        )
        self._processes = ProcessTable(settings.warm_processes, settings.max_processes)
        self._starts = StartQueue()
        self._warm_pool = WarmPool(self._processes, self._start_waiting, self._starts, settings.available_memory)
        self._checks = Checks()

    async def run(self) -> None:
        """Run the warm pool and the schema checks, until cancelled."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._checks.run)
            group.start_soon(self._warm_pool.run)

    async def describe(self) -> Description:
        """Ask Claude Code for its version, login and models: one process, started and ended. The first time it is the
        `first_process`, if there is one.

        Raises:
            RequestFailed: `CLAUDE_CODE_FAILED`, naming the executable.
        """
        try:
            async with AsyncExitStack() as stack:
                first, self._first_process = self._first_process, None
                if first:
                    await stack.enter_async_context(first.resources.pop_all())
                child = first.child if first else (await self._start_waiting(stack)).child
                client = await self._connected(
                    stack, ChildTransport(child), ParkedCalls(()), self._settings.start_timeout
                )
                info = await client.get_server_info() or {}
        except (ClaudeSDKError, OSError) as error:
            log.error("sdk.error", stage="describe", error=describe_error(error))
            what = f"{self._settings.cli}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
            raise RequestFailed(Failure(Kind.CLAUDE_CODE_FAILED, f"Claude Code does not start ({what})")) from error
        self._warm_pool.refill()
        return Description(
            name="claude-agent-sdk",
            version=str(info.get("claude_code_version", "unknown")),
            login=login_of(info, self._settings.environment),
            models=models_of(info),
            capabilities=replace(CAPABILITIES, agent=self._settings.agent_policy is not None),
        )

    def status(self) -> BackendStatus:
        """See `core.ports.Backend.status`."""
        now = anyio.current_time()
        backoff = self._processes.known_backoff(now)
        return BackendStatus(
            self._processes.load(now),
            start_back_off_failure(backoff) if backoff else None,
            start_failures=self._processes.failed_starts,
            valid_calls=self._checks.valid_calls,
            invalid_calls=self._checks.invalid_calls,
        )

    @asynccontextmanager
    async def open(self, turn: Turn) -> AsyncIterator[Session]:
        """Start `turn`; see `core.ports.Backend.open`."""
        async with AsyncExitStack() as stack:
            stack.callback(self._warm_pool.refill)
            session = await self._session(stack, turn)
            del turn  # see the session pool
            yield session

    async def _session(self, stack: AsyncExitStack, turn: Turn) -> Session:
        """Start a process that answers `turn`; it ends with `stack`. Returns its session, or that of a failed start."""
        if backoff := self._processes.backoff(anyio.current_time()):
            return FailedSession(start_back_off_failure(backoff))
        if turn.agent and (refused := self._refused(turn.agent)):
            return FailedSession(refused)
        messages = with_prefixed_tool_names(turn.messages) if turn.agent else turn.messages
        history, prompt = await in_thread_if(turn.is_large, history_and_prompt, messages)
        calls = await in_thread_if(turn.is_large, ParkedCalls, turn.tools)
        request = self._starts.request_came()
        stack.callback(self._starts.request_served, request)
        place = await stack.enter_async_context(AsyncExitStack())
        try:
            running = None
            if history or turn.agent:
                files = await in_thread_if(turn.is_large, ResumeFiles.of, turn, history)
                if prompt and not turn.agent:
                    running = await self._warm(stack, turn, calls, files.history)
                if running is None:
                    spec = LaunchSpec.of(turn, prompted=prompt is not None)
                    start = partial(self._resumed, spec, files, calls, turn.agent)
                    if turn.agent and (refused := await self._hold_folders(place, turn.agent)):
                        return FailedSession(refused)
                    number = await self._place_for_start(place)
                    running = await self._served(stack, number, start, typical=turn.agent is None)
                del files
            else:
                running = await self._warm(stack, turn, calls)
                if running is None:
                    start = partial(self._set_up, None, self._late_transport(turn, calls), calls)
                    running = await self._served(stack, await self._place_for_start(place), start)
            if prompt:
                with anyio.fail_after(self._settings.hand_over_timeout):
                    await running.transport.hand_over(prompt)
            await place.aclose()
            self._starts.prompt_sent(request)
        except (ClaudeSDKError, OSError) as error:
            log.error("sdk.error", stage="start", error=describe_error(error))
            return FailedSession(process_failure("could not be started"))
        settings, guard = self._settings, running.permission_hook and running.permission_hook.guard
        agent = turn.agent  # the session keeps the function below, which must not keep the turn

        def may_resume() -> bool:
            return not (agent and self._refused(agent)) and not (guard and guard.is_outdated)

        def on_started() -> None:
            self._starts.request_served(request)
            self._warm_pool.refill()

        return SdkSession(
            running,
            calls,
            turn,
            checks=self._checks,
            max_corrections=settings.max_tool_corrections,
            recycle_policy=settings.recycle_policy,
            hand_over_timeout=settings.hand_over_timeout,
            on_started=on_started,
            may_resume=may_resume,
        )

    async def _place_for_start(self, place: AsyncExitStack) -> int:
        """Wait until a process may be started for a conversation; the place is left with `place`. Returns the number of
        the process in the table.
        """
        await place.enter_async_context(self._starts.place())
        await self._warm_pool.make_room()
        return self._processes.start(ProcessState.TAKEN)

    async def _hold_folders(self, place: AsyncExitStack, profile: AgentProfile) -> Failure | None:
        """Wait until no command runs that could replace a folder of `profile`, and keep commands there waiting until
        `place` is left. Return why no agent may work there now; None where one may.
        """
        if policy := self._settings.agent_policy:
            folders = (profile.directory, *profile.add_dirs)
            opened = (*folders, *(each for folder in folders for each in linked_directories(folder)))
            start = f"start-{uuid4().hex}"
            if not await policy.running.enter_start(start, opened):
                message = f"A command of another agent runs in {', '.join(folders)}. Try again later."
                return Failure(Kind.OVERLOADED, message)
            place.callback(policy.running.leave, start)
        return self._refused(profile)

    def _refused(self, profile: AgentProfile) -> Failure | None:
        """Return why no agent may work with `profile` now; None where one may."""
        policy, work = self._settings.agent_policy, (profile.directory, *profile.add_dirs)
        if policy is None or not policy.allows(profile):
            return _denied(
                "workingDirectory",
                f"Claude Code may not work in {', '.join(work)} any more: it is gone, or leads elsewhere than when it"
                " was asked for.",
            )
        for index, folder in enumerate(work):
            if unprotectable_name(folder):
                return _denied(
                    f"addDirs[{index - 1}]" if index else "workingDirectory",
                    f"Claude Code does not work in {folder!r}: its rules cannot name a path with a backslash, or with"
                    " white space at the end of a name. Rename the folder, or name another.",
                )
            if git := git_directory_around(folder):
                return _denied(
                    f"addDirs[{index - 1}]" if index else "workingDirectory",
                    f"Claude Code does not work in {folder}: it belongs to the git directory {git}, where git takes its"
                    " configuration and hooks from. Name a working tree of that repository.",
                )
            if control := control_folder(folder, policy.workspace.prefixes):
                return _denied(
                    f"addDirs[{index - 1}]" if index else "workingDirectory",
                    f"Claude Code does not work in {folder}: what lies in {control} decides what git, Claude Code or an"
                    " editor run. Name another folder, or have the server allow this one by name"
                    " (--allowed-working-directory-prefixes).",
                )
        environment = self._settings.environment
        in_container = environment.get("IS_SANDBOX") == "1" or environment.get("CLAUDE_CODE_BUBBLEWRAP")
        is_superuser = hasattr(os, "getuid") and os.getuid() == 0 and not in_container  # as Claude Code decides (read)
        if profile.permission_mode == "bypassPermissions" and is_superuser:
            return _denied(
                "permissionMode",
                "Claude Code does not start with permission mode 'bypassPermissions' for a superuser, which this server"
                " runs as. Use another mode with 'allowedTools', or run the server as another user.",
            )
        return self._widened(profile)

    def _widened(self, profile: AgentProfile) -> Failure | None:
        """Return why the user's settings cannot be loaded for `profile`; None where they can, or are not requested."""
        ground = self._settings.agent_policy
        if ground is None or "user" not in profile.setting_sources:
            return None
        environment = self._settings.environment
        file, folders = user_settings_file(environment), (profile.directory, *profile.add_dirs)
        setting = widened_by(file, ground.workspace, folders, home_of(environment))
        if setting is None:
            return None
        return _denied(
            "settingSources",
            f"The settings of 'user' are refused for {setting} in {file}: an agent could reach more than the folders"
            " of the work, or change what Claude Code runs. Change the file (a helper must be the plain path of a"
            " program outside of the allowed folders), or leave 'user' out.",
        )

    async def _warm(
        self, stack: AsyncExitStack, turn: Turn, calls: ParkedCalls, history: bytes | bytearray = b""
    ) -> RunningProcess | None:
        """Start the conversation of `turn`, after `history`, in a process that waited for it. None where none did, or
        where that process failed: then nothing went upstream, so nothing is lost but time.
        """
        kind = WaitsFor.HISTORY if history else WaitsFor.NEW_CONVERSATION
        if kind is WaitsFor.NEW_CONVERSATION or CAN_COME_LATE:
            self._processes.note_start(kind, anyio.current_time())
        process = self._warm_pool.take(kind)
        if process is None:
            return None
        try:
            start = partial(self._set_up, process, self._late_transport(turn, calls, process, history), calls)
            running = await self._served(stack, process.number, start)
        except (ClaudeSDKError, OSError) as error:
            log.error("sdk.error", stage="introduction", error=describe_error(error))
            running = None
        if history:
            self._processes.note_late_history(failed=running is None)
        return running

    def _late_transport(
        self, turn: Turn, calls: ParkedCalls, warm: WarmProcess | None = None, history: bytes | bytearray = b""
    ) -> Callable[[Child], ChildTransport]:
        """Return what makes the transport that sends all of the conversation to a process which runs already."""
        server = SERVER if turn.tools else None
        instructions = system_prompt(turn.messages, turn.reply_format)
        setup = SessionSetup(upstream_model(turn), GenerationOptions.of(turn), instructions, server)
        late = warm.history if warm else None
        send = partial(late.send, history, warm.child) if late and warm else None
        if warm and len(history) > LONG_HISTORY_BYTES:
            warm.child.lower_priority()
        return partial(ChildTransport, setup=setup, schema=turn.schema, tools=calls.listed, send_history=send)

    async def _set_up(
        self,
        warm: WarmProcess | None,
        new_transport: Callable[[Child], ChildTransport],
        calls: ParkedCalls,
        owned: AsyncExitStack,
    ) -> RunningProcess:
        """Send a process its conversation: the one that waited, or a new one, which is then a new conversation's."""
        if warm:
            await owned.enter_async_context(warm.resources)
        child = warm.child if warm else (await self._start_waiting(owned)).child
        transport = new_transport(child)
        is_quick = warm is not None and warm.history is None  # a long history takes as long to read as after a start
        timeout = self._settings.introduction_timeout if is_quick else self._settings.start_timeout
        client = await self._connected(owned, transport, calls, timeout)
        start: SessionStart = "cold" if warm is None else "rebuilt" if warm.history else "warm"
        return RunningProcess(client, transport, child, start)

    async def _resumed(
        self,
        spec: LaunchSpec,
        files: ResumeFiles,
        calls: ParkedCalls,
        profile: AgentProfile | None,
        owned: AsyncExitStack,
    ) -> RunningProcess:
        """Start a process that continues a history, or an agent's, which may have no history yet."""
        schema = spec.schema
        if GATED_HERE or spec.has_prompt:  # the schema goes over the pipe, where other processes cannot read it
            spec = replace(spec, schema=None)
        scratch = owned.enter_context(self._scratch())
        await in_thread_if(files.are_large, files.write_to, scratch)
        hook = None
        if profile and (agent_policy := self._settings.agent_policy):
            tool_policy = await agent_policy.tool_policy(self._settings.environment, profile)
            long_output = LongOutput(tool_policy.protected.config, scratch)
            owned.callback(scratch.remove_long_output)
            guard = None
            if tool_policy.allows_commands:
                environment = self._settings.environment
                guard = CommandGuard(
                    tool_policy,
                    (profile.directory, *profile.add_dirs),
                    scratch,
                    running=agent_policy.running,
                    sandbox_settings=partial(sandbox_settings, environment, scratch, profile, tool_policy),
                    variables=partial(users_variables, environment, profile),
                    widened=partial(self._widened, profile),
                )
                owned.callback(guard.finish_all)
                guard.record()
                owned.callback(remove_placeholders, scratch)
            hook = PermissionHook(tool_policy, profile, long_output, guard=guard)
            command = agent_command(self._claude_code, scratch, spec, profile, tool_policy, has_tools=calls.any)
        else:
            waits = GATED_HERE and schema is not None and not spec.has_prompt
            command = command_for_history(self._claude_code, scratch, spec, has_tools=calls.any, waits=waits)
        with ExitStack() as held:
            if hook:  # a command of another server, or a person, could replace the folder just now
                directory = held.enter_context(folder_to_start_in(command.directory))
                command = replace(command, directory=directory)
            child = await owned.enter_async_context(child_process(command))
        if hook and (elsewhere := self._works_outside(child.pid)):
            raise CLIConnectionError(f"the process's working directory is {elsewhere}, outside the allowed folders")
        scratch.close()
        scratch.record(child.pid)
        if len(files.history) > LONG_HISTORY_BYTES:
            child.lower_priority()
        transport = ChildTransport(child, schema=schema, tools=calls.listed, gated=is_gated(command))
        if hook and hook.guard:
            hook.guard.apply = transport.apply_settings
            hook.guard.pid = child.pid
        client = await self._connected(owned, transport, calls, self._settings.start_timeout, hook)
        start: SessionStart = "rebuilt" if files.history else "cold"
        return RunningProcess(client, transport, child, start, spec.generation.thinks, hook)

    def _works_outside(self, pid: int) -> str | None:
        """Return the working directory of the process if it is outside the allowed folders; None where it is inside, or
        the system does not report it.
        """
        policy = self._settings.agent_policy
        try:
            directory = os.readlink(f"/proc/{pid}/cwd")  # noqa: PTH115 -- a text
        except OSError:
            return None
        return None if policy is None or policy.workspace.holds(directory) else directory

    async def _served(
        self,
        stack: AsyncExitStack,
        number: int,
        start: Callable[[AsyncExitStack], Awaitable[RunningProcess]],
        *,
        typical: bool = True,
    ) -> RunningProcess:
        """Run `start` for the process `number` of the table. It ends with `stack`, or at once where it fails.

        `typical=False` for agents: their start can fail because of the request itself, so such a failure does not count
        towards the back-off.

        Raises:
            OSError (TimeoutError among them), ClaudeSDKError: the process does not serve.
        """
        async with AsyncExitStack() as owned:
            owned.callback(self._processes.leave, number)
            try:
                running = await start(owned)
            except (ClaudeSDKError, OSError):
                if typical:
                    self._processes.fail(number, anyio.current_time())
                raise
            self._processes.serve(number)
            stack.push_async_exit(owned.pop_all())
            return running

    async def _start_waiting(self, owned: AsyncExitStack, kind: WaitsFor = WaitsFor.NEW_CONVERSATION) -> StartedProcess:
        """Start a process that waits for a new conversation, or for a history."""
        return await start_waiting(owned, kind, self._claude_code, self._scratch)

    async def _connected(
        self,
        owned: AsyncExitStack,
        transport: ChildTransport,
        calls: ParkedCalls,
        seconds: float,
        hook: PermissionHook | None = None,
    ) -> ClaudeSDKClient:
        options = ClaudeAgentOptions(verbatim_prompts=True)
        if hook:
            hook.install(options)
        if calls.any:
            options.mcp_servers = {SERVER: McpSdkServerConfig(type="sdk", name=SERVER, instance=calls.server())}
        try:
            with anyio.fail_after(seconds):
                client = await owned.enter_async_context(ClaudeSDKClient(options, transport))
        except (ClaudeSDKError, OSError):
            raise
        except Exception as error:  # the SDK raises a plain Exception where Claude Code refuses `initialize`
            raise CLIConnectionError(f"Claude Code refused: {error}") from error
        if transport.refusal:
            raise CLIConnectionError(f"Claude Code refused: {transport.refusal}")
        return client


def _denied(field: str, message: str) -> Failure:
    return Failure(Kind.PERMISSION_DENIED, message, param=f"claude.{field}")
