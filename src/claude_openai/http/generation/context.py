"""The context of the endpoints that call the model: their dependencies, and how they parse a request."""

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
from claude_openai.protocols.common.parameter_checks import require_exact
from claude_openai.system.threads import in_thread

log = logger(__name__)

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")

LARGE_BYTES = 64 * 1024
"""Size of a body that is parsed in a thread: a long history of this size takes some ms, many new tools a good 100 ms
(measured), and other streams should not stall for long."""

HERE_SECONDS: Final = 0.01
"""How long a small request may be parsed on the event loop: other streams should not stall for longer."""

READING_SECONDS: Final = 10.0
"""Processor time of each step of parsing a request: 600 KB of schemas take 2 s (measured)."""

_MOST_THREADS: Final = 2
"""Threads that parse requests: more are not faster, since one runs at a time, and would slow down the event loop."""

_THREADS: Final[RunVar[anyio.CapacityLimiter]] = RunVar("threads that parse requests")

IGNORED = "x-claude-openai-ignored"
ADJUSTED = "x-claude-openai-adjusted"


@dataclass(frozen=True, slots=True)
class GenerationContext:
    """The dependencies of an endpoint that calls the model.

    Without `agent_rules` there is no agent profile; `now` is in Unix seconds; `strict`: a request is refused if a
    parameter would be ignored or adjusted. `request_seconds` is the timeout of a request.
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
    async def parsing(self, receive: Receive) -> AsyncIterator[Callable[[], float]]:
        """A block in which a request is parsed; yields a function that returns the seconds since it began.

        Raises:
            ClientDisconnected: the client left.
            RequestFailed: `TIMEOUT`: the request's timeout is over; `SHUTTING_DOWN`: the server stops.
        """
        began = anyio.current_time()
        with anyio.move_on_after(self.request_seconds) as scope:
            async with cancel_on_disconnect(receive), refused_when(self.gateway.until_stopped):
                yield lambda: anyio.current_time() - began
        if scope.cancelled_caught:
            sentence = f"The request took longer than {self.request_seconds:g} s to parse (--request-timeout)."
            raise RequestFailed(Failure(Kind.TIMEOUT, sentence))

    def not_honoured_headers(self, ignored: Sequence[str], adjusted: Sequence[str]) -> dict[str, str]:
        """The headers that name ignored and adjusted parameters, which are logged too.

        Raises:
            RequestFailed: there are any, and this server is strict.
        """
        if self.strict:
            require_exact(ignored, adjusted)
        lists = {IGNORED: ",".join(ignored), ADJUSTED: ",".join(adjusted)}
        headers = {name: value for name, value in lists.items() if value}
        if headers:
            log.info("http.not_as_asked", ignored=ignored, adjusted=adjusted)
        return headers


async def run_in_thread_if_large(size: int, work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """The result of `work`, which is pure, on a request of `size` bytes. Other streams go on meanwhile.

    Small work mostly takes a millisecond and runs on the event loop. Work that is large, or takes longer than expected,
    runs in a thread, which stops if this call is cancelled.

    Raises:
        RequestFailed: `INVALID_REQUEST`: it takes longer than `READING_SECONDS`.
    """
    if size <= LARGE_BYTES:
        try:
            with bounded(_until(HERE_SECONDS, time.monotonic)):
                return work(*arguments)
        except TooMuch:
            pass
    wanted = True

    def work_until_cancelled() -> Result:
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
        return await in_thread(threads, work_until_cancelled)
    except TooMuch:
        raise RequestFailed(_TOO_MUCH) from None
    finally:
        wanted = False


def _until(seconds: float, clock: Callable[[], float]) -> Callable[[], None]:
    """A bound for `jsontools.work_limit`: `seconds` of `clock` from now."""
    ends_at = clock() + seconds

    def bound() -> None:
        if clock() > ends_at:
            raise TooMuch

    return bound


_TOO_MUCH: Final = Failure(
    Kind.INVALID_REQUEST,
    f"Parsing the request takes over {READING_SECONDS:g} s, mostly for the schemas in it: send smaller ones.",
)
