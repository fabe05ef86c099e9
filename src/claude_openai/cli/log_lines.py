"""Filters log lines and formats them for people. Pure: a line of NDJSON becomes columns; other lines stay unchanged."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from typing import Final

import click

from claude_openai.cli.terminal import harmless, one_line
from claude_openai.logs.levels import NUMBERS

LEVELS: Final = tuple(NUMBERS)
"""The log levels, the least important first."""

EVENT_WIDTH: Final = 24

_COLOURS: Final = {"trace": "bright_black", "debug": "cyan", "info": "green", "warning": "yellow"}

_IDS: Final = ("run_id", "answer_id", "request_id")
"""The fields with the id of a run."""

_HEAD: Final = frozenset({"time", "level", "event", "exception"})


@dataclass(frozen=True, slots=True)
class LogFilter:
    """A filter of events: those of `level` and above, of the run whose id begins with `run`, with a name that matches
    `event` (a pattern such as `sdk.*`).
    """

    level: str | None = None
    run: str | None = None
    event: str | None = None

    def __call__(self, line: str) -> bool:
        """Whether `line` passes; a line that is not an event passes only an empty filter."""
        if self == LogFilter():
            return True
        event = parsed(line)
        if event is None:
            return False
        level = event.get("level")
        if self.level is not None and level in LEVELS and LEVELS.index(str(level)) < LEVELS.index(self.level):
            return False
        if self.run is not None:
            wanted = self.run.removeprefix("chatcmpl-")
            if not any(str(event.get(name, "")).removeprefix("chatcmpl-").startswith(wanted) for name in _IDS):
                return False
        return self.event is None or fnmatchcase(str(event.get("event", "")), self.event)


def parsed(line: str) -> Mapping[str, object] | None:
    """The event in `line`; None if it is not an event."""
    try:
        event: object = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def pretty(line: str, zone: tzinfo | None = None, *, colours: bool = False) -> str:
    """A line of the log for people, in the time of `zone` (None: of this machine)."""
    event = parsed(line)
    if event is None:
        return harmless(line)
    level = one_line(str(event.get("level", "")))
    head = (
        (_time(event.get("time"), zone), {"dim": True}),
        (f"{level:<7}", {"fg": _COLOURS.get(level, "red")}),
        (f"{one_line(str(event['event'])):<{EVENT_WIDTH}}", {"bold": True}),
    )
    fields = [_field(name, value, colours=colours) for name, value in event.items() if name not in _HEAD]
    columns = " ".join([*(click.style(text, **style) if colours else text for text, style in head), *fields]).rstrip()
    traceback = str(event.get("exception") or "").splitlines()
    return columns + "".join(f"\n    {harmless(line)}" for line in traceback)


def _time(time: object, zone: tzinfo | None) -> str:
    """Date and time: this function is pure, so it cannot leave out the date of today."""
    try:
        moment = datetime.fromisoformat(str(time)).astimezone(zone)
    except (ValueError, OverflowError):
        return one_line(str(time or "no time"))
    return f"{moment:%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"


def _field(name: str, value: object, *, colours: bool) -> str:
    bare = isinstance(value, str) and value and not set(value) & set(' \t\n"=')
    text = harmless(value if bare and isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    shown = one_line(name)
    return f"{click.style(shown, fg='cyan') if colours else shown}={text}"
