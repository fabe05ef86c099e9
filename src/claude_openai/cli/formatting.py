"""Formats numbers and ids for people, in one short form for all commands. Pure."""

from collections.abc import Collection
from typing import Final

from claude_openai import text
from claude_openai.core.runs import TERMINAL_STATES
from claude_openai.protocols.runs.wire import RunObject, RunUsage
from claude_openai.text import count, duration

UNKNOWN: Final = "-"

SHORTEST_ID: Final = 8
"""Digits of an id that are shown at least, so that the id of a run of yesterday is still unique today."""


def age(seconds: float) -> str:
    """`12s`, `5m`, `3h`, `12d`: in one unit, rounded down."""
    whole = max(0, int(seconds))
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def took(run: RunObject, now: float) -> str:
    """The time from the run's arrival to its end, or to now; unknown if its server was killed."""
    if run.ended_at is None and run.state in TERMINAL_STATES:
        return UNKNOWN
    return duration((now if run.ended_at is None else run.ended_at) - run.arrived_at)


def tokens(usage: RunUsage | None) -> str:
    """The tokens of the prompt and of the answer: `1.2k/45`."""
    return f"{count(usage.prompt_tokens)}/{count(usage.completion_tokens)}" if usage else UNKNOWN


def cost(dollars: float | None) -> str:
    """`$0.0123`, `$1.23`; `-` where it is not known."""
    return UNKNOWN if dollars is None else text.cost(dollars)


def digits(ids: Collection[str]) -> int:
    """The number of digits that distinguish all of `ids`."""
    different = len(set(ids))
    length = SHORTEST_ID
    while len({each[:length] for each in ids}) < different:
        length += 1
    return length
