"""What a command of an agent's reaches, whatever the user's settings or the permission mode allow: tried with the real
Claude Code and its sandbox.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import openai
import psutil
import pytest
from anyio.abc import SocketAttribute, SocketStream

from claude_openai.claude_code.processes.scratch import Scratch
from claude_openai.core.agent import PermissionMode
from claude_openai.simulator import Answer, RecordedRequest, Replies, Reply, ToolUse
from tests.claude_code.conftest import Rig, Serve
from tests.claude_code.test_agent import SECRET, Site, asked, needs_sandbox, outcomes, results, site, uses
from tests.claude_code.test_agent_bounds import script
from tests.patience import PATIENCE_SECONDS
from tests.server.store.samples import until

pytestmark = pytest.mark.anyio

__all__ = ["site"]


class Listener:
    """An HTTP server of this machine, and whether anybody has connected to it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reached = 0

    async def answer(self, stream: SocketStream) -> None:
        async with stream:
            self.reached += 1
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                await stream.receive()
                await stream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\nreached")


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    made = Listener(listener.extra(SocketAttribute.local_port))  # noqa: S610 -- none of Django's
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, made.answer)
        yield made
        group.cancel_scope.cancel()


def ways_to(port: int) -> str:
    """A command that tries all that leads out of a sandbox with a proxy in it."""
    urls = [f"http://{host}:{port}/" for host in ("localhost", "127.0.0.1", "[::1]", "2130706433")]
    tries = [
        f"curl -sS -m 5 {options} '{url}'" for url in urls for options in ("", "-p", "-x $ALL_PROXY", "--noproxy '*'")
    ]
    tries.append(f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached")
    return "; ".join(["unset no_proxy NO_PROXY", *(f"({each})" for each in tries), "echo ran"])


def users_settings(site: Site, settings: dict[str, Any]) -> dict[str, str]:
    """A login whose user has these settings, from now on."""
    folder = site.root / "home" / ".claude"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(settings))
    return {"HOME": str(folder.parent), "CLAUDE_CONFIG_DIR": str(folder)}


def projects_settings(site: Site, settings: dict[str, Any]) -> None:
    (site.project / ".claude").mkdir(exist_ok=True)
    (site.project / ".claude" / "settings.json").write_text(json.dumps(settings))


@asynccontextmanager
async def office(
    serve: Serve, site: Site, login: dict[str, str], mode: PermissionMode = "default"
) -> AsyncIterator[Rig]:
    async with serve(
        login,
        allowed_working_directory_prefixes=(str(site.allowed),),
        allowed_permission_modes=(mode,),
        allowed_setting_sources=("user", "project"),
    ) as rig:
        yield rig


async def tried(rig: Rig, site: Site, command: str, **claude: Any) -> str:
    """What the model was told of `command`."""
    rig.plays(Replies(uses(ToolUse("Bash", {"command": command, "description": "try"}, id="bash")), "Done."))
    await asked(rig, site, "Go.", allowedTools=["Bash"], **claude)
    return str(rig.simulator.requests[-1].messages[-1]["content"])


def fetching(*hosts: str) -> dict[str, Any]:
    return {"permissions": {"allow": [f"WebFetch(domain:{host})" for host in hosts]}}


NETWORKS: dict[str, dict[str, Any]] = {
    "domains": {"sandbox": {"network": {"allowedDomains": ["localhost", "127.0.0.1", "*.localhost"]}}},
    "fetch": fetching("localhost", "127.0.0.1", "*"),
    "lenient": {"sandbox": {"network": {"strictAllowlist": False, "allowAllUnixSockets": True}}},
    "off": {"sandbox": {"enabled": False, "allowUnsandboxedCommands": True, "failIfUnavailable": False}},
    "weaker": {
        "sandbox": {
            "enableWeakerNestedSandbox": True,
            "enableWeakerNetworkIsolation": True,
            "allowNestedUserNamespaces": True,
            "filesystem": {"disabled": True},
        }
    },
}
"""Settings that would give commands the network."""


@needs_sandbox
@pytest.mark.proves("agent.commands.network")
async def test_no_settings_of_the_users_give_a_command_the_network(serve: Serve, site: Site) -> None:
    async with listening() as listener, office(serve, site, users_settings(site, {})) as rig:
        for name, settings in NETWORKS.items():
            users_settings(site, settings)
            told = await tried(rig, site, ways_to(listener.port), settingSources=["user"])
            assert ("ran" in told, listener.reached) == (True, 0), name


@needs_sandbox
@pytest.mark.proves("agent.commands.network")
@pytest.mark.parametrize("mode", ["bypassPermissions", "acceptEdits"])
async def test_no_mode_gives_a_command_the_network(serve: Serve, site: Site, mode: PermissionMode) -> None:
    """A superuser is refused the mode that asks for nothing, unless Claude Code is made to believe in a container."""
    async with listening() as listener, office(serve, site, {"IS_SANDBOX": "1"}, mode) as rig:
        told = await tried(rig, site, ways_to(listener.port), permissionMode=mode)
        assert "ran" in told
        assert listener.reached == 0


def opening(folder: Path) -> dict[str, dict[str, Any]]:
    """Settings that would let commands into `folder`, by what Claude Code merges from all sources."""
    return {
        "permissions.additionalDirectories": {"permissions": {"additionalDirectories": [str(folder)]}},
        "Edit": {"permissions": {"allow": ["Bash(ls *)", f"Edit(/{folder}/**)"]}},
        "Read": {"permissions": {"allow": [f"Read(/{folder}/**)"]}},
        "sandbox.filesystem.allowWrite": {"sandbox": {"filesystem": {"allowWrite": [str(folder)]}}},
        "sandbox.filesystem.allowRead": {"sandbox": {"filesystem": {"allowRead": [str(folder)]}}},
        "sandbox.network.httpProxyPort": {"sandbox": {"network": {"httpProxyPort": 8000}}},
        "sandbox.excludedCommands": {"sandbox": {"excludedCommands": ["make *", "bash *", "*"]}},
        "sandbox.ripgrep": {"sandbox": {"ripgrep": {"command": str(folder / "rg")}}},
        "sandbox.credentials.files": {"sandbox": {"credentials": {"files": [{"path": str(folder), "mode": "mask"}]}}},
        "sandbox.credentials.allowPlaintextInject": {"sandbox": {"credentials": {"allowPlaintextInject": True}}},
        "sandbox.unheardOf": {"sandbox": {"unheardOf": 1}},
    }


OVERRIDDEN: dict[str, dict[str, Any]] = {
    "filesystem": {"sandbox": {"filesystem": {"disabled": True, "allowManagedReadPathsOnly": False}}},
    "forbidding": {
        "sandbox": {
            "excludedCommands": [],
            "filesystem": {"denyRead": ["/srv"], "denyWrite": ["/srv"]},
            "credentials": {"envVars": [{"name": "X", "mode": "deny"}]},
        }
    },
    "off": {"sandbox": {"enabled": False, "allowUnsandboxedCommands": True, "failIfUnavailable": False}},
}
"""Settings that would let commands out of the sandbox, if ours were not above them, and such as only forbid."""

EXCLUDED = ("make *", "bash *", "*", "bash", "cat")
"""Patterns of `excludedCommands`: of a user's, the first three took a command out of the sandbox (measured)."""


@needs_sandbox
@pytest.mark.proves("agent.settings.widening")
async def test_a_request_that_the_users_settings_would_widen_is_refused(serve: Serve, site: Site) -> None:
    async with office(serve, site, users_settings(site, {})) as rig:
        for name, settings in opening(site.root).items():
            users_settings(site, settings)
            with pytest.raises(openai.PermissionDeniedError, match=re.escape(name)) as caught:
                await tried(rig, site, "echo ran", settingSources=["user"])
            assert caught.value.param == "claude.settingSources"


ELSEWHERE = ("~", "~/docs", "~ ", " ~/docs", "\u00a0{root}", "\ufeff{root}", "{root} ", "~root", "//{root}", "..", "\0")
"""Folders outside, also where Claude Code takes white space off both ends and expands `~` (measured)."""


@pytest.mark.proves("agent.settings.widening")
async def test_a_further_folder_of_the_users_settings_counts_as_claude_code_reads_it(serve: Serve, site: Site) -> None:
    async with office(serve, site, users_settings(site, {})) as rig:
        rig.plays(None)
        for named in ELSEWHERE:
            folders = [str(site.project), named.format(root=site.root)]
            users_settings(site, {"permissions": {"additionalDirectories": folders}})
            with pytest.raises(openai.PermissionDeniedError, match=r"permissions\.additionalDirectories\[1\] in "):
                await asked(rig, site, "Go.", settingSources=["user"])
        assert rig.simulator.requests == []


@pytest.mark.proves("agent.settings.widening")
async def test_a_further_folder_of_the_users_settings_may_be_one_of_the_work(serve: Serve, site: Site) -> None:
    home = site.project / "home"
    (home / "docs").mkdir(parents=True)
    login = users_settings(site, {"permissions": {"additionalDirectories": ["~/docs", ".", str(home)]}})
    async with office(serve, site, login | {"HOME": str(home)}) as rig:
        rig.plays(Replies("Done."))
        await asked(rig, site, "Go.", settingSources=["user"])
        assert len(rig.simulator.requests) == 1


VARIABLES = (
    *(
        "PATH",
        "BASH_ENV",
        "SHELL",
        "NODE_OPTIONS",
        "LD_PRELOAD",
        "GIT_CONFIG_COUNT",
        "HOME",
        "TMPDIR",
        "CLAUDE_CONFIG_DIR",
    ),
    *("CLAUDE_CODE_SIMPLE", "CLAUDE_CODE_SHELL", "CLAUDE_CODE_SHELL_PREFIX", "CLAUDE_CODE_TMPDIR"),
    *("IS_SANDBOX", "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "AWS_CONFIG_FILE", "NODE_EXTRA_CA_CERTS", "UNHEARD_OF"),
)


@pytest.mark.proves("agent.settings.widening")
async def test_a_variable_of_the_users_settings_that_claude_code_or_its_programs_would_obey_is_refused(
    serve: Serve, site: Site
) -> None:
    async with office(serve, site, users_settings(site, {})) as rig:
        rig.plays(None)
        for name in VARIABLES:
            users_settings(site, {"env": {"ANTHROPIC_MODEL": "sonnet", name: "1"}})
            with pytest.raises(openai.PermissionDeniedError, match=rf"env\.{name} in ") as caught:
                await asked(rig, site, "Go.", settingSources=["user"])
            assert caught.value.param == "claude.settingSources"
        assert rig.simulator.requests == []


HELPERS = {
    "apiKeyHelper": "{folder}/key.sh",
    "awsAuthRefresh": "sh -c 'cd /; ~/allowed/login.sh'",
    "otelHeadersHelper": "$HOME/allowed/headers --json",
    "gcpAuthRefresh": "./refresh",
}


@pytest.mark.proves("agent.settings.widening")
async def test_a_program_of_the_users_settings_that_agents_could_write_is_refused(serve: Serve, site: Site) -> None:
    async with office(serve, site, users_settings(site, {}) | {"HOME": str(site.root)}) as rig:
        rig.plays(None)
        for name, command in HELPERS.items():
            users_settings(site, {name: command.format(folder=site.allowed)})
            with pytest.raises(openai.PermissionDeniedError, match=f"{name} in "):
                await asked(rig, site, "Go.", settingSources=["user"])
        assert rig.simulator.requests == []


UNREADABLE = (
    "cd {root}; allowed/key",
    "{root}/all*/key",
    "{root}/'allowed'/key",
    '{root}/al"low"ed/key',
    "{root}/al\\lowed/key",
    "{root}/{{allowed,x}}/key",
    "$X/key",
    "'~/key'",
    "`echo x`",
    "sh -c /opt/key",
    "/usr/bin/env bash -ec /opt/key",
    "python3 -m key",
    "env -C {root} allowed/key",
    "env --chdir={root} allowed/key",
    "PATH=/usr/bin:{root}/allowed key",
    "/opt/key -f{root}/allowed/key",
    "/opt/key 'x",
    "sh key",
    "/opt/key\n{root}/allowed/key",
)
"""Helpers that a shell would lead to an allowed folder, or that cannot be read surely."""


@pytest.mark.proves("agent.settings.widening")
async def test_a_program_of_the_users_settings_that_cannot_be_read_surely_is_refused(serve: Serve, site: Site) -> None:
    (site.project / "key").write_text("")
    async with office(serve, site, users_settings(site, {})) as rig:
        rig.plays(None)
        for command in UNREADABLE:
            users_settings(site, {"apiKeyHelper": command.format(root=site.root)})
            with pytest.raises(openai.PermissionDeniedError, match=r"apiKeyHelper in .*plain path of a program"):
                await asked(rig, site, "Go.", settingSources=["user"])
        assert rig.simulator.requests == []


@pytest.mark.proves("agent.settings.widening")
async def test_a_plain_program_of_the_users_settings_outside_is_run(serve: Serve, site: Site) -> None:
    key = site.root / "home" / "key"
    login = users_settings(site, {}) | {"HOME": str(key.parent)}
    key.write_text("#!/bin/sh\necho key-of-the-helper\n")
    key.chmod(0o700)
    async with office(serve, site, login) as rig:
        for command in ("{key}", "~/key", "$HOME/key", "'{key}'", "{key} --region=eu-1 -v /etc/hosts 'two words' a@b"):
            users_settings(site, {"apiKeyHelper": command.format(key=key)})
            rig.plays(Replies("Done."))
            await asked(rig, site, "Go.", settingSources=["user"])
            assert len(rig.simulator.requests) == 1


@needs_sandbox
@pytest.mark.proves("agent.settings.widening")
@pytest.mark.parametrize("later", [False, True])
async def test_no_command_gets_a_variable_of_the_users_settings(serve: Serve, site: Site, later: bool) -> None:
    """Claude Code gives commands all of them (measured), a login among them."""
    variables = {"ANTHROPIC_CUSTOM_HEADERS": f"x-key: {SECRET}", "OTEL_EXPORTER_OTLP_HEADERS": f"key={SECRET}"}
    login = users_settings(site, {} if later else {"env": variables})
    replies = Replies(uses(ToolUse("Bash", {"command": "env; echo ran", "description": "try"}, id="bash")), "Done.")

    def answered(request: RecordedRequest) -> Answer:
        Path(login["CLAUDE_CONFIG_DIR"], "settings.json").write_text(json.dumps({"env": variables}))
        return replies(request)

    async with office(serve, site, login) as rig:
        rig.plays(answered)
        await asked(rig, site, "Go.", allowedTools=["Bash"], settingSources=["user"])
        sent = str(rig.simulator.requests[-1].messages)
    assert "ran" in sent
    assert SECRET not in sent


@needs_sandbox
@pytest.mark.proves("agent.settings.widening")
async def test_settings_that_the_user_changes_meanwhile_let_no_command_out(serve: Serve, site: Site) -> None:
    """Claude Code obeys the changed file at once, within a turn and between two (measured)."""
    login = users_settings(site, {})
    (site.project / "Makefile").write_text(f"all:\n\t@cat {site.secret}; echo escaped\n")
    replies = Replies(uses(ToolUse("Bash", {"command": "make all", "description": "try"}, id="bash")), "Done.")

    def changed_meanwhile(request: RecordedRequest) -> Answer:
        widening = {"sandbox": {"excludedCommands": ["make *"]}}
        Path(login["CLAUDE_CONFIG_DIR"], "settings.json").write_text(json.dumps(widening))
        return replies(request)

    async with office(serve, site, login) as rig:
        rig.plays(changed_meanwhile)
        await asked(rig, site, "Go.", allowedTools=["Bash"], settingSources=["user"])
        told = str(rig.simulator.requests[-1].messages[-1]["content"])
        assert "sandbox.excludedCommands" in told
        assert "escaped" not in told
        with pytest.raises(openai.PermissionDeniedError, match=r"sandbox\.excludedCommands"):
            await tried(rig, site, "make all", settingSources=["user"])


@needs_sandbox
@pytest.mark.proves("agent.settings.widening")
@pytest.mark.parametrize("source", ["user", "project"])
async def test_no_settings_let_a_command_out_of_the_sandbox(serve: Serve, site: Site, source: str) -> None:
    """The command is a plain one, since Claude Code excludes none with a pipe, a redirection or a variable in it."""
    (site.project / "go.sh").write_text(f"cat {site.secret}; echo x > {site.root}/new.txt; echo ran")
    (site.project / "Makefile").write_text("all:\n\t@sh go.sh\n")
    async with office(serve, site, users_settings(site, {})) as rig:
        for name in (*OVERRIDDEN, *EXCLUDED):
            settings = OVERRIDDEN.get(name) or {"sandbox": {"excludedCommands": [name]}}
            (users_settings if source == "user" else projects_settings)(site, settings)
            command = "make all" if name == "make *" else "bash go.sh"
            if source == "user" and name in EXCLUDED:
                with pytest.raises(
                    openai.PermissionDeniedError, match=r"sandbox\.excludedCommands in .*settings\.json"
                ):
                    await tried(rig, site, command, settingSources=[source])
                continue
            told = await tried(rig, site, command, settingSources=[source])
            assert ("ran" in told, SECRET in told) == (True, False), name
            assert not (site.root / "new.txt").exists()


@needs_sandbox
@pytest.mark.proves("agent.settings.widening")
async def test_a_projects_settings_open_nothing_to_commands(serve: Serve, site: Site) -> None:
    command = script(f"cat {site.secret}", f"echo x > {site.root}/new.txt", "echo ran")
    async with office(serve, site, {}) as rig:
        for name, settings in opening(site.root).items():
            projects_settings(site, settings)
            told = await tried(rig, site, command, settingSources=["project"])
            assert ("ran" in told, SECRET in told) == (True, False), name
            assert not (site.root / "new.txt").exists()


CONTROL = (
    *(".git", ".gitmodules", ".husky", ".envrc", ".mcp.json", ".vscode", ".idea", ".cursor", ".devcontainer"),
    *(".claude/settings.json", "HEAD"),
)
"""What makes git, Claude Code, a shell or an editor run commands."""


def making(folder: Path) -> Iterator[str]:
    """Lines that try to make all of it in `folder`, each in every way."""
    yield f"mkdir -p {folder}/elsewhere; cd {folder}; git init -q elsewhere; git init -q"
    yield "mv elsewhere/.git .git; cp -r elsewhere/.git .git; cp -r elsewhere/.git/. ."
    yield "printf 'gitdir: elsewhere/.git' > .git; mkdir .git; cp -r elsewhere/.git/. .git/"
    for path in CONTROL:
        yield f"mkdir -p $(dirname {path}); echo x > {path}; mkdir -p {path}"
        yield f"ln -s elsewhere {path}; mv elsewhere {path}"
        yield f"echo x > {path}/config; mv {path} moved; rm -rf {path}; mkdir -p {path}"
    yield "echo x > made.txt"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def there(folder: Path) -> list[str]:
    return [path for path in CONTROL if os.path.lexists(folder / path)]


@needs_sandbox
@pytest.mark.proves("agent.commands.control-files")
async def test_a_command_makes_nothing_that_is_obeyed_where_the_work_is(serve: Serve, site: Site) -> None:
    """And nothing of what the sandbox puts in its place is there afterwards."""
    more = site.allowed / "more"
    more.mkdir()
    folders = (site.project, more)
    lines = [line for folder in folders for line in making(folder)]
    async with office(serve, site, {}) as rig:
        assert "ran" in await tried(rig, site, script(*lines, "echo ran"), addDirs=[str(more)])
    for folder in folders:
        assert (folder / "made.txt").exists()
        assert there(folder) == []


@needs_sandbox
@pytest.mark.proves("agent.commands.control-files")
async def test_a_command_works_in_a_repository_and_changes_nothing_that_git_runs(serve: Serve, site: Site) -> None:
    git(site.project, "init")
    git(site.project, "config", "user.email", "a@b")
    git(site.project, "config", "user.name", "a")
    (site.project / "below").mkdir()
    before = (site.project / ".git" / "config").read_text()
    lines = (
        f"cd {site.project}; git add in.txt; git commit -qm first && echo committed",
        "git config core.fsmonitor evil; echo x >> .git/config; echo x > .git/hooks/pre-commit; mv .git/hooks other",
        "mv .git moved; rm -rf .git/hooks; echo x > .git/config.worktree; echo ran",
    )
    async with office(serve, site, {}) as rig:
        told = await tried(rig, site, script(*lines))
        below = await tried(rig, site, "git log --oneline", workingDirectory=str(site.project / "below"))
    assert "committed" in told
    assert "first" in below
    assert "ran" in told
    assert (site.project / ".git" / "config").read_text() == before
    assert not (site.project / ".git" / "hooks" / "pre-commit").exists()


def in_git(directory: Path) -> set[str]:
    """What git obeys in `directory`, one of its own, and what is written there, if anything is."""
    names = ("config", "config.worktree", "commondir", "hooks/pre-commit")
    return {
        f"{name}: {(directory / name).read_text()}"
        for name in names
        if (directory / name).exists() and (directory / name).read_text()
    }


def spoiling(directory: Path) -> Iterator[str]:
    """Lines that try to have git obey something else in `directory`."""
    for name in ("config", "config.worktree", "commondir", "hooks/pre-commit"):
        yield f"cd {directory}; echo ../evil > {name}; echo x > new; mv new {name}; rm -f {name}; ln -s evil {name}"
    yield f"cd {directory}; mv hooks other; mv ../{directory.name} ../moved"


@needs_sandbox
@pytest.mark.proves("agent.commands.control-files")
async def test_a_command_commits_in_a_repository_whatever_its_form_and_changes_nothing_that_git_obeys(
    serve: Serve, site: Site
) -> None:
    """Of one with a submodule and a worktree, and of that worktree."""
    person = ["-c", "user.email=a@b", "-c", "user.name=a", "-c", "protocol.file.allow=always"]
    part, main, tree = (site.allowed / name for name in ("part", "main", "tree"))
    for made in (part, main):
        git(site.allowed, "init", "-q", made.name)
        git(made, *person, "commit", "--allow-empty", "-qm", "first")
    git(main, *person, "submodule", "--quiet", "add", str(part), "part")
    git(main, *person, "commit", "-qam", "part")
    git(main, "worktree", "add", "-q", str(tree))
    directories = [main / ".git", main / ".git" / "modules" / "part", main / ".git" / "worktrees" / "tree"]
    before = [in_git(each) for each in directories]
    pointer = (tree / ".git").read_text()
    commit = "git -c user.email=a@b -c user.name=a commit --allow-empty -qm second && echo committed"
    spoiled = [line for each in directories for line in spoiling(each)]
    spoiled += [f"cd {tree}; echo 'gitdir: ../evil' > .git; mv .git moved; rm -f .git"]
    ready = [f"grep -v '^.$' {main}/.git/commondir {main}/.git/modules/part/commondir && echo spoiled"]
    async with office(serve, site, {}) as rig:
        for folder in (main, tree):
            told = await tried(
                rig, site, script(*spoiled, *ready, f"cd {folder}", commit, "echo ran"), workingDirectory=str(folder)
            )
            assert "committed" in told
            assert "spoiled" not in told
        assert "committed" in await tried(
            rig, site, script(f"cd {main}/part", commit), workingDirectory=str(main), addDirs=[str(main / "part")]
        )
    assert [in_git(each) for each in directories] == before
    assert (tree / ".git").read_text() == pointer
    for made in (main, tree, main / "part"):
        git(made, "status")
    assert {each.name for each in (main / ".git").iterdir() if not any(each.iterdir() if each.is_dir() else [1])} <= {
        *("branches", "refs")
    }


def kept(config: Path) -> list[Path]:
    return list(config.glob("projects/*/*/tool-results/*"))


@needs_sandbox
@pytest.mark.proves("agent.long-output")
async def test_output_that_is_too_long_is_read_by_the_agent_that_made_it_and_gone_with_it(
    serve: Serve, site: Site
) -> None:
    login = users_settings(site, {})
    config = Path(login["CLAUDE_CONFIG_DIR"])
    strangers = config / "projects" / "p" / str(uuid4()) / "tool-results"
    strangers.mkdir(parents=True)
    (strangers / "x.txt").write_text(SECRET)
    (config / "projects" / "p" / "x.jsonl").write_text(SECRET)

    def tries() -> Iterator[ToolUse]:
        yield ToolUse("Bash", {"command": "seq 20000", "description": "count"}, id="seq")
        (path,) = (each for each in kept(config) if not each.is_relative_to(strangers))
        neighbour = path.parents[2] / str(uuid4()) / "tool-results" / path.name
        neighbour.parent.mkdir(parents=True)
        neighbour.write_text(SECRET)
        yield ToolUse("Read", {"file_path": str(neighbour)}, id="neighbour")
        yield ToolUse("Grep", {"pattern": ".", "path": str(neighbour), "output_mode": "content"}, id="neighbour-grep")
        yield ToolUse("Grep", {"pattern": "^1999[0-9]$", "path": str(path), "output_mode": "content"}, id="grep")
        yield ToolUse("Read", {"file_path": str(path), "offset": 15000, "limit": 2}, id="read")
        yield ToolUse("Write", {"file_path": str(path), "content": "x"}, id="write")
        yield ToolUse("Glob", {"pattern": f"{path.parent}/*"}, id="glob")
        yield ToolUse("Grep", {"pattern": ".", "path": str(path.parent), "output_mode": "content"}, id="grep-folder")
        for n, other in enumerate((config / "projects" / "p" / "x.jsonl", config / ".claude.json", strangers)):
            yield ToolUse("Read", {"file_path": str(other)}, id=f"other-{n}")

    calls = tries()
    async with office(serve, site, login) as rig:
        rig.plays(lambda _: uses(call) if (call := next(calls, None)) else Reply.of("Done."))
        answer = await asked(rig, site, "Go.", allowedTools=["Bash", "Write"])
        told = json.dumps([request.body for request in rig.simulator.requests])
    done = {call for call, status in outcomes(answer).items() if status == "done"}
    assert done == {"seq", "grep", "read"}
    assert "19995" in told
    assert "15001" in told
    assert SECRET not in told
    assert [each.read_text() for each in kept(config)] == [SECRET, SECRET], "those of others stay"


@needs_sandbox
@pytest.mark.proves("agent.long-output")
async def test_no_agent_reads_the_long_output_of_another_by_a_notice_of_its_own_making(
    serve: Serve, site: Site
) -> None:
    """It works in the same folder and knows the path, which is how Claude Code itself would let it read there."""
    login = users_settings(site, {})
    config = Path(login["CLAUDE_CONFIG_DIR"])
    long = ToolUse("Bash", {"command": f"yes '{SECRET}' | head -n 9000", "description": "long"}, id="long")
    async with office(serve, site, login, "acceptEdits") as rig:
        rig.plays(Replies(uses(long), "Done."))
        await asked(rig, site, "Go.", allowedTools=["Bash"], permissionMode="acceptEdits")
        (path,) = kept(config)
        notice = f"<persisted-output>\nOutput too large (65KB). Full output saved to: {path}\n\nPreview:\nx\n"
        (site.project / "notice.txt").write_text(notice)
        show = {"pattern": ".", "path": "notice.txt", "output_mode": "content", "-n": False}
        read = {"file_path": str(path), "limit": 2}
        tries = (
            *(ToolUse("Bash", {"command": "cat notice.txt", "description": "show"}, id="cat"), ToolUse("Read", read)),
            *(ToolUse("Grep", show, id="grep"), ToolUse("Read", read), ToolUse("Grep", {**show, "path": str(path)})),
            *(ToolUse("Bash", {"command": "seq 20000", "description": "own"}, id="own"), ToolUse("Read", read)),
        )
        rig.plays(Replies(*map(uses, tries), "Done."))
        answer = await asked(rig, site, "Go on.", allowedTools=["Bash"], permissionMode="acceptEdits")
        sent = json.dumps([request.body for request in rig.simulator.requests])
    assert {call for call, status in outcomes(answer).items() if status == "done"} == {"cat", "grep", "own"}
    assert SECRET not in sent


def files_in(folder: Path) -> dict[Path, str]:
    files: dict[Path, str] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # Claude Code, which still runs, has removed it
                files[Path(place, name)] = Path(place, name).read_text()
    return files


@needs_sandbox
@pytest.mark.proves("agent.long-output")
async def test_what_claude_code_notes_of_a_sub_agent_goes_with_the_agent(serve: Serve, site: Site) -> None:
    """The notes have what the sub-agent was asked for, in a few words (measured)."""
    login = users_settings(site, {})
    projects = Path(login["CLAUDE_CONFIG_DIR"], "projects")
    helper = ToolUse("Agent", {"description": SECRET, "prompt": "x", "subagent_type": "general-purpose"}, id="helper")
    async with office(serve, site, login) as rig:
        rig.plays(Replies(uses(helper), "Help.", "Done."))
        await asked(rig, site, "Go.")
        await until(lambda: any(SECRET in text for text in files_in(projects).values()))
    assert files_in(projects) == {}


@pytest.mark.proves("agent.long-output")
def test_what_an_agent_kept_goes_with_the_folder_of_a_server_that_was_killed(tmp_path: Path) -> None:
    """A sweep removes what is on record there, and nothing that is not of its form."""
    own = tmp_path / "projects" / "p" / str(uuid4()) / "tool-results"
    others = tmp_path / "projects" / "p" / "memory" / "tool-results"
    for folder in (own, others):
        folder.mkdir(parents=True)
        (folder / "x.txt").write_text("x")
    scratch = Scratch(tmp_path)
    scratch.long_output.write_text(f"{own}\n{others}\n{tmp_path}\nrelative\n")
    scratch.remove_long_output()
    assert not own.parent.exists()
    assert (others / "x.txt").exists()


@needs_sandbox
@pytest.mark.proves("agent.commands.apart")
@pytest.mark.parametrize("kind", ["a link to another place", "another folder"])
async def test_no_command_runs_in_a_folder_that_was_replaced_while_the_session_lives(
    serve: Serve, site: Site, kind: str
) -> None:
    folder, aside, outside = site.allowed / "swapped", site.allowed / "aside", site.root / "outside-of-it"
    folder.mkdir()
    outside.mkdir()
    (outside / "secret").write_text(SECRET)

    def swap() -> None:
        folder.rename(aside)
        if kind == "another folder":
            folder.mkdir()
        else:
            folder.symlink_to(outside)

    look = ToolUse("Bash", {"command": "cat secret; touch made; echo ran", "description": "look"}, id="look")
    async with office(serve, site, {}) as rig:

        def play(request: RecordedRequest) -> Reply:
            if "tool_result" in str(request.messages[-1]["content"]):
                return Reply.of("Done.")
            swap()  # the process runs by now
            return uses(look)

        rig.plays(play)
        await asked(rig, site, "Go.", workingDirectory=str(folder), allowedTools=["Bash"])
    told = results(rig)
    assert "has been moved or replaced" in told
    assert SECRET not in told
    assert not (outside / "made").exists()


@needs_sandbox
@pytest.mark.proves("agent.commands.placeholders")
async def test_what_the_sandbox_put_in_a_home_goes_with_a_claude_code_that_is_killed(serve: Serve, site: Site) -> None:
    home = site.allowed / "home"
    home.mkdir()
    ready = home / "ready"
    os.mkfifo(ready)
    (home / ".profile").touch(0o444)
    (home / ".zshrc").mkdir()
    async with office(serve, site, {"HOME": str(home)}) as rig:
        command = ToolUse(
            "Bash", {"command": script(f"echo x > {ready}", "sleep 60"), "description": "wait"}, id="wait"
        )
        rig.plays(Replies(uses(command)))
        async with anyio.create_task_group() as group:
            group.start_soon(fails, rig, site, str(home))
            with anyio.fail_after(PATIENCE_SECONDS):
                await anyio.to_thread.run_sync(ready.read_text, abandon_on_cancel=True)
            assert (home / ".bashrc").exists()
            assert (home / ".config" / "gh").exists()
            os.kill(running(), signal.SIGKILL)
    made_by_claude_code = {".cache", ".claude", ".claude.json", ".config", ".npm", ".ssh"}
    assert {each.name for each in home.iterdir()} - made_by_claude_code == {"ready", ".profile", ".zshrc"}
    assert not (home / ".config" / "gh").exists()


def running() -> int:
    """The one Claude Code that a server here has started."""
    found: list[int] = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # another program that ends just now
            found += [child.pid] if child.name() == "claude" else []
    (pid,) = found
    return pid


async def fails(rig: Rig, site: Site, folder: str) -> None:
    with pytest.raises(openai.InternalServerError):
        await asked(rig, site, "Go.", workingDirectory=folder, allowedTools=["Bash"])


@needs_sandbox
@pytest.mark.proves("agent.commands.repositories")
async def test_commands_in_a_worktree_reach_no_repository_outside(serve: Serve, site: Site) -> None:
    """Claude Code opens the main repository to them, as git has to write there. An allowed one stays open."""
    for place, name in ((site.root, "outside"), (site.allowed, "inside")):
        main = place / f"{name}-main"
        main.mkdir()
        git(main, "init")
        git(main, "-c", "user.email=a@b", "-c", "user.name=a", "commit", "--allow-empty", "-m", "first")
        git(main, "worktree", "add", str(site.allowed / name))
    repository = site.root / "outside-main" / ".git"
    (repository / "description").write_text(SECRET)
    lines = (f"cat {repository}/description", f"echo x > {repository}/made", "git log", "echo x > made.txt", "echo ran")
    async with office(serve, site, {}) as rig:
        told = await tried(rig, site, script(*lines), workingDirectory=str(site.allowed / "outside"))
        inside = await tried(rig, site, "git log --oneline", workingDirectory=str(site.allowed / "inside"))
    assert "ran" in told
    assert SECRET not in told
    assert not (repository / "made").exists()
    assert (site.allowed / "outside" / "made.txt").exists()
    assert "first" in inside


ALONE = "mkdir held || echo OVER''LAP; echo before $(ls)!; sleep 2; echo after $(ls)!; rmdir held"


@needs_sandbox
@pytest.mark.proves("agent.commands.apart")
async def test_no_command_and_no_file_tool_uses_a_folder_in_which_a_command_runs(serve: Serve, site: Site) -> None:
    """A command could replace a folder in which another sandbox is just being made, or a file is just being opened:
    here two of an agent's own sub-agents run one each, while another agent writes a file.
    """
    helper = {"description": "help", "prompt": "HELP", "subagent_type": "general-purpose"}
    written = {"file_path": str(site.project / "written"), "content": "x"}

    def play(request: RecordedRequest) -> Reply:
        said = json.dumps(request.messages)
        if "tool_result" in said or "Hello" in said:
            return Reply.of("Done.")
        if "HELP" in said:
            return uses(ToolUse("Bash", {"command": ALONE, "description": "run"}, id=f"bash-{uuid4().hex}"))
        return uses(ToolUse("Agent", helper, id="first"), ToolUse("Agent", helper, id="second"))

    def play_again(request: RecordedRequest) -> Reply:
        said = json.dumps(request.messages)
        return (
            uses(ToolUse("Write", written, id="w")) if "WRITE" in said and "tool_result" not in said else play(request)
        )

    options: dict[str, Any] = {"permissionMode": "acceptEdits", "allowedTools": ["Bash"]}
    async with office(serve, site, {}, "acceptEdits") as rig:
        rig.plays(play)
        await asked(rig, site, "Hello.", **options)
        rig.simulator.script = play_again
        hello = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Done."}]
        async with anyio.create_task_group() as group:
            group.start_soon(partial(asked, rig, site, "Delegate.", **options))
            await until((site.project / "held").exists)
            await asked(rig, site, [*hello, {"role": "user", "content": "WRITE"}], **options)
        told = results(rig)
    assert (site.project / "written").exists()
    assert "OVERLAP" not in told
    seen = re.findall(r"before ([^!]*)!.{1,4}after ([^!]*)!", told)
    assert len(seen) >= 2
    assert all(before == after for before, after in seen)


@needs_sandbox
@pytest.mark.proves("agent.commands.apart", "agent.refused")
async def test_no_process_starts_in_a_folder_in_which_a_command_runs(serve: Serve, site: Site) -> None:
    """The command could replace the folder, and Claude Code would run git where a link leads."""
    ran, held, below = "mkdir held; sleep 3; rmdir held", site.project / "held", site.project / "below"
    seen: list[bool] = []
    below.mkdir()

    def play(request: RecordedRequest) -> Reply:
        said = json.dumps(request.messages)
        if "SECOND" in said:
            seen.append(held.exists())
        if "SECOND" in said or "tool_result" in said:
            return Reply.of("Done.")
        return uses(ToolUse("Bash", {"command": ran, "description": "run"}, id="run"))

    odd = site.project / r"d\e"
    odd.mkdir()
    async with office(serve, site, {}) as rig:
        rig.plays(play)
        with pytest.raises(openai.PermissionDeniedError, match="backslash"):
            await asked(rig, site, "SECOND", workingDirectory=str(odd))
        async with anyio.create_task_group() as group:
            group.start_soon(partial(asked, rig, site, "FIRST", allowedTools=["Bash"]))
            await until(held.exists)
            await asked(rig, site, "SECOND", workingDirectory=str(below))
    assert seen == [False]


@needs_sandbox
@pytest.mark.proves("agent.commands.apart", "agent.workspace.git-directories")
async def test_a_pipe_that_a_command_left_where_git_has_a_file_stops_nobody(serve: Serve, site: Site) -> None:
    async with office(serve, site, {}) as rig:
        pipes = [site.project / "one" / ".git", site.project / "two" / ".git" / "HEAD"]
        made = "mkdir -p one two/.git/refs two/.git/objects; mkfifo one/.git two/.git/HEAD"
        await tried(rig, site, script(made))
        assert all(pipe.is_fifo() for pipe in pipes)
        rig.plays(None)
        for folder in ("one", "two"):
            await asked(rig, site, "Hi.", workingDirectory=str(site.project / folder))


@contextmanager
def ended_process() -> Iterator[int]:
    """A process whose links in /proc can be seen and not be read, like those of other users' processes."""
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        yield process.pid


@needs_sandbox
@pytest.mark.proves("agent.commands.apart", "agent.workspace")
async def test_no_command_runs_while_an_allowed_folder_is_a_link(serve: Serve, site: Site) -> None:
    """A command can replace one that lies in another allowed folder. A sandbox would open what the link leads to."""
    shop, inn, nested = site.allowed / "shop", site.allowed / "inn", site.allowed / "shop" / "below" / "nested"
    for folder in (inn, nested):
        folder.mkdir(parents=True)
    (site.allowed / "secret").write_text(SECRET)
    async with serve({}, allowed_working_directory_prefixes=(str(shop), str(inn), str(nested))) as rig:
        nested.rmdir()
        with ended_process() as pid:
            for target in ("../..", "nested", f"/proc/{pid}/cwd"):
                nested.symlink_to(target)
                with pytest.raises(openai.PermissionDeniedError) as caught:
                    await asked(rig, site, "Hi.", workingDirectory=str(nested))
                assert str(nested) in caught.value.message
                command = f"ls {site.allowed}; cat {site.allowed}/secret"
                told = await tried(rig, site, command, workingDirectory=str(inn))
                assert f"{nested} has been moved or replaced" in told
                assert SECRET not in told
                nested.unlink()
        nested.mkdir()
        assert "ran" in await tried(rig, site, "echo ran", workingDirectory=str(inn))
