"""Where and on what was measured: times mean little without it."""

import os
import platform
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

GIT_SECONDS = 10
"""Bound on a question to git."""


@dataclass(frozen=True, slots=True)
class Machine:
    """`others` is the share of all cores that other programs took while this one ran."""

    cores: int
    system: str
    python: str
    claude_code: str
    others: float


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


def machine(since: Clocks, claude_code: str) -> Machine:
    now, cores = clocks(), os.cpu_count() or 1
    others = (now.busy - since.busy) - (now.ours - since.ours)
    return Machine(
        cores=cores,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        claude_code=claude_code,
        others=max(0.0, others / (now.wall - since.wall) / cores),
    )
