"""Whether requests can be answered. It is public: it contains no key, no account and no path."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import anyio
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from claude_openai.core.failures import RequestFailed
from claude_openai.core.load import Outage, Processes, RunCounts, WarmPoolLoad
from claude_openai.http.ports import Gateway
from claude_openai.logs import logger

log = logger(__name__)

ANSWER_SECONDS = 10.0
"""Timeout of Claude Code's description; a cold start takes a second."""

NOT_STARTED = "Claude Code could not be started; the server's log says why."
NO_ANSWER = "Claude Code has not answered yet."


@dataclass(frozen=True, slots=True)
class BackendHealth:
    """The backend and the version of Claude Code."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """The numbers of requests that are being answered, and that wait."""

    running: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Health:
    """The body of `GET /health`. `reason` is why the server is not ready; `backend` is null if it cannot be described.

    `ready_at` is when the server is expected to be ready again, in Unix seconds; null if that is not known. `uptime` is
    in seconds. `runs` counts requests by their state: the active ones now, the others since the start. `turns` counts
    the requests so far by how they reached Claude Code, `rebuilt_because` those without a process for their history.
    """

    status: Literal["ok", "unavailable"]
    ready: bool
    version: str
    backend: BackendHealth | None
    reason: str | None
    ready_at: float | None
    simulated: bool
    uptime: int
    runs: RunCounts
    queue: QueueHealth
    processes: Processes
    warm_pool: WarmPoolLoad
    turns: Mapping[str, int]
    rebuilt_because: Mapping[str, int]


class HealthCheck:
    """`GET /health`: 200 if the server is ready, else 503."""

    def __init__(
        self,
        gateway: Gateway,
        *,
        version: str,
        simulated: bool,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateway = gateway
        self._now = now
        self._clock = clock
        self._began = clock()
        self._version = version
        self._simulated = simulated

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        backend: BackendHealth | None = None
        outage: Outage | None = Outage(NO_ANSWER)
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + ANSWER_SECONDS):
                description = await self._gateway.description()
                backend = BackendHealth(description.name, description.version)
                outage = self._gateway.outage(description)
        except RequestFailed:
            outage = Outage(NOT_STARTED)
        health = self._health(backend, outage)
        if outage:
            log.info("http.failed", kind="not_ready", status=503, message=outage.reason)
        headers = {"cache-control": "no-store"}
        if health.ready_at is not None:
            headers["retry-after"] = str(max(0, math.ceil(health.ready_at - self._now())))
        await JSONResponse(asdict(health), 200 if health.ready else 503, headers)(scope, receive, send)

    def _health(self, backend: BackendHealth | None, outage: Outage | None) -> Health:
        load = self._gateway.load()
        return Health(
            status="unavailable" if outage else "ok",
            ready=outage is None,
            version=self._version,
            backend=backend,
            reason=outage.reason if outage else None,
            ready_at=outage.until if outage else None,
            simulated=self._simulated,
            uptime=int(self._clock() - self._began),
            runs=load.runs,
            queue=QueueHealth(load.running, load.waiting),
            processes=load.processes,
            warm_pool=load.warm_pool,
            turns=load.turns,
            rebuilt_because=load.miss_reasons,
        )
