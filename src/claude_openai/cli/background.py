"""`claude-openai --background`: starts the server in its own session, with its log in a file.

Until the server is ready, anything that ends the wait for it ends the server too. The server gets the same options and
the same environment, so that a key in a variable does not appear in the list of processes.
"""

import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import click

from claude_openai.cli.commands.status import described, status_of
from claude_openai.cli.commands.stop import end_tree
from claude_openai.cli.options import as_arguments
from claude_openai.cli.serve import WAITS_FOR_NETWORK, log_file
from claude_openai.cli.terminal import as_called, fact, progress, wants_colours
from claude_openai.errors import LaunchError
from claude_openai.settings import Settings
from claude_openai.system.disk import full_disk
from claude_openai.system.instances import Instance, already_runs, process_of, running
from claude_openai.system.places import Places
from claude_openai.system.private_files import make_folder, private_opener

START_SECONDS: Final = 60.0
"""Timeout until the server is ready; usually it takes one second, with a cold disk ten."""

STOP_SECONDS: Final = 10.0
"""Time for a server to stop after SIGTERM, before it is killed."""

POLL_SECONDS: Final = 0.02

LAST_LINES: Final = 10
LAST_BYTES: Final = 20_000
"""The part of a server's output that is shown if it ended without a message of its own."""

MESSAGE_PREFIX: Final = "claude-openai: "
"""The prefix of the command's own error messages; see `cli`."""

if sys.platform == "win32":
    _OWN_CONSOLE: Final = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
else:
    _OWN_CONSOLE: Final = 0
"""On Windows these flags do what a new session does elsewhere: Ctrl-C and a closed window do not reach the server."""


def start(flags: Mapping[str, object], environ: Mapping[str, str]) -> None:
    """Start a server that outlives this command, and print its address.

    Raises:
        SettingsError: a setting is wrong; nothing was started.
        LaunchError: it did not become ready.
    """
    settings = Settings.load(flags, environ)
    for server in running():
        if settings.port and server.port == settings.port:
            raise already_runs(server)
    files = OutputFiles.of(settings)
    with (
        progress("Starting", slow=WAITS_FOR_NETWORK),
        _started(files.added_to(flags), environ, files.errors) as process,
    ):
        started = status_of(_ready(process, files))
    port = started.instance.port
    click.echo(
        described(started)
        + fact("See it", as_called(f"claude-openai status --port {port}\n"))
        + fact("Stop it", as_called(f"claude-openai stop --port {port}")),
        color=wants_colours(sys.stdout, environ),
    )


@dataclass(frozen=True, slots=True)
class OutputFiles:
    """The output files of a server without a terminal. `log` is None if logging is off; its first `earlier` bytes are
    older than the server. `errors` gets standard error: the banner, and the message if the start fails.
    """

    log: Path | None
    earlier: int
    errors: Path

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The files for a server with these settings; their folder is made.

        Raises:
            LaunchError: the folder cannot be made.
        """
        folder = Places.of(settings).logs
        if problem := full_disk(folder, least=1024):
            raise LaunchError(problem, "free some, or name another folder with --data-dir")
        # With --port 0 the port is not known yet, and two such servers must not share a file.
        name = f"claude-openai-{settings.port or f'0-{secrets.token_hex(4)}'}"
        try:
            make_folder(folder)
        except OSError as error:
            raise LaunchError(
                f"cannot make the folder {folder}: {error.strerror or error}", "name another with --data-dir"
            ) from error
        log = (log_file(settings) or folder / f"{name}.log") if settings.log else None
        return cls(log, log.stat().st_size if log and log.is_file() else 0, folder / f"{name}.err")

    def added_to(self, flags: Mapping[str, object]) -> Mapping[str, object]:
        """The flags with the one that names the log file."""
        return {**flags, "log_file": str(self.log)} if self.log else flags


@contextmanager
def _started(
    flags: Mapping[str, object], environ: Mapping[str, str], errors: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """A context manager with the server's process, which is ended if the block raises.

    Raises:
        LaunchError: the file for its standard error cannot be written.
    """
    # -P: no module in the working directory is imported as a part of this program.
    command = [sys.executable, "-P", "-m", "claude_openai", *as_arguments(flags)]
    process = None
    try:
        stderr = open(errors, "wb", opener=private_opener)  # noqa: SIM115 -- closed below
    except OSError as error:
        problem = f"cannot write the file {errors}: {error.strerror or error}"
        raise LaunchError(problem, "name another folder with --data-dir") from error
    try:
        with stderr, _uninterrupted():
            process = subprocess.Popen(
                command,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
                creationflags=_OWN_CONSOLE,
            )
        yield process
    except BaseException:
        if process:
            _end(process)
        raise


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Defer Ctrl-C to the end of the block: otherwise a process that is just being started would be orphaned."""
    interrupts: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupts:
        raise KeyboardInterrupt


def _ready(process: "subprocess.Popen[bytes]", files: OutputFiles) -> Instance:
    """Wait until the server is ready.

    Raises:
        LaunchError: it ended, or is not ready in time. The message is the server's own, if it has written one.
    """
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            *_, last = ["", *_last_lines(files.errors)]
            if last.startswith(MESSAGE_PREFIX):
                raise LaunchError(last.removeprefix(MESSAGE_PREFIX))
            _show_last_lines(files)
            raise LaunchError(f"the server ended with code {process.returncode} before it was ready")
        for instance in running():
            pids = {instance.pid}
            if sys.platform == "win32" and (found := process_of(instance)):
                pids.add(found.ppid())  # the interpreter of a virtual environment is a child of the started process
            if process.pid in pids:
                return instance
        time.sleep(POLL_SECONDS)
    _show_last_lines(files)
    raise LaunchError(f"the server is not ready after {START_SECONDS:g} seconds")


def _show_last_lines(files: OutputFiles) -> None:
    written = _last_lines(files.log, files.earlier) if files.log else []
    for line in [*written, *_last_lines(files.errors)]:
        click.echo(f"  {line}", err=True)


def _last_lines(path: Path, earlier: int = 0) -> list[str]:
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            begin = earlier if earlier <= size else 0  # otherwise it was rotated since
            file.seek(max(begin, size - LAST_BYTES))
            return file.read(LAST_BYTES).decode(errors="replace").splitlines()[-LAST_LINES:]
    except OSError:
        return []


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Terminate the server; kill it with its children if it does not stop in time."""
    import psutil  # noqa: PLC0415 -- 27 ms, which only a failure needs

    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
        return
    with suppress(psutil.NoSuchProcess):
        end_tree(psutil.Process(process.pid))
    process.wait(STOP_SECONDS)
