"""What Claude Code's own tools may touch, whatever its rules allow."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_openai.claude_code.agent.paths import interpretations
from claude_openai.claude_code.agent.protected_paths import ProtectedPaths
from claude_openai.claude_code.agent.tool_policy import READING, WRITING, ToolPolicy
from claude_openai.system.workspace import AllowedFolders

CLIENT = "mcp__client__"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    root = tmp_path.resolve()
    (root / "allowed" / "work").mkdir(parents=True)
    (root / "allowed2").mkdir()
    (root / "secret").write_text("")
    (root / "allowed" / "work" / "out").symlink_to(root)
    return root


def fence(disk: Path, *, commands: bool = True) -> ToolPolicy:
    """Around a home that may be used."""
    allowed = str(disk / "allowed")
    return ToolPolicy(
        AllowedFolders([allowed]), ProtectedPaths.of({"HOME": allowed}).around([allowed]), commands, CLIENT
    )


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


@pytest.mark.proves("agent.fence.paths", "agent.workspace")
@pytest.mark.parametrize("tool", [*READING, *WRITING])
@pytest.mark.parametrize(
    "outside",
    [
        "/etc/passwd",
        "../../secret",
        "out/secret",
        "{root}/allowed2/x",
        "{root}/allowed/../secret",
        "~/../x",
        "a\0b",
        "/",
    ],
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


@pytest.mark.parametrize(
    "path",
    [
        *(".git/hooks/pre-commit", ".claude/settings.json", "sub/.Claude/agents/x.md", ".mcp.json", ".GIT/config"),
        *(".vscode/tasks.json", "a/.idea/x", ".envrc", "a/.husky/pre-push", ".devcontainer/x", ".g\u200dit/config"),
    ],
)
def test_what_decides_which_commands_run_cannot_be_written_but_read(disk: Path, path: str) -> None:
    assert refusal(disk, "Write", file_path=path, content="")
    assert refusal(disk, "Edit", file_path=path, old_string="", new_string="x")
    assert refusal(disk, "Read", file_path=path) is None


@pytest.mark.proves("agent.fence.every-tool")
@pytest.mark.parametrize(
    "tool", ["Monitor", "Workflow", "CronCreate", "EnterWorktree", "mcp__other__read", "Bash2", ""]
)
def test_a_tool_that_nobody_looked_at_is_refused(disk: Path, tool: str) -> None:
    assert refusal(disk, tool)


@pytest.mark.proves("agent.fence.every-tool")
def test_the_clients_own_tools_are_the_clients_business(disk: Path) -> None:
    assert refusal(disk, f"{CLIENT}read", path="/etc/passwd") is None


def test_commands_stay_in_the_sandbox_and_without_one_there_are_none(disk: Path) -> None:
    assert refusal(disk, "Bash", command="ls") is None
    assert refusal(disk, "Bash", command="ls", dangerouslyDisableSandbox=True)
    assert fence(disk, commands=False).refusal("Bash", {"command": "ls"}, str(disk))


@pytest.mark.proves("agent.fence.paths")
@pytest.mark.parametrize("url", ["file:///etc/passwd", "/etc/passwd", None, 7, "data:,x"])
def test_the_web_is_no_way_to_a_file(disk: Path, url: object) -> None:
    assert refusal(disk, "WebFetch", url=url, prompt="p")
    assert refusal(disk, "WebFetch", url="https://example.com", prompt="p") is None


def test_a_sub_agent_may_be_had_but_no_copy_of_the_repository(disk: Path) -> None:
    assert refusal(disk, "Agent", description="d", prompt="/etc/passwd") is None
    assert refusal(disk, "Agent", description="d", prompt="p", isolation="worktree")


@pytest.mark.proves("agent.fence.paths")
@pytest.mark.parametrize("tool", [*READING, *WRITING])
@pytest.mark.parametrize(
    "sent",
    [" in.txt", "in.txt ", "in.txt\n", "\u00a0in.txt", "in.txt\ufeff", "~root/in.txt", "~\\in.txt", "//x", "\\\\x"],
)
def test_what_claude_code_may_read_otherwise_than_it_looks_is_refused(disk: Path, tool: str, sent: str) -> None:
    assert refusal(disk, tool, **{path_of(tool): sent, "pattern": "*"})
    assert refusal(disk, "Glob", pattern=sent)


@pytest.mark.proves("agent.fence.paths")
@pytest.mark.parametrize(
    ("sent", "clear"), [("C:\\x", True), ("x", True), ("/c/x", False), ("C:x", False), ("x:y", False)]
)
def test_on_windows_a_path_names_its_drive_and_no_stream(sent: str, clear: bool) -> None:
    assert bool(interpretations(sent, "C:\\home", "C:\\work", windows=True)) == clear


@pytest.mark.proves("agent.fence.paths")
def test_a_home_is_the_logins_and_not_the_servers(disk: Path) -> None:
    assert refusal(disk, "Read", file_path="~/in.txt") is None
    assert interpretations("~/in.txt", "/home/ada", "/work") == ("/home/ada/in.txt",)


@pytest.mark.proves("agent.fence.paths", "agent.workspace")
@pytest.mark.parametrize("link", ["(out)", "!out", "[out]", "caf\u00e9"])
def test_a_sign_that_may_be_wild_or_plain_is_refused_where_either_leads_out(disk: Path, link: str) -> None:
    (disk / "allowed" / "work" / link).symlink_to(disk)
    for pattern in (f"{link}/*", f"{link}/secret", f"a/../{link}/*", unicodedata.normalize("NFD", f"{link}/*")):
        assert refusal(disk, "Glob", pattern=pattern)
    assert refusal(disk, "Read", file_path=unicodedata.normalize("NFD", f"{link}/secret"))


@pytest.mark.parametrize(
    "path",
    [
        *("~/.ssh/authorized_keys", "~/.AWS/config", "~/.npmrc", "~/.cargo/credentials.toml", "~/.mozilla/firefox/x"),
        *("~/Library/Keychains/x", "~/.bash_history", "../.ſſh/id", "~/.s\u200dsh/id", "~/.config/../.ssh/id"),
    ],
)
def test_a_login_that_is_not_there_yet_is_out_of_bounds_too(disk: Path, path: str) -> None:
    assert refusal(disk, "Write", file_path=path, content="")
    assert refusal(disk, "Read", file_path=path)


@pytest.mark.parametrize("path", ["~/.bashrc", "~/.gitconfig", "~/.config/systemd/user/x", "~/Library/LaunchAgents/x"])
def test_what_is_run_at_home_is_read_but_not_written_and_only_there(disk: Path, path: str) -> None:
    assert refusal(disk, "Write", file_path=path, content="")
    assert refusal(disk, "Read", file_path=path) is None
    assert refusal(disk, "Write", file_path=path.replace("~", "~/work"), content="") is None


def test_programs_that_the_server_would_run_are_not_written(disk: Path) -> None:
    allowed = [str(disk / "allowed")]
    bounds = ProtectedPaths.of({"HOME": "/home/ada", "PATH": f"{disk}/allowed/bin:relative"}).around(allowed)
    held = ToolPolicy(AllowedFolders(allowed), bounds, True, CLIENT)
    assert held.refusal("Write", {"file_path": "bin/git"}, allowed[0])
    assert held.refusal("Write", {"file_path": "relative/git"}, allowed[0]) is None


def test_what_the_server_keeps_is_out_of_bounds_and_a_search_beside_it_is_not(disk: Path) -> None:
    allowed = [str(disk / "allowed")]
    bounds = ProtectedPaths.of({"HOME": "/home/ada"}, [f"{disk}/allowed/server.log"]).around(allowed)
    held = ToolPolicy(AllowedFolders(allowed), bounds, True, CLIENT)
    assert held.refusal("Read", {"file_path": "server.log"}, allowed[0])
    assert held.refusal("Write", {"file_path": "SERVER.log"}, allowed[0])
    assert held.refusal("Grep", {"pattern": "x", "path": "server.log"}, allowed[0])
    assert held.refusal("Grep", {"pattern": "x"}, allowed[0]) is None


@pytest.mark.parametrize("folder", [".claude/worktrees/a"])
def test_a_folder_that_is_allowed_by_name_can_be_used_wherever_it_lies(disk: Path, folder: str) -> None:
    allowed = disk / "allowed" / folder
    allowed.mkdir(parents=True)
    bounds = ProtectedPaths.of({"HOME": str(disk / "allowed")}).around([str(allowed)])
    held = ToolPolicy(AllowedFolders([str(allowed)]), bounds, True, CLIENT)
    assert held.refusal("Write", {"file_path": "new.txt"}, str(allowed)) is None
    assert held.refusal("Write", {"file_path": "sub/.git/config"}, str(allowed))
    assert held.refusal("Read", {"file_path": "../../.credentials.json"}, str(allowed))


def test_no_process_can_be_looked_into_even_where_everything_is_allowed() -> None:
    held = ToolPolicy(AllowedFolders(["/"]), ProtectedPaths.of({"HOME": "/home/ada"}).around(["/"]), True, CLIENT)
    assert held.refusal("Read", {"file_path": "/proc/self/environ"}, "/")
    assert held.refusal("Read", {"file_path": "//home/ada/.ssh/id"}, "/")
    assert held.refusal("Read", {"file_path": "/etc/hosts"}, "/") is None


@pytest.mark.proves("agent.fence.every-tool")
def test_an_answer_of_a_certain_form_may_be_handed_over_whatever_is_in_it(disk: Path) -> None:
    assert refusal(disk, "StructuredOutput", path="/etc/passwd") is None


@pytest.mark.proves("agent.fence.paths")
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tool=st.sampled_from([*READING, *WRITING]),
    steps=st.lists(st.sampled_from(["..", ".", "", "allowed", "work", "out", "secret", "new", "*", "~"]), max_size=9),
    absolute=st.booleans(),
)
def test_whatever_passes_lies_inside(disk: Path, tool: str, steps: list[str], absolute: bool) -> None:
    path = "/".join(([str(disk)] if absolute else []) + steps) or "."
    if refusal(disk, tool, **{path_of(tool): path, "pattern": "*"}) is None:
        assert Path(disk, "allowed", "work", path).resolve().is_relative_to(disk / "allowed")


def test_a_file_tool_makes_no_repository_of_a_folder_and_changes_none_that_is_bare(disk: Path) -> None:
    work = disk / "allowed" / "work"
    for path in ("HEAD", "deep/er/HEAD", "head", "../HEAD"):
        assert refusal(disk, "Write", file_path=path, content="x")
    obeyed = ["config", "hooks/post-receive", "objects/x", "refs/heads/main", "commondir", "modules/x/config"]
    obeyed += ["info/attributes", "info/exclude"]
    for path in obeyed:
        assert refusal(disk, "Write", file_path=f"mirror/{path}", content="x") is None
    (work / "mirror").mkdir()
    (work / "mirror" / "HEAD").write_text("ref: refs/heads/main")
    for path in obeyed:
        assert refusal(disk, "Write", file_path=f"mirror/{path}", content="x")
        assert refusal(disk, "Read", file_path=f"mirror/{path}") is None
    assert refusal(disk, "Write", file_path="mirror/main/app.py", content="x") is None


@pytest.mark.parametrize("left", ["config", "objects refs", "file"])
def test_a_file_tool_changes_no_repository_that_a_command_has_taken_the_head_from(disk: Path, left: str) -> None:
    work = disk / "allowed" / "work"
    (work / "data").mkdir()
    if left == "config":
        (work / "data" / "config").write_text("[core]\n\trepositoryformatversion = 0\n")
    elif left == "file":
        (work / ".git").write_text("gitdir: ./data\n")
    else:
        for name in left.split():
            (work / "data" / name).mkdir()
    for path in ("config", "hooks/post-receive", "modules/x/config", "info/attributes"):
        assert refusal(disk, "Write", file_path=f"data/{path}", content="x")
        assert refusal(disk, "Read", file_path=f"data/{path}") is None
    assert refusal(disk, "Write", file_path="src/hooks/app.ts", content="x") is None
