"""A file that an agent may have made is read without waiting for anybody."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from claude_openai.claude_code.agent.git_paths import control, git_directory_around
from claude_openai.claude_code.agent.user_settings import repository_elsewhere, variables_in, widened_by
from claude_openai.system.untrusted_files import folder_to_start_in, read_regular_file
from claude_openai.system.workspace import AllowedFolders


def test_a_regular_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("abc")
    assert read_regular_file(file, 2) == b"ab"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_process_starts_in_the_folder_that_was_opened_whatever_takes_its_place(tmp_path: Path) -> None:
    folder, aside = tmp_path.resolve() / "folder", tmp_path.resolve() / "aside"
    folder.mkdir()
    with folder_to_start_in(folder) as place:
        folder.rename(aside)
        folder.symlink_to("/")
        assert subprocess.check_output(["pwd", "-P"], cwd=place, text=True).strip() == str(aside)
    with pytest.raises(OSError, match="Not a directory"), folder_to_start_in(folder):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
def test_a_named_pipe_is_no_file_to_read(tmp_path: Path) -> None:
    git, settings, head = tmp_path / ".git", tmp_path / "settings.json", tmp_path / "repository" / ".git" / "HEAD"
    head.parent.mkdir(parents=True)
    for pipe in (git, settings, head):
        os.mkfifo(pipe)
    with pytest.raises(OSError, match="no regular file"):
        read_regular_file(git, 10)
    workspace = AllowedFolders((str(tmp_path),))
    assert repository_elsewhere(str(tmp_path), workspace) is None
    assert widened_by(settings, workspace, (str(tmp_path),), str(tmp_path)) == "unreadable content"
    assert variables_in(settings) == frozenset()
    for folder in (tmp_path, head.parents[1]):
        assert git_directory_around(str(folder)) is None
        assert control([str(folder)])
