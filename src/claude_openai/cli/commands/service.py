"""`claude-openai service`: has the system run the server for this user, from login on and again after a crash.

A systemd user unit on Linux, a launchd agent on macOS. What it does to the system are commands that a person could
type, and it tells each; where there is nobody to take them it tells which to type.
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
"""For one command of the system's; to stop the service may take as long as its unit allows, 90 seconds."""

EXAMPLES = """\b
Examples:
  claude-openai service install --print
  claude-openai service install
  claude-openai service status
"""

Asked = tuple[str, ...]
"""A command as a list of words."""


class System(Protocol):
    """What runs services for a user: where it looks for the file, and the commands it takes."""

    @property
    def file(self) -> Path: ...

    def text(self, service: Service) -> bytes: ...

    @property
    def reachable(self) -> Asked:
        """Succeeds where there is somebody to take the others."""

    @property
    def enable(self) -> tuple[Asked, ...]: ...

    @property
    def disable(self) -> tuple[Asked, ...]:
        """The first before the file is removed, the others after."""

    @property
    def active(self) -> Asked: ...

    @property
    def advice(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Home:
    """Where a user's files are, by their environment."""

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
        """The agent profile works in the folder a server was started in: not in the whole home, for a service."""
        return Service(_command(), self.config / "claude-openai" / "service.env", self.data / "workspace")


@dataclass(frozen=True, slots=True)
class Systemd:
    """Linux, and whatever else has `systemctl --user`."""

    home: Home

    @property
    def file(self) -> Path:
        return self.home.config / "systemd" / "user" / UNIT

    def text(self, service: Service) -> bytes:
        return systemd_unit(service).encode()

    reachable: Asked = ("systemctl", "--user", "show-environment")
    enable: tuple[Asked, ...] = (
        ("systemctl", "--user", "daemon-reload"),
        ("systemctl", "--user", "enable", UNIT),
        ("systemctl", "--user", "restart", UNIT),
    )
    disable: tuple[Asked, ...] = (
        ("systemctl", "--user", "disable", "--now", UNIT),
        ("systemctl", "--user", "daemon-reload"),
    )
    active: Asked = ("systemctl", "--user", "is-active", "--quiet", UNIT)
    advice: str = f"its log: journalctl --user -u {UNIT}; to keep it running without a login: loginctl enable-linger"


@dataclass(frozen=True, slots=True)
class Launchd:
    """macOS."""

    home: Home
    uid: int

    @property
    def file(self) -> Path:
        return self.home.root / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    def text(self, service: Service) -> bytes:
        return launchd_plist(service, path=self.home.path, log=self._log("log"), errors=self._log("err"))

    @property
    def reachable(self) -> Asked:
        return ("launchctl", "print", self._domain)

    @property
    def enable(self) -> tuple[Asked, ...]:
        return (("launchctl", "bootstrap", self._domain, str(self.file)),)

    @property
    def disable(self) -> tuple[Asked, ...]:
        return (("launchctl", "bootout", f"{self._domain}/{LABEL}"),)

    @property
    def active(self) -> Asked:
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
    """Have the system run the server for you: systemd on Linux, launchd on macOS."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
    return ExitCode.OK if context.invoked_subcommand else ExitCode.USAGE


@service.command(short_help="Write its file, start it, and again with every login.")
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
        _keep_secrets(Path(wanted.secrets))
        system.file.parent.mkdir(parents=True, exist_ok=True)
        system.file.write_bytes(text)
    click.echo(f"wrote {system.file}\nkeys and other secrets go into {wanted.secrets}")
    stop, *_ = system.disable
    if _runs_well(system.active):  # launchd takes no second of the same name
        _have_done(system, (stop,))
    _have_done(system, system.enable)
    click.echo(system.advice)


@service.command()
@click.pass_context
def uninstall(context: click.Context) -> None:
    """Stop the service and remove it. Its settings and secrets stay."""
    system, home = _system(context.obj), Home.of(context.obj)
    if not system.file.exists():
        raise NotInstalled(f"there is no service at {system.file}")
    stop, *afterwards = system.disable
    _have_done(system, (stop,))
    with _writing():
        system.file.unlink()
    click.echo(f"removed {system.file}; {home.service().secrets} is left as it is")
    _have_done(system, tuple(afterwards))


@service.command()
@click.pass_context
def status(context: click.Context) -> int:
    """Tell whether the service is installed and runs. Exit code 0: it runs. 1: it does not."""
    system = _system(context.obj)
    if not system.file.exists():
        click.echo(f"not installed: there is no {system.file}")
        return ExitCode.FAILED
    if not _answers(system):
        click.echo(f"installed at {system.file}; whether it runs cannot be told, as nobody answers {system.active[0]}")
        return ExitCode.FAILED
    runs = _runs_well(system.active)
    click.echo(f"installed at {system.file}, {'running' if runs else 'not running'}")
    return ExitCode.OK if runs else ExitCode.FAILED


class NotInstalled(LaunchError):
    """There is no service to do something with."""

    exit_code = ExitCode.FAILED


def _system(environ: Mapping[str, str]) -> System:
    if sys.platform == "win32":
        raise LaunchError("there is no service for Windows", "start it at login with: claude-openai --background")
    home = Home.of(environ)
    return Launchd(home, os.getuid()) if sys.platform == "darwin" else Systemd(home)


def _command() -> tuple[str, ...]:
    """The installed command by its absolute path, or the module where there is no such file."""
    script = Path(sysconfig.get_path("scripts"), "claude-openai")
    return (str(script),) if script.is_file() else (sys.executable, "-P", "-m", "claude_openai")


def _keep_secrets(path: Path) -> None:
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


def _have_done(system: System, commands: tuple[Asked, ...]) -> None:
    """Run them, or say which to run."""
    if not (answers := _answers(system)):
        click.echo(f"nobody answers {system.reachable[0]} here, so what it has to be told is left to you")
    for command in commands:
        if not answers:
            click.echo(f"to do: {' '.join(command)}")
        elif _runs_well(command):
            click.echo(f"ran: {' '.join(command)}")
        else:
            raise LaunchError(f"this failed: {' '.join(command)}", "run it yourself to see more")


def _answers(system: System) -> bool:
    """Where there is no such program, or it has nobody to talk to, as in a container, it does not."""
    return shutil.which(system.reachable[0]) is not None and _runs_well(system.reachable)


def _runs_well(command: Asked) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=COMMAND_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
