"""The log: events with fields on standard error, as lines of JSON or, for people, as columns.

`log.info("http.request", status=200)`: the first word is the event, a constant, and all that varies is a field. What a
task binds with `bound(request_id=...)` is in every event of that task. What libraries log through the standard library
comes out the same way.

structlog and not the standard library alone, because events with fields, fields bound to a task and a chain of
processors are what it is; in `logging` each would be a subclass of ours. The chain is what makes the promise possible
that everything, libraries' tracebacks included, passes one `Redaction` last before it is rendered.
"""

import json as jsonlib
import logging
import re
import sys
from collections.abc import Collection, Iterable, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager, suppress
from enum import Enum, auto
from math import isfinite
from typing import Final, Literal, TextIO
from urllib.parse import quote

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

Level = Literal["info", "debug"]

HIDDEN: Final = "[hidden]"

LONGEST_TEXT: Final = 64 * 1024
"""Characters of one text that are logged: whoever can connect chooses some of them, and each is looked at."""

CUT: Final = "[cut]"

SHORTEST_SECRET: Final = 6
"""Characters. Shorter ones are looked for as whole values only: hiding every "1" would tell which digit it is."""


def configure(
    level: Level,
    *,
    json: bool,
    colours: bool = False,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Set up logging for the whole process; a later call replaces an earlier one.

    `secrets` are values that must never be seen, whatever field or text they turn up in.
    """
    global _redaction  # noqa: PLW0603 -- logging is one per process, and so is what it hides
    _redaction = Redaction(secrets)
    own_level = logging.DEBUG if level == "debug" else logging.INFO
    structlog.configure(
        processors=[*_CONTEXT, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(own_level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(_formatter(_redaction, _json_lines() if json else _columns(colours=colours)))
    _take_over(handler, own_level)


def logger(name: str) -> FilteringBoundLogger:
    """The logger of the module `name`; it may be made before `configure`."""
    log: FilteringBoundLogger = structlog.get_logger(name)
    return log


def bound(**fields: object) -> AbstractContextManager[object]:
    """A block whose events all carry `fields`, those of the tasks started in it too."""
    return structlog.contextvars.bound_contextvars(**fields)


def redacted(text: str) -> str:
    """`text` as the log would show it, for what is told to a person directly."""
    return _redaction.text(text)


def crashed(error: BaseException) -> None:
    """Log where an unexpected error came from, for whoever asked for that. Before `configure` nobody can have."""
    if structlog.is_configured():
        logger(__name__).debug("program.crashed", exc_info=error)


def secrets_in(environ: Mapping[str, str]) -> list[str]:
    """The values in `environ` that its names say are secrets."""
    return [value for name, value in environ.items() if _rule(name) is not _Hides.NOTHING]


class _Hides(Enum):
    """What a field's name says about its value."""

    NOTHING = auto()
    TEXT = auto()
    """A secret if it is text: `tokens` is mostly a count, but may be a list of them."""
    EVERYTHING = auto()


_SECRET_NAMES: Final = re.compile(
    "authorization|cookie|password|passwd|passphrase|secret|credential|(api|access|private)key|token$"
)
"""Looked for in a name without case, dashes and the like, so that `X-Api-Key`, `apiKey` and `API KEY` are one."""

_SHAPES: Final = (
    (re.compile(r"\b(bearer|basic) +(?=\S*\d)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\bsk-[\w-]{8,}"), HIDDEN),
    (re.compile(r"(?<=://)[^/\s@]+(?=@)"), HIDDEN),
    (
        re.compile(
            r"""((?:authorization|cookie|password|passwd|secret|api[-_]?key|access[-_]?token)['"]?\s?[:=]\s?)"""
            r"""('[^']*'|"[^"]*"|[^\s,;&})]+)""",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)
"""What a secret looks like within a text, such as a library's message: a second net under the names and the values."""

_DEEPEST: Final = 12
"""Levels of nesting that are shown, because a value may contain itself."""

TOO_DEEP: Final = "[...]"


class Redaction:
    """The one place where secrets are taken out, a structlog processor. It renders what is not plain data, so that no
    `repr` can bring a secret in after it.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if secret}
        self._short = frozenset(secret for secret in known if len(secret) < SHORTEST_SECRET)
        spellings = {spelling for secret in known - self._short for spelling in _spellings(secret)}
        # The longest first, because one may be the beginning of another; without any, a pattern that never matches.
        self._known = re.compile("|".join(map(re.escape, sorted(spellings, key=len, reverse=True))) or r"(?!)")

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        return {self.text(str(name)): self._field(name, value, _DEEPEST) for name, value in event.items()}

    def text(self, text: str) -> str:
        if text in self._short:
            return HIDDEN
        rest = CUT if len(text) > LONGEST_TEXT else ""
        text = text[:LONGEST_TEXT]
        text = self._known.sub(HIDDEN, text)
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
        return text + rest

    def _field(self, name: object, value: object, depth: int, inherited: _Hides = _Hides.NOTHING) -> object:
        rule = _rule(_decoded(name)) if isinstance(name, str | bytes) else _Hides.NOTHING
        return self._value(value, depth, inherited if rule is _Hides.NOTHING else rule)

    def _value(self, value: object, depth: int, hides: _Hides) -> object:
        match value:
            case None | bool():
                return value
            case _ if hides is _Hides.EVERYTHING:
                return HIDDEN
            case int() | float():
                return self._number(value)
            case str() | bytes():
                return HIDDEN if hides is _Hides.TEXT else self.text(_decoded(value))
            case Mapping() | list() | tuple() | set() | frozenset():
                return self._container(value, depth, hides) if depth else TOO_DEEP
            case _:
                return HIDDEN if hides is _Hides.TEXT else self.text(repr(value))

    def _number(self, number: float) -> object:
        """Digits can be a secret too; and JSON has no word for infinity."""
        text = self.text(str(number))
        return number if text == str(number) and isfinite(number) else text

    def _container(self, value: Collection[object], depth: int, hides: _Hides) -> object:
        match value:
            case Mapping():
                return {
                    self.text(_decoded(name)): self._field(name, item, depth - 1, hides) for name, item in value.items()
                }
            case [str() | bytes() as name, item] if _rule(_decoded(name)) is _Hides.EVERYTHING:
                return [self.text(_decoded(name)), self._value(item, depth - 1, _Hides.EVERYTHING)]  # a header
            case _:
                return [self._value(item, depth - 1, hides) for item in value]


def _rule(name: str) -> _Hides:
    """`access_token` is one; `prompt_tokens` and `first_token_ms` are numbers, and hidden only where they are text."""
    plain = re.sub("[^a-z0-9]", "", name.lower())
    if _SECRET_NAMES.search(plain):
        return _Hides.EVERYTHING
    return _Hides.TEXT if "token" in plain else _Hides.NOTHING


def _decoded(text: object) -> str:
    return text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else str(text)


def _spellings(secret: str) -> set[str]:
    """As it is, and as it stands in a `repr`, of bytes too, in JSON and in a URL."""
    as_bytes = secret.encode("utf-8", "backslashreplace")
    return {secret, repr(secret)[1:-1], repr(as_bytes)[2:-1], jsonlib.dumps(secret)[1:-1], quote(as_bytes, safe="")}


_redaction = Redaction()

_CONTEXT: Final[Sequence[Processor]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
)


def _formatter(redaction: Redaction, rendering: Sequence[Processor]) -> logging.Formatter:
    """Our events and the libraries' records come together here; tracebacks are text before they are redacted."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_CONTEXT, structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redaction,
            *rendering,
        ],
    )


def _json_lines() -> Sequence[Processor]:
    return (_head_first, structlog.processors.JSONRenderer())


def _columns(*, colours: bool) -> Sequence[Processor]:
    renderer = structlog.dev.ConsoleRenderer(
        colors=colours,
        timestamp_key="time",
        exception_formatter=structlog.dev.plain_traceback,
        pad_event_to=24,
    )
    return (_inert, renderer)


def _head_first(_logger: object, _method: str, event: MutableMapping[str, object]) -> EventDict:
    head = {key: event.pop(key) for key in ("time", "level", "event") if key in event}
    return {**head, **event}


_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def _inert(_logger: object, _method: str, event: MutableMapping[str, object]) -> EventDict:
    """What a client sent must neither begin a line of its own nor speak to the terminal."""
    return {name: value if name == "exception" else _escaped(value) for name, value in event.items()}


def _escaped(value: object) -> object:
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], value) if isinstance(value, str) else value


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the standard library's name
        """The inherited one prints the record's arguments as they are, secrets included."""
        line = jsonlib.dumps({"level": "error", "event": "log.unprintable", "logger": record.name})
        with suppress(OSError, ValueError):  # it may be the stream itself that is closed
            self.stream.write(f"{line}\n")


def _take_over(handler: logging.Handler, own_level: int) -> None:
    """Libraries tell their warnings, and everything when debugging; uvicorn's own handlers would write past us."""
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if own_level == logging.DEBUG else logging.WARNING)
    logging.getLogger("claude_openai").setLevel(own_level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    logging.captureWarnings(capture=True)
