"""What an agent leaves alone where it may work: tried with the real Claude Code, its file tools and its commands."""

import os
import shutil
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import anyio
import openai
import pytest

from claude_openai.simulator import Replies, ToolUse
from tests.claude_code.conftest import Rig, Serve
from tests.claude_code.test_agent import SECRET, Site, asked, needs_sandbox, outcomes, results, uses
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

FORBIDDEN = (
    *(".ssh/authorized_keys", ".aws/config", ".config/gh/hosts.yml", ".npmrc", ".cargo/credentials.toml"),
    *(".bashrc", ".profile", ".gitconfig", ".config/systemd/user/a.service", ".config/autostart/a.desktop"),
    *(
        ".local/bin/git",
        ".xsessionrc",
        ".config/sway/config",
        ".gdbinit",
        ".curlrc",
        "tools/git",
        "project/.env",
        "project/server.log",
        "project/server.log.1",
        "project/runs/x",
    ),
)
"""In the home: what signs in, what is run, what is the server's. None of it is there, but for the first of the last."""

SOURCED = ("project/.vscode/tasks.json", "project/.git/hooks/pre-commit", "project/.envrc", "project/a/.husky/pre-push")
"""In the project: what file tools do not write. Commands do, but for the editor's and git's own at the top."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """One that may be used whole, with a project in it."""
    made = tmp_path.resolve() / "home"
    (made / "project").mkdir(parents=True)
    (made / "tools").mkdir()
    (made / "project" / ".env").write_text(SECRET)
    (made / "project" / "in.txt").write_text("What is known to everybody\n")
    return made


@pytest.fixture
async def at_home(serve: Serve, home: Path) -> AsyncIterator[Rig]:
    login = {"HOME": str(home), "PATH": f"{home / 'tools'}:.:{os.environ['PATH']}"}
    project = home / "project"
    async with serve(
        login,
        allowed_working_directory_prefixes=(str(home),),
        private_paths=(str(project / ".env"),),
        log_file=str(project / "server.log"),
        data_dir=str(project / "runs"),
    ) as rig:
        rig.plays(None)
        yield rig
        with anyio.fail_after(PATIENCE_SECONDS):
            await rig.gateway.until_idle()
            await rig.gateway.close_idle_sessions()


def script(*lines: str) -> str:
    """A command that runs `lines` though nobody can read them in it."""
    hidden = b64encode("\n".join(lines).encode()).decode()
    return f'sh -c "$(printf %s {hidden} | base64 -d)"; true'


def made(home: Path) -> set[str]:
    return {path for path in (*FORBIDDEN, *SOURCED) if (home / path).exists()}


def make_repository(folder: Path, marks: Path) -> None:
    """One with something to look at for git, that has git run all it can, each of which leaves a mark."""
    (folder / "hooks").mkdir(parents=True)
    for arguments in (
        ["init"],
        ["-c", "user.email=a@b", "-c", "user.name=a", "commit", "--allow-empty", "-m", "first"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    (folder / "a.txt").write_text("x")
    subprocess.run(["git", "add", "."], cwd=folder, check=True, capture_output=True)
    (folder / "a.txt").write_text("y")
    shutil.copytree(folder / ".git", folder / "part" / ".git")
    with (folder / "part" / ".git" / "config").open("a") as config:
        config.write(f'[core]\nfsmonitor = "touch {marks}/part; false"\n')
    subprocess.run(["git", "add", "part"], cwd=folder, check=True, capture_output=True)
    os.utime(folder / "a.txt", (1, 1))
    (folder / ".gitattributes").write_text("*.txt filter=evil diff=evil\n")
    run = {
        "core": ("fsmonitor", "sshCommand", "askPass", "pager", "gitProxy", "alternateRefsCommand"),
        'filter "evil"': ("clean", "smudge", "process"),
        'diff "evil"': ("textconv", "command"),
        "diff": ("external",),
    }
    lines = [f'[{part}]\n{name} = "touch {marks}/{name}; cat"' for part, names in run.items() for name in names]
    (folder / "evil").write_text("\n".join([*lines, f"[core]\nhooksPath = {folder}/hooks\n"]))
    with (folder / ".git" / "config").open("a") as config:
        config.write("[include]\n path = ../evil\n")
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        (folder / "hooks" / name).write_text(f"#!/bin/sh\ntouch {marks}/{name}\n")
        (folder / "hooks" / name).chmod(0o755)


@needs_sandbox
@pytest.mark.proves("agent.bounds.logins", "agent.bounds.run", "agent.bounds.own")
async def test_nothing_that_signs_in_or_is_run_or_is_the_servers_can_be_made_or_read(at_home: Rig, home: Path) -> None:
    site = Site(home)
    by_tool = [
        ToolUse("Write", {"file_path": str(home / path), "content": "x"}, id=f"write-{n}")
        for n, path in enumerate((*FORBIDDEN, *SOURCED))
    ]
    by_tool += [
        ToolUse("Read", {"file_path": ".env"}, id="read"),
        ToolUse("Read", {"file_path": "./.ENV\n"}, id="read-space"),
        ToolUse("Edit", {"file_path": ".env", "old_string": "What", "new_string": "x"}, id="edit"),
        ToolUse("Grep", {"pattern": "nobody", "output_mode": "content", "path": ".env"}, id="grep"),
    ]
    lines = [f"mkdir -p $(dirname {home / path}); echo x > {home / path}" for path in FORBIDDEN]
    lines += [f"mv {home}/tools {home}/other", f"ln -s {home} {home}/.docker", f"cat {home}/project/.env", "echo ran"]
    commands = ToolUse("Bash", {"command": script(*lines), "description": "try"}, id="bash")
    search = ToolUse("Grep", {"pattern": "know", "output_mode": "content"}, id="search")
    at_home.plays(Replies(*map(uses, by_tool), uses(search), uses(commands), "Done."))
    everything = ["Read", "Write", "Edit", "Grep", "Bash"]
    answer = await asked(
        at_home, site, "Go.", workingDirectory=str(home / "project"), addDirs=[str(home)], allowedTools=everything
    )
    assert {call for call, status in outcomes(answer).items() if status == "done"} == {"search", "bash"}
    assert made(home) - {".gitconfig"} == {"project/.env"}
    assert (home / ".gitconfig").read_text() == "", "Claude Code's own, as long as it runs"
    assert not (home / ".docker").is_symlink()
    assert (home / "tools").is_dir()
    told = results(at_home)
    assert "What is known to everybody" in told
    assert "ran" in told
    assert SECRET not in told


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
@pytest.mark.proves("agent.bounds.git")
async def test_claude_codes_own_git_runs_nothing_that_a_repository_brings(at_home: Rig, home: Path) -> None:
    """An agent can make any repository, and name it as the next working directory."""
    repository, marks = home / "project" / "made", home / "marks"
    marks.mkdir()
    make_repository(repository, marks)
    write = uses(ToolUse("Write", {"file_path": "c.txt", "content": "x"}, id="write"))
    at_home.plays(Replies(write, "Done."))
    answer = await asked(at_home, Site(home), "Go.", workingDirectory=str(repository), permissionMode="acceptEdits")
    assert outcomes(answer) == {"write": "done"}
    assert not list(marks.iterdir())


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
@pytest.mark.proves("agent.bounds.git")
async def test_claude_codes_own_git_sends_the_model_nothing_of_a_repository_elsewhere(at_home: Rig, home: Path) -> None:
    """A command can make a folder whose repository, or list of ignored files, is a link to another place."""
    outside, inside = home.parent / "outside", home / "project" / "made"
    inside.mkdir()
    run = partial(subprocess.run, check=True, capture_output=True)
    run(["git", "init", "--initial-branch=known-outside", str(outside)])
    run(["git", "-C", str(outside), "-c", "user.name=x", "-c", "user.email=x", "commit", "--allow-empty", "-m", SECRET])
    (inside / ".git").write_text(f"gitdir: {outside / '.git'}\n")
    at_home.plays(None)
    await asked(at_home, Site(home), "Go.", workingDirectory=str(inside))
    sent = results(at_home)
    assert str(inside) in sent
    assert "known-outside" not in sent
    assert SECRET not in sent


@pytest.mark.proves("agent.settings.sources", "agent.refused")
async def test_a_projects_settings_load_only_where_the_server_says_so(serve: Serve, at_home: Rig, home: Path) -> None:
    """A parent's CLAUDE.md is read too, wherever it lies; what one imports from elsewhere is not."""
    site = Site(home)
    with pytest.raises(openai.PermissionDeniedError) as caught:
        await asked(at_home, site, "Go.", workingDirectory=str(home / "project"), settingSources=["project"])
    assert caught.value.param == "claude.settingSources"
    assert "--allowed-setting-sources" in caught.value.message

    (home.parent / "CLAUDE.md").write_text("Words of a parent")
    (home.parent / "other.md").write_text("Words from elsewhere")
    (home / "project" / "CLAUDE.md").write_text(f"Words of the project\n@{home.parent}/other.md\n@../../other.md\n")
    settings = {"allowed_working_directory_prefixes": (str(home),), "allowed_setting_sources": ("project",)}
    async with serve({"HOME": str(home)}, **settings) as rig:
        rig.plays(Replies("Done."))
        await asked(rig, site, "Go.", workingDirectory=str(home / "project"), settingSources=["project"])
        told = results(rig)
    assert "Words of the project" in told
    assert "Words of a parent" in told
    assert "Words from elsewhere" not in told
