"""What a command of an agent's does to repositories where it works, however they got there: tried with the real Claude
Code and its sandbox.
"""

from collections.abc import Callable
from pathlib import Path

import openai
import pytest

from claude_openai.simulator import Answer, RecordedRequest, Replies, ToolUse
from tests.claude_code.conftest import Rig, Serve
from tests.claude_code.test_agent import Site, asked, needs_sandbox, site, uses
from tests.claude_code.test_agent_bounds import script
from tests.claude_code.test_agent_commands import git, in_git, office, spoiling, tried

pytestmark = [pytest.mark.anyio, needs_sandbox]

__all__ = ["site"]

PERSON = ("-c", "user.email=a@b", "-c", "user.name=a", "-c", "protocol.file.allow=always")

COMMIT = "git -c user.email=a@b -c user.name=a commit --allow-empty -qm more && echo committed"


def repository(folder: Path, *arguments: str) -> Path:
    """A repository with a commit in it."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", *arguments)
    git(folder, *PERSON, "commit", "--allow-empty", "-qm", "first")
    return folder


async def tried_after(rig: Rig, site: Site, meanwhile: Callable[[], object], command: str) -> str:
    """What the model is sent of `command`, which it calls for once it has run another one and `meanwhile` is over."""
    first = uses(ToolUse("Bash", {"command": "true", "description": "first"}, id="first"))
    then = uses(ToolUse("Bash", {"command": command, "description": "try"}, id="try"))
    replies = Replies(first, then, "Done.")

    def answered(request: RecordedRequest) -> Answer:
        if len(rig.simulator.requests) == 2:
            meanwhile()
        return replies(request)

    rig.plays(answered)
    await asked(rig, site, "Go.", allowedTools=["Bash"])
    return str(rig.simulator.requests[-1].messages)


def left_by_a_sandbox(directory: Path) -> set[str]:
    names = ("commondir", "config.worktree", "config.lock", "glab-cli", "remotes", "modules")
    return {name for name in names if (directory / name).exists()}


@pytest.mark.proves("agent.commands.repositories")
async def test_a_repository_that_is_made_while_a_session_lives_is_protected_from_its_next_command(
    serve: Serve, site: Site
) -> None:
    directory = site.project / ".git"

    def meanwhile() -> None:
        repository(site.project)
        made.append(in_git(directory))

    made: list[set[str]] = []
    lines = (*spoiling(directory), f"cd {site.project}", "git status && echo works", COMMIT)
    async with office(serve, site, {}) as rig:
        sent = await tried_after(rig, site, meanwhile, script(*lines))
        assert in_git(directory) - {"commondir: .\n"} == made[0]
    assert "works" in sent
    assert "committed" in sent
    assert in_git(directory) == made[0]
    assert left_by_a_sandbox(directory) == set()


@pytest.mark.proves("agent.commands.repositories")
@pytest.mark.parametrize("others", [0, 1])
async def test_a_submodule_that_is_added_while_a_session_lives_is_protected_from_its_next_command(
    serve: Serve, site: Site, others: int
) -> None:
    """The first one needs a new process, which the next message gets."""
    part = repository(site.allowed / "part")
    repository(site.project)
    if others:
        git(site.project, *PERSON, "submodule", "--quiet", "add", str(part), "other")
    directory = site.project / ".git" / "modules" / "part"

    def meanwhile() -> None:
        git(site.project, *PERSON, "submodule", "--quiet", "add", str(part), "part")
        made.append(in_git(directory))

    made: list[set[str]] = []
    command = script(*spoiling(directory), f"cd {site.project}/part", COMMIT)
    async with office(serve, site, {}) as rig:
        sent = await tried_after(rig, site, meanwhile, command)
        if not others:
            assert "Commands can be run again from the next user message on" in sent
            said = [{"role": "user", "content": "Go."}, {"role": "assistant", "content": "I try.\n\nI try.\n\nDone."}]
            rig.plays(Replies(uses(ToolUse("Bash", {"command": command, "description": "try"}, id="again")), "Done."))
            await asked(rig, site, [*said, {"role": "user", "content": "Again."}], allowedTools=["Bash"])
            sent = str(rig.simulator.requests[-1].messages)
        assert in_git(directory) - {"commondir: .\n"} == made[0]
    assert "committed" in sent
    assert left_by_a_sandbox(directory) == left_by_a_sandbox(directory.parents[1]) - {"modules"} == set()


@pytest.mark.proves("agent.commands.repositories")
@pytest.mark.parametrize("initialised", [(), ("one",)])
async def test_a_command_makes_no_repository_for_a_submodule_that_is_not_there_yet(
    serve: Serve, site: Site, initialised: tuple[str, ...]
) -> None:
    """`git submodule update` would use what it finds, with the configuration and hooks that are in it."""
    part, above = repository(site.allowed / "part"), repository(site.allowed / "above")
    for name in ("one", "deep/two"):
        git(above, *PERSON, "submodule", "--quiet", "add", str(part), name)
    git(above, *PERSON, "commit", "-qm", "parts")
    git(site.project, "clone", "-q", str(above), "main")
    main = site.project / "main"
    for name in initialised:
        git(main, *PERSON, "submodule", "--quiet", "update", "--init", name)
    lines = [f"cd {main}"]
    for name in ("one", "deep/two"):
        lines += [f"mkdir -p .git/modules/{name}", f"cp -r .git/objects .git/refs .git/HEAD .git/modules/{name}"]
        lines += [f"echo x > .git/modules/{name}/config; mkdir .git/modules/{name}/hooks"]
    lines += ["mv .git/modules other", COMMIT]
    async with office(serve, site, {}) as rig:
        assert "committed" in await tried(rig, site, script(*lines), workingDirectory=str(main))
    made = {str(head.parent.relative_to(main / ".git" / "modules")) for head in main.glob(".git/modules/**/HEAD")}
    assert {each for each in made if "logs" not in each and "refs" not in each} == set(initialised)
    git(main, *PERSON, "submodule", "--quiet", "update", "--init")
    git(main, "status")


@pytest.mark.proves("agent.commands.repositories")
async def test_a_repository_whose_head_one_agent_has_taken_away_is_protected_from_the_next(
    serve: Serve, site: Site
) -> None:
    """Commands may write a `HEAD`, and without one git knows no repository."""
    part, main = repository(site.allowed / "part"), repository(site.project)
    git(main, *PERSON, "submodule", "--quiet", "add", str(part), "part")
    directories = (main / ".git", main / ".git" / "modules" / "part")
    before = [in_git(each) for each in directories]
    async with office(serve, site, {}) as rig:
        await tried(rig, site, script(*(f"mv {each}/HEAD {each}/kept" for each in directories)))
        assert not (main / ".git" / "HEAD").exists()
        await tried(rig, site, script(*(line for each in directories for line in spoiling(each))))
        await tried(rig, site, script(*(f": > {each}/HEAD" for each in directories)))
        await tried(rig, site, script(*(line for each in directories for line in spoiling(each))))
    for each in directories:
        (each / "kept").rename(each / "HEAD")
    assert [in_git(each) for each in directories] == before


LINKS = (".git", ".vscode", ".envrc", ".claude", ".mcp.json", "HEAD", ".gitmodules", ".husky", ".git/hooks")


@pytest.mark.proves("agent.commands.repositories")
async def test_no_command_runs_where_a_protected_name_is_a_symbolic_link(serve: Serve, site: Site) -> None:
    """A command could move the link away and make the name anew (measured), whether it leads anywhere or not."""
    async with office(serve, site, {}) as rig:
        for number, name in enumerate(LINKS):
            folder = site.allowed / str(number)
            (folder / name).parent.mkdir(parents=True)
            (folder / name).symlink_to(site.allowed / "elsewhere")
            sent = await tried(rig, site, f"mv {name} moved; echo ran", workingDirectory=str(folder))
            assert f"{name} is a symbolic link" in sent
            assert (folder / name).is_symlink()
            assert not (folder / "moved").is_symlink()


@pytest.mark.proves("agent.commands.repositories")
async def test_nothing_is_made_where_a_git_directory_that_is_a_link_leads(serve: Serve, site: Site) -> None:
    outside = site.root / "keys"
    outside.mkdir()
    (outside / "id").touch()
    (site.allowed / "link").mkdir()
    (site.allowed / "link" / ".git").symlink_to(outside)
    (site.project / "real").symlink_to(outside)
    (site.project / ".git").write_text("gitdir: real\n")
    async with office(serve, site, {}) as rig:
        for folder, named in ((site.allowed / "link", ".git"), (site.project, "real")):
            told = await tried(rig, site, "touch .git/x; echo ran", workingDirectory=str(folder))
            assert f"{named} is a symbolic link" in told
            assert [each.name for each in outside.iterdir()] == ["id"]
    assert [each.name for each in outside.iterdir()] == ["id"]


@pytest.mark.proves("agent.commands.repositories")
async def test_a_command_in_a_worktree_changes_nothing_that_git_obeys_in_the_main_repository(
    serve: Serve, site: Site
) -> None:
    main, tree = repository(site.allowed / "main"), site.allowed / "tree"
    git(main, "worktree", "add", "-q", str(tree))
    directory = main / ".git"
    before = in_git(directory)
    lines = (
        *spoiling(directory),
        f"mkdir -p {directory}/modules/x",
        f"cd {tree}",
        COMMIT,
        f"cat {directory}/commondir",
    )
    async with office(serve, site, {}) as rig:
        sent = await tried(rig, site, script(*lines), workingDirectory=str(tree))
        git(main, "status")
        assert in_git(directory) - {"commondir: .\n"} == before
    assert "committed" in sent
    assert in_git(directory) == before
    for each in (directory, directory / "worktrees" / "tree"):
        assert left_by_a_sandbox(each) - {"commondir"} == set()
    assert not (directory / "commondir").exists()
    git(tree, "status")


@pytest.mark.proves("agent.commands.repositories")
async def test_a_worktree_that_is_made_of_the_folder_while_a_session_lives_gets_a_new_process(
    serve: Serve, site: Site
) -> None:
    main = repository(site.allowed / "main")

    def meanwhile() -> None:
        (site.project / "in.txt").unlink()
        (site.project / "link").unlink()
        (site.project / ".claude").rename(site.allowed / "moved")
        git(main, "worktree", "add", "-q", str(site.project))

    async with office(serve, site, {}) as rig:
        sent = await tried_after(rig, site, meanwhile, f"mkdir -p {main}/.git/worktrees/project/modules/x && echo made")
    assert "Commands can be run again from the next user message on" in sent
    assert not (main / ".git" / "worktrees" / "project" / "modules").exists()


@pytest.mark.proves("agent.commands.repositories")
async def test_in_a_repository_with_more_folders_of_submodules_than_are_looked_at_commands_write_none(
    serve: Serve, site: Site
) -> None:
    repository(site.project)
    for number in range(1_001):
        (site.project / ".git" / "modules" / str(number)).mkdir(parents=True)
    async with office(serve, site, {}) as rig:
        sent = await tried(
            rig, site, script(f"cd {site.project}; mkdir .git/modules/x; echo x > .git/modules/7/HEAD", COMMIT)
        )
    assert "committed" in sent
    assert not (site.project / ".git" / "modules" / "x").exists()
    assert not (site.project / ".git" / "modules" / "7" / "HEAD").exists()


@pytest.mark.proves("agent.workspace.git-directories")
async def test_no_agent_works_in_a_git_directory(serve: Serve, site: Site) -> None:
    repository(site.project)
    git(site.allowed, "init", "-q", "--bare", "bare")
    async with office(serve, site, {}) as rig:
        rig.plays(Replies("Done."))
        for inside in ("bare", "bare/hooks", "project/.git", "project/.git/hooks", "project/.git/objects"):
            folder = site.allowed / inside
            folder.mkdir(exist_ok=True)
            for claude, param in (
                ({"workingDirectory": str(folder)}, "claude.workingDirectory"),
                ({"addDirs": [str(site.allowed), str(folder)]}, "claude.addDirs[1]"),
            ):
                with pytest.raises(openai.PermissionDeniedError, match="git directory") as caught:
                    await asked(rig, site, "Go.", **claude)
                assert caught.value.param == param
            assert not (folder / "config.worktree").exists()
        assert rig.simulator.requests == []


@pytest.mark.proves("agent.workspace.git-directories")
async def test_an_agent_works_in_a_worktree_that_lies_in_a_bare_repository(serve: Serve, site: Site) -> None:
    above = repository(site.allowed / "above")
    git(site.allowed, "clone", "-q", "--bare", str(above), "bare")
    git(site.allowed / "bare", "worktree", "add", "-q", "tree")
    async with office(serve, site, {}) as rig:
        assert "first" in await tried(rig, site, "git log", workingDirectory=str(site.allowed / "bare" / "tree"))


@pytest.mark.proves("agent.workspace.git-directories")
@pytest.mark.parametrize(
    "taken", [["HEAD"], ["HEAD", "objects", "refs", "hooks"], ["HEAD", "config"], ["config", "objects"]]
)
@pytest.mark.parametrize("named", [True, False])
async def test_no_agent_works_in_a_git_directory_of_another_name_whatever_commands_took_from_it(
    serve: Serve, site: Site, named: bool, taken: list[str]
) -> None:
    """The working tree has a file `.git` that names it, or lies elsewhere."""
    directory = (site.project if named else site.allowed) / "data"
    repository(site.project, f"--separate-git-dir={directory}")
    if not named:
        (site.project / ".git").unlink()
    away = site.root / "away"
    away.mkdir()
    for name in taken:
        (directory / name).rename(away / name)
    (directory / "hooks").mkdir(exist_ok=True)
    async with office(serve, site, {}) as rig:
        rig.plays(Replies("Done."))
        for folder in (directory, directory / "hooks"):
            for claude in ({"workingDirectory": str(folder)}, {"addDirs": [str(folder)]}):
                with pytest.raises(openai.PermissionDeniedError, match="git directory"):
                    await asked(rig, site, "Go.", **claude)
        assert rig.simulator.requests == []


@pytest.mark.proves("agent.workspace.git-directories")
async def test_an_agent_works_in_a_folder_whose_names_only_resemble_those_of_git(serve: Serve, site: Site) -> None:
    for name in ("config", "hooks", "objects"):
        (site.project / name).mkdir()
    async with office(serve, site, {}) as rig:
        assert "ran" in await tried(rig, site, "echo ran", workingDirectory=str(site.project / "hooks"))


@pytest.mark.proves("agent.workspace.git-directories")
async def test_no_agent_works_in_a_folder_that_programs_obey(serve: Serve, site: Site) -> None:
    async with office(serve, site, {}) as rig:
        rig.plays(Replies("Done."))
        for inside in (
            *(".husky", ".husky/_", ".vscode", ".cursor", ".idea", ".devcontainer"),
            *(".claude", ".Claude", "sub/.vscode"),
        ):
            folder = site.project / inside
            folder.mkdir(parents=True)
            for claude, param in (
                ({"workingDirectory": str(folder)}, "claude.workingDirectory"),
                ({"addDirs": [str(folder)]}, "claude.addDirs[0]"),
            ):
                with pytest.raises(openai.PermissionDeniedError) as caught:
                    await asked(rig, site, "Go.", **claude)
                assert caught.value.param == param
                assert str(folder) in caught.value.message
        assert rig.simulator.requests == []


@pytest.mark.proves("agent.workspace.git-directories")
async def test_an_agent_works_in_a_folder_that_programs_obey_where_the_server_allows_it(
    serve: Serve, site: Site
) -> None:
    tree = site.project / ".claude" / "worktrees" / "one"
    tree.mkdir(parents=True)
    async with serve({}, allowed_working_directory_prefixes=(str(site.allowed), str(tree))) as rig:
        assert "ran" in await tried(rig, site, "echo ran", workingDirectory=str(tree))
