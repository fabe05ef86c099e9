"""Reads runs for commands: from the running server, or from the store on disk if no server runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

from claude_openai.cli.client import MOST_RUNS, FollowedEvent, ServerOption, ambiguous, api, unknown
from claude_openai.core.runs import RunState
from claude_openai.protocols.runs.stream import run_object, whole_run
from claude_openai.protocols.runs.wire import RunObject, RunText
from claude_openai.system.places import Places

if TYPE_CHECKING:
    from claude_openai.server.stores import StoredRuns


class RunReader(Protocol):
    """Reads runs. Each method raises `LaunchError` if it cannot."""

    def runs(self, limit: int, state: str | None = None) -> Sequence[RunObject]:
        """The latest runs, latest first."""
        ...

    def run(self, run_id: str) -> RunObject:
        """One run with its text and calls, by the beginning of an id."""
        ...

    def follow(self, run_id: str) -> Iterator[FollowedEvent]:
        """The output of a run until its end; the run comes last."""
        ...


class StoreReader:
    """Reads the runs on disk, of all API keys: a user who can read the file may read all of it."""

    def __init__(self, saved: "StoredRuns") -> None:
        self._saved = saved

    def runs(self, limit: int, state: str | None = None) -> Sequence[RunObject]:
        """See `RunReader.runs`."""
        return [run_object(run) for run in self._saved.recent(limit, RunState(state) if state else None)]

    def run(self, run_id: str) -> RunObject:
        """See `RunReader.run`."""
        match self._saved.find(run_id):
            case ():
                raise unknown(run_id)
            case (run,):
                return whole_run(run)
            case _:
                raise ambiguous(run_id, self.runs(MOST_RUNS))

    def follow(self, run_id: str) -> Iterator[FollowedEvent]:
        """See `RunReader.follow`."""
        yield from events_of_run(self.run(run_id))


@contextmanager
def open_run_reader(choice: ServerOption) -> Iterator[RunReader]:
    """A context manager with the chosen server; if none runs, with the store, which is noted on standard error."""
    if url := choice.found():
        with api(url, choice) as server:
            yield server
        return
    from claude_openai.server.stores import STORES  # noqa: PLC0415 -- SQLite, which --help need not wait for

    places = Places.of(choice.settings)
    click.echo(f"no server of yours runs; this is from the store in {places.data}", err=True)
    yield StoreReader(STORES[choice.settings.store].read(places))


def events_of_run(run: RunObject) -> Iterator[FollowedEvent]:
    """The output of a run so far, and then the run, as a follower gets them."""
    if run.text:
        yield RunText(text=run.text)
    yield from run.tool_calls or ()
    yield run
