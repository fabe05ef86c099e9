"""The sources of events: our modules through structlog, libraries through the standard library's `logging`."""

import logging
from collections.abc import Callable, Sequence
from logging.handlers import QueueHandler
from queue import SimpleQueue
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

Put = Callable[[EventDict], None]


def processors() -> Sequence[Processor]:
    """The processors of every event: bound fields, the level, the time."""
    return (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    )


class EventLogger:
    """The innermost logger: structlog passes our events of every level to it."""

    def __init__(self, put: Put) -> None:
        self._put = put

    @classmethod
    def factory(cls, put: Put) -> Callable[..., "EventLogger"]:
        """The `logger_factory` for structlog, which calls it with the loggers' names."""
        return lambda *_: cls(put)

    def _log(self, **event: Any) -> None:
        self._put(event)

    trace = debug = info = warning = error = critical = _log


class StdlibHandler(QueueHandler):
    """Passes records to our sink. It inherits that no record raises an exception in the library that logs."""

    def __init__(self, put: Put) -> None:
        super().__init__(SimpleQueue())
        self._put = put

    def take_over(self, least: int) -> None:
        """Become the only handler of the root logger and of uvicorn, for records of level `least` and above."""
        root = logging.getLogger()
        root.handlers[:] = [self]
        root.setLevel(least)
        for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
            library = logging.getLogger(name)
            library.handlers.clear()
            library.propagate = True
        logging.captureWarnings(capture=True)

    def prepare(self, record: logging.LogRecord) -> EventDict:
        """Convert the record to an event; a traceback becomes text."""
        exception = {"exception": logging.Formatter().formatException(record.exc_info)} if record.exc_info else {}
        event: Any = {"event": record.getMessage(), "logger": record.name, **exception}
        for processor in processors():
            event = processor(None, record.levelname.lower(), event)
        return dict(event)

    def enqueue(self, record: Any) -> None:
        """Pass on the event that `prepare` returned."""
        self._put(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the standard library's name
        """Log that the record could not be formatted. The inherited method prints the arguments, secrets included."""
        self._put({"level": "error", "event": "log.unprintable", "logger": record.name})
