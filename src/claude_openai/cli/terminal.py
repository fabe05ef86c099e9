"""What is shown to people: facts in columns, colours, and a word on what takes longer than a second.

Colours and progress are for terminals only, so what is piped or captured has neither.
"""

import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TextIO

USUAL_WIDTH: Final = 80
"""Of a terminal that does not tell."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""All but the tab and the end of a line; those that change the direction of what follows are among them."""

PATIENCE_SECONDS = 1.0
"""Whoever waits for less than this needs no explanation."""

TICK_SECONDS = 1.0
"""Between two counts of the seconds: what moves is seen not to hang."""


def wants_colours(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """By the convention of no-color.org any value of NO_COLOR but the empty one switches colours off."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


@contextmanager
def progress(text: str, stream: TextIO | None = None) -> Iterator[None]:
    """Says `text` and the seconds gone by on standard error while the block takes longer than a second.

    The line is gone with the block. It needs no escape sequences, so every terminal can show it.
    """
    stream = stream or sys.stderr
    if not stream.isatty():
        yield
        return
    done = threading.Event()
    teller = threading.Thread(target=_tell, args=(text, stream, done), daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def width(stream: TextIO) -> int | None:
    """Columns of the terminal behind `stream`; None where there is none, and lines may be as long as they like."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_WIDTH if stream.isatty() else None
    except (OSError, ValueError):
        return None


def harmless(text: str) -> str:
    """`text` with control characters made visible: what somebody sent must not speak to the terminal."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def one_line(text: str) -> str:
    """`text` as a part of a line: harmless, and white space of any kind is one space."""
    return harmless(" ".join(text.split()))


def fact(name: str, value: str) -> str:
    """A line of what is told about a server: the names in one column, the values in another."""
    return f"  {name:<10} {value}"


def _tell(text: str, stream: TextIO, done: threading.Event) -> None:
    began, width = time.monotonic(), 0
    while not done.wait(TICK_SECONDS if width else PATIENCE_SECONDS):
        line = f"{text} ... {time.monotonic() - began:.0f} s"
        width = len(line)
        print(f"\r{line}", end="", file=stream, flush=True)
    if width:
        print(f"\r{' ' * width}\r", end="", file=stream, flush=True)
