"""Where and on what was measured: times mean little without it."""

import os
import platform
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

GIT_SECONDS = 10
"""Bound on a question to git."""


MOST_OTHERS: Final = 0.05
"""The share of all cores that other programs may take on a machine that counts as quiet."""

MOST_LOAD: Final = 0.5
"""Processes for each core that may be running or waiting before the run (load average of a minute)."""

LOOK_SECONDS: Final = 3.0
"""How long other programs are watched before the run."""


@dataclass(frozen=True, slots=True)
class Before:
    """What the machine did before the run: the share of all cores that was used, and the load average of a minute for
    each core (0 where the system has none).
    """

    others: float
    load: float


@dataclass(frozen=True, slots=True)
class Machine:
    """`others` is the share of all cores that other programs took while this one ran; `busy` says that the figures are
    not those of a quiet machine.
    """

    cores: int
    system: str
    python: str
    claude_code: str
    before: Before
    others: float
    busy: bool


def commit() -> str | None:
    """The commit of this checkout, marked where files differ from it; None where it cannot be told."""
    git = shutil.which("git")
    if git is None:
        return None
    described = subprocess.run(
        [git, "describe", "--always", "--dirty", "--exclude=*"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=GIT_SECONDS,
        check=False,
    )
    return described.stdout.strip() or None


@dataclass(frozen=True, slots=True)
class Clocks:
    """Seconds up to now: on the wall, of all processors at work, and those of this program and what it has started
    and seen end.
    """

    wall: float
    busy: float
    ours: float


def clocks() -> Clocks:
    every, own = psutil.cpu_times(), psutil.Process().cpu_times()
    busy = sum(every) - every.idle - getattr(every, "iowait", 0.0)
    return Clocks(time.monotonic(), busy, own.user + own.system + own.children_user + own.children_system)


def before() -> Before:
    """Watch the machine for `LOOK_SECONDS`, while this program does nothing."""
    since = clocks()
    time.sleep(LOOK_SECONDS)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return Before(_others(since, clocks()), load / _cores())


def machine(then: Before, since: Clocks, claude_code: str) -> Machine:
    others = _others(since, clocks())
    return Machine(
        cores=_cores(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        claude_code=claude_code,
        before=then,
        others=others,
        busy=is_busy(then, others),
    )


def is_busy(then: Before, others: float) -> bool:
    """Whether other programs took so much before the run, or while it ran, that its times are not its own."""
    return max(then.others, others) > MOST_OTHERS or then.load > MOST_LOAD


def _others(since: Clocks, now: Clocks) -> float:
    others = (now.busy - since.busy) - (now.ours - since.ours)
    return max(0.0, others / (now.wall - since.wall) / _cores())


def _cores() -> int:
    return os.cpu_count() or 1
