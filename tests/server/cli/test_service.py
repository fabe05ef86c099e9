"""`claude-openai service`: the files are what systemd and launchd take, and what is done to the system is told."""

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path, PurePath

import pytest

from claude_openai.cli.commands.service import Home, Launchd
from claude_openai.cli.service_files import Service, launchd_plist, systemd_unit
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import COMMAND, Machine

linux = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
posix = pytest.mark.skipif(sys.platform == "win32", reason="there is no such service on Windows")

ODD = "%h and $HOME"
"""A name with all that means something in a unit; quotes systemd takes in no program's name, however written."""

RECORD = '#!/bin/sh\necho "$@" >> "$RECORD"\n'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One on which nobody takes commands for systemd."""
    (tmp_path / "bin").mkdir()
    machine = Machine.at(tmp_path)
    return Machine(machine.home, {"PATH": str(tmp_path / "bin"), "RECORD": str(tmp_path / "asked")})


@pytest.fixture
def with_systemd(machine: Machine) -> Machine:
    """One with a systemctl that writes down what it is asked."""
    systemctl = machine.home.parent / "bin" / "systemctl"
    systemctl.write_text(RECORD)
    systemctl.chmod(0o700)
    return machine


def _unit(machine: Machine) -> Path:
    return machine.home / ".config" / "systemd" / "user" / "claude-openai.service"


def _secrets(machine: Machine) -> Path:
    return machine.home / ".config" / "claude-openai" / "service.env"


@linux
@pytest.mark.proves("service.install")
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here to ask")
@pytest.mark.parametrize("folder", ["plain", ODD])
def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path, sandbox: Path, folder: str) -> None:
    command = tmp_path / folder / "claude-openai"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\n")
    command.chmod(0o700)
    unit = tmp_path / "claude-openai.service"
    service = Service((str(command), "--config", f'"{ODD}" \\'), command.parent / "service.env", command.parent)
    unit.write_text(systemd_unit(service))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(unit)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(sandbox)},  # a short path, since other units have sockets below it
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@posix
@pytest.mark.proves("service.install")
def test_launchd_runs_the_command_with_what_the_file_of_secrets_says(tmp_path: Path) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    secrets = folder / "service.env"
    secrets.write_text('# a comment\nCLAUDE_OPENAI_API_KEY="open sesame"\n')
    wanted = Service(("/usr/bin/env", "-0"), secrets, folder)
    plist = plistlib.loads(launchd_plist(wanted, path="/opt/bin:/usr/bin", log=folder / "log", errors=folder / "err"))
    assert plist["WorkingDirectory"] == str(folder)
    assert plist["KeepAlive"] == {"SuccessfulExit": False}
    done = subprocess.run(
        plist["ProgramArguments"],
        env=plist["EnvironmentVariables"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    variables = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
    assert variables["CLAUDE_OPENAI_API_KEY"] == "open sesame"
    assert variables["CLAUDE_OPENAI_LOG_FILE"] == str(folder / "log")
    assert variables["PATH"] == "/opt/bin:/usr/bin"


@pytest.mark.proves("service.install")
def test_launchd_is_asked_for_the_users_own_agent() -> None:
    home = Home(root=Path("/Users/ada"), config=Path("/Users/ada/.config"), path="/usr/bin")
    launchd = Launchd(home, uid=501)
    assert launchd.file == Path("/Users/ada/Library/LaunchAgents/io.github.claude-openai.plist")
    assert launchd.enable == (("launchctl", "bootstrap", "gui/501", str(launchd.file)),)
    assert launchd.disable == (("launchctl", "bootout", "gui/501/io.github.claude-openai"),)
    text = plistlib.loads(launchd.text(Service(("/bin/x",), PurePath("/s"), PurePath("/w"))))
    assert text["Label"] == "io.github.claude-openai"


@linux
@pytest.mark.proves("service.install")
def test_print_prints_the_file_and_does_nothing(machine: Machine) -> None:
    ran = machine.types("service", "install", "--print")
    assert (ran.code, ran.err) == (0, "")
    assert f"\nExecStart={COMMAND}\n" in ran.out
    assert f"\nEnvironmentFile=-{_secrets(machine)}\n" in ran.out
    assert "\nRestart=on-failure\n" in ran.out
    assert list(machine.home.iterdir()) == []


@linux
@pytest.mark.proves("service.install", "service.secrets")
def test_install_writes_the_unit_has_it_started_and_tells_what_it_ran(with_systemd: Machine) -> None:
    machine = with_systemd
    ran = machine.types("service", "install")
    assert (ran.code, ran.err) == (0, "")
    assert _unit(machine).read_text() == machine.types("service", "install", "--print").out
    assert _secrets(machine).stat().st_mode & 0o777 == 0o600
    assert all(line.startswith("#") for line in _secrets(machine).read_text().splitlines())
    for command in ("daemon-reload", "enable claude-openai.service", "restart claude-openai.service"):
        assert f"ran: systemctl --user {command}\n" in ran.out
        assert f"--user {command}\n" in Path(machine.more["RECORD"]).read_text()
    assert (machine.home / ".claude-openai" / "workspace").stat().st_mode & 0o777 == 0o700


@linux
@pytest.mark.proves("service.install")
def test_where_nobody_takes_commands_install_tells_which_to_run(machine: Machine) -> None:
    ran = machine.types("service", "install")
    assert ran.code == 0
    assert _unit(machine).exists()
    assert "ran: " not in ran.out
    for command in ("daemon-reload", "enable claude-openai.service", "restart claude-openai.service"):
        assert f"to do: systemctl --user {command}\n" in ran.out


@linux
@pytest.mark.proves("service.secrets")
def test_secrets_that_are_there_are_kept_through_install_and_uninstall(with_systemd: Machine) -> None:
    machine = with_systemd
    _secrets(machine).parent.mkdir(parents=True)
    _secrets(machine).write_text("CLAUDE_OPENAI_API_KEY=mine\n")
    _secrets(machine).chmod(0o644)
    installed = machine.types("service", "install")
    assert f"other users can read {_secrets(machine)}; close it with: chmod 600" in installed.err
    assert machine.types("service", "uninstall").code == 0
    assert _secrets(machine).read_text() == "CLAUDE_OPENAI_API_KEY=mine\n"


@linux
@pytest.mark.proves("service.install")
def test_uninstall_stops_and_removes_it_and_status_knows(with_systemd: Machine) -> None:
    machine = with_systemd
    before = machine.types("service", "status")
    assert (before.code, before.out) == (1, f"not installed: there is no {_unit(machine)}\n")
    machine.types("service", "install")
    during = machine.types("service", "status")
    assert (during.code, during.out) == (0, f"installed at {_unit(machine)}, running\n")
    ran = machine.types("service", "uninstall")
    assert ran.code == 0
    assert "ran: systemctl --user disable --now claude-openai.service\n" in ran.out
    assert not _unit(machine).exists()
    again = machine.types("service", "uninstall")
    assert (again.code, again.err) == (1, f"claude-openai: there is no service at {_unit(machine)}\n")
