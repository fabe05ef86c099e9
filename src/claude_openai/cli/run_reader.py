"""Reads runs for commands: from the running server, or from the store on disk if no server runs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import click

from claude_openai.cli.client import (
    MOST_RUNS,
    UNKNOWN_RUN,
    Api,
    FollowedEvent,
    ServerOption,
    ServerRefused,
    ambiguous,
    api,
    unknown,
)
from claude_openai.core.failures import RequestFailed
from claude_openai.core.runs import ACTIVE_STATES, RunState
from claude_openai.core.search import in_state, parse
from claude_openai.protocols.runs.stream import CODES, run_object, whole_run
from claude_openai.protocols.runs.wire import RunObject, RunText
from claude_openai.system.instances import on_port, running
from claude_openai.system.places import Places
from claude_openai.text import one_line

if TYPE_CHECKING:
    from claude_openai.server.stores import StoredRuns


class OneRunReader(Protocol):
    """Reads a run. Each method raises `LaunchError` if it cannot."""

    def run(self, run_id: str) -> RunObject:
        """One run with its text and calls, by the beginning of an id."""
        ...

    def follow(self, run_id: str) -> Iterator[FollowedEvent]:
        """The output of a run until its end; the run comes last."""
        ...


class RunReader(OneRunReader, Protocol):
    """Reads runs. Each method raises `LaunchError` if it cannot."""

    def runs(self, limit: int, state: str | None = None, query: str = "") -> Sequence[RunObject]:
        """The runs that match `query` (`core.search`), latest first unless it has another order."""
        ...


class StoreReader:
    """Reads the runs on disk, of all API keys: a user who can read the file may read all of it."""

    def __init__(self, saved: "StoredRuns") -> None:
        self._saved = saved

    def runs(self, limit: int, state: str | None = None, query: str = "") -> Sequence[RunObject]:
        """See `RunReader.runs`."""
        wanted = parse(query, datetime.now().astimezone(), CODES)
        if wanted.problems:
            problem = wanted.problems[0]
            sentence = one_line(f"{problem.message} It is at character {problem.position + 1} of the query")
            raise ServerRefused(sentence, code="invalid_query")
        terms = in_state(RunState(state) if state else None).terms
        try:
            found = self._saved.search(replace(wanted, terms=terms + wanted.terms), limit)
        except RequestFailed as slow:
            raise ServerRefused(slow.failure.message.rstrip("."), code="invalid_query") from None
        return [run_object(run) for run in found]

    def run(self, run_id: str) -> RunObject:
        """See `OneRunReader.run`."""
        match self._saved.find(run_id):
            case ():
                raise unknown(run_id)
            case (run,):
                return whole_run(run)
            case _:
                raise ambiguous(run_id, self.runs(MOST_RUNS))

    def follow(self, run_id: str) -> Iterator[FollowedEvent]:
        """See `OneRunReader.follow`."""
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
    yield StoreReader(STORES[choice.settings.store].read(choice.settings, places))


class SeveralServers:
    """The running servers of this user, of which one answers the run: each is asked for it in turn."""

    def __init__(self, servers: Sequence[Api]) -> None:
        self._servers = servers

    def run(self, run_id: str) -> RunObject:
        """See `OneRunReader.run`. Servers with one store all know the run; the one that answers it has its text."""
        found = self._first(lambda server: server.run(run_id), enough=lambda run: run.state not in ACTIVE_STATES)
        return max(found, key=lambda run: (run.state not in ACTIVE_STATES, len(run.text or "")))

    def follow(self, run_id: str) -> Iterator[FollowedEvent]:
        """See `OneRunReader.follow`. A server that does not answer the run has its state at once, and no output."""
        servers = list(self._servers)
        while servers:
            server = servers.pop(0)
            try:
                for event in server.follow(run_id):
                    if isinstance(event, RunObject) and event.state in ACTIVE_STATES and servers:
                        break
                    yield event
                else:
                    return
            except ServerRefused as refused:
                if refused.code != UNKNOWN_RUN or not servers:
                    raise

    def cancel(self, run_id: str) -> RunObject:
        """See `Api.cancel`."""
        return self._first(lambda server: server.cancel(run_id), enough=lambda _: True)[-1]

    def _first(self, ask: Callable[[Api], RunObject], *, enough: Callable[[RunObject], bool]) -> Sequence[RunObject]:
        """What the servers answer, until it is `enough`; raises the refusal that says most where none answers."""
        found, refusals = list[RunObject](), list[ServerRefused]()
        for server in self._servers:
            try:
                found.append(ask(server))
            except ServerRefused as refused:
                refusals.append(refused)
            if found and enough(found[-1]):
                break
        if not found:
            raise min(refusals, key=lambda refused: refused.code == UNKNOWN_RUN)
        return found


@contextmanager
def servers_of_runs(choice: ServerOption) -> Iterator[SeveralServers | None]:
    """A context manager with the servers that may have a run: the chosen one, else all; None where none runs."""
    servers = [] if choice.is_named else [each.url for each in on_port(None, choice.settings.port)]
    if len(servers) == 1:  # the one on the usual port, or the only one
        servers += [each.url for each in running() if each.url not in servers]
    urls = servers or [url for url in (choice.found(),) if url]
    with ExitStack() as stack:
        yield SeveralServers([stack.enter_context(api(url, choice)) for url in urls]) if urls else None


@contextmanager
def open_reader_of_one(choice: ServerOption) -> Iterator[OneRunReader]:
    """A context manager with what has a run, on whichever server: `servers_of_runs`, else the store."""
    with servers_of_runs(choice) as servers:
        if servers:
            yield servers
            return
    with open_run_reader(choice) as store:
        yield store


def events_of_run(run: RunObject) -> Iterator[FollowedEvent]:
    """The output of a run so far, and then the run, as a follower gets them."""
    if run.text:
        yield RunText(text=run.text)
    yield from run.tool_calls or ()
    yield run
