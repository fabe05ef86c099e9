"""The load of the server, as `/health` reports it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Processes:
    """The number of Claude Code processes by what they do.

    `resting` wait for the next request of their conversation, `parked` for tool results, `warm` for a conversation.
    """

    answering: int
    resting: int
    parked: int
    ending: int
    warm: int


@dataclass(frozen=True, slots=True)
class WarmPoolLoad:
    """How many processes should wait for a conversation, how many do, and what keeps them fewer than they should be."""

    wanted: int
    ready: int
    bounded_by: Literal["memory", "max_processes"] | None = None


NO_WARM_POOL: Final = WarmPoolLoad(0, 0)


@dataclass(frozen=True, slots=True)
class RunCounts:
    """The number of runs by state: unfinished ones now, ended ones since the start."""

    queued: int
    running: int
    parked: int
    completed: int
    failed: int
    cancelled: int


@dataclass(frozen=True, slots=True)
class Outage:
    """Why no request can be answered at present, as a sentence, and `until` when, in Unix seconds, if that is known."""

    reason: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """The load at one moment.

    `running` and `waiting` are turns; `runs` counts requests, from their arrival on. `turns` counts the turns since the
    start by how they reached Claude Code (`live`, `results`, `warm`, `cold`, `rebuilt`), `miss_reasons` the rebuilt
    ones by the reason that no session could be resumed, `end_reasons` the sessions that ended by the reason.
    """

    running: int
    waiting: int
    runs: RunCounts
    processes: Processes
    warm_pool: WarmPoolLoad
    turns: Mapping[str, int]
    miss_reasons: Mapping[str, int]
    end_reasons: Mapping[str, int]
