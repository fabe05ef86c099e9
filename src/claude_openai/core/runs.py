"""What is remembered of a request: a run, from its arrival to its end.

A run is a value: each thing that happens to it makes a new one, and the store only ever holds whole ones. What is over
stays as it is: whatever comes after the end changes nothing, so that who is first to end a run has ended it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from claude_openai.core.events import (
    Activity,
    Event,
    ReasoningDelta,
    TextDelta,
    TextWithdrawn,
    ToolCalled,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    Usage,
    UsageReported,
)
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import ToolCall
from claude_openai.core.turn import Turn


class RunState(StrEnum):
    """Where a run stands. A parked one has answered with calls, and its session waits for their results."""

    QUEUED = "queued"
    RUNNING = "running"
    PARKED = "parked"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE_STATES = frozenset({RunState.QUEUED, RunState.RUNNING})
"""The states of a run that is still being answered; a parked one has been."""

TERMINAL_STATES = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})
"""The states that nothing changes any more."""

Visible = TextDelta | ReasoningDelta | ToolCalled | Activity
"""What the model does that can be watched as it happens."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as the request tells: `client` is its User-Agent, `answer_id` the id its answer will have.

    `run_id` is 32 hexadecimal digits; `answer_id` is the same after a prefix ("chatcmpl-"). `principal` names the API
    key ("local" where the server has none). Of several answers that one
    request asks for, this is `choice` of `choices`. `understood_in` is how many seconds it took to understand the
    request, which are part of its time.
    """

    run_id: str
    answer_id: str
    request_id: str
    principal: str
    client: str
    choice: int = 0
    choices: int = 1
    understood_in: float = 0.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A response that its client may come back to: the items it was asked with, and itself, as JSON."""

    items: str
    response: str


@dataclass(frozen=True, slots=True)
class Run:
    """One request, as it stands. Times are Unix seconds, None where that has not happened (yet).

    `model` is what was asked for, and what answers as soon as that is known; `way` how it reached Claude Code (live,
    results, warm, cold, rebuilt); `place` its place in the queue when it came, 1 for the next and 0 for none. `finish`
    is why the answer ended, `error_code` (a `Kind`, or the store's word for a crash) and `error` why there is none.
    `ended_at` is when there was nothing more to say: a run that is parked afterwards has it too. `text` and `calls` are
    what the client was sent.
    """

    id: str
    answer_id: str
    request_id: str
    principal: str
    client: str
    model: str
    state: RunState
    arrived_at: float
    began_at: float | None = None
    first_token_at: float | None = None
    ended_at: float | None = None
    queue_position: int = 0
    session_start: str | None = None
    profile: str = "chat"
    finish: str | None = None
    error_code: str | None = None
    error: str | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    kept: Kept | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What it can be found by."""
        return self.id, self.answer_id, self.request_id


def new_run(caller: Caller, turn: Turn, now: float) -> Run:
    """The run of a request that asks for `turn`."""
    return Run(
        id=caller.run_id,
        answer_id=caller.answer_id,
        request_id=caller.request_id,
        principal=caller.principal,
        client=caller.client,
        model=turn.model.id,
        state=RunState.QUEUED,
        arrived_at=now,
        profile="agent" if turn.agent else "chat",
    )


def mark_started(run: Run, now: float) -> Run:
    """It got its place."""
    return replace(run, state=RunState.RUNNING, began_at=now) if run.state is RunState.QUEUED else run


def apply_event(run: Run, event: Event, now: float) -> Run:
    """What `event` makes of it. How an answer's text is cut into deltas makes no difference."""
    if run.state not in ACTIVE_STATES:
        return run
    match event:
        case TurnStarted(model):
            return replace(run, model=model)
        case TextDelta(text):
            return replace(_with_first_token(run, now), text=run.text + text)
        case TextWithdrawn():
            return replace(run, text="")
        case ReasoningDelta():
            return _with_first_token(run, now)
        case ToolCalled(call):
            return replace(_with_first_token(run, now), calls=(*run.calls, call))
        case UsageReported(usage, cost_usd):
            return replace(run, usage=usage, cost_usd=cost_usd)
        case TurnFinished(reason):
            state = RunState.PARKED if reason == "tool_calls" else RunState.COMPLETED
            return replace(run, state=state, ended_at=now, finish=reason)
        case TurnFailed(failure):
            return _failed(run, failure, now)
        case _:
            return run


def with_kept(run: Run, kept: Kept | None) -> Run:
    """With what its client may come back to; without, nothing of what was said is left either."""
    return replace(run, kept=kept) if kept else replace(run, kept=None, text="", calls=())


def release_parked(run: Run) -> Run:
    """Its session does not wait for results any more: they came, or never will."""
    return replace(run, state=RunState.COMPLETED) if run.state is RunState.PARKED else run


def mark_cancelled(run: Run, failure: Failure, now: float) -> Run:
    """It was told to end. A parked one has no answer to lose, but it does not wait any more."""
    return run if run.state in TERMINAL_STATES else _failed(run, failure, now)


def _with_first_token(run: Run, now: float) -> Run:
    return run if run.first_token_at is not None else replace(run, first_token_at=now)


def _failed(run: Run, failure: Failure, now: float) -> Run:
    state = RunState.CANCELLED if failure.kind is Kind.CANCELLED else RunState.FAILED
    ended_at = now if run.ended_at is None else run.ended_at
    return replace(run, state=state, ended_at=ended_at, error_code=failure.kind.value, error=failure.message)
