"""How much is logged. `info` has nothing of what was said, `debug` requests and answers, `trace` every message."""

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
"""As long as nobody has said otherwise."""


class Log(FilteringBoundLogger, Protocol):
    """A module's logger. `trace` is there only where `shows("trace")`."""

    def trace(self, event: str, **fields: object) -> object: ...


def shows(level: Level) -> bool:
    """Whether events of `level` are logged: ask before making a payload."""
    return NUMBERS[level] >= _least


def least(level: Level | None, *, diagnosing: bool) -> int:
    """The number of the least level that anybody wants to see."""
    if level is None:
        return logging.WARNING if diagnosing else NOTHING
    return NUMBERS[level]


def filtering(number: int) -> type[Any]:
    """The class of loggers that log from `number` on."""
    global _least  # noqa: PLW0603 -- logging is one per process
    _least = number
    known: type[Any] = structlog.make_filtering_bound_logger(min(max(number, logging.DEBUG), logging.CRITICAL))
    return type("TracingBoundLogger", (known,), {"trace": _trace}) if number <= TRACE else known


def of_libraries(number: int) -> int:
    """Of libraries only what went wrong is of use, except to those who want everything."""
    return logging.DEBUG if number <= TRACE else max(number, logging.WARNING)


def _trace(self: Any, event: str, **fields: object) -> object:
    return self._proxy_to_logger("trace", event, **fields)
