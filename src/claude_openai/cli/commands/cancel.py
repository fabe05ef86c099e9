"""`claude-openai cancel`: cancels runs, here and upstream."""

import sys
import time

import click

from claude_openai.cli.client import RunId, ServerOption, ServerRefused, about_a_server, no_server
from claude_openai.cli.formatting import SHORTEST_ID, took
from claude_openai.cli.run_reader import servers_of_runs
from claude_openai.cli.terminal import progress
from claude_openai.errors import ExitCode
from claude_openai.protocols.runs.wire import RunObject
from claude_openai.text import one_line

EXAMPLES = """\b
Examples:
  claude-openai cancel 3fa85f64
  claude-openai cancel $(claude-openai runs --state queued --json | jq -r '.[].id')
"""


@click.command(epilog=EXAMPLES)
@click.argument("run_ids", metavar="RUN_ID...", nargs=-1, required=True, type=RunId())
@about_a_server
def cancel(choice: ServerOption, run_ids: tuple[str, ...]) -> ExitCode:
    """Cancel runs: Claude Code stops, and the clients get the error `run_cancelled`.

    RUN_ID is the id of a run, of its answer or of its request (x-request-id), or enough of its beginning.

    Exit code 0: all runs are cancelled. 1: a run is unknown, or had already ended.
    """
    code = ExitCode.OK
    with servers_of_runs(choice) as server:
        if server is None:
            raise no_server()
        for run_id in run_ids:
            try:
                with progress("Cancelling"):
                    run = server.cancel(run_id)
                click.echo(confirmation(run, time.time()))
            except ServerRefused as refused:
                code = refused.exit_code
                hint = f" ({refused.hint})" if refused.hint else ""
                click.echo(f"{click.get_current_context().find_root().info_name}: {refused.message}{hint}", err=True)
    sys.stdout.flush()
    return code


def confirmation(run: RunObject, now: float) -> str:
    """The confirmation that `run` is cancelled."""
    return f"cancelled {run.id[:SHORTEST_ID]} ({one_line(run.model)}) after {took(run, now)}"
