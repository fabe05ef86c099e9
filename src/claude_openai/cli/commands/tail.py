"""`claude-openai tail`: what was said in a run, and with -f what is said from now on."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from claude_openai.cli.client import RunId, Said, ServerOption, Told, about_a_server
from claude_openai.cli.formatting import SHORTEST_ID, cost, tokens, took
from claude_openai.cli.run_reader import RunReader, open_run_reader, output_of_run
from claude_openai.cli.terminal import harmless, one_line, wants_colours
from claude_openai.core.runs import ACTIVE_STATES
from claude_openai.protocols.runs.wire import RunActivity, RunCall, RunObject

EXAMPLES = """\b
Examples:
  claude-openai tail 3fa85f64
  claude-openai tail -f chatcmpl-3fa8
  claude-openai tail 3fa85f64 > answer.txt
"""


@click.command(epilog=EXAMPLES)
@click.argument("run_id", type=RunId())
@click.option("-f", "--follow", is_flag=True, help="Go on with what is said from now on, until the run is over.")
@about_a_server
def tail(choice: ServerOption, run_id: str, follow: bool) -> None:
    """Show what a run has said so far: its text as it is, each call of a tool on a line of its own.

    RUN_ID is the id of the run, of its answer or of its request (x-request-id), or enough of its beginning. How the run
    stands is told on standard error. Where no server runs it comes from the store on disk.
    """
    colours = wants_colours(sys.stdout, click.get_current_context().obj)
    shown = Transcript(terminal=sys.stdout.isatty(), colours=colours)
    with open_run_reader(choice) as found:
        for told in _told(found, run_id, follow=follow):
            if isinstance(told, RunObject):
                _say(shown.end())
                click.echo(summary(told, time.time(), followed=follow), err=True)
            else:
                _say(shown.feed(told))


@dataclass(slots=True)
class Transcript:
    """What is said in a run, as text: feed it with each thing that was said, and print what it gives back.

    Text is not changed, except for a `terminal`, which it must not speak to.
    """

    terminal: bool
    colours: bool = False
    _in_line: bool = False

    def feed(self, said: Said) -> str:
        """The text for it."""
        match said:
            case RunCall(name=name, arguments=arguments):
                return self._marked(f"→ {name}({arguments})", fg="cyan")
            case RunActivity(tool=tool, arguments=arguments, result=None):
                return self._marked(f"· {tool}({arguments})", dim=True)
            case RunActivity(tool=tool, result=result, failed=True):
                return self._marked(f"· {tool} failed: {result}", fg="red")
            case RunActivity():
                return ""
            case _:
                self._in_line = not said.text.endswith("\n") if said.text else self._in_line
                return harmless(said.text) if self.terminal else said.text

    def end(self) -> str:
        """What comes last: a terminal's next line begins a new one."""
        return self._begun_line() if self.terminal else ""

    def _marked(self, text: str, **style: Any) -> str:
        line = one_line(text)
        return f"{self._begun_line()}{click.style(line, **style) if self.colours else line}\n"

    def _begun_line(self) -> str:
        begun, self._in_line = self._in_line, False
        return "\n" if begun else ""


def summary(run: RunObject, now: float, *, followed: bool = False) -> str:
    """How a run stands, as a sentence; one that was `followed` and goes on all the same is answered elsewhere."""
    used = f"{tokens(run.usage)} tokens, " if run.usage else ""
    paid = f"{cost(run.cost_usd)}, " if run.cost_usd is not None else ""
    why = f": {one_line(run.error.message)}" if run.error else ""
    advice = "another server answers it: name that one with --port" if followed else "follow it with -f"
    more = f"; {advice}" if run.state in ACTIVE_STATES else ""
    return f"run {run.id[:SHORTEST_ID]} {_STANDS[run.state]} ({used}{paid}{took(run, now)}){why}{more}"


_STANDS = {
    "queued": "is waiting",
    "running": "is running",
    "parked": "waits for the results of its calls",
    "completed": "is completed",
    "failed": "has failed",
    "cancelled": "was cancelled",
}


def _told(found: RunReader, run_id: str, *, follow: bool) -> Iterator[Told]:
    if follow:
        yield from found.follow(run_id)
    else:
        yield from output_of_run(run := found.run(run_id))
        yield run


def _say(text: str) -> None:
    """At once, and as it is: `click.echo` would take escape sequences out of what goes into a file."""
    sys.stdout.write(text)
    sys.stdout.flush()
