"""Builds the gateway and the ASGI application from settings.

It imports most of the server, which takes half a second: `wiring` loads it while the first Claude Code starts.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial
from typing import cast

import uvicorn
from anyio.abc import TaskGroup
from starlette.types import ASGIApp

from claude_openai import __version__
from claude_openai.claude_code.processes.scratch import Scratch
from claude_openai.claude_code.sdk.waiting import FirstProcess
from claude_openai.core.agent import AgentRules
from claude_openai.core.keys import ConfiguredKey, Keys
from claude_openai.core.ports import Store
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
from claude_openai.server.simulator_process import SimulatorProcess
from claude_openai.settings import Settings
from claude_openai.store import MemoryStore
from claude_openai.store.key_file import KeyFile
from claude_openai.system.descriptors import raise_limit
from claude_openai.system.places import StartFolders
from claude_openai.system.serving import ACCEPTED_AT_ONCE


def application(
    settings: Settings,
    login: Mapping[str, str],
    folders: StartFolders,
    sessions: TaskGroup,
    *,
    scratch: Callable[[], AbstractContextManager[Scratch]],
    store: Store | None = None,
    simulator: SimulatorProcess | None = None,
    owner_token: str | None = None,
    first_process: FirstProcess | None = None,
) -> tuple[Gateway, ASGIApp]:
    """The gateway over the real Claude Code, and the ASGI application. No process runs yet, but the first.

    Tasks that outlive a request run in `sessions`; each process has a folder from `scratch`. Runs are stored in
    `store`, or in memory without one. With a `simulator`, `login` points to it. `first_process` is of
    `backends.start_first_process`.

    Raises:
        LaunchError: there is no Claude Code.
    """
    backend = build_backend(settings, login, folders, scratch, first_process)
    sessions.start_soon(backend.run)
    store = store or MemoryStore()
    gateway = Gateway(
        backend,
        sessions,
        GatewayLimits(
            Timeouts(settings.request_timeout, settings.first_byte_timeout, settings.idle_timeout),
            QueueLimits(settings.max_concurrency, settings.max_queue_size, settings.queue_timeout),
            SessionLimits(settings.session_ttl, settings.tool_timeout, settings.max_processes - settings.fewest_warm),
        ),
        ModelOptions(settings.default_model, tuple(settings.model_aliases.items()), settings.models_override),
        RunRegistry(store),
        responses=store.responses,
        usage=store.usage,
        upstream_ended=lambda: simulator.ended if simulator else None,
    )
    services = Services(
        gateway=gateway,
        version=__version__,
        hosts=settings.host,
        keys=Keys(
            (
                ConfiguredKey(
                    line.key.get_secret_value(), line.name, line.whole.get_secret_value() if line.whole else None
                )
                for line in settings.configured_keys
            ),
            KeyFile(folders.places.named_keys).current,
        ),
        owner_token=owner_token,
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=settings.allowed_origins,
        max_request_bytes=settings.max_request_bytes,
        max_total_request_bytes=settings.max_total_request_bytes,
        keep_alive_seconds=settings.keep_alive_interval,
        request_seconds=settings.request_timeout,
        simulated=settings.simulate,
        metrics_open=settings.metrics_open,
        strict=settings.strict_parameters,
        agents=AgentRules(
            folders.workspace,
            settings.default_mode,
            settings.allowed_permission_modes,
            settings.allowed_setting_sources,
        )
        if folders.workspace
        else None,
    )
    return gateway, create_app(services)


def uvicorn_config(settings: Settings, app: ASGIApp, last_words_seconds: float) -> uvicorn.Config:
    """How uvicorn serves `app`; running requests have `last_words_seconds` beyond --shutdown-timeout."""
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
        timeout_graceful_shutdown=round(settings.shutdown_timeout + last_words_seconds),
    )
