"""From settings to a running server: the only module that names concrete classes.

`serve` binds first, so that a busy port is told before anything is started; asks Claude Code who it is; announces
itself; and drains for a bounded time when it is told to stop. What was started ends with it.
"""

import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import structlog
import uvicorn
from starlette.types import ASGIApp

from claude_openai import __version__
from claude_openai.backends.sdk import SdkBackend, SdkSettings, bundled_cli
from claude_openai.core.failures import RequestFailed
from claude_openai.errors import LaunchError
from claude_openai.gateway import Choice, Gateway, Limits
from claude_openai.http.app import Services, create_app
from claude_openai.serving import Server, base_url, bound, serving
from claude_openai.settings import Settings
from claude_openai.testing.environment import simulated_login
from claude_openai.testing.simulator import Simulator

log = structlog.get_logger(__name__)

LAST_WORDS_SECONDS = 5
"""After the drain: until every turn that was ended has told its client so."""

LOG_IN = "run `claude` and sign in with /login, or set ANTHROPIC_API_KEY"


@dataclass(frozen=True, slots=True)
class Ready:
    """What the person who started the server wants to know. `login` is None where Claude Code is not signed in."""

    url: str
    backend: str
    model: str
    needs_key: bool
    login: str | None
    login_remedy: str | None
    simulated: bool


async def serve(settings: Settings, login: Mapping[str, str], *, announce: Callable[[Ready], None]) -> None:
    """Serve until SIGINT or SIGTERM; `announce` is called once requests are answered.

    `login` is the part of the environment that Claude Code gets (`settings.login_environment`).

    Raises:
        LaunchError: it cannot start.
    """
    listener = _listener(settings)
    with listener:
        async with _upstream(settings, login) as environment:
            gateway, app = application(settings, environment)
            try:
                ready = await _ready(settings, gateway, listener)
            except RequestFailed as error:
                raise LaunchError(str(error), "name another Claude Code with --claude-command") from error
            server = Server(_uvicorn(settings, app))
            async with serving(server, listener):
                announce(ready)
                log.info("server.start", url=ready.url, backend=ready.backend, simulated=ready.simulated)
                await _until_told_to_stop(settings, gateway, server)
            with anyio.move_on_after(LAST_WORDS_SECONDS, shield=True):
                await gateway.until_idle()
    log.info("server.stop")


def application(settings: Settings, login: Mapping[str, str]) -> tuple[Gateway, ASGIApp]:
    """The use cases over the real Claude Code, and the application that offers them. Nothing runs yet.

    Raises:
        LaunchError: there is no Claude Code.
    """
    backend = SdkBackend(
        SdkSettings(
            cli=_executable(settings),
            login=login,
            max_retries=settings.max_retries,
            request_timeout=settings.request_timeout,
        )
    )
    gateway = Gateway(
        backend,
        Limits(request=settings.request_timeout, idle=settings.idle_timeout),
        Choice(settings.default_model, tuple(settings.model_aliases.items()), settings.models_override),
    )
    services = Services(
        gateway=gateway,
        version=__version__,
        host=settings.host,
        keys=tuple(key.get_secret_value() for key in settings.api_keys),
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=settings.allowed_origins,
        max_request_bytes=settings.max_request_bytes,
        keep_alive_seconds=settings.keep_alive_interval,
        simulated=settings.simulate,
    )
    return gateway, create_app(services)


def _listener(settings: Settings) -> socket.socket:
    try:
        return bound(settings.host, settings.port)
    except OSError as error:
        raise LaunchError(
            f"cannot listen on {settings.host}, port {settings.port}: {error.strerror or error}",
            "name another with --port, or any free one with --port 0",
        ) from error


@asynccontextmanager
async def _upstream(settings: Settings, login: Mapping[str, str]) -> AsyncIterator[Mapping[str, str]]:
    """Claude Code's environment: the user's own login, or a simulator and a home that are gone after the block."""
    if not settings.simulate:
        yield login
        return
    home = Path(tempfile.mkdtemp(prefix="claude-openai-home-"))
    try:
        async with Simulator().serve() as url:
            yield simulated_login(url, home, login)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _executable(settings: Settings) -> str:
    wanted = settings.claude_command or str(bundled_cli())
    found = shutil.which(str(Path(wanted).expanduser()))
    if found is None:
        raise LaunchError(
            f"there is no Claude Code at {wanted}",
            "install it with: pip install --force-reinstall claude-agent-sdk; or name yours with --claude-command",
        )
    return str(Path(found).absolute())


async def _ready(settings: Settings, gateway: Gateway, listener: socket.socket) -> Ready:
    description = await gateway.description()
    default = (await gateway.catalogue()).resolve(None)
    resolved = f" ({default.resolved})" if default.resolved not in {None, default.id} else ""
    return Ready(
        url=base_url(listener),
        backend=f"Claude Code {description.version} through {description.name}",
        model=default.id + resolved,
        needs_key=bool(settings.api_keys),
        login=description.login.method,
        login_remedy=None if description.login.ready else LOG_IN,
        simulated=settings.simulate,
    )


def _uvicorn(settings: Settings, app: ASGIApp) -> uvicorn.Config:
    drain = settings.shutdown_timeout + LAST_WORDS_SECONDS
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=round(drain),
    )


async def _until_told_to_stop(settings: Settings, gateway: Gateway, server: Server) -> None:
    """After the first signal running turns may finish for a bounded time, after a second one not even that."""
    if sys.platform == "win32":
        await anyio.sleep_forever()  # Ctrl-C interrupts the event loop itself there
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for received in signals:
            log.info("server.stopping", signal=signal.Signals(received).name)
            break
        server.stop()
        async with anyio.create_task_group() as group:
            group.start_soon(_drain, settings, gateway, group.cancel_scope)
            async for _ in signals:
                group.cancel_scope.cancel()
    gateway.stop()


async def _drain(settings: Settings, gateway: Gateway, scope: anyio.CancelScope) -> None:
    with anyio.move_on_after(settings.shutdown_timeout):
        await gateway.until_idle()
    scope.cancel()
