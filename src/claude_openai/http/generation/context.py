"""What the endpoints that answer have in common: what they are made with, how they read, and what they tell of that."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeVar, TypeVarTuple

import anyio
from anyio.lowlevel import RunVar
from starlette.types import Receive

from claude_openai.core.agent import AgentRules
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.http.generation.body import Bodies
from claude_openai.http.generation.turns import cancel_on_disconnect, refused_when
from claude_openai.http.ports import Gateway
from claude_openai.jsontools.work_limit import TooMuch, bounded
from claude_openai.logs import logger
from claude_openai.protocols.common.parameters import require_exact
from claude_openai.system.threads import in_thread

log = logger(__name__)

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

LARGE_BYTES = 64 * 1024
"""Of a request's body: to read a long history of this size takes some ms, many unseen tools a good 100 ms (measured),
and no stream should falter for long."""

HERE_SECONDS: Final = 0.01
"""For a small request on the event loop; no stream of others should falter for longer."""

READING_SECONDS: Final = 10.0
"""Of the processor's time, for each step of understanding a request: 600 KB of schemas take 2 (measured)."""

_MOST_THREADS: Final = 2
"""That understand requests: more would not be faster, since they take turns, and would slow down the event loop."""

_THREADS: Final[RunVar[anyio.CapacityLimiter]] = RunVar("threads that understand requests")

IGNORED = "x-claude-openai-ignored"
ADJUSTED = "x-claude-openai-adjusted"


@dataclass(frozen=True, slots=True)
class GenerationContext:
    """What such an endpoint is made with. Without `agents` there is no agent profile; `now` is in Unix seconds;
    `strict`: what would not be done as asked is refused. `request_seconds` is all the time that a request has.
    """

    gateway: Gateway
    bodies: Bodies
    keep_alive_seconds: float
    new_id: Callable[[], str]
    now: Callable[[], int]
    agent_rules: AgentRules | None = None
    strict: bool = False
    request_seconds: float = 600.0

    @asynccontextmanager
    async def understanding(self, receive: Receive) -> AsyncIterator[Callable[[], float]]:
        """A block in which a request that has arrived is understood; yields how many seconds it has taken so far.

        Raises:
            ClientDisconnected: nobody waits for the answer any more.
            RequestFailed: `TIMEOUT`: the request's whole time is over; `SHUTTING_DOWN`: the server's is.
        """
        began = anyio.current_time()
        with anyio.move_on_after(self.request_seconds) as scope:
            async with cancel_on_disconnect(receive), refused_when(self.gateway.until_stopped):
                yield lambda: anyio.current_time() - began
        if scope.cancelled_caught:
            sentence = f"The request took longer than {self.request_seconds:g} s to understand (--request-timeout)."
            raise RequestFailed(Failure(Kind.TIMEOUT, sentence))

    def not_honoured_headers(self, ignored: Sequence[str], adjusted: Sequence[str]) -> dict[str, str]:
        """What the client asked for and does not get, for its answer's headers and for the log.

        Raises:
            RequestFailed: there is such a thing, and this server is strict.
        """
        if self.strict:
            require_exact(ignored, adjusted)
        told = {IGNORED: ",".join(ignored), ADJUSTED: ",".join(adjusted)}
        headers = {name: value for name, value in told.items() if value}
        if headers:
            log.info("http.not_as_asked", ignored=ignored, adjusted=adjusted)
        return headers


async def run_in_thread_if_large(size: int, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """What `work`, pure and of a request of `size` bytes, comes to; the streams of others go on meanwhile.

    A small one mostly takes a millisecond and is done right here. What is large, or takes longer than a moment after
    all, is done in a thread, which gives up where this call is cancelled.

    Raises:
        RequestFailed: `INVALID_REQUEST`: it takes longer than any honest request.
    """
    if size <= LARGE_BYTES:
        try:
            with bounded(_until(HERE_SECONDS, time.monotonic)):
                return work(*arguments)
        except TooMuch:
            pass
    wanted = True

    def as_long_as_wanted() -> Result:
        used_up = _until(READING_SECONDS, time.thread_time)

        def bound() -> None:
            if not wanted:
                raise TooMuch
            used_up()

        with bounded(bound):
            return work(*arguments)

    threads = _THREADS.get(None) or anyio.CapacityLimiter(_MOST_THREADS)
    _THREADS.set(threads)
    try:
        return await in_thread(threads, as_long_as_wanted)
    except TooMuch:
        raise RequestFailed(_TOO_MUCH) from None
    finally:
        wanted = False


def _until(seconds: float, clock: Callable[[], float]) -> Callable[[], None]:
    """A bound for `jsontools.work_limit`: `seconds` of `clock`, from now on."""
    ends_at = clock() + seconds

    def bound() -> None:
        if clock() > ends_at:
            raise TooMuch

    return bound


_TOO_MUCH: Final = Failure(
    Kind.INVALID_REQUEST,
    f"To understand the request takes over {READING_SECONDS:g} s. Mostly it is the schemas in it: send smaller ones.",
)
