"""The bodies of `/runs`, in the style of OpenAI's API, which has no such endpoint.

Times are Unix seconds, and null for what has not happened. All keys of a run are always there, except for its `text`
and `tool_calls`, which a list leaves out.
"""

from typing import Literal

from claude_openai.protocols.common.wire.reply import Reply, ReplyWithConstants

State = Literal["queued", "running", "parked", "completed", "failed", "cancelled"]


class RunError(Reply):
    """Why a run has no (whole) answer, as its client received it."""

    code: str
    message: str


class RunUsage(Reply):
    """Tokens. `prompt_tokens` include those read from and written to the cache, `completion_tokens` the reasoning."""

    prompt_tokens: int
    cached_tokens: int
    cache_written_tokens: int
    completion_tokens: int
    reasoning_tokens: int


class RunCall(Reply):
    """A call of a client's tool; `arguments` is JSON as text. Also the data of a `tool_call` event."""

    id: str
    name: str
    arguments: str


class RunObject(ReplyWithConstants):
    """One run. Also the data of the `end` event."""

    id: str
    object: Literal["run"] = "run"
    answer_id: str
    request_id: str
    key: str
    client: str
    endpoint: str
    asked_model: str
    model: str
    profile: str
    state: State
    way: str | None
    reason: str | None
    place: int
    arrived_at: float
    began_at: float | None
    first_token_at: float | None
    ended_at: float | None
    finish_reason: str | None
    error: RunError | None
    usage: RunUsage | None
    cost_usd: float | None
    text: str | None = None
    tool_calls: list[RunCall] | None = None


class RunList(ReplyWithConstants):
    """The runs that match, in the order of the query. `has_more`: others come behind the last of them."""

    object: Literal["list"] = "list"
    data: list[RunObject]
    has_more: bool = False


class RunActivity(Reply):
    """The data of an `activity` event: Claude Code calls one of its own tools or, under the same id, has its result.
    `failed`: the tool was refused or did not work. `parent` is the call that a sub-agent works for.
    """

    id: str
    tool: str
    arguments: str
    result: str | None
    failed: bool
    parent: str | None


class RunText(Reply):
    """The data of a `text` event, and of a `reasoning` event."""

    text: str


class Times(Reply):
    """Quantiles in seconds, each the upper bound of a bucket (at most 102.4); null where there is no time."""

    p50: float | None
    p95: float | None


class StatisticsSpan(Reply):
    """What the runs add up to that arrived in the span that begins at `begin`, in Unix seconds.

    `group` is the value of the dimension that was asked for; null without one. `cost_usd` is null if no run has a cost.
    """

    begin: int
    group: str | None
    runs: int
    prompt_tokens: int
    cached_tokens: int
    cache_written_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cost_usd: float | None
    first_token: Times
    duration: Times


class Statistics(ReplyWithConstants):
    """Sums over spans of `width` seconds, from `since` to `until`, by the dimension `by`. Empty spans are left out."""

    object: Literal["statistics"] = "statistics"
    since: float
    until: float
    width: int
    by: str | None
    data: list[StatisticsSpan]
