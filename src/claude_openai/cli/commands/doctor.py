"""`claude-openai doctor`: checks whether a server would work here; each failed check names a remedy."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import click

from claude_openai.cli.options import given, some_options
from claude_openai.cli.terminal import as_called, progress, wants_colours
from claude_openai.errors import ExitCode, SettingsError
from claude_openai.settings import Settings
from claude_openai.text import one_line

if TYPE_CHECKING:
    from claude_openai.server.doctor import Check

COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}

EXAMPLES = """\b
Examples:
  claude-openai doctor
  claude-openai doctor --live
  claude-openai doctor --json | jq '.checks[] | select(.status != "ok")'
"""


@click.command(epilog=EXAMPLES)
@click.option("--live", is_flag=True, help="Ask the real model for one word too, with your login; it costs a little.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@some_options("config", "host", "port", "api_key_file", "claude_command", "backend", "default_model", "data_dir")
@click.pass_context
def doctor(context: click.Context, /, *, live: bool, as_json: bool, **parameters: object) -> ExitCode:
    """Check everything that a server needs here, and answer one request with the simulated model.

    Nothing is sent to a real model without --live.

    Exit code 0: no check failed; there may be warnings. 1: a check failed.
    """
    checks = _run_checks(given(parameters), context.obj, live=live)
    colours = wants_colours(sys.stdout, context.obj)
    done: list[Check] = []
    while True:
        with progress("Checking"):
            check = next(checks, None)
        if check is None:
            break
        done.append(check)
        if not as_json:
            click.echo(line(check, colours=colours), color=colours)
    failed = any(check.status == "fail" for check in done)
    if as_json:
        click.echo(json.dumps({"ok": not failed, "checks": [asdict(check) for check in done]}, indent=2))
    else:
        click.echo(verdict(done))
    return ExitCode.FAILED if failed else ExitCode.OK


def line(check: "Check", *, colours: bool = False) -> str:
    """One check, with its remedy under it."""
    status = f"{check.status:<4}"
    head = f"{click.style(status, fg=COLOURS[check.status]) if colours else status}  {check.name:<12}"
    remedy = f"\n{'':<20}{as_called(one_line(check.remedy))}" if check.remedy else ""
    return f"{head}  {as_called(one_line(check.told))}{remedy}"


def verdict(done: "Sequence[Check]") -> str:
    """The summary of all checks."""
    counts = {status: sum(check.status == status for check in done) for status in ("fail", "warn")}
    if not any(counts.values()):
        return "All is well."
    warnings = "warning" if counts["warn"] == 1 else "warnings"
    return f"{counts['fail']} failed, {counts['warn']} {warnings}."


def _run_checks(flags: Mapping[str, object], environ: Mapping[str, str], *, live: bool) -> "Iterator[Check]":
    from claude_openai.server import doctor as checks  # noqa: PLC0415 -- the whole server, which --help need not wait for

    try:
        settings = Settings.load(flags, environ)
    except SettingsError as error:
        yield from checks.of_installation()
        yield checks.Check("Settings", "fail", error.message, error.hint or "correct it, then run this again")
        return
    yield from checks.of_machine(settings, environ)
    yield from checks.of_claude_code(settings, environ, live=live)
