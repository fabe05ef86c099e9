"""A run: the record of one request, from its arrival to its end.

A run is an immutable value: each event makes a new one. Terminal states are final: the first terminal event wins, later
ones are ignored.
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
    """The state of a run. A parked one has answered with tool calls, and its session waits for their results."""

    QUEUED = "queued"
    RUNNING = "running"
    PARKED = "parked"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE_STATES = frozenset({RunState.QUEUED, RunState.RUNNING})
"""The states of a run that is not answered yet. A parked run is answered."""

TERMINAL_STATES = frozenset({RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED})
"""The final states."""

Visible = TextDelta | ReasoningDelta | ToolCalled | Activity
"""The events that a follower of a run sees."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The client of a request and the ids of its run: `client` is the User-Agent, `answer_id` the id of the answer.

    `run_id` is 32 hexadecimal digits; `answer_id` is the same after a prefix ("chatcmpl-"). `principal` names the API
    key ("local" where the server has none). If a request asks for several answers, this is number `choice` of
    `choices`. `parse_seconds` is how long parsing the request took, which counts as part of its time. `endpoint` is the
    short name of the endpoint ("chat"), `key_name` the name of the API key, None if it has none.
    """

    run_id: str
    answer_id: str
    request_id: str
    principal: str
    client: str
    choice: int = 0
    choices: int = 1
    parse_seconds: float = 0.0
    endpoint: str = ""
    key_name: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """The state of one request. Times are Unix seconds, None if that has not happened (yet).

    `model` is the requested model, and the answering one as soon as that is known. `session_start` is how the request
    reached Claude Code (live, results, warm, cold, rebuilt). `queue_position` is its position in the queue on arrival,
    1 for the next and 0 if it did not wait. `finish` is the finish reason; `error_code` (a `Kind`, or
    "server_stopped") and `error` describe the failure. `ended_at` is the end of the answer: a parked run has it too.
    `text` and `calls` are what the client was sent. `endpoint` is the short name of the endpoint ("chat"),
    `asked_model` the id of the requested model, and `reason` why no session had the request's history, if it had one.
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
    endpoint: str = ""
    asked_model: str = ""
    reason: str | None = None

    @property
    def duration(self) -> float | None:
        """The seconds from the arrival to the end; None while it has not ended."""
        return None if self.ended_at is None else self.ended_at - self.arrived_at

    @property
    def first_token_seconds(self) -> float | None:
        """The seconds from the arrival to the first token; None without one."""
        return None if self.first_token_at is None else self.first_token_at - self.arrived_at

    @property
    def queue_seconds(self) -> float | None:
        """The seconds from the arrival to the place; None without one."""
        return None if self.began_at is None else self.began_at - self.arrived_at

    @property
    def names(self) -> tuple[str, ...]:
        """The ids that the store finds the run by."""
        return self.id, self.answer_id, self.request_id


def new_run(caller: Caller, turn: Turn, now: float) -> Run:
    """The queued run of a request for `turn`, which arrived at `now`."""
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
        endpoint=caller.endpoint,
        asked_model=turn.model.id,
    )


def mark_started(run: Run, now: float) -> Run:
    """The request left the queue."""
    return replace(run, state=RunState.RUNNING, began_at=now) if run.state is RunState.QUEUED else run


def apply_event(run: Run, event: Event, now: float) -> Run:
    """`run` after `event`. How an answer's text is cut into deltas makes no difference."""
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


def without_content(run: Run) -> Run:
    """`run` without what the client was sent, because its response was deleted."""
    return replace(run, text="", calls=())


def release_parked(run: Run) -> Run:
    """The session no longer waits for tool results: they came, or it has ended."""
    return replace(run, state=RunState.COMPLETED) if run.state is RunState.PARKED else run


def mark_cancelled(run: Run, failure: Failure, now: float) -> Run:
    """The run was cancelled. A parked run, whose answer was sent, no longer waits for results."""
    return run if run.state in TERMINAL_STATES else _failed(run, failure, now)


def _with_first_token(run: Run, now: float) -> Run:
    return run if run.first_token_at is not None else replace(run, first_token_at=now)


def _failed(run: Run, failure: Failure, now: float) -> Run:
    state = RunState.CANCELLED if failure.kind is Kind.CANCELLED else RunState.FAILED
    ended_at = now if run.ended_at is None else run.ended_at
    return replace(run, state=state, ended_at=ended_at, error_code=failure.kind.value, error=failure.message)
