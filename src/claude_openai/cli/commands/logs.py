"""`claude-openai logs`: shows the log of a server. It reads a file and follows it, across rotation too."""

import os
import stat
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Final

import click

from claude_openai.cli.log_lines import LEVELS, LogFilter, shown
from claude_openai.cli.serve import log_file
from claude_openai.cli.terminal import as_called, wants_colours, width
from claude_openai.errors import ExitCode, LaunchError, NotRunning
from claude_openai.logs.rendering import columns
from claude_openai.logs.request_lines import RequestLines
from claude_openai.settings import Settings
from claude_openai.system.instances import on_port
from claude_openai.system.places import Places

POLL_SECONDS: Final = 0.1

FOLLOWED_LINES: Final = 10
"""Existing lines that are shown with `--follow`, as `tail -f` does."""

LONGEST_READ: Final = 1 << 20
"""Bytes of one read."""

EXAMPLES = """\b
Examples:
  claude-openai logs -n 50
  claude-openai logs --events
  claude-openai logs -f --level info
  claude-openai logs --run 3fa85f64 --event 'sdk.*'
  claude-openai --simulate | claude-openai logs
"""


class NoLog(LaunchError):
    """There is no log, or it cannot be read."""

    exit_code = ExitCode.FAILED


@click.command(epilog=EXAMPLES)
@click.option("-f", "--follow", is_flag=True, help="Follow the log until Ctrl-C.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0, 10**9),
    metavar="COUNT",
    help=f"Only the last COUNT lines.  [default: all; with -f {FOLLOWED_LINES}]",
)
@click.option("--events", is_flag=True, help="Show every event as columns.")
@click.option("--level", type=click.Choice(LEVELS), help="Only events of this level and above.")
@click.option("--run", metavar="ID", help="Only events of the run with this id, or with an id that begins so.")
@click.option("--event", metavar="PATTERN", help="Only events of this name, such as http.request or 'sdk.*'.")
@click.option("--file", metavar="FILE", help="Read this file; - is standard input, which is also read if it is a pipe.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="PORT", help="The log of the server on this port.")
@click.pass_context
def logs(
    context: click.Context,
    /,
    *,
    follow: bool,
    lines: int | None,
    level: str | None,
    run: str | None,
    event: str | None,
    file: str | None,
    port: int | None,
    events: bool,
) -> None:
    """Show the log of the running server, or of the last one: a line for each request, as on the server's terminal.

    With --events or a filter, every event is shown as columns. Lines that are not events are shown unchanged, unless
    there is a filter.
    """
    colours = wants_colours(sys.stdout, context.obj)
    wanted = LogFilter(level, run, event)
    if events or wanted != LogFilter():
        render = columns(colours=colours)
    else:
        render = RequestLines(colours=colours, width=partial(width, sys.stdout), whole_reasons=True, worded=as_called)

    def show(found: Iterable[str], most: int | None = None) -> None:
        texts = (text for line in filter(wanted, found) if (text := shown(line, render)) is not None)
        for text in texts if most is None else deque(texts, most):
            click.echo(text, color=colours)

    if file == "-" or (file is None and port is None and _is_piped(sys.stdin)):
        show((line.rstrip("\r\n") for line in sys.stdin), lines)
        return
    path = Path(file).expanduser() if file else _log_of(port, Settings.load({}, context.obj))
    try:
        opened = path.open("rb")
    except OSError as error:
        raise NoLog(f"cannot read the log {path}: {error.strerror}", "name another with --file") from None
    with opened as log:
        show(_complete(log), FOLLOWED_LINES if follow and lines is None else lines)
        if follow:
            show(followed(path, log, _pause))


def followed(path: Path, log: IO[bytes], pause: Callable[[], None]) -> Iterator[str]:
    """The lines that are appended to `log`, and then to the file that replaces it at `path`.

    It never ends; it calls `pause` whenever there is nothing new.
    """
    rest = b""
    try:
        while True:
            if data := log.read(LONGEST_READ):
                *whole, rest = (rest + data).split(b"\n")
                yield from map(_decoded, whole)
            elif 0 < (truncated := log.tell() - os.fstat(log.fileno()).st_size) <= len(rest):
                rest = rest[:-truncated]  # the writer has truncated a partial line
                log.seek(-truncated, os.SEEK_CUR)
            elif (new := _replacement(path, log)) is not None:
                last = rest + log.read()  # written after our last read and before the rotation
                yield from map(_decoded, last.splitlines())
                log.close()
                log, rest = new, b""
            else:
                pause()
    finally:
        log.close()


def _replacement(path: Path, log: IO[bytes]) -> IO[bytes] | None:
    """The file that replaces `log` after a rotation or a truncation; None if it is the same file."""
    with suppress(OSError):
        found, known = path.stat(), os.fstat(log.fileno())
        if not os.path.samestat(found, known) or found.st_size < log.tell():
            return path.open("rb")
    return None


def _complete(log: IO[bytes]) -> Iterator[str]:
    """The complete lines; a line that is being written is left for `followed`."""
    while line := log.readline():
        if not line.endswith(b"\n"):
            log.seek(-len(line), os.SEEK_CUR)
            return
        yield _decoded(line)


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r\n")


def _is_piped(stream: IO[str]) -> bool:
    """Whether `stream` is a pipe or a file, not a terminal or a null device."""
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def _log_of(port: int | None, settings: Settings) -> Path:
    """The log of the running server, else of the last one: the file in the settings, or of a background server."""
    servers = on_port(port, settings.port)
    if len(servers) > 1:
        ports = ", ".join(str(server.port) for server in servers)
        raise click.UsageError(f"several servers run, on ports {ports}: name one with --port")
    if servers and servers[0].log_file:
        return servers[0].log_file
    if servers:
        raise NoLog(
            f"the server on port {servers[0].port} writes no log to a file",
            "start it with --log-file FILE, or with --background and without --log false",
        )
    if port is None and (named := log_file(settings)):
        return named
    found = Places.of(settings).logs.glob(f"claude-openai-{port or '*'}.log")
    if log := max(found, key=lambda log: log.stat().st_mtime, default=None):
        return log
    where = f" on port {port}" if port else ""
    raise NotRunning(f"no server of yours runs{where}", "name the file of its log with --file")


def _pause() -> None:
    sys.stdout.flush()
    time.sleep(POLL_SECONDS)
