"""Sinks write events to outputs: directly, or in a background thread, so that logging never waits and never raises."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Full, Queue
from threading import Lock, Thread
from typing import Final, Protocol

from structlog.typing import EventDict

from claude_openai.logs.destinations import Destination
from claude_openai.logs.levels import NUMBERS
from claude_openai.logs.redaction import Redaction
from claude_openai.logs.rendering import Rendering
from claude_openai.logs.snapshot import snapshot

MOST_WAITING: Final = 1000
"""Events in the queue of the background thread; each has a bounded size (`snapshot`)."""


@dataclass(frozen=True, slots=True)
class Output:
    """A destination with its renderer and its lowest level."""

    destination: Destination
    render: Rendering
    least: int = logging.NOTSET

    def write(self, event: EventDict) -> None:
        """Write `event`, if its level is high enough.

        Raises:
            OSError: it could not be written.
        """
        if NUMBERS.get(str(event.get("level")), logging.ERROR) < self.least:
            return
        if (text := self.render(event)) is not None:
            self.destination.write(f"{text}\n".encode("utf-8", "backslashreplace"))


class Sink(Protocol):
    """Takes events."""

    def put(self, event: EventDict) -> None:
        """Write `event`, now or later."""
        ...

    def close(self, seconds: float) -> None:
        """Write the waiting events within `seconds`, and accept no more."""
        ...

    @property
    def lost_in_all(self) -> int:
        """How many events could not be written, since the beginning."""
        ...


class DirectSink:
    """Writes each event at once. Events that cannot be written are lost and counted."""

    def __init__(self, outputs: Sequence[Output], redaction: Redaction | None = None) -> None:
        self._outputs = outputs
        self._redaction = redaction or Redaction()
        self.lost = 0
        self.lost_in_all = 0
        self._lock = Lock()

    def put(self, event: EventDict) -> None:
        """See `Sink.put`."""
        if self._outputs:
            self.write(snapshot(event))

    def write(self, event: EventDict) -> None:
        """Write `event`, a snapshot, and then the number of events that were lost before."""
        if self._written(event) and self.lost:
            with self._lock:
                lost, self.lost = self.lost, 0
            now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
            if not self._written({"time": now, "level": "warning", "event": "log.dropped", "events": lost}):
                with self._lock:
                    self.lost += lost  # they count once in all

    def lose(self, count: int = 1) -> None:
        """Count `count` lost events."""
        with self._lock:
            self.lost += count
            self.lost_in_all += count

    def close(self, seconds: float) -> None:
        """Nothing to do: no event waits."""

    def _written(self, event: EventDict) -> bool:
        """Write `event` to all outputs; whether the first one, which is the log, has worked."""
        shown = self._redaction(None, "", event)
        worked = []
        for output in self._outputs:
            try:
                output.write(shown)
            except OSError:
                worked.append(False)
            else:
                worked.append(True)
        if not worked[0]:
            self.lose()
        return worked[0]


class BackgroundSink:
    """Writes in a background thread. `put` never waits: when the queue is full, the event is lost and counted."""

    def __init__(self, outputs: Sequence[Output], redaction: Redaction) -> None:
        self._writer = DirectSink(outputs, redaction)
        self._waiting: Queue[EventDict | None] = Queue(MOST_WAITING)
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def lost_in_all(self) -> int:
        """See `Sink.lost_in_all`."""
        return self._writer.lost_in_all

    def put(self, event: EventDict) -> None:
        """See `Sink.put`."""
        try:
            self._waiting.put_nowait(snapshot(event))
        except Full:
            self._writer.lose()

    def close(self, seconds: float) -> None:
        """See `Sink.close`. A thread that hangs in a write is abandoned: it ends with the program."""
        deadline = time.monotonic() + seconds
        try:
            self._waiting.put(None, timeout=seconds)
        except Full:
            return
        self._thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while (event := self._waiting.get()) is not None:
            self._writer.write(event)
