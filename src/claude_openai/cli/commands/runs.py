"""`claude-openai runs`: lists the latest requests, as a table for people or as JSON for programs."""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import click

from claude_openai.cli.client import MOST_RUNS, ServerOption, about_a_server
from claude_openai.cli.formatting import age, cost, digits, tokens, took
from claude_openai.cli.run_reader import open_run_reader
from claude_openai.cli.terminal import progress, wants_colours, width
from claude_openai.core.runs import RunState
from claude_openai.protocols.runs.wire import RunObject
from claude_openai.text import one_line

GAP: Final = 2
NARROWEST: Final = 6
"""Minimum width of a name, in any terminal."""

COLOURS: Final = {"running": "green", "queued": "cyan", "parked": "yellow", "failed": "red", "cancelled": "magenta"}

EXAMPLES = """\b
Examples:
  claude-openai runs
  claude-openai runs --state running
  claude-openai runs 'timeout error @curl since:1d'
  claude-openai runs 'state:failed,cancelled -model:haiku cost:>0.1 sort:cost'
  claude-openai runs --limit 100 --json | jq '[.[].cost_usd | numbers] | add'
"""


@click.command(epilog=EXAMPLES)
@click.argument("query", nargs=-1)
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, MOST_RUNS), metavar="COUNT", help="How many."
)
@click.option("--state", type=click.Choice([state.value for state in RunState]), help="Only those in this state.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array of all fields except text and tool calls.")
@about_a_server
def runs(choice: ServerOption, query: tuple[str, ...], limit: int, state: str | None, as_json: bool) -> None:
    """List the latest runs, or those that match QUERY. A run is one request; its tokens are those of prompt and answer.

    QUERY is text of the answers and errors, or fields such as state:failed, model:opus, @client, tool:NAME, cost:>0.1,
    duration:>5s, since:1h; a minus sign before one means not. docs/reference/search.md has all.

    If no server runs, the runs are read from the store on disk. A server with API keys shows only the runs of your
    first key; the store shows all.
    """
    with progress("Asking"), open_run_reader(choice) as found:
        listed = found.runs(limit, state, " ".join(query))
    if as_json:
        click.echo(json.dumps([run.model_dump(exclude_none=False, exclude={"text", "tool_calls"}) for run in listed]))
    elif listed:
        colours = wants_colours(sys.stdout, click.get_current_context().obj)
        click.echo(table(listed, time.time(), width(sys.stdout), colours=colours), color=colours, nl=False)
    else:
        click.echo(f"no run is {state}" if state else "no run matches" if query else "no runs yet", err=True)


def table(listed: Sequence[RunObject], now: float, columns: int | None, *, colours: bool = False) -> str:
    """A headline and a line for each run, cut to `columns` if the numbers fit into them."""
    length = digits([run.id for run in listed])
    rows: list[tuple[str, ...]] = []
    for run in listed:
        names = (one_line(run.model), one_line(run.client) or "-")
        figures = (tokens(run.usage), cost(run.cost_usd), took(run, now))
        rows.append((run.id[:length], age(now - run.arrived_at), *names, run.state, *figures))
    shapes = _fitting([_Column(*cells) for cells in zip(HEAD, ALIGNED, zip(*rows, strict=True), strict=True)], columns)
    lines = []
    begin = sum(shape.width + GAP for shape in shapes[:_STATE])
    end = begin + shapes[_STATE].width
    for cells in (HEAD, *rows):
        line = (" " * GAP).join(shape(cell) for shape, cell in zip(shapes, cells, strict=True))
        if colours and (colour := COLOURS.get(cells[_STATE])):
            line = line[:begin] + click.style(line[begin:end], fg=colour) + line[end:]
        lines.append(f"{line.rstrip()}\n")
    return "".join(lines)


HEAD: Final = ("ID", "AGE", "MODEL", "CLIENT", "STATE", "TOKENS", "COST", "TOOK")
ALIGNED: Final = ("<", ">", "<", "<", "<", ">", ">", ">")
_MODEL, _CLIENT, _STATE = 2, 3, 4


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    aligned: str
    cells: Sequence[str]

    @property
    def width(self) -> int:
        """The width of the widest cell."""
        return max(map(len, (self.head, *self.cells)))


@dataclass(frozen=True, slots=True)
class _Shape:
    """The width and the alignment of a column."""

    width: int
    aligned: str

    def __call__(self, text: str) -> str:
        cut = text if len(text) <= self.width else f"{text[: self.width - 1]}…"
        return f"{cut:{self.aligned}{self.width}}"


def _fitting(table: Sequence[_Column], columns: int | None) -> list[_Shape]:
    """Cut the client first, then the model: all other columns are numbers, which cannot be cut."""
    widths = [column.width for column in table]
    if columns is not None:
        for name in (_CLIENT, _MODEL):
            excess = sum(widths) + GAP * (len(widths) - 1) - columns
            widths[name] = min(widths[name], max(NARROWEST, widths[name] - excess))
    return [_Shape(width, column.aligned) for width, column in zip(widths, table, strict=True)]
