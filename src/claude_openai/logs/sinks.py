"""Events are written at once, or by a thread of their own behind those who log, who then never wait and never fail."""

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
"""Events between those who log and the thread that writes; each is of a bounded size (`plain`)."""


@dataclass(frozen=True, slots=True)
class Output:
    """A destination, how it wants its lines, and from which level on."""

    destination: Destination
    render: Rendering
    least: int = logging.NOTSET

    def write(self, event: EventDict) -> None:
        """Write `event`, if it is wanted.

        Raises:
            OSError: it could not be written.
        """
        if NUMBERS.get(str(event.get("level")), logging.ERROR) >= self.least:
            self.destination.write(f"{self.render(event)}\n".encode("utf-8", "backslashreplace"))


class Sink(Protocol):
    """What takes events."""

    def put(self, event: EventDict) -> None:
        """Take `event`."""
        ...

    def close(self, seconds: float) -> None:
        """Write what there is, within `seconds`, and take no more."""
        ...


class DirectSink:
    """Writes each event as it comes. Where that does not work the event is lost."""

    def __init__(self, outputs: Sequence[Output], redaction: Redaction | None = None) -> None:
        self._outputs = outputs
        self._redaction = redaction or Redaction()
        self.lost = 0
        self._lock = Lock()

    def put(self, event: EventDict) -> None:
        """See `Sink.put`."""
        if self._outputs:
            self.write(snapshot(event))

    def write(self, event: EventDict) -> None:
        """Write what is plain already, and then what there is to say of events that were lost."""
        if self._written(event) and self.lost:
            with self._lock:
                lost, self.lost = self.lost, 0
            if not self._written(_dropped(lost)):
                self.lose(lost)

    def lose(self, count: int = 1) -> None:
        """Remember that so many were lost."""
        with self._lock:
            self.lost += count

    def close(self, seconds: float) -> None:
        """Nothing waits."""

    def _written(self, event: EventDict) -> bool:
        """Whether the first output has it; it is the log, the others are for people besides."""
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
    """Writes in a thread. Whoever logs does not wait: what comes while too much waits already is lost."""

    def __init__(self, outputs: Sequence[Output], redaction: Redaction) -> None:
        self._writer = DirectSink(outputs, redaction)
        self._waiting: Queue[EventDict | None] = Queue(MOST_WAITING)
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def put(self, event: EventDict) -> None:
        """See `Sink.put`."""
        try:
            self._waiting.put_nowait(snapshot(event))
        except Full:
            self._writer.lose()

    def close(self, seconds: float) -> None:
        """See `Sink.close`. A thread that hangs in a write that never ends is left to the end of the program."""
        deadline = time.monotonic() + seconds
        try:
            self._waiting.put(None, timeout=seconds)
        except Full:
            return
        self._thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while (event := self._waiting.get()) is not None:
            self._writer.write(event)


def _dropped(count: int) -> EventDict:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"time": now, "level": "warning", "event": "log.dropped", "events": count}
