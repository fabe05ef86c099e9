"""What Claude Code wrote is kept for this user, for a time, and at nobody's cost."""

import os
import stat
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from claude_openai.claude_code.cli.output import forget, output_of

RUN = "0123456789abcdef0123456789abcdef"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_each_process_has_a_folder_that_only_this_user_can_read(tmp_path: Path) -> None:
    root = tmp_path / "kept" / "output"
    output = output_of(RUN, root)
    stderr = output.stderr()
    output.line(b'{"type": "system"}')
    output.line(b'{"type": "result"}')
    output.ended(1)
    folder = root / RUN
    assert stderr == folder / "stderr.log"
    assert (folder / "stdout.ndjson").read_text() == '{"type": "system"}\n{"type": "result"}\n'
    assert (folder / "exit_code").read_text() == "1\n"
    assert {mode(root), mode(folder)} == {0o700}
    assert {mode(file) for file in folder.iterdir()} == {0o600}


def test_several_processes_of_a_run_have_folders_side_by_side(tmp_path: Path) -> None:
    for _ in range(3):
        output_of(RUN, tmp_path).ended(0)
    assert {folder.name for folder in tmp_path.iterdir()} == {RUN, f"{RUN}-2", f"{RUN}-3"}


@pytest.mark.proves("cli.output")
def test_where_nothing_can_be_kept_it_is_logged_once_and_lost(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with capture_logs() as logs:
        output = output_of(RUN, tmp_path / "file" / "output")
        output.line(b"{}")
        output.ended(0)
    assert (output.stderr(), [event["event"] for event in logs]) == (None, ["output.lost"])


@pytest.mark.proves("cli.output")
def test_a_folder_that_goes_away_meanwhile_is_logged_once_and_lost(tmp_path: Path) -> None:
    output = output_of(RUN, tmp_path)
    (tmp_path / RUN).rmdir()
    with capture_logs() as logs:
        assert output.stderr() is None
        output.line(b"{}")
        output.ended(0)
    assert [event["event"] for event in logs] == ["output.lost"]


@pytest.mark.proves("cli.output")
def test_only_old_folders_of_runs_are_forgotten(tmp_path: Path) -> None:
    old, new = RUN, f"{RUN}-2"
    for name in (old, new, "my notes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    for name in (old, "my notes"):
        os.utime(tmp_path / name / "file", (100, 100))
    (tmp_path / ("f" * 32)).symlink_to(tmp_path / "my notes")
    assert forget(tmp_path, before=1_000) == 1
    assert {entry.name for entry in tmp_path.iterdir()} == {new, "my notes", "f" * 32}


@pytest.mark.proves("cli.output")
def test_there_is_nothing_to_forget_where_nothing_was_kept(tmp_path: Path) -> None:
    assert forget(tmp_path / "absent", before=1_000) == 0
