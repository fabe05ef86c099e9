"""`claude-openai` without a command: serve in the foreground until a signal ends it."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import anyio
import click

from claude_openai import logs
from claude_openai.cli.banner import banner, wants_colours
from claude_openai.settings import Settings, doubts, login_environment

if TYPE_CHECKING:
    from claude_openai.wiring import Ready


def serve(settings: Settings, environ: Mapping[str, str]) -> None:
    from claude_openai import wiring  # noqa: PLC0415 -- costs a second, which --help and a wrong option need not wait

    login = login_environment(environ)
    colours = wants_colours(sys.stderr, environ)
    logs.configure(
        settings.log_level,
        json=_as_json(settings),
        colours=colours,
        secrets=[*(key.get_secret_value() for key in settings.api_keys), *logs.secrets_in(login)],
    )
    for doubt in doubts(settings, environ):
        logs.logger(__name__).warning("settings.doubtful", reason=doubt)
    anyio.run(partial(wiring.serve, settings, login, announce=partial(_announce, settings, colours=colours)))


def _as_json(settings: Settings) -> bool:
    return settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())


def _announce(settings: Settings, ready: "Ready", *, colours: bool) -> None:
    """For people, unless standard error was promised to be JSON and nothing else."""
    if settings.log_format == "json":
        logs.logger(__name__).info("server.ready", **asdict(ready))
    else:
        click.echo(banner(ready, colours=colours), err=True, color=colours)
