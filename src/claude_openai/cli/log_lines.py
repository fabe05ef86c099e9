"""Filters log lines and renders them as the server does on its own terminal. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from claude_openai.logs.levels import NUMBERS
from claude_openai.logs.rendering import Rendering
from claude_openai.text import harmless

LEVELS: Final = tuple(NUMBERS)
"""The log levels, the least important first."""

_IDS: Final = ("run_id", "answer_id", "request_id")
"""The fields with the id of a run."""


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


def shown(line: str, render: Rendering) -> str | None:
    """`line` for people: an event as `render` shows it, None where it does not; any other line without control
    characters.
    """
    event = parsed(line)
    return harmless(line) if event is None else render(event)
