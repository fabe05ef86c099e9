"""Output for people: facts in columns, colours, and progress of what takes longer than a second.

Colours and progress are for terminals only; piped output has neither.
"""

import os
import re
import shlex
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final, TextIO

_NAME: Final = "claude-openai"

_COMMAND: Final = re.compile(
    r"(?<![\w./-])claude-openai(?= (?:[\[<|>]|--?[a-z]|[a-z]+))|(?<=^  )claude-openai$|(?<=^    )claude-openai$",
    re.MULTILINE,
)
"""The name at the beginning of a command in a text."""

USUAL_WIDTH: Final = 80
"""Columns of a terminal that does not report its width."""

QUIET_SECONDS = 1.0
"""Time before progress is shown."""

SLOW_SECONDS = 5.0
"""Time before progress says why it may be slow."""

TICK_SECONDS = 1.0
"""Interval of the progress updates."""


def wants_colours(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether to use colours. Any value of NO_COLOR but the empty one switches them off (no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


@contextmanager
def progress(text: str, stream: TextIO | None = None, *, slow: str = "") -> Iterator[None]:
    """Show `text` and the elapsed seconds on standard error while the block takes longer than a second, and `slow`
    behind it, why it may be slow, when it takes longer than usual.

    The line is erased after the block. It uses no escape sequences, so it works in every terminal. The cursor rests at
    its beginning, so that a line of the log that comes meanwhile is written over it.
    """
    stream = stream or sys.stderr
    if not stream.isatty():
        yield
        return
    done = threading.Event()

    def update() -> None:
        began, width = time.monotonic(), 0
        while not done.wait(TICK_SECONDS if width else QUIET_SECONDS):
            elapsed = time.monotonic() - began
            why = slow if elapsed >= SLOW_SECONDS else ""
            line = f"{text}{why} ... {elapsed:.0f} s"
            width = max(width, len(line))
            print(f"\r{line}\r", end="", file=stream, flush=True)
        if width:
            print(f"\r{' ' * width}\r", end="", file=stream, flush=True)

    updater = threading.Thread(target=update, daemon=True)
    updater.start()
    try:
        yield
    finally:
        done.set()
        updater.join()


def width(stream: TextIO) -> int | None:
    """The columns of the terminal of `stream`; None if it is not a terminal, and lines may have any length."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_WIDTH if stream.isatty() else None
    except (OSError, ValueError):
        return None


def fact(name: str, value: str) -> str:
    """A line about a server: the name in one column, the value in another."""
    return f"  {name:<10} {value}"


def as_called(text: str) -> str:
    """`text` with its commands as the person can type them: `.venv/bin/claude-openai` where that is not on PATH.

    All that a person reads where the command was typed passes here when it is printed: hints, help, the banner and the
    server's lines of requests. What is read elsewhere has the plain name: what a client gets over HTTP (`/health`, the
    401, `GET /`), since it may be on another machine, and what is written to files.
    """
    called = _called()
    return text if called == _NAME else _COMMAND.sub(lambda _: called, text)


@cache
def _called() -> str:
    """The command that this process was started with, or its plain name where PATH leads to it."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py" and program.parent.name == "claude_openai":
        return f"{shlex.quote(sys.orig_argv[0])} -m claude_openai"
    if program.stem != _NAME:  # a program that imports us
        return _NAME
    found = shutil.which(_NAME)
    return _NAME if found and program.exists() and program.samefile(found) else shlex.quote(sys.argv[0])
