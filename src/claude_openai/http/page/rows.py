"""What the page shows of a run, as values for the templates. Pure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from claude_openai.core.runs import ACTIVE_STATES, Run, RunState
from claude_openai.text import client_name

SHORT: Final = 160
"""Characters of an answer in a list."""

_STATE_CLASSES: Final = {
    RunState.QUEUED: "mute",
    RunState.RUNNING: "run",
    RunState.PARKED: "ok",
    RunState.COMPLETED: "ok",
    RunState.FAILED: "bad",
    RunState.CANCELLED: "mute",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A run in a list. `seconds` is how long it has taken so far; `cached` is a part of one."""

    run: Run
    client: str
    model: str
    state_class: str
    is_active: bool
    seconds: float
    first_token_seconds: float | None
    cached: float | None
    what: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A phase in the timing of a run: `start` and `width` are thousandths of the whole."""

    name: str
    kind: str
    start: int
    width: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over the runs of a list. `cached` is a part of one; None where there are no tokens."""

    prompt_tokens: int
    cached: float | None
    cost_usd: float


def totals(runs: Sequence[Run]) -> Totals:
    """The sums over `runs`."""
    usages = [run.usage for run in runs if run.usage]
    prompt = sum(usage.prompt_tokens for usage in usages)
    cached = sum(usage.cache_read_tokens for usage in usages) / prompt if prompt else None
    return Totals(prompt, cached, sum(run.cost_usd or 0.0 for run in runs))


def row(run: Run, now: float) -> Row:
    """`run` as a list shows it at `now`, in Unix seconds."""
    ended = now if run.ended_at is None else run.ended_at
    return Row(
        run=run,
        client=client_name(run.client),
        model=run.model.removeprefix("claude-"),
        state_class=_STATE_CLASSES[run.state],
        is_active=run.state in ACTIVE_STATES,
        seconds=max(0.0, ended - run.arrived_at),
        first_token_seconds=run.first_token_seconds,
        cached=run.usage.cached_share if run.usage else None,
        what=_what(run),
    )


def timing(run: Run, now: float) -> tuple[Bar, ...]:
    """The phases of a run so far: waiting for a place, until the first token, and the answer."""
    ended = now if run.ended_at is None else run.ended_at
    whole = max(ended - run.arrived_at, 1e-6)
    marks = (
        ("waited for a place", "queue", run.arrived_at, run.began_at),
        ("until the first token", "think", run.began_at, run.first_token_at),
        ("answered", "stream", run.first_token_at, ended),
    )
    bars: list[Bar] = []
    for name, kind, begin, end in marks:
        if begin is None:
            continue
        until = ended if end is None else min(end, ended)
        start = round(1000 * (begin - run.arrived_at) / whole)
        bars.append(Bar(name, kind, start, max(1, round(1000 * (until - begin) / whole)), max(0.0, until - begin)))
    return tuple(bars)


def formatted(arguments: str) -> str:
    """The JSON of a call, indented; as it is where it is none."""
    try:
        return json.dumps(json.loads(arguments), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return arguments


def _what(run: Run) -> str:
    """Why the run failed; else its calls and the beginning of its answer, while it is written the end."""
    if run.error:
        return f"{run.error_code}: {run.error}"
    calls = ", ".join(f"{call.name}(\u2026)" for call in run.calls)
    if run.state in ACTIVE_STATES:
        text = " ".join(run.text[-4 * SHORT :].split())
        text = text if len(text) <= SHORT else f"\u2026{text[-SHORT:]}"
    else:
        text = " ".join(run.text[: 4 * SHORT].split())
        text = text if len(text) <= SHORT else f"{text[:SHORT]}\u2026"
    return " \u2014 ".join(filter(None, (calls, text)))
