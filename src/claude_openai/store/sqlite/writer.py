"""The writer of a server: a thread that owns the connection.

Runs and responses wait in tables by id, so that of several states of a run only the last is written, and what was
queued together is written in one transaction. The writer never raises: it logs an error once, retries those that may
pass (a full disk, a lock), and drops runs that find no room meanwhile.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field

import structlog

from claude_openai.core.limits import NOTHING, Spent
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Run
from claude_openai.store.sqlite.ended import index_the_rest, note_ended
from claude_openai.store.sqlite.retention import Retention, forget
from claude_openai.store.sqlite.rows import SAVE, SAVE_RESPONSE, row_of
from claude_openai.store.sqlite.servers import Registration, assert_presence, end_abandoned

log = structlog.get_logger(__name__)

ADD_USAGE = """
INSERT INTO key_usage (key, period, tokens, cost_usd) VALUES (?, ?, ?, ?)
ON CONFLICT (key, period) DO UPDATE SET tokens = tokens + excluded.tokens, cost_usd = cost_usd + excluded.cost_usd
"""

MOST_WAITING = 1000
"""Runs, or responses, that wait. The thread writes thousands a second: only a long failure to write makes so many."""

RETRY_SECONDS = 5.0
"""Until the next try after an error that may pass, if no new run comes before."""

CLOSE_SECONDS = 10.0
"""How long `close` waits for the thread, which may have to wait for two locks."""

PAUSE_SECONDS = 0.03
"""Between two bites of indexing, so that it does not keep requests from the processor."""

LAST_MAINTENANCE_SECONDS = 1.0
"""How long retention may delay the stop."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction writes: runs and responses by id, None for a response that is deleted, and what is added to
    the usage of keys, by name and period.
    """

    runs: dict[str, Run] = field(default_factory=dict)
    responses: dict[str, StoredResponse | None] = field(default_factory=dict)
    usage: dict[tuple[str, str], Spent] = field(default_factory=dict)

    def __or__(self, newer: "Batch") -> "Batch":
        usage = self.usage | {key: self.usage.get(key, NOTHING) + more for key, more in newer.usage.items()}
        return Batch(self.runs | newer.runs, self.responses | newer.responses, usage)

    def __len__(self) -> int:
        return max(len(self.runs), len(self.responses))

    def __bool__(self) -> bool:
        return bool(self.runs or self.responses or self.usage)


class Writer:
    """Writes runs until `close`. It owns the connection from the beginning, and closes it. `lost`: dropped runs."""

    def __init__(self, connection: sqlite3.Connection, server: Registration, retention: Retention) -> None:
        self._connection = connection
        self._server = server
        self._retention = retention
        self._changed = threading.Condition()
        self._waiting = Batch()
        self._taken = Batch()
        self._callbacks: list[Callable[[], None]] = []
        self._has_new = self._closing = False
        self._logged: set[str] = set()
        self.lost = 0
        self._thread = threading.Thread(target=self._work, name="runs", daemon=True)
        self._thread.start()

    def save(self, batch: Batch, on_written: Callable[[], None] | None = None) -> None:
        """Queue `batch` to be written as a whole; returns at once.

        `on_written` is called in the writer's thread once the batch is written, or was tried in vain.
        """
        with self._changed:
            known = self._taken | self._waiting
            if room := len(known | batch) <= max(MOST_WAITING, len(known)):
                self._waiting |= batch
                self._has_new = True
                if on_written:
                    self._callbacks.append(on_written)
                self._changed.notify()
            else:
                self.lost += len(batch.runs)
        if not room:
            self._log_error("too many runs wait to be written")
            if on_written:
                on_written()

    def unwritten(self) -> Batch:
        """What is not in the file yet, or is being written."""
        with self._changed:
            return self._taken | self._waiting

    def close(self) -> None:
        """Write the waiting runs, for `CLOSE_SECONDS` at most, and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)
        if self._thread.is_alive():
            self._log_error("the disk does not answer")

    def _work(self) -> None:
        maintenance = self._maintenance()
        with closing(self._connection):
            wait = 0.0
            while not self._closing:
                self._write(*self._next(RETRY_SECONDS if self._logged else wait))
                wait = next(maintenance)
            self._write(*self._next(0))
            deadline = time.monotonic() + LAST_MAINTENANCE_SECONDS
            while next(maintenance) == 0 and time.monotonic() < deadline:
                pass
            with self._logging_errors():  # this server's runs end as those of a dead one
                end_abandoned(self._connection, leaving=self._server)

    def _next(self, timeout: float) -> tuple[Batch, list[Callable[[], None]]]:
        with self._changed:
            self._changed.wait_for(lambda: self._has_new or self._closing, timeout)
            self._has_new = False
            self._taken, self._waiting = self._waiting, Batch()
            callbacks, self._callbacks = self._callbacks, []
            return self._taken, callbacks

    def _write(self, batch: Batch, callbacks: list[Callable[[], None]]) -> None:
        """Write `batch` in one transaction; after an error that may pass, it waits again."""
        unwritten = Batch()
        try:
            if batch:
                rows = [row_of(run, self._server.id)._asdict() for run in batch.runs.values()]
                with self._connection:
                    self._connection.execute("BEGIN IMMEDIATE")
                    assert_presence(self._connection, self._server)
                    self._connection.executemany(SAVE, rows)
                    self._connection.executemany(
                        ADD_USAGE, [(*key, spent.tokens, spent.cost_usd) for key, spent in batch.usage.items()]
                    )
                    for run in batch.runs.values():
                        note_ended(self._connection, run)
                    for response_id, response in batch.responses.items():
                        if response is None:
                            self._connection.execute("DELETE FROM responses WHERE id = ?", (response_id,))
                        else:
                            self._connection.execute(SAVE_RESPONSE, asdict(response))
        except sqlite3.OperationalError as error:
            self._log_error(str(error))
            unwritten = batch
        except (sqlite3.Error, OverflowError) as error:
            self._log_error(str(error))
            self.lost += len(batch.runs)
        else:
            if batch and self._logged:
                self._logged.clear()
                log.info("store.recovered")
        with self._changed:  # in one step, or a run would count twice for a moment
            self._taken, self._waiting = Batch(), unwritten | self._waiting
        for callback in callbacks:
            callback()

    def _maintenance(self) -> Iterator[float]:
        """Delete a batch of runs a step, when retention is due; yield the seconds until the next step; without end."""
        while True:
            due = time.monotonic() + self._retention.every
            with self._logging_errors():
                end_abandoned(self._connection)
                for _ in index_the_rest(self._connection):
                    yield PAUSE_SECONDS
                for _ in forget(self._connection, self._retention, time.time()):
                    yield 0.0
            yield 0.0
            while (rest := due - time.monotonic()) > 0:
                yield rest

    @contextmanager
    def _logging_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            self._log_error(str(error))

    def _log_error(self, reason: str) -> None:
        """Log each reason once, until a write succeeds again."""
        if reason not in self._logged:
            self._logged.add(reason)
            log.error("store.error", reason=reason)
