"""`claude-openai` without a command: serve in the foreground until a signal ends it."""

import atexit
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import click

from claude_openai import logs
from claude_openai.cli.banner import banner
from claude_openai.cli.first_process import continue_in_child
from claude_openai.cli.terminal import as_called, progress, wants_colours, width
from claude_openai.errors import LaunchError
from claude_openai.settings import Settings, doubts, login_environment
from claude_openai.system.instances import Instance, registry
from claude_openai.system.places import Places

if TYPE_CHECKING:
    from claude_openai.server.wiring import Ready

STOP_MARGIN_SECONDS = 20.0
"""Time to stop beyond --shutdown-timeout, for Claude Code's processes and folders. Usually it takes one second."""

WAITS_FOR_NETWORK = ", which may be waiting for the network"
"""With a login and no network Claude Code starts after 19 seconds (measured), else after one."""


def serve(settings: Settings, environ: Mapping[str, str]) -> None:
    """Serve until a signal ends the server."""
    continue_in_child()
    from claude_openai.server import (  # noqa: PLC0415 -- costs a second, which --help and a wrong option need not wait
        backends,
        wiring,
    )

    login, owner_token = login_environment(environ), secrets.token_urlsafe(32)
    keys = [key.get_secret_value() for key in settings.api_keys]
    _configure_log(settings, environ, [*keys, owner_token, *logs.secrets_in(login)])
    folders = backends.start_folders(settings)
    for doubt in (*doubts(settings, environ), *folders.doubts):
        logs.logger(__name__).warning("settings.doubtful", reason=doubt)
    with registry(folders.runtime) as register, ExitStack() as starting:
        starting.enter_context(progress("Starting Claude Code", slow=WAITS_FOR_NETWORK))
        colours = wants_colours(sys.stderr, environ)
        announce = partial(_announce, settings, owner_token, register, starting, colours=colours)
        anyio.run(partial(wiring.serve, settings, login, folders, announce=announce, owner_token=owner_token))


def log_file(settings: Settings) -> Path | None:
    """The log file; None if the log is not written to a file."""
    return Places.of(settings).log if settings.log else None


def _configure_log(settings: Settings, environ: Mapping[str, str], secrets: Iterable[str]) -> None:
    """Configure the log. Only the log is written to standard output; messages to people go to standard error.

    On a terminal a line for each request is shown, unless the operator asks for the events there. With a file the
    events are in the file; without one no event below `info` is needed, and no text of a conversation is copied for
    the log.

    Raises:
        LaunchError: the log file cannot be written.
    """
    output, file = logs.Descriptor(sys.stdout.fileno()), log_file(settings)
    form = settings.log_format
    if form == "auto":
        form = "json" if not sys.stdout.isatty() else "columns" if settings.wants_events and not file else "console"
    level: logs.Level | None = "trace" if settings.trace else settings.log_level
    if form == "console" and not file:
        level = "info"
    try:
        log = logs.LogFile(file, settings.log_max_bytes) if file else None if form == "console" else output
    except OSError as error:
        problem = f"cannot write the log {file}: {error.strerror or error}"
        raise LaunchError(problem, "name another file with --log-file") from error
    logs.configure(
        level if settings.log else None,
        log,
        json=bool(file) or form == "json",
        colours=wants_colours(sys.stdout, environ),
        secrets=secrets,
        console=output if form == "console" else None,
        console_width=partial(width, sys.stdout),
        console_words=as_called,
        diagnostics=logs.Descriptor(sys.stderr.fileno()) if settings.debug else None,
        background=True,
    )
    atexit.register(logs.close)  # after the message about why the server ended


def _announce(
    settings: Settings,
    owner_token: str,
    register: Callable[[Instance], None],
    starting: ExitStack,
    ready: "Ready",
    *,
    colours: bool,
) -> None:
    """Announce the ready server: in the registry for other commands, in the log, and with the banner in place of the
    progress of the start.
    """
    register(
        Instance.of_this_process(
            port=urlsplit(ready.url).port or settings.port,
            hosts=settings.host,
            url=ready.url,
            stop_seconds=settings.shutdown_timeout + STOP_MARGIN_SECONDS,
            log_file=log_file(settings),
            owner_token=owner_token,
        )
    )
    logs.logger(__name__).info("server.ready", **asdict(ready))
    starting.close()
    with suppress(OSError):  # the server runs without a banner too
        click.echo(banner(ready, colours=colours, serves_others=settings.serves_others), err=True, color=colours)
