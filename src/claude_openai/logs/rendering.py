"""Renders an event as a line: JSON for programs, columns for people."""

import json
import re
from collections.abc import Callable
from typing import Final

import structlog
from structlog.typing import EventDict

Rendering = Callable[[EventDict], str | None]
"""An event as text without a line break at the end; None where it is not shown."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def json_line(event: EventDict) -> str:
    """One line of JSON, in ASCII."""
    return json.dumps(event)


def columns(*, colours: bool) -> Rendering:
    """A renderer for people: the time, the level, the event, and the fields as `name=value`."""
    renderer = structlog.dev.ConsoleRenderer(
        colors=colours,
        timestamp_key="time",
        exception_formatter=structlog.dev.plain_traceback,
        pad_event_to=24,
    )

    def render(event: EventDict) -> str:
        """Escape control characters, so that text of a client neither begins a line nor controls the terminal."""
        escaped = {
            name: _CONTROL.sub(lambda found: repr(found[0])[1:-1], value)
            if isinstance(value, str) and name != "exception"
            else value
            for name, value in event.items()
        }
        return renderer(None, "", escaped)

    return render
