"""From settings to a running server: this module and `backends` are the only ones that name concrete classes.

`serve` binds first, so that a busy port is told before anything is started; asks Claude Code who it is; announces
itself; and drains for a bounded time when it is told to stop. What was started ends with it.
"""

import errno
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import cast

import anyio
import structlog
import uvicorn
from anyio.abc import TaskGroup, TaskStatus
from starlette.types import ASGIApp

from claude_openai import __version__
from claude_openai.claude_code.processes.scratch import Scratch, ServerFolder, server_folder
from claude_openai.claude_code.processes.stale_folders import SweepResult, sweep
from claude_openai.core.agent import AgentRules
from claude_openai.core.failures import LOG_IN, RequestFailed
from claude_openai.errors import LaunchError
from claude_openai.gateway import (
    Gateway,
    GatewayLimits,
    ModelOptions,
    QueueLimits,
    RunRegistry,
    SessionLimits,
    Timeouts,
)
from claude_openai.http.app import Services, create_app
from claude_openai.http.connection import Connection, Room, places_within
from claude_openai.server.backends import build_backend
from claude_openai.server.simulator_process import SimulatorProcess, simulator_process
from claude_openai.settings import Settings
from claude_openai.store import MemoryRuns, Retention, SqliteRuns, sqlite_runs
from claude_openai.system.descriptors import raise_limit
from claude_openai.system.places import Places, Settled
from claude_openai.system.serving import ACCEPTED_AT_ONCE, Server, base_url, listening, serving
from claude_openai.system.threads import favour_event_loop
from claude_openai.testing.environment import simulated_login

log = structlog.get_logger(__name__)

LAST_WORDS_SECONDS = 5
"""After the drain: until every turn that was ended has told its client so."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What the person who started the server wants to know. `also` are further URLs of it;
    `login` is None where Claude Code is not signed in.
    """

    url: str
    also: tuple[str, ...]
    backend: str
    model: str
    needs_key: bool
    login: str | None
    login_remedy: str | None
    simulated: bool


class Stop:
    """What signals ask for: the first SIGINT or SIGTERM to stop, the second not to wait. A terminal that is closed
    (SIGHUP) asks to stop, too, unless whoever started the server had it not listen (`nohup`).
    """

    def __init__(self) -> None:
        self.asked = anyio.Event()
        self.insisted = anyio.Event()

    async def listen(self, *, task_status: TaskStatus[None]) -> None:
        """Take the signals from now on, until cancelled. On Windows Ctrl-C interrupts the event loop by itself."""
        if sys.platform == "win32":
            task_status.started()
            return
        hung_up = (signal.SIGHUP,) if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else ()
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, *hung_up) as signals:
            task_status.started()
            async for received in signals:
                log.info("server.stopping", signal=received.name)
                (self.insisted if self.asked.is_set() else self.asked).set()

    @asynccontextmanager
    async def cancelling(self) -> AsyncIterator[None]:
        """A block that is left as soon as a stop is asked for."""
        async with anyio.create_task_group() as group:
            group.start_soon(_then_cancel, self.asked.wait, group.cancel_scope)
            yield
            group.cancel_scope.cancel()


async def serve(
    settings: Settings, login: Mapping[str, str], settled: Settled, *, announce: Callable[[Ready], None]
) -> None:
    """Serve until SIGINT or SIGTERM; `announce` is called once requests are answered.

    `login` is the part of the environment that Claude Code gets (`settings.login_environment`), `settled` where all is
    (`places.settle`).

    Raises:
        LaunchError: it cannot start.
    """
    raise_limit()
    stop = Stop()
    async with anyio.create_task_group() as group:
        await group.start(stop.listen)
        with _listening(settings) as listeners, _folder(settled) as folder:
            async with _upstream(settings, login, folder) as upstream, _store(settings, settled.places) as store:
                await _sweep(settled.places)
                environment, simulator = upstream
                start = partial(
                    application,
                    settings,
                    environment,
                    settled,
                    scratch=folder.scratch,
                    store=store,
                    simulator=simulator,
                )
                await _serve_until(stop, settings, start, listeners, announce=announce, simulator=simulator)
        log.info("server.stop")
        group.cancel_scope.cancel()


async def _serve_until(
    stop: Stop,
    settings: Settings,
    start: Callable[[TaskGroup], tuple[Gateway, ASGIApp]],
    listeners: Sequence[socket.socket],
    *,
    announce: Callable[[Ready], None],
    simulator: SimulatorProcess | None,
) -> None:
    async with anyio.create_task_group() as sessions:
        gateway, app = start(sessions)
        async with stop.cancelling():
            ready = await _ready(settings, gateway, listeners)
            if simulator:
                await simulator.started()
        if not stop.asked.is_set():
            server = Server(_uvicorn(settings, app))
            async with serving(server, *listeners):
                favour_event_loop()
                announce(ready)
                log.info("server.start", url=ready.url, backend=ready.backend, simulated=ready.simulated)
                await stop.asked.wait()
                server.stop()
                await _drain(stop, settings, gateway)
                await _end(gateway)
        sessions.cancel_scope.cancel()


async def _end(gateway: Gateway) -> None:
    gateway.stop()
    with anyio.move_on_after(LAST_WORDS_SECONDS, shield=True):
        await gateway.until_idle()
        await gateway.close_idle_sessions()


async def _drain(stop: Stop, settings: Settings, gateway: Gateway) -> None:
    """Running turns may finish for a bounded time, after a second signal not even that."""
    log.info("server.draining", running=gateway.load().running, seconds=settings.shutdown_timeout)
    with anyio.move_on_after(settings.shutdown_timeout):
        async with anyio.create_task_group() as group:
            group.start_soon(_then_cancel, stop.insisted.wait, group.cancel_scope)
            await gateway.until_idle()
            group.cancel_scope.cancel()


async def _then_cancel(wait: Callable[[], Awaitable[object]], scope: anyio.CancelScope) -> None:
    await wait()
    scope.cancel()


def application(
    settings: Settings,
    login: Mapping[str, str],
    settled: Settled,
    sessions: TaskGroup,
    *,
    scratch: Callable[[], AbstractContextManager[Scratch]],
    store: MemoryRuns | SqliteRuns | None = None,
    simulator: SimulatorProcess | None = None,
) -> tuple[Gateway, ASGIApp]:
    """The use cases over the real Claude Code, and the application that offers them. No process runs yet.

    Whatever outlives a request is a task of `sessions`; each process has a folder from `scratch`. Runs are remembered
    in `store`, or in memory without one. `login` leads to the `simulator`, where one plays the model.

    Raises:
        LaunchError: there is no Claude Code.
    """
    backend = build_backend(settings, login, settled, scratch)
    sessions.start_soon(backend.run)
    store = store or MemoryRuns()
    gateway = Gateway(
        backend,
        sessions,
        GatewayLimits(
            Timeouts(settings.request_timeout, settings.first_byte_timeout, settings.idle_timeout),
            QueueLimits(settings.max_concurrency, settings.max_queue_size, settings.queue_timeout),
            SessionLimits(
                settings.session_ttl, settings.tool_timeout, settings.max_processes - settings.warm_processes
            ),
        ),
        ModelOptions(
            settings.default_model,
            tuple(settings.model_aliases.items()),
            settings.models_override,
        ),
        RunRegistry(store),
        responses=store.responses,
        upstream_ended=lambda: simulator.ended if simulator else None,
    )
    services = Services(
        gateway=gateway,
        version=__version__,
        hosts=settings.host,
        keys=tuple(key.get_secret_value() for key in settings.api_keys),
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=settings.allowed_origins,
        max_request_bytes=settings.max_request_bytes,
        max_total_request_bytes=settings.max_total_request_bytes,
        keep_alive_seconds=settings.keep_alive_interval,
        request_seconds=settings.request_timeout,
        simulated=settings.simulate,
        strict=settings.strict_parameters,
        agents=AgentRules(
            settled.workspace,
            settings.default_mode,
            settings.allowed_permission_modes,
            settings.allowed_setting_sources,
        )
        if settled.workspace
        else None,
    )
    return gateway, create_app(services)


@contextmanager
def _listening(settings: Settings) -> Iterator[tuple[socket.socket, ...]]:
    with ExitStack() as stack:
        try:
            listeners = stack.enter_context(listening(settings.host, settings.port))
        except OSError as error:
            raise _no_address(error, settings.port) from error
        yield listeners


def _no_address(error: OSError, port: int) -> LaunchError:
    return LaunchError(
        f"cannot listen on {error.filename}, port {port}: {error.strerror}",
        "name another with --port, or any free one with --port 0"
        if error.errno in {errno.EADDRINUSE, errno.EACCES}
        else "name an address of this machine with --host",
    )


@contextmanager
def _folder(settled: Settled) -> Iterator[ServerFolder]:
    """This server's own, and one in each place that agents could reach: as long as there is one in it, a place is not
    removed, and what is there can be hidden from a command before another server comes to use it.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(server_folder(settled.runtime))
        except OSError as error:
            what = f"cannot make a temporary folder: {error.strerror or error}"
            raise LaunchError(what, "set TMPDIR to a folder that can be written") from error
        for place in settled.places.runtime:
            if settled.workspace and settled.workspace.holds(str(place)):
                with suppress(OSError):  # another user's, or nobody can make it: no server of ours will use it
                    stack.enter_context(server_folder(place))
        yield folder


async def _sweep(places: Places) -> None:
    """What servers have left that were killed outright."""
    swept = await anyio.to_thread.run_sync(sweep, places.runtime)
    if swept != SweepResult():
        log.info("server.swept", folders=swept.folders, processes=swept.processes)


@asynccontextmanager
async def _upstream(
    settings: Settings, login: Mapping[str, str], folder: ServerFolder
) -> AsyncIterator[tuple[Mapping[str, str], SimulatorProcess | None]]:
    """Claude Code's environment: the user's own login, or a simulator and a home that are gone with the server."""
    if not settings.simulate:
        yield login, None
        return
    home = folder.root() / "home"
    home.mkdir()
    async with simulator_process(folder.root()) as simulator:
        yield simulated_login(simulator.url, home, login), simulator


@asynccontextmanager
async def _store(settings: Settings, places: Places) -> AsyncIterator[MemoryRuns | SqliteRuns]:
    if settings.store == "memory":
        yield MemoryRuns()
        return
    retention = Retention(settings.retention_days, settings.max_store_bytes)
    async with sqlite_runs(places.data, retention) as store:
        yield store


async def _ready(settings: Settings, gateway: Gateway, listeners: Sequence[socket.socket]) -> Ready:
    try:
        description = await gateway.description()
        models = await gateway.catalogue()
        default = models.resolve(None)
        models.listed()
    except RequestFailed as error:
        wrong_model = error.failure.param == "model"
        hint = "see --default-model and --model-alias" if wrong_model else "--claude-command names another"
        raise LaunchError(str(error).rstrip("."), hint) from error
    resolved = f" ({default.resolved})" if default.resolved not in {None, default.id} else ""
    url, *also = map(base_url, listeners)
    return Ready(
        url=url,
        also=tuple(also),
        backend=f"Claude Code {description.version} through {description.name}",
        model=default.id + resolved,
        needs_key=bool(settings.api_keys),
        login="none needed, the model is simulated" if settings.simulate else description.login.method,
        login_remedy=None if description.login.ready else LOG_IN,
        simulated=settings.simulate,
    )


def _uvicorn(settings: Settings, app: ASGIApp) -> uvicorn.Config:
    drain = settings.shutdown_timeout + LAST_WORDS_SECONDS
    room = Room(places_within(raise_limit(), settings.max_processes))
    return uvicorn.Config(
        app,
        http=cast("type[Connection]", partial(Connection, room=room)),
        backlog=ACCEPTED_AT_ONCE,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=round(drain),
    )
