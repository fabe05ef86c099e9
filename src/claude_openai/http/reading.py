"""What the endpoints that answer have in common: what they are made with, how they read, and what they tell of that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, TypeVarTuple

import anyio.to_thread

from claude_openai.core.agent import AgentRules
from claude_openai.http.ports import Gateway
from claude_openai.logs import logger
from claude_openai.translate.parameters import refuse_in_vain

log = logger(__name__)

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

LARGE_BYTES = 64 * 1024
"""Of a request's body: to read a long history of this size takes some ms, many unseen tools a good 100 ms (measured),
and no stream should falter for long."""

IGNORED = "x-claude-openai-ignored"
ADJUSTED = "x-claude-openai-adjusted"


@dataclass(frozen=True, slots=True)
class Answering:
    """What such an endpoint is made with. Without `agents` there is no agent profile; `now` is in Unix seconds;
    `strict`: what would not be done as asked is refused.
    """

    gateway: Gateway
    max_request_bytes: int
    keep_alive_seconds: float
    new_id: Callable[[], str]
    now: Callable[[], int]
    agents: AgentRules | None = None
    strict: bool = False

    def reported(self, ignored: Sequence[str], adjusted: Sequence[str]) -> dict[str, str]:
        """What the client asked for and does not get, for its answer's headers and for the log.

        Raises:
            RequestFailed: there is such a thing, and this server is strict.
        """
        if self.strict:
            refuse_in_vain(ignored, adjusted)
        told = {IGNORED: ",".join(ignored), ADJUSTED: ",".join(adjusted)}
        headers = {name: value for name, value in told.items() if value}
        if headers:
            log.info("http.not_as_asked", ignored=ignored, adjusted=adjusted)
        return headers


async def considerately(size: int, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """What a large request needs is done in a thread, so that the streams of others go on meanwhile."""
    return await anyio.to_thread.run_sync(work, *arguments) if size > LARGE_BYTES else work(*arguments)
