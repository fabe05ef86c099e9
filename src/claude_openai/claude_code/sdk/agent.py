"""Starts Claude Code for the agent profile: in a folder, with its own tools and system prompt, and with a hook that
checks every use of a tool.

The client's instructions follow Claude Code's own. Only the requested settings load, and no MCP server but that of the
client's tools. A tool that would ask for permission is refused, since no person can answer. Left out are tools that
outlive the answer, reach other sessions or wait for a person.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import structlog
from claude_agent_sdk import ClaudeAgentOptions, CLIConnectionError, HookMatcher, PermissionResultDeny

from claude_openai.claude_code.agent import sandbox, web
from claude_openai.claude_code.agent.command_guard import CommandGuard
from claude_openai.claude_code.agent.long_output import LongOutput
from claude_openai.claude_code.agent.protected_paths import ProtectedPaths, search_path
from claude_openai.claude_code.agent.reader import ClientToolNames
from claude_openai.claude_code.agent.running_commands import WAIT_SECONDS, RunningCommands
from claude_openai.claude_code.agent.sandbox import SandboxProbe
from claude_openai.claude_code.agent.tool_policy import (
    COMMANDS,
    OTHERS,
    PLANNED,
    READING,
    SUB_AGENT,
    WEB,
    WRITING,
    ToolPolicy,
)
from claude_openai.claude_code.agent.user_settings import repository_elsewhere, user_settings_file, variables_in
from claude_openai.claude_code.processes.child import Command
from claude_openai.claude_code.processes.scratch import HISTORY, INSTRUCTIONS, SETTINGS, Scratch
from claude_openai.claude_code.sdk.command import CLIENT_TOOLS, GATED_HERE, SDK_ENVIRONMENT, SERVER, TOOLS, gated
from claude_openai.claude_code.stream_json.launch import ClaudeCodeExecutable, LaunchSpec
from claude_openai.claude_code.stream_json.messages import ToolResults
from claude_openai.core.agent import AgentProfile, Workspace
from claude_openai.core.messages import AssistantMessage, Message
from claude_openai.logs import shows

log = structlog.get_logger(__name__)

CLIENT_TOOL_NAMES: Final = ClientToolNames(f"mcp__{SERVER}__")

_ENVIRONMENT: Final[Mapping[str, str]] = {
    **{name: value for name, value in SDK_ENVIRONMENT.items() if name != "CLAUDE_AGENT_SDK_MCP_NO_PREFIX"},
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP": "1",
    "CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK": "1",
    "CLAUDE_CODE_DISABLE_REFUSAL_RETRY": "1",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    # Claude Code runs git outside the sandbox, and would send the model the state of a repository that a command made
    # of links to other places (measured). The model can run git in the sandbox.
    "CLAUDE_CODE_DISABLE_GIT_INSTRUCTIONS": "1",
    # Sub-agents and commands end before the answer does.
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
}

_OPTIONS: Final = (
    "--output-format=stream-json",
    "--input-format=stream-json",
    "--verbose",
    "--include-partial-messages",
    "--thinking-display=summarized",
    "--strict-mcp-config",
    "--no-session-persistence",
    "--permission-prompt-tool=stdio",
)

_HELD: Final = "|".join(("Bash", *READING, *WRITING))
"""The tools whose end is noted: until it comes, no command starts that could replace what they have opened."""

_HOOK_SECONDS: Final = WAIT_SECONDS + 30
"""Time limit of the hook before a use."""

_SPECIAL: Final = re.compile(r"[]\\*?{}()!\[]")
"""Special characters of rules."""

_NO_PERMISSION: Final = (
    "{tool} needs a person's permission, and nobody can be asked here. Go on without it, or say what is missing."
)

_NOT_FOR_SUB_AGENTS: Final = "{tool} is for the main conversation only. Report back, and have it called there."
"""The stream that the client's calls are taken from has no calls of a sub-agent."""

_NO_PLANNER: Final = "Nobody can approve a plan here. Give the plan as your answer, and end with it."


@dataclass(frozen=True, slots=True)
class AgentPolicy:
    """The rules for agents on this server: `workspace` has the folders where they may work. `server_paths` are the
    server's own files, protected even there; `programs` are those that it runs; `sandbox` finds out whether commands
    can be sandboxed on this machine.
    """

    workspace: Workspace
    server_paths: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    sandbox: SandboxProbe = field(default_factory=SandboxProbe)
    running: RunningCommands = field(default_factory=RunningCommands)

    def allows(self, profile: AgentProfile) -> bool:
        """Whether the profile's folders are allowed, and none has become a link to another place."""
        return all(self.workspace.folder(path) == path for path in (profile.directory, *profile.add_dirs))

    async def tool_policy(self, environment: Mapping[str, str], profile: AgentProfile) -> ToolPolicy:
        """Return the policy for the tools of an agent. Where a folder of `profile` is a worktree of a repository
        outside the workspace, that is protected, since Claude Code would give it to commands.
        """
        folders = (profile.directory, *profile.add_dirs)
        elsewhere = (repository_elsewhere(folder, self.workspace) for folder in folders)
        own = (*self.server_paths, *filter(None, elsewhere))
        protected = ProtectedPaths.of(environment, own, self.programs).around(self.workspace.prefixes)
        return ToolPolicy(self.workspace, protected, await self.sandbox.works(), CLIENT_TOOL_NAMES.prefix)


class PermissionHook:
    """The hooks that Claude Code calls before it uses a tool and after a command. `guard` checks commands; `kept` is
    the long output that the process may read.
    """

    def __init__(
        self,
        policy: ToolPolicy,
        profile: AgentProfile,
        kept: LongOutput,
        resolve: web.Resolve = web.addresses,
        guard: CommandGuard | None = None,
    ) -> None:
        self.guard = guard
        self._policy = policy
        self._profile = profile
        self.kept = kept
        self._resolve = resolve
        self._checked: set[str] = set()

    def has_checked(self, call_id: str) -> bool:
        return call_id in self._checked

    def install(self, options: ClaudeAgentOptions) -> None:
        """Register the hooks. Where the first one fails, Claude Code does not use the tool."""
        options.hooks = {
            "PreToolUse": [HookMatcher(hooks=[self._before_use], on_failure="block", timeout=_HOOK_SECONDS)],
            "PostToolUse": [HookMatcher(_HELD, hooks=[self._after_use])],
            "PostToolUseFailure": [HookMatcher(_HELD, hooks=[self._after_use])],
        }
        options.can_use_tool = self._asked

    async def _before_use(self, asked: Any, call_id: str | None, _: Any) -> Any:
        tool, arguments = str(asked["tool_name"]), asked["tool_input"]
        call_id = call_id or str(asked["tool_use_id"])
        self._checked.add(call_id)
        if asked.get("agent_id") and CLIENT_TOOL_NAMES.is_client_tool(tool):
            reason: str | None = _NOT_FOR_SUB_AGENTS.format(tool=tool)
        elif self.kept.reads(tool, arguments):
            reason = None
        else:
            reason, cwd = None, str(asked["cwd"])
            if self.guard and tool in (*READING, *WRITING):
                reason = await self.guard.file_tool_refusal(call_id, tool, arguments, cwd)
            reason = reason or self._policy.refusal(tool, arguments, cwd)
            if self.guard and reason is not None:
                self.guard.finished(call_id)
        if reason is None and tool in COMMANDS and self.guard:
            reason = await self.guard.refusal(call_id)
        if tool in SUB_AGENT:
            self.kept.note_sub_agents(asked.get("transcript_path"))
        if reason is None and tool == WEB and self._may_fetch(web.host_of(arguments.get("url")) or ""):
            reason = await web.leads_inside(arguments.get("url"), self._resolve)
        if reason is None:
            return {}
        _log_denial(tool, reason, arguments)
        return {
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "deny",
                "permissionDecisionReason": reason,
            }
        }

    async def _after_use(self, ran: Any, *_: Any) -> Any:
        if self.guard:
            self.guard.finished(str(ran.get("tool_use_id")))
        if ran.get("tool_name") == "Bash":
            self.kept.note_command(ran.get("tool_response"))
        return {}

    def note_results(self, results: ToolResults) -> None:
        """Note results of calls: these calls have ended."""
        self.kept.note(results.results)
        if self.guard:
            for result in results.results:
                self.guard.finished(result.call_id)

    def _may_fetch(self, host: str) -> bool:
        """Whether Claude Code's own rules may allow a fetch from `host`. A host that they refuse is not resolved,
        since a DNS query by itself sends data to the host's owner.
        """
        profile = self._profile
        if profile.setting_sources or profile.permission_mode in ("auto", "bypassPermissions"):
            return True
        return web.allowed(profile.allowed_tools, host)

    async def _asked(self, tool: str, arguments: dict[str, Any], context: Any) -> PermissionResultDeny:
        if self.guard:
            self.guard.finished(str(context.tool_use_id))
        reason = _NO_PLANNER if tool == PLANNED else _NO_PERMISSION.format(tool=tool)
        _log_denial(tool, reason, arguments)
        return PermissionResultDeny(message=reason)


def agent_command(
    claude_code: ClaudeCodeExecutable,
    scratch: Scratch,
    spec: LaunchSpec,
    profile: AgentProfile,
    policy: ToolPolicy,
    *,
    has_tools: bool,
) -> Command:
    """Return the command of an agent, for the history and the instructions that were handed over to `scratch`.

    Raises:
        CLIConnectionError: the history would be answered before the hook is installed, and this system has no gate.
    """
    commands = COMMANDS if policy.allows_commands else ()
    tools = (*READING, *WRITING, *commands, *OTHERS, *((PLANNED,) if profile.permission_mode == "plan" else ()))
    settings = json.dumps(_settings(claude_code.environment, scratch, profile, policy))
    scratch.hand_over(SETTINGS, settings.encode())
    options = (
        *_OPTIONS,
        f"--settings={scratch.handed_over(SETTINGS)}",
        f"--tools={','.join(tools)}",
        *_requested_options(profile),
        *((f"--append-system-prompt-file={words}",) if (words := scratch.handed_over(INSTRUCTIONS)) else ()),
        *((f"--resume={past}",) if (past := scratch.handed_over(HISTORY)) else ()),
        *spec.options_without_files(),
        *((TOOLS,) if has_tools else ()),
    )
    path = (
        {"PATH": os.pathsep.join(search_path(claude_code.environment.get("PATH")))}
        if "PATH" in claude_code.environment
        else {}
    )
    environment = {**_ENVIRONMENT, **path, **spec.environment()}
    command = claude_code.command_in(scratch, Path(profile.directory), options, environment)
    if spec.has_prompt:
        return command
    if not GATED_HERE:
        raise CLIConnectionError("results for a conversation that is gone cannot be taken up on Windows")
    return gated(command)


def with_prefixed_tool_names(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return `messages` with the prefix before the names of the client's tools, which the model sees here."""
    return tuple(
        replace(
            message,
            tool_calls=tuple(replace(call, name=CLIENT_TOOL_NAMES.prefix + call.name) for call in message.tool_calls),
        )
        if isinstance(message, AssistantMessage)
        else message
        for message in messages
    )


def _requested_options(profile: AgentProfile) -> Iterable[str]:
    """Yield the options with values of the request, each as one argument."""
    yield f"--permission-mode={profile.permission_mode}"
    yield f"--setting-sources={','.join(profile.setting_sources)}"
    yield from (f"--allowedTools={rule}" for rule in (CLIENT_TOOLS, *profile.allowed_tools))
    yield from (f"--disallowedTools={rule}" for rule in profile.disallowed_tools)
    yield from (f"--add-dir={folder}" for folder in profile.add_dirs)
    if profile.max_turns is not None:
        yield f"--max-turns={profile.max_turns}"
    if profile.max_budget_usd is not None:
        yield f"--max-budget-usd={profile.max_budget_usd:.12f}"


def _settings(
    environment: Mapping[str, str], scratch: Scratch, profile: AgentProfile, policy: ToolPolicy
) -> Mapping[str, object]:
    """Return Claude Code's settings. They have no value of the request, since Claude Code ignores all settings if one
    value is invalid (read in Claude Code).
    """
    unsearched = [_SPECIAL.sub(r"\\\g<0>", path) for path in _around(scratch, policy).unsearched]
    plain: Mapping[str, object] = {
        # Hooks of settings files run commands outside the sandbox. The SDK's hooks are not affected (measured).
        "disableAllHooks": True,
        "permissions": {
            # It applies before the first hook and whatever rules allow. Without it the modes `plan` and `auto` read
            # everything (measured).
            "blockReadsOutsideWorkingDirectories": True,
            # Searches leave these paths out of their results (measured).
            "deny": [f"{tool}(/{path})" for path in unsearched for tool in ("Read", "Edit")],
        },
    }
    if not policy.allows_commands:
        return plain
    return {**plain, "sandbox": sandbox_settings(environment, scratch, profile, policy)}


def sandbox_settings(
    environment: Mapping[str, str],
    scratch: Scratch,
    profile: AgentProfile,
    policy: ToolPolicy,
) -> Mapping[str, object]:
    """Return Claude Code's `sandbox` setting for the process of `scratch` and the files that are on the disk now."""
    work = (profile.directory, *profile.add_dirs)
    readable, own = policy.workspace.prefixes, str(scratch.temporary)
    variables = environment.keys() | users_variables(environment, profile)
    return sandbox.settings(readable, work, own, _around(scratch, policy), variables)


def users_variables(environment: Mapping[str, str], profile: AgentProfile) -> frozenset[str]:
    """Return the names of the variables that Claude Code takes from the user's settings."""
    return variables_in(user_settings_file(environment)) if "user" in profile.setting_sources else frozenset()


def _around(scratch: Scratch, policy: ToolPolicy) -> ProtectedPaths:
    """Return the protected paths, without the process's own temporary folder among the server's files."""
    return policy.protected.around((str(scratch.temporary),))


def _log_denial(tool: str, reason: str, arguments: object) -> None:
    """Log a denial. The reason names the path or address of the arguments, so it is logged with those only."""
    log.info("sdk.can_use_tool", tool=tool, decision="deny")
    if shows("debug"):
        log.debug("sdk.can_use_tool", tool=tool, decision="deny", reason=reason, input=arguments)
