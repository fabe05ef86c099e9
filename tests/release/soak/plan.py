"""What each conversation will do and suffer, drawn from the seed alone, so that a run can be repeated. Pure.

What is not in here is left to chance and to the clock: which process a kill hits, and who runs at the same time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from types import MappingProxyType
from typing import Final, TypeVar

from tests.release.soak.marks import new_secret

Choice = TypeVar("Choice")


class Change(StrEnum):
    """What the client does with the conversation before it asks."""

    NONE = "goes on"
    EDIT = "edits an earlier message and drops what follows"
    REWORD = "rewords an earlier message and keeps what follows"
    REGENERATE = "asks for the last answer again"
    RETURN = "returns to the branch it left last"


class Mishap(StrEnum):
    """What happens to one request."""

    NONE = "nothing"
    LEAVE = "the client leaves"
    KILL = "a Claude Code is killed"
    REFUSED = "401"
    """As with a login that expired or was removed, and is there again with the next request."""
    RATE_LIMITED = "429"
    FAILING = "500"
    OVERLOADED = "529"
    PASSING = "529 once"
    """Claude Code tries again by itself, and the client sees nothing of it."""
    CUT = "stream cut"
    STALL = "stall"


CODES: Final[Mapping[Mishap, frozenset[str]]] = MappingProxyType(
    {
        Mishap.REFUSED: frozenset({"not_logged_in"}),
        Mishap.RATE_LIMITED: frozenset({"rate_limit_exceeded"}),
        Mishap.FAILING: frozenset({"upstream_error"}),
        Mishap.OVERLOADED: frozenset({"overloaded"}),
        Mishap.CUT: frozenset({"stream_interrupted", "upstream_unreachable"}),
        Mishap.STALL: frozenset({"idle_timeout"}),
    }
)
"""Failures upstream that last, and what a client may be told of each."""

KILLED: Final = frozenset({"claude_code_failed", "stream_interrupted"})
"""What the client of a Claude Code that was killed may be told: before its first word, and after."""

_MISHAPS: Final = {
    Mishap.NONE: 60,
    Mishap.LEAVE: 12,
    Mishap.KILL: 10,
    Mishap.REFUSED: 3,
    Mishap.RATE_LIMITED: 3,
    Mishap.FAILING: 3,
    Mishap.OVERLOADED: 3,
    Mishap.PASSING: 3,
    Mishap.CUT: 4,
    Mishap.STALL: 2,
}
_CHANGES: Final = {
    Change.NONE: 60,
    Change.EDIT: 12,
    Change.REWORD: 8,
    Change.REGENERATE: 12,
    Change.RETURN: 8,
}
_CALLS: Final = {0: 50, 1: 25, 2: 15, 3: 10}


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of a conversation."""

    change: Change
    edited: int
    """Which message of the user is edited or reworded, counted round and round over those there are."""
    calls: int
    """How many tools the model will call at once before it answers."""
    streamed: bool
    mishap: Mishap
    late: bool
    """Whether the mishap would rather befall the request with the results of tools."""
    pieces: int
    """Of a streamed answer, after how many pieces of text the client leaves or a process is killed."""
    keeps: bool
    """Whether a client that left goes on with what it has heard; else it asks again."""

    @property
    def befalls_results(self) -> bool:
        """Whether the mishap waits for the request with results; who asks again does not say what is called."""
        return self.late and self.calls > 0 and self.change is not Change.REGENERATE


@dataclass(frozen=True, slots=True)
class Plan:
    """One conversation."""

    number: int
    secret: str
    steps: tuple[Step, ...]


def plan(seed: int, number: int, turns: int) -> Plan:
    random = Random(f"{seed}/{number}")
    return Plan(number, new_secret(random), tuple(_step(random) for _ in range(turns)))


def _step(random: Random) -> Step:
    return Step(
        change=_drawn(random, _CHANGES),
        edited=random.randrange(1000),
        calls=_drawn(random, _CALLS),
        streamed=random.random() < 0.6,
        mishap=_drawn(random, _MISHAPS),
        late=random.random() < 0.5,
        pieces=random.randint(1, 6),
        keeps=random.random() < 0.5,
    )


def _drawn(random: Random, chances: Mapping[Choice, int]) -> Choice:
    return random.choices(list(chances), weights=list(chances.values()))[0]
