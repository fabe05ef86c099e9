"""`claude-openai service`: installs the server as a service of this user, started at login and after a crash.

The service is a systemd user unit on Linux and a launchd agent on macOS. The command prints each system command that it
runs; if the service manager cannot be reached, it prints the commands for the user to run.
"""

import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

import click

from claude_openai.cli.service_files import LABEL, SECRETS, Service, launchd_plist, systemd_unit
from claude_openai.errors import ExitCode, LaunchError, SettingsError

UNIT: Final = "claude-openai.service"

COMMAND_SECONDS: Final = 100.0
"""Timeout of one system command; stopping the service may take 90 seconds, as its unit allows."""

EXAMPLES = """\b
Examples:
  claude-openai service install --print
  claude-openai service install
  claude-openai service status
"""

Argv = tuple[str, ...]
"""A command with its arguments."""


class System(Protocol):
    """A service manager of a user: the path of its service file, and its commands."""

    @property
    def file(self) -> Path: ...

    def text(self, service: Service) -> bytes: ...

    @property
    def reachable(self) -> Argv:
        """A command that succeeds if the service manager can be reached."""

    @property
    def enable(self) -> tuple[Argv, ...]: ...

    @property
    def disable(self) -> tuple[Argv, ...]:
        """The first command is for before the file is removed, the others for after."""

    @property
    def active(self) -> Argv: ...

    @property
    def advice(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of a user, from the environment."""

    root: Path
    config: Path
    path: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Home":
        if not (home := environ.get("HOME")):
            raise SettingsError("HOME is not set, so there is no place for a service of yours")
        config = Path(environ.get("XDG_CONFIG_HOME", ""))
        absolute = config.is_absolute()  # the XDG specification says to ignore it otherwise
        return cls(Path(home), config if absolute else Path(home, ".config"), environ.get("PATH", os.defpath))

    @property
    def data(self) -> Path:
        return self.root / ".claude-openai"

    def service(self) -> Service:
        """The service, with its own working directory: by default agents work there, and not in the whole home."""
        script = Path(sysconfig.get_path("scripts"), "claude-openai")
        command = (str(script),) if script.is_file() else (sys.executable, "-P", "-m", "claude_openai")
        return Service(command, self.config / "claude-openai" / "service.env", self.data / "workspace")


@dataclass(frozen=True, slots=True)
class Systemd:
    """systemd, on Linux."""

    home: Home

    @property
    def file(self) -> Path:
        return self.home.config / "systemd" / "user" / UNIT

    def text(self, service: Service) -> bytes:
        return systemd_unit(service).encode()

    reachable: Argv = ("systemctl", "--user", "show-environment")
    enable: tuple[Argv, ...] = (
        ("systemctl", "--user", "daemon-reload"),
        ("systemctl", "--user", "enable", UNIT),
        ("systemctl", "--user", "restart", UNIT),
    )
    disable: tuple[Argv, ...] = (
        ("systemctl", "--user", "disable", "--now", UNIT),
        ("systemctl", "--user", "daemon-reload"),
    )
    active: Argv = ("systemctl", "--user", "is-active", "--quiet", UNIT)
    advice: str = f"its log: journalctl --user -u {UNIT}; to keep it running without a login: loginctl enable-linger"


@dataclass(frozen=True, slots=True)
class Launchd:
    """launchd, on macOS."""

    home: Home
    uid: int

    @property
    def file(self) -> Path:
        return self.home.root / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    def text(self, service: Service) -> bytes:
        return launchd_plist(service, path=self.home.path, log=self._log("log"), errors=self._log("err"))

    @property
    def reachable(self) -> Argv:
        return ("launchctl", "print", self._domain)

    @property
    def enable(self) -> tuple[Argv, ...]:
        return (("launchctl", "bootstrap", self._domain, str(self.file)),)

    @property
    def disable(self) -> tuple[Argv, ...]:
        return (("launchctl", "bootout", f"{self._domain}/{LABEL}"),)

    @property
    def active(self) -> Argv:
        return ("launchctl", "print", f"{self._domain}/{LABEL}")

    @property
    def advice(self) -> str:
        return f"its log: {self._log('log')}"

    @property
    def _domain(self) -> str:
        return f"gui/{self.uid}"

    def _log(self, suffix: Literal["log", "err"]) -> Path:
        return self.home.data / "logs" / f"claude-openai-service.{suffix}"


@click.group(epilog=EXAMPLES, invoke_without_command=True)
@click.pass_context
def service(context: click.Context) -> int:
    """Install the server as a service: of systemd on Linux, of launchd on macOS."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
    return ExitCode.OK if context.invoked_subcommand else ExitCode.USAGE


@service.command(short_help="Write the service file, and start the service now and at every login.")
@click.option("--print", "only_print", is_flag=True, help="Print the unit or property list, and do nothing.")
@click.pass_context
def install(context: click.Context, only_print: bool) -> None:
    """Install the service, start it, and start it again with every login.

    Its settings are those of config.toml and of a file for secrets, which it makes if there is none.
    """
    system, home = _system(context.obj), Home.of(context.obj)
    wanted = home.service()
    text = system.text(wanted)
    if only_print:
        click.echo(text, nl=False)
        return
    with _writing():
        for folder in (home.data, home.data / "logs", Path(wanted.workspace)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create_secrets(Path(wanted.secrets))
        system.file.parent.mkdir(parents=True, exist_ok=True)
        system.file.write_bytes(text)
    click.echo(f"wrote {system.file}\nkeys and other secrets go into {wanted.secrets}")
    stop, *_ = system.disable
    if _succeeds(system.active):  # launchd refuses a second service with the same label
        _run_or_print(system, (stop,))
    _run_or_print(system, system.enable)
    click.echo(system.advice)


@service.command()
@click.pass_context
def uninstall(context: click.Context) -> None:
    """Stop the service and remove it. Its settings and secrets stay."""
    system, home = _system(context.obj), Home.of(context.obj)
    if not system.file.exists():
        raise NotInstalled(f"there is no service at {system.file}")
    stop, *afterwards = system.disable
    _run_or_print(system, (stop,))
    with _writing():
        system.file.unlink()
    click.echo(f"removed {system.file}; {home.service().secrets} is left as it is")
    _run_or_print(system, tuple(afterwards))


@service.command()
@click.pass_context
def status(context: click.Context) -> int:
    """Show whether the service is installed and runs. Exit code 0: it runs. 1: it does not."""
    system = _system(context.obj)
    if not system.file.exists():
        click.echo(f"not installed: there is no {system.file}")
        return ExitCode.FAILED
    if not _is_reachable(system):
        click.echo(f"installed at {system.file}; whether it runs is unknown: {system.active[0]} does not answer")
        return ExitCode.FAILED
    runs = _succeeds(system.active)
    click.echo(f"installed at {system.file}, {'running' if runs else 'not running'}")
    return ExitCode.OK if runs else ExitCode.FAILED


class NotInstalled(LaunchError):
    """The service is not installed."""

    exit_code = ExitCode.FAILED


def _system(environ: Mapping[str, str]) -> System:
    if sys.platform == "win32":
        raise LaunchError("there is no service for Windows", "start it at login with: claude-openai --background")
    home = Home.of(environ)
    return Launchd(home, os.getuid()) if sys.platform == "darwin" else Systemd(home)


def _create_secrets(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(SECRETS, "utf-8")
    elif path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        click.echo(f"other users can read {path}; close it with: chmod 600 {path}", err=True)


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LaunchError(f"cannot write {error.filename}: {error.strerror}") from error


def _run_or_print(system: System, commands: tuple[Argv, ...]) -> None:
    """Run the commands, or print them if the service manager cannot be reached."""
    if not (reached := _is_reachable(system)):
        click.echo(f"{system.reachable[0]} does not answer here, so run these commands yourself")
    for command in commands:
        if not reached:
            click.echo(f"to do: {' '.join(command)}")
        elif _succeeds(command):
            click.echo(f"ran: {' '.join(command)}")
        else:
            raise LaunchError(f"this failed: {' '.join(command)}", "run it yourself to see more")


def _is_reachable(system: System) -> bool:
    """Whether the service manager can be reached; not without its program, and not in a container."""
    return shutil.which(system.reachable[0]) is not None and _succeeds(system.reachable)


def _succeeds(command: Argv) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=COMMAND_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
