"""The log: events with fields, as lines of JSON on standard output or in a file, or, for people, as columns.

`log.info("http.request", status=200)`: the first word is the event, a constant, and all that varies is a field. What a
task binds with `bound(request_id=...)` is in every event of that task. What libraries log through the standard library
comes out the same way. `docs/logs.md` lists the events.

Promises: whatever is logged passes one `Redaction` before it is rendered; where it is written `behind`, logging never
waits and never fails; what cannot be written is counted and told. Who has a payload to log asks `shows` first, so that
it costs nothing where it is not wanted.

structlog and not the standard library alone, because events with fields, fields bound to a task and a chain of
processors are what it is; in `logging` each would be a subclass of ours.
"""

import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager

import structlog

from claude_openai.logs import levels
from claude_openai.logs.destinations import Descriptor, Destination, LogFile, Memory
from claude_openai.logs.levels import Level, Log, shows
from claude_openai.logs.loggers import EventLogger, StdlibHandler, processors
from claude_openai.logs.redaction import HIDDEN, SHORTEST_SECRET, Redaction, secrets_in
from claude_openai.logs.rendering import columns, json_line
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
    "logger",
    "redacted",
    "secrets_in",
    "shows",
]

CLOSE_SECONDS = 2.0
"""What the last lines get at the end of the program."""

_redaction = Redaction()
_sink: Sink = DirectSink([])


def configure(
    level: Level | None,
    log: Destination,
    *,
    json: bool = True,
    colours: bool = False,
    secrets: Iterable[str] = (),
    diagnostics: Destination | None = None,
    behind: bool = False,
) -> None:
    """Set up logging for the whole process; a later call replaces an earlier one. Without a `level` nothing is logged.

    `secrets` are values that must never be seen, whatever field or text they turn up in. `diagnostics` gets warnings
    and errors besides, as columns. With `behind` a thread of its own writes, until `close`.
    """
    global _redaction, _sink  # noqa: PLW0603 -- logging is one per process, and so are what it hides and who writes
    close()
    _redaction = Redaction(secrets)
    outputs = [] if level is None else [Output(log, json_line if json else columns(colours=colours))]
    if diagnostics:
        outputs.append(Output(diagnostics, columns(colours=colours), least=logging.WARNING))
    _sink = BackgroundSink(outputs, _redaction) if behind and outputs else DirectSink(outputs, _redaction)
    least = levels.least(level, diagnosing=diagnostics is not None)
    structlog.configure(
        processors=[*processors(), structlog.processors.format_exc_info],
        wrapper_class=levels.filtering(least),
        logger_factory=EventLogger.factory(_sink.put),
    )
    _take_over(StdlibHandler(_sink.put), levels.of_libraries(least))


def close(seconds: float = CLOSE_SECONDS) -> None:
    """Write what waits to be written, for a bounded time. What is logged afterwards is lost."""
    _sink.close(seconds)


def logger(name: str) -> Log:
    """The logger of the module `name`; it may be made before `configure`."""
    log: Log = structlog.get_logger(name)
    return log


def bound(**fields: object) -> AbstractContextManager[object]:
    """A block whose events all carry `fields`, those of the tasks started in it too."""
    return structlog.contextvars.bound_contextvars(**fields)


def redacted(text: str) -> str:
    """`text` as the log would show it, for what is told to a person directly."""
    return _redaction.text(text)


def crashed(error: BaseException) -> None:
    """Log where an unexpected error came from. Before `configure` nobody can have asked for a log."""
    if structlog.is_configured():
        logger(__name__).error("program.crashed", exc_info=error)


def _take_over(handler: logging.Handler, least: int) -> None:
    """Uvicorn's own handlers would write past us."""
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(least)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    logging.captureWarnings(capture=True)
