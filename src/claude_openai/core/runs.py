"""What is remembered of a request: a run, from its arrival to its end.

A run is a value: each thing that happens to it makes a new one, and the store only ever holds whole ones.
"""

from dataclasses import dataclass
from enum import StrEnum

from claude_openai.core.events import Usage
from claude_openai.core.messages import ToolCall


class RunState(StrEnum):
    """Where a run stands. A parked one has answered with calls, and its session waits for their results."""

    QUEUED = "queued"
    RUNNING = "running"
    PARKED = "parked"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = frozenset({RunState.QUEUED, RunState.RUNNING})
"""The states of a run that is still being answered; a parked one has been."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as far as the request tells: `client` is its User-Agent, `answer_id` the id its answer will have.

    `run_id` is 32 hexadecimal digits; `answer_id` is the same after a prefix ("chatcmpl-"). `principal` names the API
    key ("local" where the server has none).
    """

    run_id: str
    answer_id: str
    request_id: str
    principal: str
    client: str


@dataclass(frozen=True, slots=True)
class Run:
    """One request, as it stands. Times are Unix seconds, None where that has not happened (yet).

    `way` is how it reached Claude Code (live, results, warm, cold, rebuilt); `place` its place in the queue when it
    came, 0 for none; `finish` is why the answer ended, in OpenAI's words; `error_code` and `error` say why there is
    none. `text` and `calls` are what the client was sent.
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
    place: int = 0
    way: str | None = None
    profile: str = "chat"
    finish: str | None = None
    error_code: str | None = None
    error: str | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
