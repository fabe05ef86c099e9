"""The ASGI application: the routes, and the middleware that every request passes."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from claude_openai.core.agent import AgentRules
from claude_openai.core.keys import Keys
from claude_openai.http.endpoints.table import ENDPOINTS, METRICS_PATH, Endpoint, EndpointContext, protocol_of
from claude_openai.http.generation.body import Bodies
from claude_openai.http.generation.context import GenerationContext
from claude_openai.http.middleware.auth import Authentication
from claude_openai.http.middleware.errors import ErrorBoundary
from claude_openai.http.middleware.host import HostGuard
from claude_openai.http.middleware.origin import Cors, OriginGuard
from claude_openai.http.middleware.request_log import RequestLog
from claude_openai.http.middleware.slow_clients import SEND_SECONDS, SlowClientTimeout
from claude_openai.http.middleware.target import Framing, RequestTarget
from claude_openai.http.page.app import Page
from claude_openai.http.page.logins import API, Logins, PageAccess
from claude_openai.http.ports import Gateway
from claude_openai.http.routing import BASE, NOT_OFFERED, ByHeader, Resource, UnknownPath


@dataclass(frozen=True, slots=True)
class Services:
    """The dependencies and settings of the application. `hosts` are the addresses that it listens on. Without `keys`
    every client is accepted; without `agents` there is no agent profile. `metrics_open`: `/metrics` needs no key from
    this machine. `strict` refuses a request if one of its
    parameters would be ignored or adjusted.
    """

    gateway: Gateway
    version: str
    hosts: tuple[str, ...] = ("localhost",)
    keys: Keys = field(default_factory=Keys)
    owner_token: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    max_request_bytes: int = 33_554_432
    max_total_request_bytes: int = 268_435_456
    keep_alive_seconds: float = 15.0
    request_seconds: float = 600.0
    send_seconds: float = SEND_SECONDS
    simulated: bool = False
    metrics_open: bool = False
    agents: AgentRules | None = None
    strict: bool = False
    new_id: Callable[[], str] = lambda: uuid4().hex
    now: Callable[[], int] = lambda: int(time.time())
    clock: Callable[[], float] = time.monotonic


def create_app(services: Services, endpoints: tuple[Endpoint, ...] = ENDPOINTS) -> ASGIApp:
    """The application. The caller owns the gateway: nothing starts or ends with the application."""
    given = EndpointContext(
        GenerationContext(
            services.gateway,
            bodies=Bodies(services.max_request_bytes, services.max_total_request_bytes, services.gateway.until_stopped),
            keep_alive_seconds=services.keep_alive_seconds,
            new_id=services.new_id,
            now=services.now,
            agent_rules=services.agents,
            strict=services.strict,
            request_seconds=services.request_seconds,
        ),
        services.version,
        services.simulated,
        services.clock,
        endpoints,
    )
    methods: dict[str, dict[str, dict[str | None, ASGIApp]]] = {}
    for endpoint in endpoints:
        by_header = methods.setdefault(endpoint.path, {}).setdefault(endpoint.method, {})
        by_header[endpoint.protocol.header] = endpoint.build(given)
    resources = {
        path: Resource(
            {name: ByHeader(apps) if len(apps) > 1 else next(iter(apps.values())) for name, apps in by_method.items()}
        )
        for path, by_method in methods.items()
    }
    every_method = {method for resource in resources.values() for method in resource.methods}
    router = _router(resources, [endpoint.path for endpoint in endpoints if endpoint.log_name])
    return _HttpOnly(_layers(router, services, endpoints, every_method))


def _router(resources: Mapping[str, Resource], generating: Sequence[str]) -> Router:
    unknown = UnknownPath(resources, generating)
    return Router(
        [
            Route("/v1/models/", unknown),  # not the model without a name
            *(Route(f"{BASE}/{path}", unknown) for path in NOT_OFFERED if "/" in path),  # not a response with that id
            *(Route(path, resource) for path, resource in resources.items()),
        ],
        redirect_slashes=False,  # a POST would lose its body on the way
        default=unknown,
    )


def _layers(app: ASGIApp, services: Services, endpoints: Sequence[Endpoint], methods: Collection[str]) -> ASGIApp:
    """`app` with the middleware around it, the last one outermost. `methods` are those of all paths."""
    log_names = {
        (endpoint.method, path): endpoint.log_name
        for endpoint in endpoints
        for path in (endpoint.path, API + endpoint.path.removeprefix("/"))
    }
    router = app
    authentication = Authentication(
        router,
        keys=services.keys,
        open_paths=[endpoint.path for endpoint in endpoints if endpoint.is_open],
        owner_token=services.owner_token,
        locally_open=(METRICS_PATH,) if services.metrics_open else (),
    )
    logins = Logins(services.keys, services.owner_token, services.clock)
    page = Page(services.gateway, logins, simulated=services.simulated)
    app = PageAccess(page, router, authentication, logins)
    app = OriginGuard(app, services.allowed_origins, methods)
    app = HostGuard(app, bound=services.hosts, allowed=services.allowed_hosts)
    app = RequestTarget(app, methods)

    def count_refused(scope: Scope, code: str) -> None:
        if name := log_names.get((scope["method"], scope["path"])):
            services.gateway.note_refused(name, code)

    app = ErrorBoundary(
        app, lambda scope: protocol_of(endpoints, scope["path"], Headers(scope=scope)).errors, count_refused
    )
    app = Cors(app, services.allowed_origins)
    app = Framing(app)
    app = SlowClientTimeout(app, services.send_seconds)
    return RequestLog(app, new_id=services.new_id, simulated=services.simulated, log_names=log_names)


class _HttpOnly:
    """Passes HTTP to `app`; Starlette refuses web sockets and answers lifespan events."""

    def __init__(self, app: ASGIApp) -> None:
        self._http = app
        self._other = Router()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._http if scope["type"] == "http" else self._other
        await app(scope, receive, send)
