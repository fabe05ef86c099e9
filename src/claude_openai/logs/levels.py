"""Log levels. `info` logs no contents, `debug` requests and answers, `trace` every message of Claude Code."""

import logging
from collections.abc import Mapping
from typing import Any, Final, Literal, Protocol

import structlog
from structlog.typing import FilteringBoundLogger

Level = Literal["info", "debug", "trace"]

TRACE: Final = 5

NUMBERS: Final[Mapping[str, int]] = {
    "trace": TRACE,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}

NOTHING: Final = logging.CRITICAL + 1

_least = logging.INFO
"""Until `filtering` sets another level."""


class Log(FilteringBoundLogger, Protocol):
    """A module's logger. `trace` is there only where `shows("trace")`."""

    def trace(self, event: str, **fields: object) -> object: ...


def shows(level: Level) -> bool:
    """Whether events of `level` are logged: check it before building a payload."""
    return NUMBERS[level] >= _least


def least(level: Level | None, *, diagnosing: bool) -> int:
    """The number of the lowest level that any output needs; with `diagnosing` one output needs warnings and errors."""
    if level is None:
        return logging.WARNING if diagnosing else NOTHING
    return NUMBERS[level]


def filtering(number: int) -> type[Any]:
    """The logger class for events of level `number` and above."""
    global _least  # noqa: PLW0603 -- a process has one log level
    _least = number
    known: type[Any] = structlog.make_filtering_bound_logger(min(max(number, logging.DEBUG), logging.CRITICAL))
    if number > TRACE:
        return known

    def trace(self: Any, event: str, **fields: object) -> object:
        return self._proxy_to_logger("trace", event, **fields)

    return type("TracingBoundLogger", (known,), {"trace": trace})


def of_libraries(number: int) -> int:
    """The level for libraries: warnings and errors only, except with `trace`."""
    return logging.DEBUG if number <= TRACE else max(number, logging.WARNING)
