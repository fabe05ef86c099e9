"""The log: events with fields, as JSON lines on standard output or in a file, or as columns for people.

`log.info("http.request", status=200)`: the first argument is the name of the event, a constant; everything that varies
is a field. Fields that a task binds with `bound(request_id=...)` are in every event of that task. Records of the
standard library's `logging` become events too. `docs/reference/logs.md` lists the events.

Guarantees: every event passes one `Redaction` before it is rendered; with a background sink, logging never waits and
never raises; events that cannot be written are counted, and the count is logged. Code that builds a payload for the log
checks `shows` first, so that it costs nothing where the level is off.

We use structlog because it has events with fields, fields bound to a task and a chain of processors; with `logging`
alone each would be a subclass of ours.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

import structlog

from claude_openai.logs import levels
from claude_openai.logs.destinations import Descriptor, Destination, LogFile, Memory
from claude_openai.logs.levels import Level, Log, shows
from claude_openai.logs.loggers import EventLogger, StdlibHandler, processors
from claude_openai.logs.redaction import HIDDEN, SHORTEST_SECRET, Redaction, secrets_in
from claude_openai.logs.rendering import columns, json_line
from claude_openai.logs.request_lines import RequestLines
from claude_openai.logs.sinks import BackgroundSink, DirectSink, Output, Sink
from claude_openai.logs.snapshot import CUT, LONGEST_TEXT, TOO_DEEP

__all__ = [
    "CUT",
    "HIDDEN",
    "LONGEST_TEXT",
    "SHORTEST_SECRET",
    "TOO_DEEP",
    "Descriptor",
    "Destination",
    "Level",
    "Log",
    "LogFile",
    "Memory",
    "bound",
    "close",
    "configure",
    "crashed",
    "dropped_events",
    "logger",
    "redacted",
    "secrets_in",
    "shows",
]

CLOSE_SECONDS = 2.0
"""Time to write the waiting events when the program ends."""

_redaction = Redaction()
_sink: Sink = DirectSink([])


def configure(
    level: Level | None,
    log: Destination | None,
    *,
    json: bool = True,
    colours: bool = False,
    secrets: Iterable[str] = (),
    console: Destination | None = None,
    console_width: Callable[[], int | None] = lambda: None,
    console_words: Callable[[str], str] = str,
    diagnostics: Destination | None = None,
    background: bool = False,
) -> None:
    """Configure logging for the whole process, replacing an earlier configuration. Without a `level` nothing is logged.

    `log` gets every event from `level` on, as JSON or as columns. `console` gets a line for each request
    (`RequestLines`) of at most `console_width` columns, its sentences through `console_words`; `diagnostics` gets
    warnings and errors as columns. `secrets` are values to hide in every field and text. With `background` a thread
    writes the events, until `close`.
    """
    global _redaction, _sink  # noqa: PLW0603 -- a process has one log, one redaction and one sink
    close()
    _redaction = Redaction(secrets)
    outputs = []
    if level and log:
        outputs.append(Output(log, json_line if json else columns(colours=colours)))
    if level and console:
        lines = RequestLines(colours=colours, width=console_width, worded=console_words)
        outputs.append(Output(console, lines, least=logging.INFO))
    if diagnostics:
        outputs.append(Output(diagnostics, columns(colours=colours), least=logging.WARNING))
    _sink = BackgroundSink(outputs, _redaction) if background and outputs else DirectSink(outputs, _redaction)
    least = levels.least(level, diagnosing=diagnostics is not None)
    structlog.configure(
        processors=[*processors(), structlog.processors.format_exc_info],
        wrapper_class=levels.filtering(least),
        logger_factory=EventLogger.factory(_sink.put),
    )
    StdlibHandler(_sink.put).take_over(levels.of_libraries(least))


def close(seconds: float = CLOSE_SECONDS) -> None:
    """Write the waiting events, for at most `seconds`. Later events are lost."""
    _sink.close(seconds)


def logger(name: str) -> Log:
    """The logger of the module `name`; it may be created before `configure`."""
    log: Log = structlog.get_logger(name)
    return log


def bound(**fields: object) -> AbstractContextManager[object]:
    """A context manager that adds `fields` to every event of the block and of the tasks started in it."""
    return structlog.contextvars.bound_contextvars(**fields)


def redacted(text: str) -> str:
    """`text` without secrets, as in the log; for messages to the operator."""
    return _redaction.text(text)


def dropped_events() -> int:
    """How many events of the log could not be written so far."""
    return _sink.lost_in_all


def crashed(error: BaseException) -> None:
    """Log an unexpected error with its traceback, if logging is configured."""
    if structlog.is_configured():
        logger(__name__).error("program.crashed", exc_info=error)
