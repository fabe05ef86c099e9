"""What Claude Code's own tools may touch, whatever its rules allow."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_openai.backends.sdk.fence import READING, WRITING, Fence, logins
from claude_openai.workspace import AllowedFolders

CLIENT = "mcp__client__"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    root = tmp_path.resolve()
    (root / "allowed" / "work").mkdir(parents=True)
    (root / "allowed2").mkdir()
    (root / "secret").write_text("")
    (root / "allowed" / "work" / "out").symlink_to(root)
    return root


def fence(disk: Path, *, commands: bool = True) -> Fence:
    return Fence(AllowedFolders([str(disk / "allowed")]), logins({"HOME": str(disk / "allowed")}), commands, CLIENT)


def refusal(disk: Path, tool: str, **arguments: object) -> str | None:
    return fence(disk).refusal(tool, arguments, str(disk / "allowed" / "work"))


def path_of(tool: str) -> str:
    if tool.startswith("Notebook"):
        return "notebook_path"
    return "path" if tool in ("Glob", "Grep", "LS") else "file_path"


@pytest.mark.proves("agent.fence.paths")
@pytest.mark.parametrize("tool", [*READING, *WRITING])
@pytest.mark.parametrize(
    "inside", ["in.txt", "./deep/er/in.txt", "../other/in.txt", "{root}/allowed/in.txt", "out/allowed/in.txt"]
)
def test_a_path_in_an_allowed_folder_is_nobodys_business(disk: Path, tool: str, inside: str) -> None:
    assert refusal(disk, tool, **{path_of(tool): inside.format(root=disk), "pattern": "*.txt"}) is None


@pytest.mark.proves("agent.fence.paths", "agent.workspace.links")
@pytest.mark.parametrize("tool", [*READING, *WRITING])
@pytest.mark.parametrize(
    "outside",
    ["/etc/passwd", "../../secret", "out/secret", "{root}/allowed2/x", "{root}/allowed/../secret", "~/x", "a\0b", "/"],
)
def test_a_path_outside_is_refused_whichever_tool_tries(disk: Path, tool: str, outside: str) -> None:
    reason = refusal(disk, tool, **{path_of(tool): outside.format(root=disk), "pattern": "*"})
    assert reason
    if "\0" not in outside:
        assert str(disk / "allowed") in reason, "it says what may be used"


@pytest.mark.proves("agent.fence.paths")
@pytest.mark.parametrize(
    "pattern",
    [
        "/etc/*",
        "../../*",
        "{{/etc/*,*.txt}}",
        "{{a,../../..}}/secret",
        "**/../../../secret",
        "out/*",
        "~/*",
        "{root}/*",
        "[a]/../../../x",
        "{{a,}}/etc/*",
        "@(..|a)/../x",
        "{{a,b}}" * 9,
    ],
)
def test_a_pattern_that_could_lead_out_is_refused(disk: Path, pattern: str) -> None:
    assert refusal(disk, "Glob", pattern=pattern.format(root=disk))
    assert refusal(disk, "Grep", pattern="x", glob=pattern.format(root=disk))


@pytest.mark.proves("agent.fence.paths")
@pytest.mark.parametrize("pattern", ["*", "**/*.py", "src/{{a,b}}/*.ts", "../*.md", "{root}/allowed/**", "*.{{js,ts}}"])
def test_a_pattern_that_stays_inside_is_not(disk: Path, pattern: str) -> None:
    assert refusal(disk, "Glob", pattern=pattern.format(root=disk)) is None


@pytest.mark.proves("agent.fence.paths")
@pytest.mark.parametrize("path", [7, ["/etc/passwd"], {"file": "x"}, True])
def test_what_is_no_path_is_refused(disk: Path, path: object) -> None:
    assert refusal(disk, "Read", file_path=path)
    assert refusal(disk, "Glob", pattern=path)


@pytest.mark.proves("agent.secrets")
def test_what_people_sign_in_with_is_out_of_bounds_even_in_an_allowed_folder(disk: Path) -> None:
    (disk / "allowed" / ".ssh").mkdir()
    (disk / "allowed" / ".claude").mkdir()
    (disk / "allowed" / "work" / "keys").symlink_to(disk / "allowed" / ".ssh")
    for path in ("../.ssh/id", "keys/id", "../.claude/.credentials.json", "../.CLAUDE/.credentials.json"):
        assert refusal(disk, "Read", file_path=path)
    assert refusal(disk, "Grep", pattern="x", path="..")
    assert refusal(disk, "Glob", pattern="../**")
    assert fence(disk).refusal("Grep", {"pattern": "x"}, str(disk / "allowed")), "where it stands is a folder, too"
    assert refusal(disk, "Grep", pattern="x") is None
    assert refusal(disk, "Read", file_path="../notes.txt") is None


@pytest.mark.proves("agent.fence.control-files")
@pytest.mark.parametrize(
    "path", [".git/hooks/pre-commit", ".claude/settings.json", "sub/.Claude/agents/x.md", ".mcp.json", ".GIT/config"]
)
def test_what_decides_which_commands_run_cannot_be_written_but_read(disk: Path, path: str) -> None:
    assert refusal(disk, "Write", file_path=path, content="")
    assert refusal(disk, "Edit", file_path=path, old_string="", new_string="x")
    assert refusal(disk, "Read", file_path=path) is None


@pytest.mark.proves("agent.fence.unknown-tools")
@pytest.mark.parametrize(
    "tool", ["Monitor", "Workflow", "CronCreate", "EnterWorktree", "mcp__other__read", "Bash2", ""]
)
def test_a_tool_that_nobody_looked_at_is_refused(disk: Path, tool: str) -> None:
    assert refusal(disk, tool)


@pytest.mark.proves("agent.fence.unknown-tools", "agent.tools.client")
def test_the_clients_own_tools_are_the_clients_business(disk: Path) -> None:
    assert refusal(disk, f"{CLIENT}read", path="/etc/passwd") is None


@pytest.mark.proves("agent.fence.commands")
def test_commands_stay_in_the_sandbox_and_without_one_there_are_none(disk: Path) -> None:
    assert refusal(disk, "Bash", command="ls") is None
    assert refusal(disk, "Bash", command="ls", dangerouslyDisableSandbox=True)
    assert fence(disk, commands=False).refusal("Bash", {"command": "ls"}, str(disk))


@pytest.mark.proves("agent.fence.paths")
@pytest.mark.parametrize("url", ["file:///etc/passwd", "/etc/passwd", None, 7, "data:,x"])
def test_the_web_is_no_way_to_a_file(disk: Path, url: object) -> None:
    assert refusal(disk, "WebFetch", url=url, prompt="p")
    assert refusal(disk, "WebFetch", url="https://example.com", prompt="p") is None


@pytest.mark.proves("agent.fence.sub-agents")
def test_a_sub_agent_may_be_had_but_no_copy_of_the_repository(disk: Path) -> None:
    assert refusal(disk, "Agent", description="d", prompt="/etc/passwd") is None
    assert refusal(disk, "Agent", description="d", prompt="p", isolation="worktree")


@pytest.mark.proves("agent.fence.paths")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tool=st.sampled_from([*READING, *WRITING]),
    steps=st.lists(st.sampled_from(["..", ".", "", "allowed", "work", "out", "secret", "new", "*", "~"]), max_size=9),
    absolute=st.booleans(),
)
def test_whatever_passes_lies_inside(disk: Path, tool: str, steps: list[str], absolute: bool) -> None:
    path = "/".join(([str(disk)] if absolute else []) + steps) or "."
    if refusal(disk, tool, **{path_of(tool): path, "pattern": "*"}) is None:
        assert Path(disk, "allowed", "work", path).resolve().is_relative_to(disk / "allowed")
