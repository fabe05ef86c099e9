"""The limit on open file descriptors (sockets, files, pipes): raised for the server, unchanged for its child processes.

The soft limit of 256 (macOS) or 1024 (Linux) exists for programs that use select(). A program without select() may
raise it to the hard limit: https://0pointer.net/blog/file-descriptor-limits.html.
"""

import sys
from contextlib import suppress
from functools import cache
from typing import Final

if sys.platform != "win32":
    import resource

MOST: Final = 16_384
"""Enough for the clients of one machine; some systems have a hard limit of a billion."""


def raise_limit() -> int:
    """Raise this process's soft limit as far as possible, up to `MOST`; return the new limit."""
    if sys.platform == "win32":  # sockets are not file descriptors there
        return MOST
    soft, hard = _inherited()
    ceiling = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < ceiling:
        with suppress(OSError, ValueError):  # macOS has a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else soft


def as_before(argv: tuple[str, ...]) -> tuple[str, ...]:
    """`argv`, wrapped so that the program runs with the limit that this process was started with."""
    if sys.platform == "win32" or _inherited() == resource.getrlimit(resource.RLIMIT_NOFILE):
        return argv
    return ("/bin/sh", "-c", 'ulimit -Sn "$0"; exec "$@"', str(_inherited()[0]), *argv)


if sys.platform != "win32":

    @cache
    def _inherited() -> tuple[int, int]:
        """The soft and the hard limit; first called before `raise_limit` changes them."""
        return resource.getrlimit(resource.RLIMIT_NOFILE)
