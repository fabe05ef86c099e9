"""`claude-openai tail`: shows the output of a run, and follows it with -f."""

import os
import sys
import time
from dataclasses import dataclass
from typing import Any

import click

from claude_openai.cli.client import RunId, RunOutput, ServerOption, about_a_server
from claude_openai.cli.formatting import SHORTEST_ID, cost, tokens, took
from claude_openai.cli.run_reader import events_of_run, open_reader_of_one, open_run_reader
from claude_openai.cli.terminal import wants_colours
from claude_openai.core.runs import ACTIVE_STATES
from claude_openai.errors import NotRunning
from claude_openai.protocols.runs.wire import RunActivity, RunCall, RunObject
from claude_openai.text import harmless, one_line

EXAMPLES = """\b
Examples:
  claude-openai tail
  claude-openai tail 3fa85f64
  claude-openai tail -f chatcmpl-3fa8
  claude-openai tail 3fa85f64 > answer.txt
"""


@click.command(epilog=EXAMPLES)
@click.argument("run_id", type=RunId(), required=False)
@click.option("-f", "--follow", is_flag=True, help="Follow the output until the run has ended.")
@about_a_server
def tail(choice: ServerOption, run_id: str | None, follow: bool) -> None:
    """Show the output of a run so far: its text unchanged, and a line for each tool call.

    RUN_ID is the id of the run, of its answer or of its request (x-request-id), or enough of its beginning; without
    one it is the latest run. The state of the run is printed to standard error. If no server runs, the run is read from
    the store on disk.
    """
    colours = wants_colours(sys.stdout, click.get_current_context().obj)
    shown = Transcript(terminal=sys.stdout.isatty(), colours=colours, merged=_merged())
    run_id = run_id or _latest(choice)
    with open_reader_of_one(choice) as found:
        for event in found.follow(run_id) if follow else events_of_run(found.run(run_id)):
            # `click.echo` would remove escape sequences from text for a file.
            sys.stdout.write(shown.end() if isinstance(event, RunObject) else shown.feed(event))
            sys.stdout.flush()
            if isinstance(event, RunObject):
                click.echo(summary(event, time.time(), followed=follow), err=True)


@dataclass(slots=True)
class Transcript:
    """Formats the output of a run as text: `feed` returns the text to print.

    Text is unchanged, except for a `terminal`, where control characters are escaped. Where standard error is `merged`
    into it, the last line of the text is ended.
    """

    terminal: bool
    colours: bool = False
    merged: bool = False
    _in_line: bool = False

    def feed(self, output: RunOutput) -> str:
        """The text for one piece of output."""
        match output:
            case RunCall(name=name, arguments=arguments):
                return self._marked(f"→ {name}({arguments})", fg="cyan")
            case RunActivity(tool=tool, arguments=arguments, result=None):
                return self._marked(f"· {tool}({arguments})", dim=True)
            case RunActivity(tool=tool, result=result, failed=True):
                return self._marked(f"· {tool} failed: {result}", fg="red")
            case RunActivity():
                return ""
            case _:
                self._in_line = not output.text.endswith("\n") if output.text else self._in_line
                return harmless(output.text) if self.terminal else output.text

    def end(self) -> str:
        """The last text: on a terminal and before what goes to standard error, an unfinished line is ended."""
        return self._line_break() if self.terminal or self.merged else ""

    def _marked(self, text: str, **style: Any) -> str:
        line = one_line(text)
        return f"{self._line_break()}{click.style(line, **style) if self.colours else line}\n"

    def _line_break(self) -> str:
        in_line, self._in_line = self._in_line, False
        return "\n" if in_line else ""


def _merged() -> bool:
    """Whether standard output and standard error are one file (`2>&1`)."""
    try:
        return os.path.sameopenfile(sys.stdout.fileno(), sys.stderr.fileno())
    except (OSError, ValueError):  # not files
        return False


def _latest(choice: ServerOption) -> str:
    """The id of the latest run of the chosen server, or of the store.

    Raises:
        NotRunning: there is no run yet.
    """
    with open_run_reader(choice) as reader:
        runs = reader.runs(1)
    if not runs:
        raise NotRunning("there is no run yet", "one begins with each request")
    return runs[0].id


def summary(run: RunObject, now: float, *, followed: bool = False) -> str:
    """The state of a run, as a sentence. A `followed` run that is still active is answered by another server."""
    used = f"{tokens(run.usage)} tokens, " if run.usage else ""
    paid = f"{cost(run.cost_usd)}, " if run.cost_usd is not None else ""
    why = f": {one_line(run.error.message)}" if run.error else ""
    advice = "another server answers it: name that one with --port" if followed else "follow it with -f"
    more = f"; {advice}" if run.state in ACTIVE_STATES else ""
    return f"run {run.id[:SHORTEST_ID]} {_STATES[run.state]} ({used}{paid}{took(run, now)}){why}{more}"


_STATES = {
    "queued": "is waiting",
    "running": "is running",
    "parked": "waits for the results of its calls",
    "completed": "is completed",
    "failed": "has failed",
    "cancelled": "was cancelled",
}
