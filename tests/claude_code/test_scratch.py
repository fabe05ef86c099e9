"""The folder of a server, and the private folder of a process."""

import os
import shutil
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from claude_openai.claude_code.processes.scratch import HISTORY, SETTINGS, Scratch, scratch_folder, server_folder
from claude_openai.system.process_identity import identity_of
from claude_openai.system.runtime_folders import runtime_folders
from tests.patience import PATIENCE_SECONDS


@pytest.mark.proves("safety.chat.no-tools")
def test_a_scratch_folder_is_private_and_its_working_directory_empty() -> None:
    with scratch_folder() as scratch:
        assert stat.S_IMODE(scratch.root.stat().st_mode) == 0o700
        assert list(scratch.work.iterdir()) == []


@pytest.mark.proves("lifetime.turn-over.no-traces")
def test_a_scratch_folder_is_gone_after_its_block_whatever_is_in_it() -> None:
    with suppress(KeyboardInterrupt), scratch_folder() as scratch:
        fill(scratch)
        raise KeyboardInterrupt
    assert not scratch.root.exists()


@pytest.mark.proves("safety.chat.no-tools")
def test_processes_have_folders_of_their_own_in_the_private_one_of_their_server() -> None:
    with server_folder(runtime_folders()[0]) as folder, folder.scratch() as one, folder.scratch() as other:
        assert one.root != other.root
        assert {one.root.parent, other.root.parent} == {folder.root()}
        assert {stat.S_IMODE(path.stat().st_mode) for path in (folder.root(), one.root, other.root)} == {0o700}


@pytest.mark.proves("lifetime.turn-over.no-traces")
def test_a_process_folder_goes_before_the_server_does() -> None:
    with server_folder(runtime_folders()[0]) as folder:
        with folder.scratch() as scratch:
            fill(scratch)
        assert folder.root().exists()
        assert not scratch.root.exists()


@pytest.mark.proves("lifetime.turn-over.no-traces")
def test_a_servers_folder_is_gone_after_its_block_whatever_is_in_it(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), server_folder(runtime_folders()[0]) as folder:
        root = folder.root()
        (root / "home" / "left").mkdir(parents=True)
        (root / "file").touch()
        (root / "out").symlink_to(tmp_path, target_is_directory=True)
        raise KeyboardInterrupt
    assert not root.exists()
    assert tmp_path.exists()


@pytest.mark.proves("lifetime.turn-over.no-traces")
@pytest.mark.parametrize("all_of_it", [True, False], ids=["the whole folder", "files only"])
def test_a_server_whose_folder_was_cleaned_away_has_a_new_one(all_of_it: bool) -> None:
    with server_folder(runtime_folders()[0]) as folder:
        first = folder.root()
        if all_of_it:
            shutil.rmtree(first)
        else:
            (entry,) = first.iterdir()
            entry.unlink()
        with folder.scratch() as scratch:
            assert scratch.work.is_dir()
            assert scratch.root.parent == folder.root() != first
        second = folder.root()
    assert not first.exists()
    assert not second.exists()


@pytest.mark.proves("lifetime.turn-over.no-traces")
def test_a_server_works_where_there_are_no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with server_folder(runtime_folders()[0]) as folder:
        with folder.scratch() as scratch:
            fill(scratch)
        assert folder.root() == scratch.root.parent
    assert not scratch.root.parent.exists()


@pytest.mark.proves("agent.bounds.own")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is a file of a folder that no agent reaches")
def test_what_is_handed_over_is_in_no_file_and_nobody_can_change_it() -> None:
    with scratch_folder() as scratch:
        for name in (SETTINGS, HISTORY):
            scratch.hand_over(name, b"a secret")
            path = scratch.handed_over(name)
            assert path
            read = [sys.executable, "-c", "import sys; print(open(sys.argv[1]).read(), end='')", path]
            assert [subprocess.check_output(read, pass_fds=scratch.descriptors) for _ in range(2)] == [b"a secret"] * 2
            with pytest.raises(PermissionError):
                Path(path).write_bytes(b"another")
        assert not any(file.is_file() and not file.is_symlink() for file in scratch.root.rglob("*"))
        assert scratch.handed_over("system.txt") is None
        scratch.close()
        with pytest.raises(OSError, match="No such file"):
            Path(scratch.handed_over(HISTORY) or "").read_bytes()


@pytest.mark.proves("lifetime.killed-server.sweep")
def test_a_process_is_recorded_by_its_id_and_its_identity() -> None:
    with scratch_folder() as scratch:
        scratch.record(os.getpid())
        assert scratch.recorded() == (os.getpid(), identity_of(os.getpid()))


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
def test_a_process_that_has_ended_already_is_not_recorded() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait(PATIENCE_SECONDS)
    with scratch_folder() as scratch:
        scratch.record(ended.pid)
        assert scratch.recorded() is None


@pytest.mark.proves("lifetime.killed-server.foreign-untouched")
@pytest.mark.parametrize("text", ["", "17", "17 ", "17 soon", "x 1.0", "17 1.0 2", "\0"])
def test_a_record_that_is_not_whole_is_none(text: str) -> None:
    with scratch_folder() as scratch:
        scratch.process.write_text(text)
        assert scratch.recorded() is None


def fill(scratch: Scratch) -> None:
    (scratch.temporary / "left").mkdir()
    (scratch.root / "left").write_text("x")
