"""Runs a server from settings: only it, `application`, `backends` and `stores` name concrete classes.

`serve` binds first, so that a busy port is reported before anything is started. Then it starts Claude Code, loads the
rest of the server meanwhile (`application`), asks Claude Code for its version and login, announces the server, and on a
signal drains it within a time limit. What it starts ends with it.
"""

import errno
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    ExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import anyio
import structlog
from anyio.abc import TaskGroup, TaskStatus

from claude_openai.claude_code.processes.scratch import ServerFolder, server_folder
from claude_openai.claude_code.processes.stale_folders import SweepResult, sweep
from claude_openai.core.failures import LOG_IN, RequestFailed
from claude_openai.errors import LaunchError
from claude_openai.server.backends import start_first_process
from claude_openai.server.simulator_process import SimulatorProcess, simulator_process
from claude_openai.server.stores import STORES
from claude_openai.settings import Settings
from claude_openai.system.descriptors import raise_limit
from claude_openai.system.instances import already_runs, running
from claude_openai.system.places import StartFolders
from claude_openai.system.serving import Server, base_url, listening, serving
from claude_openai.system.threads import favour_event_loop
from claude_openai.testing.environment import simulated_login

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from claude_openai.gateway import Gateway

log = structlog.get_logger(__name__)

LAST_WORDS_SECONDS = 5
"""Time after the drain for the turns that were ended to send their errors to the clients."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The facts about a ready server, for the banner and the log. `also` are its further URLs; `login` is None if
    Claude Code is not signed in; `is_subscription` is `core.ports.Login.is_subscription`.
    """

    url: str
    also: tuple[str, ...]
    backend: str
    model: str
    needs_key: bool
    login: str | None
    login_remedy: str | None
    simulated: bool
    is_subscription: bool = False


class Stop:
    """The stop requests by signals: the first SIGINT or SIGTERM asks to stop, the second not to wait. SIGHUP, when the
    terminal is closed, asks to stop too, unless the server was started with that signal ignored (`nohup`).
    """

    def __init__(self) -> None:
        self.asked = anyio.Event()
        self.insisted = anyio.Event()

    async def listen(self, *, task_status: TaskStatus[None]) -> None:
        """Handle the signals until cancelled. On Windows Ctrl-C interrupts the event loop by itself."""
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
    async def cancelling(self, event: anyio.Event) -> AsyncIterator[None]:
        """A context manager that cancels its block when `event` (`asked` or `insisted`) is set."""
        async with anyio.create_task_group() as group:

            async def cancel_on_event() -> None:
                await event.wait()
                group.cancel_scope.cancel()

            group.start_soon(cancel_on_event)
            yield
            group.cancel_scope.cancel()


async def serve(
    settings: Settings,
    login: Mapping[str, str],
    folders: StartFolders,
    *,
    announce: Callable[[Ready], None],
    owner_token: str | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; `announce` is called when the server is ready.

    `login` is the environment for Claude Code (`settings.login_environment`), `folders` the chosen folders
    (`places.choose_folders`), `owner_token` what commands of the server's owner prove themselves with.

    Raises:
        LaunchError: the server cannot start.
    """
    raise_limit()
    stop = Stop()
    async with anyio.create_task_group() as group:
        await group.start(stop.listen)
        with _listening(settings) as listeners, _folder(folders) as folder:
            opened = STORES[settings.store].open(settings, folders.places)
            async with _upstream(settings, login, folder) as upstream, opened as store:
                swept = await anyio.to_thread.run_sync(sweep, folders.places.runtime)  # of servers that were killed
                if swept != SweepResult():
                    log.info("server.swept", folders=swept.folders, processes=swept.processes)
                environment, simulator = upstream
                async with start_first_process(settings, environment, folder.scratch) as first:
                    from claude_openai.server.application import application  # noqa: PLC0415 -- see above

                    start = partial(
                        application,
                        settings,
                        environment,
                        folders,
                        scratch=folder.scratch,
                        store=store,
                        simulator=simulator,
                        owner_token=owner_token,
                        first_process=first,
                    )
                    await _serve_until(stop, settings, start, listeners, announce=announce, simulator=simulator)
        log.info("server.stop")
        group.cancel_scope.cancel()


async def _serve_until(
    stop: Stop,
    settings: Settings,
    start: Callable[[TaskGroup], tuple["Gateway", "ASGIApp"]],
    listeners: Sequence[socket.socket],
    *,
    announce: Callable[[Ready], None],
    simulator: SimulatorProcess | None,
) -> None:
    async with anyio.create_task_group() as sessions:
        gateway, app = start(sessions)
        async with stop.cancelling(stop.asked):
            ready = await _ready(settings, gateway, listeners)
            if simulator:
                await simulator.started()
        if not stop.asked.is_set():
            from claude_openai.server.application import uvicorn_config  # noqa: PLC0415 -- `start` has loaded it

            server = Server(uvicorn_config(settings, app, LAST_WORDS_SECONDS))
            async with serving(server, *listeners):
                favour_event_loop()
                announce(ready)
                log.info("server.start", url=ready.url, backend=ready.backend, simulated=ready.simulated)
                await stop.asked.wait()
                server.stop()
                log.info("server.draining", running=gateway.load().running, seconds=settings.shutdown_timeout)
                with anyio.move_on_after(settings.shutdown_timeout):  # for running turns, until a second signal
                    async with stop.cancelling(stop.insisted):
                        await gateway.until_idle()
                gateway.stop()
                with anyio.move_on_after(LAST_WORDS_SECONDS, shield=True):
                    await gateway.until_idle()
                    await gateway.close_idle_sessions()
        sessions.cancel_scope.cancel()


@contextmanager
def _listening(settings: Settings) -> Iterator[tuple[socket.socket, ...]]:
    with ExitStack() as stack:
        try:
            listeners = stack.enter_context(listening(settings.host, settings.port))
        except OSError as error:
            ours = next((each for each in running() if each.port == settings.port), None)
            if error.errno == errno.EADDRINUSE and ours:
                raise already_runs(ours) from error
            raise LaunchError(
                f"cannot listen on {error.filename}, port {settings.port}: {error.strerror}",
                "name another with --port, or any free one with --port 0"
                if error.errno in {errno.EADDRINUSE, errno.EACCES}
                else "name an address of this machine with --host",
            ) from error
        yield listeners


@contextmanager
def _folder(folders: StartFolders) -> Iterator[ServerFolder]:
    """A context manager with this server's folder. It also makes one in each runtime folder that agents could reach:
    such a runtime folder then is not removed, and can be hidden from agents' commands before another server uses it.
    """
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(server_folder(folders.runtime))
        except OSError as error:
            problem = f"cannot make a temporary folder: {error.strerror or error}"
            raise LaunchError(problem, "set TMPDIR to a folder that can be written") from error
        for place in folders.places.runtime:
            if folders.workspace and folders.workspace.holds(str(place)):
                with suppress(OSError):  # another user's, or it cannot be made: no server of ours will use it
                    stack.enter_context(server_folder(place))
        yield folder


@asynccontextmanager
async def _upstream(
    settings: Settings, login: Mapping[str, str], folder: ServerFolder
) -> AsyncIterator[tuple[Mapping[str, str], SimulatorProcess | None]]:
    """Claude Code's environment: the user's own login, or a simulator and an empty home, which end with the server."""
    if not settings.simulate:
        yield login, None
        return
    home = folder.root() / "home"
    home.mkdir()
    async with simulator_process(folder.root()) as simulator:
        yield simulated_login(simulator.url, home, login), simulator


async def _ready(settings: Settings, gateway: "Gateway", listeners: Sequence[socket.socket]) -> Ready:
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
        needs_key=settings.needs_key,
        login="none needed, the model is simulated" if settings.simulate else description.login.method,
        login_remedy=None if description.login.ready else LOG_IN,
        simulated=settings.simulate,
        is_subscription=description.login.is_subscription,
    )
