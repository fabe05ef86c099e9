"""`claude-openai --background`: the same server, in a session of its own, with its log in a file.

The block that waits for it owns it: until it is ready, whatever ends the wait ends the server too. It gets the options
it was given and the environment as it is, so a key in a variable stays out of the list of processes.
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
from typing import BinaryIO, Final

import click

from claude_openai.cli.commands.status import Seen, described, seen
from claude_openai.cli.commands.stop import end_tree
from claude_openai.cli.options import as_arguments
from claude_openai.cli.serve import log_file
from claude_openai.cli.terminal import fact, progress, wants_colours
from claude_openai.errors import LaunchError
from claude_openai.settings import Settings
from claude_openai.system.instances import Instance, process_of, running
from claude_openai.system.places import Places
from claude_openai.system.private_files import make_folder, private_opener

START_SECONDS: Final = 60.0
"""Until a server is ready; one second is usual, ten is what a cold disk takes."""

STOP_SECONDS: Final = 10.0
"""For a server that is not wanted any more to end by itself."""

POLL_SECONDS: Final = 0.02

LAST_LINES: Final = 10
LAST_BYTES: Final = 20_000
"""Of what a server wrote that ended without a word of its own."""

OWN_WORDS: Final = "claude-openai: "
"""What the command's own sentences begin with; see `cli`."""

if sys.platform == "win32":
    _OWN_CONSOLE: Final = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
else:
    _OWN_CONSOLE: Final = 0
"""On Windows what a session of its own is elsewhere: no Ctrl-C and no closed window reaches it."""


def start(flags: Mapping[str, object], environ: Mapping[str, str]) -> None:
    """Start a server that outlives this command, and tell where it is.

    Raises:
        SettingsError: a setting is wrong; nothing was started.
        LaunchError: it did not get ready.
    """
    settings = Settings.load(flags, environ)
    _refuse_second(settings.port)
    notes = _notes(settings)
    with progress("Starting"), _started(notes.added_to(flags), environ, notes.errors) as process:
        server = seen(_ready(process, notes))
    _tell(server, environ)


@dataclass(frozen=True, slots=True)
class Notes:
    """What a server without a terminal writes to: `log` is None where it is told not to log, and its first `earlier`
    bytes are older than the server; `errors` gets what else it says, such as its banner or why it ended.
    """

    log: Path | None
    earlier: int
    errors: Path

    def added_to(self, flags: Mapping[str, object]) -> Mapping[str, object]:
        return {**flags, "log_file": str(self.log)} if self.log else flags


def _notes(settings: Settings) -> Notes:
    folder = Places.of(settings).logs
    # With any free port the number is not known yet, and two such servers are not to share a file.
    name = f"claude-openai-{settings.port or f'0-{secrets.token_hex(4)}'}"
    try:
        make_folder(folder)
    except OSError as error:
        raise LaunchError(
            f"cannot make the folder {folder}: {error.strerror or error}", "name another with --data-dir"
        ) from error
    log = (log_file(settings) or folder / f"{name}.log") if settings.log else None
    return Notes(log, log.stat().st_size if log and log.is_file() else 0, folder / f"{name}.err")


def _refuse_second(port: int) -> None:
    for server in running():
        if port and server.port == port:
            raise LaunchError(
                f"a server of yours already runs on port {port} (process {server.pid})",
                f"see it with claude-openai status --port {port}, end it with claude-openai stop --port {port}, "
                "or name another port with --port",
            )


def _file_for(errors: Path) -> BinaryIO:
    try:
        return open(errors, "wb", opener=private_opener)
    except OSError as error:
        what = f"cannot write the file {errors}: {error.strerror or error}"
        raise LaunchError(what, "name another folder with --data-dir") from error


@contextmanager
def _started(
    flags: Mapping[str, object], environ: Mapping[str, str], errors: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """The server's process. It outlives the block only if the block went well."""
    # -P: nothing in the folder that somebody happens to be in is taken for a part of this program.
    command = [sys.executable, "-P", "-m", "claude_openai", *as_arguments(flags)]
    process = None
    try:
        with _file_for(errors) as stderr, _uninterrupted():
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
    """Puts Ctrl-C off to the end of the block: a process that is just being made would be nobody's."""
    asked: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if asked:
        raise KeyboardInterrupt


def _ready(process: "subprocess.Popen[bytes]", notes: Notes) -> Instance:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _failure(process.returncode, notes)
        for instance in running():
            if _is(instance, process.pid):
                return instance
        time.sleep(POLL_SECONDS)
    _show_last_words(notes)
    raise LaunchError(f"the server is not ready after {START_SECONDS:g} seconds")


def _is(instance: Instance, pid: int) -> bool:
    """On Windows the interpreter of a virtual environment is a child of the process that was started."""
    if sys.platform == "win32":
        process = process_of(instance)
        return process is not None and pid in {process.pid, process.ppid()}
    return instance.pid == pid


def _failure(code: int, notes: Notes) -> LaunchError:
    """Why it ended: its own sentence, or under the last lines of what it wrote that there was none."""
    *_, last = ["", *_last_lines(notes.errors)]
    if last.startswith(OWN_WORDS):
        return LaunchError(last.removeprefix(OWN_WORDS))
    _show_last_words(notes)
    return LaunchError(f"the server ended with code {code} before it was ready")


def _show_last_words(notes: Notes) -> None:
    written = _last_lines(notes.log, notes.earlier) if notes.log else []
    for line in [*written, *_last_lines(notes.errors)]:
        click.echo(f"  {line}", err=True)


def _last_lines(path: Path, earlier: int = 0) -> list[str]:
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            begin = earlier if earlier <= size else 0  # else it was put aside since
            file.seek(max(begin, size - LAST_BYTES))
            return file.read(LAST_BYTES).decode(errors="replace").splitlines()[-LAST_LINES:]
    except OSError:
        return []


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Politely, then for certain."""
    import psutil  # noqa: PLC0415 -- 27 ms, which only a failure needs

    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
        return
    with suppress(psutil.NoSuchProcess):
        end_tree(psutil.Process(process.pid))
    process.wait(STOP_SECONDS)


def _tell(server: Seen, environ: Mapping[str, str]) -> None:
    port = server.instance.port
    click.echo(
        described(server)
        + fact("See it", f"claude-openai status --port {port}\n")
        + fact("Stop it", f"claude-openai stop --port {port}"),
        color=wants_colours(sys.stdout, environ),
    )
