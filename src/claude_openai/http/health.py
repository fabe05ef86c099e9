"""Whether requests can be answered, told to anyone who asks: nothing here names a key, an account or a path."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import anyio
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from claude_openai.core.failures import RequestFailed
from claude_openai.core.load import Processes, RunCounts
from claude_openai.core.ports import Description
from claude_openai.http.ports import Gateway

ANSWER_SECONDS = 10.0
"""How long Claude Code may take to say what it is before the answer is that it does not; a cold start takes one."""

NOT_STARTED = "Claude Code could not be started; the server's log says why."
NO_ANSWER = "Claude Code has not answered yet."
NOT_LOGGED_IN = (
    "Claude Code is not signed in. Run `claude` once on the server's machine and sign in with /login, "
    "or set ANTHROPIC_API_KEY."
)


@dataclass(frozen=True, slots=True)
class BackendHealth:
    """Which Claude Code answers."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """How many requests are answered and how many wait."""

    running: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Health:
    """What `GET /health` says; `reason` why the server is not ready, `backend` null where that is why.

    `uptime` is in seconds. `runs` counts requests by their state: those that go on now, and since the start the others.
    `turns` counts the requests so far by how they reached Claude Code, `rebuilt_because` those whose history no process
    had, by why.
    """

    status: Literal["ok", "unavailable"]
    ready: bool
    version: str
    backend: BackendHealth | None
    reason: str | None
    simulated: bool
    uptime: int
    runs: RunCounts
    queue: QueueHealth
    processes: Processes
    turns: Mapping[str, int]
    rebuilt_because: Mapping[str, int]


class HealthCheck:
    """`GET /health`: 200 when ready, otherwise 503."""

    def __init__(
        self, gateway: Gateway, *, version: str, simulated: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._gateway = gateway
        self._clock = clock
        self._began = clock()
        self._version = version
        self._simulated = simulated

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        health = await self._health()
        answer = JSONResponse(asdict(health), 200 if health.ready else 503, {"cache-control": "no-store"})
        await answer(scope, receive, send)

    async def _health(self) -> Health:
        try:
            with anyio.CancelScope(deadline=anyio.current_time() + ANSWER_SECONDS):
                return self._described(await self._gateway.description())
            return self._told(None, NO_ANSWER)
        except RequestFailed:
            return self._told(None, NOT_STARTED)

    def _described(self, description: Description) -> Health:
        backend = BackendHealth(description.name, description.version)
        return self._told(backend, None if description.login.ready else NOT_LOGGED_IN)

    def _told(self, backend: BackendHealth | None, reason: str | None) -> Health:
        load = self._gateway.load()
        reason = reason or (load.trouble.message if load.trouble else None)
        return Health(
            status="unavailable" if reason else "ok",
            ready=reason is None,
            version=self._version,
            backend=backend,
            reason=reason,
            simulated=self._simulated,
            uptime=int(self._clock() - self._began),
            runs=load.runs,
            queue=QueueHealth(load.running, load.waiting),
            processes=load.processes,
            turns=load.turns,
            rebuilt_because=load.rebuilt_because,
        )
