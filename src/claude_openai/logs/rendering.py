"""Renders an event as text: JSON for programs, columns for people. `request_lines` renders a line for each request."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

import click

from claude_openai.text import harmless, one_line

Event = Mapping[str, Any]

Rendering = Callable[[Event], str | None]
"""An event as text without a line break at the end; None where it is not shown."""

_COLOURS: Final = {"trace": "bright_black", "debug": "cyan", "info": "green", "warning": "yellow"}

_HEAD: Final = frozenset({"time", "level", "event", "exception"})


def json_line(event: Event) -> str:
    """One line of JSON, in ASCII."""
    return json.dumps(event)


def columns(*, colours: bool, zone: tzinfo | None = None) -> Rendering:
    """A renderer for people: local time, level, event, the fields as `name=value`, and below them a traceback.

    `zone` is the time zone; None is the machine's.
    """

    def render(event: Event) -> str:
        level = one_line(str(event.get("level", "")))
        head: tuple[tuple[str, dict[str, Any]], ...] = (
            (_time(event.get("time"), zone), {"dim": True}),
            (f"{level:<7}", {"fg": _COLOURS.get(level, "red")}),
            (f"{one_line(str(event.get('event', ''))):<24}", {"bold": True}),
        )
        parts = [click.style(text, **style) if colours else text for text, style in head]
        for name, value in event.items():
            if name not in _HEAD:
                bare = isinstance(value, str) and value and not set(value) & set(' \t\n"=')
                text = harmless(value if bare else json.dumps(value, ensure_ascii=False))
                shown = one_line(name)
                parts.append(f"{click.style(shown, fg='cyan') if colours else shown}={text}")
        traceback = str(event.get("exception") or "").splitlines()
        return " ".join(parts).rstrip() + "".join(f"\n    {harmless(line)}" for line in traceback)

    return render


def _time(time: object, zone: tzinfo | None) -> str:
    """Date and time: a line of yesterday must be distinguishable from one of today."""
    try:
        moment = datetime.fromisoformat(str(time)).astimezone(zone)
    except (ValueError, OverflowError):
        return one_line(str(time or "no time"))
    return f"{moment:%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"
