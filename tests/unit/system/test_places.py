"""What a server keeps: one list, and a place for it that no agent reaches."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from claude_openai.errors import LaunchError
from claude_openai.settings import Settings, catalogue
from claude_openai.system.instances import running
from claude_openai.system.places import Places, choose_folders
from claude_openai.system.runtime_folders import LONGEST, runtime_folders
from claude_openai.system.workspace import within
from tests.server.cli.typed import Machine

PATHS = ("FILE", "FOLDER", "PATH,...")
"""How the value of a setting is written that names what a server keeps or was told."""


@pytest.fixture
def short(sandbox: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine of one's own, whose paths leave room for those of sockets."""
    with tempfile.TemporaryDirectory(prefix="", dir=sandbox) as folder:
        home, temporary = Path(folder, "h"), Path(folder, "t")
        home.mkdir()
        temporary.mkdir()
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("TMPDIR", str(temporary))
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        monkeypatch.chdir(home)
        yield Path(folder)


def test_every_path_among_the_settings_is_out_of_bounds(tmp_path: Path) -> None:
    given: dict[str, str] = {}
    for setting in catalogue():
        if setting.metavar in PATHS:
            given[setting.name] = str(tmp_path / setting.name)
            Path(given[setting.name]).write_text("sk-1" if setting.name == "api_key_file" else "")
    assert {"config", "data_dir", "output_dir", "log_file", "trace_file", "api_key_file", "private_paths"} <= set(given)
    kept = Places.of(Settings.load(given, {"HOME": str(tmp_path)})).out_of_bounds()
    assert {name: path for name, path in given.items() if path not in kept} == {}


def test_whatever_a_running_server_has_made_or_opened_is_out_of_bounds(short: Path) -> None:
    machine = Machine(short / "h")
    machine.temporary.mkdir()
    try:
        assert machine.types("--background", "--simulate", "--port", "0").code == 0
        found = [path for path in _open_files(machine) if path.is_relative_to(short)]
        found += [path for path in short.rglob("*") if not path.is_dir()]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tempfile, "tempdir", str(machine.temporary))
            kept = Places.of(Settings()).out_of_bounds()
        login = str(machine.home / ".claude")
        assert found
        assert [path for path in found if not any(within(str(path), each) for each in (*kept, login))] == []
    finally:
        machine.types("stop", "--all")


def _open_files(machine: Machine) -> list[Path]:
    (server,) = running([machine.known])
    processes = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    found: list[Path] = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # a helper of Claude Code's that ends just now
            found += [Path(file.path) for file in process.open_files()]
    return found


@pytest.mark.proves("agent.bounds.place")
def test_temporary_files_lie_in_no_folder_of_agents(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary, at_home = runtime_folders()
    assert choose_folders(Settings(allowed_working_directory_prefixes=(str(short / "h"),))).runtime == temporary
    monkeypatch.chdir(short / "t")
    assert choose_folders(Settings()).runtime == at_home
    run = short / "run"
    run.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    folders = choose_folders(Settings())
    assert folders.runtime == run / "claude-openai"
    assert stat.S_IMODE(folders.runtime.stat().st_mode) == 0o700
    assert folders.doubts == ()
    assert len(str(folders.runtime)) <= LONGEST


@pytest.mark.proves("agent.bounds.place")
def test_a_named_folder_that_does_not_exist_is_warned_of(short: Path) -> None:
    (short / "there").mkdir()
    named = (str(short / "there"), str(short / "nope"))
    assert choose_folders(Settings(allowed_working_directory_prefixes=named)).doubts == (
        f"--allowed-working-directory-prefixes {short / 'nope'} does not exist; make that folder, or name another",
    )


@pytest.mark.proves("agent.bounds.place")
def test_named_folders_that_leave_no_place_are_refused_with_a_remedy_that_works(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LaunchError, match="agents could reach the server's temporary files") as caught:
        choose_folders(Settings(allowed_working_directory_prefixes=(str(short),)))
    assert caught.value.hint
    assert "TMPDIR" in caught.value.hint
    assert choose_folders(Settings(allowed_working_directory_prefixes=(str(short / "h"),))).workspace
    with tempfile.TemporaryDirectory(prefix="", dir=short.parent) as elsewhere:
        monkeypatch.setattr(tempfile, "tempdir", elsewhere)
        folders = choose_folders(Settings(allowed_working_directory_prefixes=(str(short),)))
        assert within(str(folders.runtime), elsewhere)


@pytest.mark.proves("agent.bounds.place")
@pytest.mark.skipif(os.name == "nt", reason="a backslash is no part of a name there")
@pytest.mark.parametrize("name", ["d\\e", "\\lead", "back\\", "sp ", "tab\t", "nbsp\u00a0", "a\\ /in"])
def test_a_name_that_no_rule_can_express_is_refused(short: Path, name: str) -> None:
    work = short / "w"
    (work / name).mkdir(parents=True)
    allowed = (str(work),)
    for settings in (
        Settings(allowed_working_directory_prefixes=(str(work / name),)),
        Settings(allowed_working_directory_prefixes=allowed, private_paths=(str(work / name),)),
    ):
        with pytest.raises(LaunchError, match="cannot be protected"):
            choose_folders(settings)
    elsewhere = Settings(allowed_working_directory_prefixes=allowed, private_paths=(str(short / "out" / name),))
    assert choose_folders(elsewhere).workspace


@pytest.mark.proves("agent.bounds.place")
@pytest.mark.parametrize("below", ["t/claude-openai-{uid}", "h/.claude-openai", "h/.claude-openai/logs/a", "out/b"])
def test_agents_do_not_work_in_what_the_server_keeps(short: Path, below: str) -> None:
    folder = short / below.format(uid=os.geteuid())
    folder.mkdir(parents=True)
    with pytest.raises(LaunchError, match=f"agents may not work in {folder}"):
        choose_folders(Settings(allowed_working_directory_prefixes=(str(folder),), output_dir=str(short / "out")))


@pytest.mark.usefixtures("short")
@pytest.mark.proves("agent.bounds.place")
def test_a_server_that_is_started_where_all_its_places_lie_has_no_agents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir("/")
    folders = choose_folders(Settings())
    assert folders.workspace is None
    assert "--allowed-working-directory-prefixes" in folders.doubts[0]
    with pytest.raises(LaunchError, match="agents could reach"):
        choose_folders(Settings(default_mode="agent"))
    assert choose_folders(Settings(), agents=False).doubts == ()
    assert "no agent profile" in choose_folders(Settings(default_mode="agent"), agents=False).doubts[0]
