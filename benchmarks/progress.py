"""How far the run is, for a person who waits."""

import sys


def show(progress: str) -> None:
    """On the line where the last one was; nothing where nobody looks."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{progress}", end="", file=sys.stderr, flush=True)
