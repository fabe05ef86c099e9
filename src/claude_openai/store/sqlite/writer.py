"""The one writer of a server: a thread that owns the connection.

What is handed to it waits in a table by run, so of several states of a run the last one is written. It never raises:
trouble is told once, what may pass (a full disk, a lock) is tried again, and what finds no room meanwhile is lost.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import structlog

from claude_openai.core.runs import Run
from claude_openai.store.sqlite.queries import query
from claude_openai.store.sqlite.retention import Retention, forget
from claude_openai.store.sqlite.rows import row_of
from claude_openai.store.sqlite.servers import Registration, assert_presence, end_abandoned

log = structlog.get_logger(__name__)

MOST_WAITING = 1000
"""Runs not written yet. The thread writes thousands a second, so these are of a long trouble."""

RETRY_SECONDS = 5.0
"""After trouble that may pass, if there is no new run before."""

CLOSE_SECONDS = 10.0
"""Until a thread that the disk does not let go is left alone; it may wait for two locks."""

LAST_CHORES_SECONDS = 1.0
"""How long forgetting what is due may hold up the end."""


class Writer:
    """Writes what `save` is given until `close`. The connection is its own from then on."""

    def __init__(self, connection: sqlite3.Connection, server: Registration, retention: Retention) -> None:
        self._connection = connection
        self._server = server
        self._retention = retention
        self._changed = threading.Condition()
        self._waiting: dict[str, Run] = {}
        self._taken: dict[str, Run] = {}
        self._news = self._closing = False
        self._told: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="runs", daemon=True)
        self._thread.start()

    def save(self, run: Run) -> None:
        """Have `run` written; returns at once."""
        with self._changed:
            known = run.id in self._waiting or run.id in self._taken
            if room := known or len(self._waiting) + len(self._taken) < MOST_WAITING:
                self._waiting[run.id] = run
                self._news = True
                self._changed.notify()
        if not room:
            self._tell("too many runs wait to be written")

    def unwritten(self) -> dict[str, Run]:
        """What is not in the file yet, or was not a moment ago."""
        with self._changed:
            return self._taken | self._waiting

    def close(self) -> None:
        """Write what waits, as far as that is possible within a bound."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            self._tell("the disk does not answer")

    def _work(self) -> None:
        chores = self._chores()
        with closing(self._connection):
            rest = 0.0
            while not self._closing:
                self._write(self._next(RETRY_SECONDS if self._told else rest))
                rest = next(chores)
            self._write(self._next(0))
            self._finish(chores)

    def _next(self, patience: float) -> dict[str, Run]:
        with self._changed:
            self._changed.wait_for(lambda: self._news or self._closing, patience)
            self._news = False
            self._taken, self._waiting = self._waiting, {}
            return self._taken

    def _write(self, runs: dict[str, Run]) -> None:
        if not runs:
            return
        try:
            self._put(runs)
        except sqlite3.OperationalError as error:
            self._tell(str(error))
            self._done_with(runs)
        except (sqlite3.Error, OverflowError) as error:
            self._tell(str(error))
            self._done_with({})
        else:
            self._recovered()
            self._done_with({})

    def _put(self, runs: dict[str, Run]) -> None:
        rows = [row_of(run, self._server.id)._asdict() for run in runs.values()]
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            assert_presence(self._connection, self._server)
            self._connection.executemany(query("save"), rows)

    def _done_with(self, unwritten: dict[str, Run]) -> None:
        """In one step, or a run would take two places for a moment."""
        with self._changed:
            self._taken, self._waiting = {}, unwritten | self._waiting

    def _chores(self) -> Iterator[float]:
        """Does a bite of what is due at each step, and says for how long nothing more is. It has no end."""
        while True:
            due = time.monotonic() + self._retention.every
            with self._telling():
                end_abandoned(self._connection)
                for _ in forget(self._connection, self._retention, time.time()):
                    yield 0.0
            yield 0.0
            while (rest := due - time.monotonic()) > 0:
                yield rest

    def _finish(self, chores: Iterator[float]) -> None:
        """A server that ends is a dead one."""
        deadline = time.monotonic() + LAST_CHORES_SECONDS
        while next(chores) == 0 and time.monotonic() < deadline:
            pass
        with self._telling():
            end_abandoned(self._connection, leaving=self._server)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            self._tell(str(error))

    def _tell(self, reason: str) -> None:
        """Once, until something could be written again."""
        if reason not in self._told:
            self._told.add(reason)
            log.error("store.error", reason=reason)

    def _recovered(self) -> None:
        if self._told:
            self._told.clear()
            log.info("store.recovered")
