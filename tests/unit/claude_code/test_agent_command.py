"""How Claude Code is started as an agent, and what it is told when it asks."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from claude_agent_sdk import (
    ClaudeAgentOptions,
    CLIConnectionError,
    HookContext,
    PermissionResultDeny,
    ToolPermissionContext,
)
from structlog.testing import capture_logs

from claude_openai.claude_code.agent.long_output import LongOutput
from claude_openai.claude_code.agent.protected_paths import ProtectedPaths, search_path
from claude_openai.claude_code.agent.sandbox import SandboxProbe
from claude_openai.claude_code.agent.tool_policy import ToolPolicy
from claude_openai.claude_code.processes.child import Command
from claude_openai.claude_code.processes.scratch import SETTINGS, Scratch, scratch_folder
from claude_openai.claude_code.sdk.agent import CLIENT_TOOL_NAMES, PermissionHook, agent_command
from claude_openai.claude_code.sdk.command import is_gated
from claude_openai.claude_code.stream_json.launch import ClaudeCodeExecutable, GenerationOptions, LaunchSpec
from claude_openai.core.agent import AgentProfile
from claude_openai.core.turn import Sampling
from claude_openai.system.workspace import AllowedFolders

pytestmark = pytest.mark.anyio

LOGIN = {"PATH": "/usr/bin", "HOME": "/home/ada", "ANTHROPIC_API_KEY": "sk-ant-1", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.fixture
def scratch() -> Iterator[Scratch]:
    with scratch_folder() as made:
        yield made


def fence(folder: Path, sandboxed: bool = True) -> ToolPolicy:
    bounds = ProtectedPaths.of(LOGIN, [str(folder / "keys (1)")]).around([str(folder)])
    return ToolPolicy(AllowedFolders([str(folder)]), bounds, sandboxed, CLIENT_TOOL_NAMES.prefix)


def command(
    scratch: Scratch, folder: Path, *, sandboxed: bool = True, prompted: bool = True, **profile: Any
) -> Command:
    claude_code = ClaudeCodeExecutable(("claude",), LOGIN, max_retries=2, request_timeout=600)
    order = LaunchSpec("sonnet", GenerationOptions(Sampling(max_tokens=5)), prompted)
    return agent_command(
        claude_code, scratch, order, AgentProfile(str(folder), **profile), fence(folder, sandboxed), has_tools=True
    )


def told(scratch: Scratch) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(Path(scratch.handed_over(SETTINGS) or "").read_text())
    return settings


@pytest.mark.proves("agent.request")
def test_what_the_client_asks_for_is_an_argument_each_that_can_be_nothing_else(
    scratch: Scratch, tmp_path: Path
) -> None:
    made = command(
        scratch,
        tmp_path,
        permission_mode="plan",
        allowed_tools=("Bash(git log, --all *)", "Edit"),
        disallowed_tools=("WebFetch",),
        add_dirs=("/more",),
        setting_sources=("user", "project"),
        max_turns=3,
        max_budget_usd=1e-7,
    )
    assert {
        "--permission-mode=plan",
        "--setting-sources=user,project",
        "--allowedTools=mcp__client__*",
        "--allowedTools=Bash(git log, --all *)",
        "--allowedTools=Edit",
        "--disallowedTools=WebFetch",
        "--add-dir=/more",
        "--max-turns=3",
        "--max-budget-usd=0.000000100000",
        "--permission-prompt-tool=stdio",
        "--strict-mcp-config",
    } < set(made.argv)
    assert all(argument.startswith("--") for argument in made.argv[1:])
    assert made.directory == tmp_path
    assert made.environment["PWD"] == str(tmp_path)
    assert not made.environment.keys() & {"CLAUDE_CODE_SIMPLE", "CLAUDE_AGENT_SDK_MCP_NO_PREFIX"}


def test_the_sandbox_hides_everything_but_the_allowed_folders_and_what_signs_in(
    scratch: Scratch, tmp_path: Path
) -> None:
    command(scratch, tmp_path, add_dirs=("/more",), allowed_tools=("Edit(client/**)",))
    sandbox = told(scratch)["sandbox"]
    assert (sandbox["enabled"], sandbox["failIfUnavailable"], sandbox["allowUnsandboxedCommands"]) == (
        True,
        True,
        False,
    )
    files = sandbox["filesystem"]
    assert files["denyRead"] == ["/"]
    assert files["allowRead"][:2] == [str(tmp_path), str(scratch.temporary)]
    assert files["allowWrite"] == [str(tmp_path), "/more", str(scratch.temporary)]
    network = sandbox["network"]
    assert (network["allowedDomains"], network["deniedDomains"], network["strictAllowlist"]) == ([], ["*"], True)
    assert [each["name"] for each in sandbox["credentials"]["envVars"]] == [
        "ANTHROPIC_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
    ]


def test_without_a_sandbox_commands_are_not_offered(scratch: Scratch, tmp_path: Path) -> None:
    (tools,) = (each for each in command(scratch, tmp_path, sandboxed=False).argv if each.startswith("--tools="))
    assert "Bash" not in tools
    settings = told(scratch)
    assert settings.keys() == {"disableAllHooks", "permissions"}
    assert settings["permissions"]["blockReadsOutsideWorkingDirectories"] is True


def test_a_history_that_is_answered_as_it_stands_waits_until_the_fence_is_known(
    scratch: Scratch, tmp_path: Path
) -> None:
    assert is_gated(command(scratch, tmp_path, prompted=False))
    assert not is_gated(command(scratch, tmp_path, prompted=True))


async def test_what_would_ask_a_person_is_refused_and_logged_without_what_was_asked(tmp_path: Path) -> None:
    options = ClaudeAgentOptions()
    PermissionHook(fence(tmp_path), AgentProfile(str(tmp_path)), LongOutput(str(tmp_path), Scratch(tmp_path))).install(
        options
    )
    assert options.can_use_tool
    with capture_logs() as logged:
        answer = await options.can_use_tool("Write", {"content": "PRIVATE"}, ToolPermissionContext())
    assert isinstance(answer, PermissionResultDeny)
    assert "nobody can be asked" in answer.message
    (event,) = (each for each in logged if each["log_level"] == "info")
    assert event == {"event": "sdk.can_use_tool", "log_level": "info", "tool": "Write", "decision": "deny"}


async def test_what_the_fence_refuses_is_logged_too_and_a_hook_that_fails_blocks(tmp_path: Path) -> None:
    options = ClaudeAgentOptions()
    guard = PermissionHook(fence(tmp_path), AgentProfile(str(tmp_path)), LongOutput(str(tmp_path), Scratch(tmp_path)))
    guard.install(options)
    assert options.hooks
    (matcher,) = options.hooks["PreToolUse"]
    assert matcher.on_failure == "block"
    (hook,) = matcher.hooks
    asked: Any = {"tool_name": "Read", "tool_input": {"file_path": "/etc/passwd"}, "cwd": str(tmp_path)}
    with capture_logs() as logged:
        answer: Any = await hook(asked, "toolu_1", HookContext(signal=None))
    assert answer["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert guard.has_checked("toolu_1")
    assert [each["event"] for each in logged if each["log_level"] == "info"] == ["sdk.can_use_tool"]


def test_what_is_out_of_bounds_is_hidden_from_searches_and_commands(scratch: Scratch, tmp_path: Path) -> None:
    (tmp_path / "keys (1)").mkdir()
    command(scratch, tmp_path)
    settings = told(scratch)
    kept = f"{tmp_path}/keys (1)"
    plain = kept.replace("(", "\\(").replace(")", "\\)")
    assert {f"Read(/{plain})", f"Edit(/{plain})"} < set(settings["permissions"]["deny"])
    assert kept in settings["sandbox"]["filesystem"]["denyWrite"]
    assert {"path": kept, "mode": "deny"} in settings["sandbox"]["credentials"]["files"]


def test_what_is_out_of_bounds_is_denied_wherever_it_lies(scratch: Scratch, tmp_path: Path) -> None:
    command(scratch, tmp_path)
    settings = told(scratch)
    assert {"Read(//home/ada/.ssh)", "Edit(//home/ada/.ssh)"} < set(settings["permissions"]["deny"])
    assert {"/home/ada/.ssh", "/home/ada/.bashrc"} < set(settings["sandbox"]["filesystem"]["denyWrite"])


def test_no_program_is_looked_for_in_the_folder_that_claude_code_works_in(scratch: Scratch, tmp_path: Path) -> None:
    assert search_path(os.pathsep.join(["", ".", "/usr/bin", "bin", "/bin"])) == ("/usr/bin", "/bin")
    assert command(scratch, tmp_path).environment["PATH"] == "/usr/bin"


@pytest.mark.proves("agent.fence.commands")
async def test_the_sandbox_is_tried_until_there_is_an_answer() -> None:
    answers: list[bool | None] = [None, True]
    probe = SandboxProbe(lambda: answers.pop(0))
    assert [await probe.works() for _ in range(3)] == [False, True, True]
    assert answers == []


@pytest.mark.proves("agent.fence.commands")
async def test_a_sandbox_that_does_not_work_is_not_tried_again() -> None:
    answers: list[bool | None] = [False, True]
    probe = SandboxProbe(lambda: answers.pop(0))
    assert [await probe.works() for _ in range(2)] == [False, False]


def test_where_nothing_can_be_held_back_no_such_history_is_answered(
    scratch: Scratch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_openai.claude_code.sdk.agent.GATED_HERE", False)
    with pytest.raises(CLIConnectionError):
        command(scratch, tmp_path, prompted=False)
    assert not is_gated(command(scratch, tmp_path))
