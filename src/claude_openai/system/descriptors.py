"""How many descriptors (sockets, files, pipes) a process may have at once: as many as the system lets a server have,
and as many as before for the programs that it starts.

A soft limit of 256 (macOS) or 1024 (Linux) is what programs that use select() can bear. Who uses no select() may raise
it to the hard limit: https://0pointer.net/blog/file-descriptor-limits.html.
"""

import sys
from contextlib import suppress
from functools import cache
from typing import Final

if sys.platform != "win32":
    import resource

MOST: Final = 16_384
"""No server of one machine has more clients, and some systems set a hard limit of a billion."""


def raise_limit() -> int:
    """Raise this process's soft limit as far as it may be, up to `MOST`; the limit from then on."""
    if sys.platform == "win32":  # sockets are no descriptors there
        return MOST
    soft, hard = _inherited()
    ceiling = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    if soft != resource.RLIM_INFINITY and soft < ceiling:
        with suppress(OSError, ValueError):  # macOS has a further ceiling of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else soft


def as_before(argv: tuple[str, ...]) -> tuple[str, ...]:
    """`argv`, changed so that the program gets the limit that this process was started with."""
    if sys.platform == "win32" or _inherited() == resource.getrlimit(resource.RLIMIT_NOFILE):
        return argv
    return ("/bin/sh", "-c", 'ulimit -Sn "$0"; exec "$@"', str(_inherited()[0]), *argv)


if sys.platform != "win32":

    @cache
    def _inherited() -> tuple[int, int]:
        """The soft and the hard limit, asked for before they are changed."""
        return resource.getrlimit(resource.RLIMIT_NOFILE)
