"""Where agents may work: paths under the allowed folders, wherever links and ".." lead."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_openai.system.workspace import AllowedFolders, real_path, within


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    root = tmp_path.resolve()
    (root / "a" / "project").mkdir(parents=True)
    (root / "ab").mkdir()
    (root / "a" / "file").write_text("")
    return root


@pytest.mark.proves("agent.workspace")
def test_a_folder_in_an_allowed_one_is_found_however_it_is_written(disk: Path) -> None:
    allowed = AllowedFolders([str(disk / "a")])
    project = str(disk / "a" / "project")
    for written in (project, f"{project}/", "project", "./project/../project", f"{disk}/ab/../a/project"):
        assert allowed.folder(written) == project
    assert allowed.folder(str(disk / "a")) == str(disk / "a")


@pytest.mark.proves("agent.workspace")
def test_a_name_that_only_begins_like_an_allowed_folder_is_none(disk: Path) -> None:
    allowed = AllowedFolders([str(disk / "a")])
    assert allowed.folder(str(disk / "ab")) is None
    assert not allowed.holds(str(disk / "ab" / "x"))
    assert not within("/ab", "/a")
    assert within("/ab", "/")


@pytest.mark.proves("agent.workspace")
@pytest.mark.parametrize("written", ["..", "../ab", "project/../..", "/", "", "file", "absent", "a\0b"])
def test_what_is_outside_or_no_folder_is_refused(disk: Path, written: str) -> None:
    allowed = AllowedFolders([str(disk / "a" / "project"), str(disk / "a" / "project")])
    (disk / "a" / "project" / "file").write_text("")
    assert allowed.folder(written) == (str(disk / "a" / "project") if written == "" else None)


@pytest.mark.proves("agent.workspace")
def test_a_link_counts_for_where_it_leads_each_time_it_is_asked(disk: Path) -> None:
    allowed = AllowedFolders([str(disk / "a")])
    link = disk / "a" / "link"
    link.symlink_to(disk / "a" / "project")
    assert allowed.folder(str(link)) == str(disk / "a" / "project")
    link.unlink()
    link.symlink_to(disk / "ab")
    assert allowed.folder(str(link)) is None
    assert not allowed.holds(str(link / "new.txt"))


@pytest.mark.proves("agent.workspace")
@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_a_link_that_cannot_be_followed_leads_nowhere(disk: Path) -> None:
    allowed = AllowedFolders([str(disk / "a")])
    with subprocess.Popen(["true"]) as ended:  # until it is waited for, its links are there and cannot be read
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        (disk / "a" / "link").symlink_to(f"/proc/{ended.pid}/cwd")
        assert real_path(disk / "a" / "link") == ""
        assert allowed.folder("link") is None
        assert not allowed.holds(str(disk / "a" / "link" / "below"))


@pytest.mark.proves("agent.workspace")
def test_an_allowed_folder_may_be_a_link_itself(disk: Path) -> None:
    (disk / "link").symlink_to(disk / "a")
    allowed = AllowedFolders([str(disk / "link")])
    assert allowed.prefixes == (str(disk / "a"),)
    assert allowed.folder(str(disk / "link" / "project")) == str(disk / "a" / "project")


@pytest.mark.proves("agent.workspace")
def test_links_in_a_circle_lead_nowhere(disk: Path) -> None:
    (disk / "a" / "x").symlink_to(disk / "a" / "y")
    (disk / "a" / "y").symlink_to(disk / "a" / "x")
    allowed = AllowedFolders([str(disk / "a")])
    assert allowed.folder("x") is None
    assert not allowed.holds(str(disk / "a" / "x"))
    assert not allowed.holds(str(disk / "a" / "x" / "new"))


@pytest.mark.proves("agent.workspace")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["..", ".", "a", "ab", "project", "new", "~", ""]), max_size=8))
def test_no_way_of_writing_a_path_leads_out(disk: Path, steps: list[str]) -> None:
    allowed = AllowedFolders([str(disk / "a")])
    path = "/".join([str(disk / "a"), *steps])
    assert allowed.holds(path) == Path(path).resolve().is_relative_to(disk / "a")
