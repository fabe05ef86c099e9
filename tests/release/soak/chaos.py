"""Kills: a Claude Code of the server's, whichever, ends without notice."""

import time
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import psutil

from tests.release.soak.ledger import Figure, Ledger


class Chaos:
    """Looks for victims below `server`. On its way it sees what every user of the machine can see of them."""

    def __init__(self, server: psutil.Process, random: Random, ledger: Ledger) -> None:
        self._server = server
        self._random = random
        self._ledger = ledger
        self._last_kill = float("-inf")

    def kill_one(self) -> None:
        """Kill one at random, if there is one."""
        victims = list(self._claude_codes())
        if not victims:
            return
        self._last_kill = time.monotonic()
        with suppress(psutil.NoSuchProcess):
            self._random.choice(victims).kill()
            self._ledger.count(Figure.KILLS)

    def killed_since(self, moment: float) -> bool:
        """Whether a kill may be why a request failed that was sent at `moment`."""
        return self._last_kill >= moment

    def _claude_codes(self) -> Iterator[psutil.Process]:
        for process in self._server.children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                command = " ".join(process.cmdline())
                self._ledger.seen(command, "a command line")
                if "stream-json" in command:
                    yield process
