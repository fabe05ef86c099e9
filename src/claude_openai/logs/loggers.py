"""Where events come from: our own modules through structlog, libraries through the standard library's `logging`."""

import logging
from collections.abc import Callable, Sequence
from logging.handlers import QueueHandler
from queue import SimpleQueue
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

Put = Callable[[EventDict], None]


def processors() -> Sequence[Processor]:
    """What every event gets."""
    return (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    )


class EventLogger:
    """What structlog hands our own events to, whatever their level."""

    def __init__(self, put: Put) -> None:
        self._put = put

    @classmethod
    def factory(cls, put: Put) -> Callable[..., "EventLogger"]:
        """What structlog makes loggers with, giving it their names."""
        return lambda *_: cls(put)

    def _log(self, **event: Any) -> None:
        self._put(event)

    trace = debug = info = warning = error = critical = _log


class StdlibHandler(QueueHandler):
    """A handler whose queue is ours. What it inherits is that no record raises anything into the library."""

    def __init__(self, put: Put) -> None:
        super().__init__(SimpleQueue())
        self._put = put

    def prepare(self, record: logging.LogRecord) -> EventDict:
        """The record as an event; a traceback is text from here on."""
        event: Any = {"event": record.getMessage(), "logger": record.name, **_trouble(record)}
        for processor in processors():
            event = processor(None, record.levelname.lower(), event)
        return dict(event)

    def enqueue(self, record: Any) -> None:
        """Hand over what `prepare` made."""
        self._put(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the standard library's name
        """The inherited one prints the record's arguments as they are, secrets included."""
        self._put({"level": "error", "event": "log.unprintable", "logger": record.name})


def _trouble(record: logging.LogRecord) -> dict[str, object]:
    if not record.exc_info:
        return {}
    return {"exception": logging.Formatter().formatException(record.exc_info)}
