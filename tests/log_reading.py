"""How tests of the log configure it, and how they read it."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import structlog

from claude_openai import logs
from claude_openai.logs import levels


def given_back() -> Iterator[None]:
    """For a fixture: logging is one for the process, so a test gives it back."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, warnings.showwarning)
    yield
    logs.configure(None, logs.Memory())
    logging.captureWarnings(capture=False)
    root.handlers[:], warnings.showwarning = before[0], before[2]
    root.setLevel(before[1])
    levels.filtering(logging.INFO)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def logged(*events: Callable[[], object], **options: Any) -> str:
    """What is logged by `events`, written at once."""
    memory = logs.Memory()
    logs.configure(**{"level": "info", "log": memory, **options})
    for event in events:
        event()
    return memory.text


def entry(**fields: Any) -> dict[str, Any]:
    """The one event as a JSON log has it."""
    decoded: dict[str, Any] = json.loads(logged(lambda: logs.logger("claude_openai.test").info("test.event", **fields)))
    return decoded


def entries(text: str) -> list[dict[str, Any]]:
    """A whole log; fails where a line of it is no JSON."""
    return [json.loads(line) for line in text.splitlines()]


def entries_so_far(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a log that a server goes on with: it writes a moment after it answers."""
    return entries(path.read_text("utf-8").rpartition("\n")[0]) if path.exists() else []


def texts(value: object) -> Iterator[str]:
    """Every text within a decoded line, so that escapes cannot hide anything from a search; JSON in texts too."""
    match value:
        case dict():
            for name, item in value.items():
                yield name
                yield from texts(item)
        case list():
            for item in value:
                yield from texts(item)
        case str():
            yield value
            try:
                inner = json.loads(value)
            except (ValueError, RecursionError):
                return
            if isinstance(inner, dict | list | str):
                yield from texts(inner)
        case _:
            yield str(value)
