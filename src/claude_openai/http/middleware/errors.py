"""How a request that fails is answered: in the error format of its path's protocol; the status says who must act.

What is wrong with the request itself or upstream is a `Failure` of the core, mapped in `protocols.common.errors`. What
only HTTP knows (paths, methods, host names) is an `HttpError`, and stays here. Anything else is a fault of the server.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.errors import LaunchError
from claude_openai.http.middleware.slow_clients import ClientDisconnected
from claude_openai.logs import logger
from claude_openai.protocols.common import errors as translated
from claude_openai.protocols.common.errors import ErrorDetails, ErrorFormat

log = logger(__name__)

_OWN_FAULT = Failure(
    Kind.INTERNAL,
    "The server made a mistake while answering this request. Its log tells more, under the answer's x-request-id.",
)

_UNREADABLE_STORE = Failure(
    Kind.INTERNAL,
    "The server cannot read what it keeps of runs and responses. Its log tells why, and `claude-openai runs` a remedy.",
)

_QUOTES_MODEL_OUTPUT = frozenset({Kind.INVALID_TOOL_ARGUMENTS, Kind.INVALID_STRUCTURED_OUTPUT})
"""The messages of these failures quote what the model wrote, so the log leaves them out."""

LONGEST_SHOWN = 256
"""Characters of a request's method or path that are repeated to the client or in the log."""


NOT_HTTP = "This is no HTTP/1.1 request. HTTPS and HTTP/2 look like that to this server, which speaks plain HTTP/1.1."


def shown(text: str) -> str:
    """`text` that a client chose, shortened to what a person would read."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


class HttpError(Exception):
    """An error of HTTP itself: path, method, host, origin, or a body that did not arrive."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.headers = headers

    @property
    def details(self) -> ErrorDetails:
        return ErrorDetails(self.status, str(self), "invalid_request_error", self.param, self.code)


def wrong_method(message: str, allowed: Sequence[str]) -> HttpError:
    """A 405. Where no method is allowed, its `allow` header is empty, which RFC 9110 (10.2.1) has for that."""
    return HttpError(405, message, code="method_not_supported", headers={"allow": ", ".join(allowed)})


def failure_response(failure: Failure, errors: ErrorFormat) -> Response:
    """The whole response to a request that failed before anything was sent, in a protocol's format."""
    report(failure)
    return _failed(failure, errors)


class ErrorBoundary:
    """Makes a response of whatever is raised inside; after the response has begun, the last event of its stream.

    `format_of` gives the error format of a path.
    """

    def __init__(self, app: ASGIApp, format_of: Callable[[str], ErrorFormat]) -> None:
        self._app = app
        self._format_of = format_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        errors = self._format_of(scope["path"])
        answer = _Answer(send, errors)
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnected:
            raise
        except Exception as error:
            if answer.begun:
                log.exception("http.fault")
                await answer.break_off()
            else:
                await _error_response(error, errors)(scope, receive, send)


def _error_response(error: Exception, errors: ErrorFormat) -> Response:
    match error:
        case RequestFailed(failure=failure):
            return failure_response(failure, errors)
        case HttpError():
            log.info("http.failed", kind=error.code, status=error.status, param=error.param, message=str(error))
            return Response(errors.body(error.details), error.status, error.headers, media_type="application/json")
        case _:
            log.error("http.fault", exc_info=error)
            return _failed(_UNREADABLE_STORE if isinstance(error, LaunchError) else _OWN_FAULT, errors)


class _Answer:
    """How far an answer has got."""

    def __init__(self, send: Send, errors: ErrorFormat) -> None:
        self._send = send
        self._errors = errors
        self._streams = False
        self._complete = False
        self.begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self._streams = any(value.startswith(b"text/event-stream") for _, value in message["headers"])
        else:
            self._complete = not message.get("more_body", False)
        await self._send(message)

    async def break_off(self) -> None:
        """A stream can say that it failed. Any other answer stays incomplete, and the server drops the connection."""
        if self._streams and not self._complete:
            await self._send({"type": "http.response.body", "body": self._errors.event(translated.details(_OWN_FAULT))})


def _failed(failure: Failure, errors: ErrorFormat) -> Response:
    error = translated.details(failure)
    challenge = {"www-authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
    headers = {**challenge, **translated.headers(failure)}
    return Response(errors.body(error), error.status, headers, media_type="application/json")


def report(failure: Failure) -> None:
    """Log the failure, with its message unless that quotes what the model wrote."""
    status = translated.status(failure)
    message = None if failure.kind in _QUOTES_MODEL_OUTPUT else failure.message
    fields = {"kind": failure.kind, "status": status, "param": failure.param, "message": message}
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("http.failed", **fields)
    else:
        log.info("http.failed", **fields)
