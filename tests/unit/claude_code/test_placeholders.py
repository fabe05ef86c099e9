"""What a sandbox that was killed has left: it goes, unless somebody stands on it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_openai.claude_code.processes.placeholders import Placeholders, remove_placeholders
from claude_openai.claude_code.processes.scratch import FOLDER_PREFIX, LOCK, Scratch
from claude_openai.claude_code.processes.stale_folders import sweep

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no sandbox, and none of its files")


@pytest.fixture
def server() -> Iterator[Path]:
    """The folder of a server that is dead."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / f"{FOLDER_PREFIX}dead"
        folder.mkdir(mode=0o700)
        (folder / LOCK).touch()
        yield folder


def process(server: Path, name: str) -> Scratch:
    (server / name).mkdir()
    return Scratch(server / name)


def put(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o444)


def test_what_was_there_or_is_not_empty_stays(tmp_path: Path, server: Path) -> None:
    put(tmp_path / ".netrc")
    scratch = process(server, "a")
    Placeholders.before(
        (str(tmp_path),), [f"{tmp_path}/{name}" for name in (".netrc", ".npmrc", ".config/gh")], scratch
    )
    put(tmp_path / ".config" / "gh", tmp_path / ".config" / "other", tmp_path / ".bashrc", tmp_path / "mine")
    (tmp_path / ".npmrc").write_text("x")
    (tmp_path / ".envrc").touch()
    remove_placeholders(scratch)
    kept = {str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*")}
    assert kept == {".netrc", ".npmrc", ".config", ".config/other", ".envrc", "mine"}


@pytest.mark.parametrize("link", ["work/.git", "work/real", "work"])
def test_nothing_is_made_or_removed_through_a_link(tmp_path: Path, server: Path, link: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / ".git").mkdir(parents=True)
    (elsewhere / "id").touch()
    (tmp_path / "work").mkdir()
    denied = tmp_path / ("work/real" if link == "work/real" else "work/.git") / "commondir"
    if link == "work":
        (tmp_path / "work").rmdir()
    (tmp_path / link).symlink_to(elsewhere)
    scratch = process(server, "a")
    Placeholders.before((str(tmp_path / "work"),), [str(denied)], scratch)
    assert {each.name for each in elsewhere.rglob("*")} == {".git", "id"}
    put(elsewhere / "commondir", elsewhere / ".git" / "commondir")
    remove_placeholders(scratch)
    assert {each.name for each in elsewhere.rglob("*")} == {".git", "id", "commondir"}


def test_the_last_to_leave_a_folder_removes_it(tmp_path: Path, server: Path) -> None:
    first, second = process(server, "a"), process(server, "b")
    Placeholders.before((str(tmp_path),), [], first)
    put(tmp_path / ".bashrc")
    Placeholders.before((str(tmp_path),), [], second)
    remove_placeholders(first)
    assert (tmp_path / ".bashrc").exists()
    remove_placeholders(second)
    assert not (tmp_path / ".bashrc").exists()


def test_who_works_in_the_folder_above_removes_what_another_left_below(tmp_path: Path, server: Path) -> None:
    first, above = process(server, "a"), process(server, "b")
    Placeholders.before((str(tmp_path / "below"),), [f"{tmp_path}/below/.envrc"], first)
    Placeholders.before((str(tmp_path),), [], above)
    put(tmp_path / "below" / ".envrc")
    remove_placeholders(first)
    assert (tmp_path / "below" / ".envrc").exists()
    remove_placeholders(above)
    assert not (tmp_path / "below" / ".envrc").exists()


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_the_next_start_removes_it_also_where_another_had_worked_in_the_folder_above(
    tmp_path: Path, server: Path, names: str
) -> None:
    for name, folder in zip(names, (tmp_path, tmp_path / "below"), strict=True):
        Placeholders.before((str(folder),), [], process(server, name))
    put(tmp_path / "below" / ".bashrc")
    sweep([server.parent])
    assert not (tmp_path / "below" / ".bashrc").exists()
    server.mkdir(parents=True)


def test_what_the_user_made_since_the_process_was_started_stays(tmp_path: Path, server: Path) -> None:
    scratch = process(server, "a")
    Placeholders.before((str(tmp_path),), [], scratch)
    (tmp_path / ".git" / "branches").mkdir(parents=True)
    Placeholders.before((str(tmp_path),), [], scratch)
    (tmp_path / ".git" / "glab-cli").mkdir()
    put(tmp_path / ".bashrc")
    remove_placeholders(scratch)
    assert {each.name for each in tmp_path.rglob("*")} == {".git", "branches"}


def test_the_next_start_removes_what_a_killed_server_left(tmp_path: Path, server: Path) -> None:
    for name in ("a", "b"):
        Placeholders.before((str(tmp_path),), [], process(server, name))
    put(tmp_path / ".bashrc")
    sweep([server.parent])
    assert not server.exists()
    assert not (tmp_path / ".bashrc").exists()
    server.mkdir(parents=True)


def test_what_the_sandbox_leaves_in_a_repository_and_for_claude_code_goes(tmp_path: Path, server: Path) -> None:
    git, claude = tmp_path / ".git", tmp_path / ".claude"
    (git / "objects" / "info").mkdir(parents=True)
    claude.mkdir()
    there = set(tmp_path.rglob("*"))
    scratch = process(server, "a")
    Placeholders.before((str(tmp_path),), [f"{git}/commondir"], scratch)
    assert (git / "commondir").read_text() == ".\n", "git fails with an empty one"
    for name in ("settings.json", "settings.local.json", "hooks", "skills", "workflows", "launch.json", "loop.md"):
        put(claude / name)
    put(claude / "output-styles", claude / "routines", claude / "scheduled_tasks.json", git / "config.lock")
    (git / "config.worktree").touch()
    for name in ("remotes", "worktrees", "glab-cli", "info", "objects/info/.claude-sandbox-noreplace"):
        (git / name).mkdir()
    remove_placeholders(scratch)
    assert set(tmp_path.rglob("*")) == there
