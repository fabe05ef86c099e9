"""How busy the server is."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Processes:
    """How many processes of Claude Code there are, by what they do.

    `resting` wait for the next words of their conversation, `parked` for the results of calls, `warm` for a new one.
    """

    answering: int
    resting: int
    parked: int
    ending: int
    warm: int


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How many runs there are in each state: those that go on now, and since the start those that are over."""

    queued: int
    running: int
    parked: int
    completed: int
    failed: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class Outage:
    """Why no request is answered at present, as a sentence, and `until` when, in Unix seconds, where that is known."""

    reason: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What is going on.

    `running` and `waiting` are turns; `runs` counts requests, from their arrival on. `turns` counts those so far by how
    they reached Claude Code (`live`, `results`, `warm`, `cold`, `rebuilt`), `rebuilt_because` those whose history no
    session had, by why.
    """

    running: int
    waiting: int
    runs: RunCounts
    processes: Processes
    turns: Mapping[str, int]
    miss_reasons: Mapping[str, int]
