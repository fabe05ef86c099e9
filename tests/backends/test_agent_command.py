"""How Claude Code is started as an agent, and what it is told when it asks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from claude_agent_sdk import ClaudeAgentOptions, HookContext, PermissionResultDeny, ToolPermissionContext
from structlog.testing import capture_logs

from claude_openai.backends.claude.command import ClaudeCode, Drawing, Order
from claude_openai.backends.process import Command
from claude_openai.backends.scratch import Scratch, scratch_folder
from claude_openai.backends.sdk.agent import Ground, Guard, at_work, is_gated
from claude_openai.core.agent import AgentProfile
from claude_openai.core.turn import Sampling
from claude_openai.workspace import AllowedFolders

pytestmark = pytest.mark.anyio

LOGIN = {"PATH": "/usr/bin", "HOME": "/home/ada", "ANTHROPIC_API_KEY": "sk-ant-1", "AWS_SECRET_ACCESS_KEY": "s"}


@pytest.fixture
def scratch() -> Iterator[Scratch]:
    with scratch_folder() as made:
        yield made


def command(
    scratch: Scratch, folder: Path, *, sandboxed: bool = True, prompted: bool = True, **profile: Any
) -> Command:
    claude_code = ClaudeCode(("claude",), LOGIN, max_retries=2, request_timeout=600)
    ground = Ground(AllowedFolders([str(folder)]), lambda: sandboxed)
    order = Order("sonnet", Drawing(Sampling(max_tokens=5)), prompted)
    return at_work(claude_code, scratch, order, AgentProfile(str(folder), **profile), ground, has_tools=True)


def told(scratch: Scratch) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((scratch.root / "settings.json").read_text())
    return settings


@pytest.mark.proves("agent.request.fields")
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


@pytest.mark.proves("agent.fence.commands", "agent.secrets")
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
    assert sandbox["network"] == {"allowedDomains": []}
    assert [each["name"] for each in sandbox["credentials"]["envVars"]] == [
        "ANTHROPIC_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
    ]


@pytest.mark.proves("agent.fence.commands")
def test_without_a_sandbox_commands_are_not_offered(scratch: Scratch, tmp_path: Path) -> None:
    (tools,) = (each for each in command(scratch, tmp_path, sandboxed=False).argv if each.startswith("--tools="))
    assert "Bash" not in tools
    assert told(scratch) == {
        "disableAllHooks": True,
        "permissions": {"blockReadsOutsideWorkingDirectories": True},
    }


@pytest.mark.proves("agent.fence.first-moment")
def test_a_history_that_is_answered_as_it_stands_waits_until_the_fence_is_known(
    scratch: Scratch, tmp_path: Path
) -> None:
    assert is_gated(command(scratch, tmp_path, prompted=False))
    assert not is_gated(command(scratch, tmp_path, prompted=True))


@pytest.mark.proves("agent.asks-nobody")
async def test_what_would_ask_a_person_is_refused_and_logged_without_what_was_asked(tmp_path: Path) -> None:
    options = ClaudeAgentOptions()
    Guard(Ground(AllowedFolders([str(tmp_path)]), lambda: True).fence(LOGIN)).watch(options)
    assert options.can_use_tool
    with capture_logs() as logged:
        answer = await options.can_use_tool("Write", {"content": "PRIVATE"}, ToolPermissionContext())
    assert isinstance(answer, PermissionResultDeny)
    assert "nobody can be asked" in answer.message
    (event,) = (each for each in logged if each["log_level"] == "info")
    assert event == {"event": "sdk.can_use_tool", "log_level": "info", "tool": "Write", "decision": "deny"}


@pytest.mark.proves("agent.fence.every-tool")
async def test_what_the_fence_refuses_is_logged_too_and_a_hook_that_fails_blocks(tmp_path: Path) -> None:
    options = ClaudeAgentOptions()
    guard = Guard(Ground(AllowedFolders([str(tmp_path)]), lambda: True).fence(LOGIN))
    guard.watch(options)
    assert options.hooks
    ((matcher,),) = options.hooks.values()
    assert matcher.on_failure == "block"
    (hook,) = matcher.hooks
    asked: Any = {"tool_name": "Read", "tool_input": {"file_path": "/etc/passwd"}, "cwd": str(tmp_path)}
    with capture_logs() as logged:
        answer: Any = await hook(asked, "toolu_1", HookContext(signal=None))
    assert answer["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert guard.has_checked("toolu_1")
    assert [each["event"] for each in logged if each["log_level"] == "info"] == ["sdk.can_use_tool"]
