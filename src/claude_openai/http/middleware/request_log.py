"""The access log: each request has an id, which its answer carries, and one log event.

A client's own `x-request-id` is used if it is short and harmless, so that its log and ours can be joined. The id is
bound to the log: every event that is logged for a request has it.
"""

import re
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claude_openai.logs import bound, logger
from claude_openai.text import shown

log = logger(__name__)

REQUEST_ID = "x-request-id"
SIMULATED = "x-claude-openai-simulated"

_RETRY = "x-stainless-retry-count"
"""OpenAI's own clients number their retries of a request with it."""

_STATE = "request_id"

ASKED_MODEL = "asked_model"
"""The key of a scope's state with the model that a refused request names."""
_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RequestLog:
    """The outermost middleware: its headers are on every answer, errors too.

    `log_names` has the name of the endpoint at a method and a path, if it calls the model.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        new_id: Callable[[], str],
        simulated: bool,
        log_names: Mapping[tuple[str, str], str | None] = MappingProxyType({}),
    ) -> None:
        self._app = app
        self._new_id = new_id
        self._simulated = simulated
        self._log_names = log_names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _HARMLESS.fullmatch(given) else f"req_{self._new_id()}"
        scope.setdefault("state", {})[_STATE] = request_id
        line = _Line(scope, request_id, self._log_names.get((scope["method"], scope["path"])))

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                if self._simulated:
                    headers[SIMULATED] = "true"
            await send(message)
            line.note(message)

        with bound(request_id=request_id):
            try:
                await self._app(scope, receive, send_marked)
            finally:
                line.write()


def request_id(scope: Scope) -> str:
    """The id of a request that has passed `RequestLog`."""
    known: str = scope["state"][_STATE]
    return known


class _Line:
    """The log event of one request, written once: when the answer is complete, or the request has ended without."""

    def __init__(self, scope: Scope, request_id: str, endpoint: str | None) -> None:
        headers = Headers(scope=scope)
        self._fields: dict[str, object] = {
            "method": shown(scope["method"]),
            "path": shown(scope["path"]),
            "client": shown(headers.get("user-agent", "")) or None,
            "request_id": request_id,
        }
        if endpoint:
            self._fields["endpoint"] = endpoint
        if (retry := headers.get(_RETRY, "0")).isdecimal() and retry != "0":
            self._fields["retry"] = int(retry[:4])
        self._state = scope["state"]
        self._began = time.perf_counter()
        self._status: int | None = None
        self._complete = False
        self._written = False

    def note(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            content_type = Headers(raw=message["headers"]).get("content-type", "")
            self._fields["stream"] = content_type.startswith("text/event-stream")
        elif not message.get("more_body", False):
            self._complete = True
            self.write()

    def _asked_model(self) -> Mapping[str, object]:
        """The model of a request that was refused; that of another one is in the event of its run."""
        model = self._state.get(ASKED_MODEL)
        return {"model": shown(model)} if isinstance(model, str) else {}

    def write(self) -> None:
        """Without a status if the client disconnected before there was one."""
        if not self._written:
            self._written = True
            duration = round((time.perf_counter() - self._began) * 1000)
            log.info(
                "http.request",
                **self._fields,
                **self._asked_model(),
                status=self._status,
                complete=self._complete,
                duration_ms=duration,
            )
