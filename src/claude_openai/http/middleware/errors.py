"""Error responses, in the error format of the request's protocol.

An error of the request or of upstream is a `Failure` of the core, which `protocols.common.errors` maps. An error that
only HTTP knows (path, method, host name) is an `HttpError`. Any other exception is a defect of the server.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.errors import LaunchError
from claude_openai.http.middleware.request_log import request_id
from claude_openai.http.middleware.slow_clients import ClientDisconnected
from claude_openai.logs import logger
from claude_openai.protocols.common import errors as translated
from claude_openai.protocols.common.errors import ErrorDetails, ErrorFormat

log = logger(__name__)

_OWN_FAULT = Failure(
    Kind.INTERNAL,
    "The server made a mistake while answering this request. Its log has more, under the answer's x-request-id.",
)

_UNREADABLE_STORE = Failure(
    Kind.INTERNAL,
    "The server cannot read its stored runs and responses. Its log has the reason, `claude-openai runs` a remedy.",
)

_QUOTES_MODEL_OUTPUT = frozenset({Kind.INVALID_TOOL_ARGUMENTS, Kind.INVALID_STRUCTURED_OUTPUT})
"""The messages of these failures quote what the model wrote, so the log leaves them out."""

NOT_HTTP = "This is no HTTP/1.1 request. HTTPS and HTTP/2 look like that to this server, which speaks plain HTTP/1.1."


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

    def details(self, request_id: str | None) -> ErrorDetails:
        return ErrorDetails(self.status, str(self), "invalid_request_error", self.param, self.code, request_id)


def wrong_method(message: str, allowed: Sequence[str]) -> HttpError:
    """A 405. If no method is allowed, its `allow` header is empty (RFC 9110, 10.2.1)."""
    return HttpError(405, message, code="method_not_supported", headers={"allow": ", ".join(allowed)})


def failure_response(failure: Failure, errors: ErrorFormat, request_id: str | None) -> Response:
    """The response to a request that failed before anything was sent; the failure is logged."""
    report(failure)
    return _failed(failure, errors, request_id)


class ErrorBoundary:
    """Turns exceptions into error responses, or, after a stream has begun, into its last event.

    `format_of` gives the error format of a request; `refused` is called with the code of each error that is neither a
    defect nor the end of a run.
    """

    def __init__(
        self,
        app: ASGIApp,
        format_of: Callable[[Scope], ErrorFormat],
        refused: Callable[[Scope, str], None] = lambda _scope, _code: None,
    ) -> None:
        self._app = app
        self._format_of = format_of
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        errors, name = self._format_of(scope), request_id(scope)
        answer = _Answer(send, errors, name)
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnected:
            raise
        except Exception as error:
            if answer.begun:
                log.exception("http.fault")
                await answer.break_off()
            else:
                match error:
                    case RequestFailed(failure=failure):
                        self._refused(scope, failure.kind)
                        response = failure_response(failure, errors, name)
                    case HttpError(status=status):
                        self._refused(scope, error.code or str(status))
                        log.info("http.failed", kind=error.code, status=status, param=error.param, message=str(error))
                        body = errors.body(error.details(name))
                        response = Response(body, status, error.headers, media_type="application/json")
                    case _:
                        log.error("http.fault", exc_info=error)
                        fault = _UNREADABLE_STORE if isinstance(error, LaunchError) else _OWN_FAULT
                        response = _failed(fault, errors, name)
                await response(scope, receive, send)


class _Answer:
    """Records how much of an answer has been sent."""

    def __init__(self, send: Send, errors: ErrorFormat, request_id: str | None) -> None:
        self._send = send
        self._errors = errors
        self._request_id = request_id
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
        """End a stream with an error event. Any other answer stays incomplete, and the server closes the connection."""
        if self._streams and not self._complete:
            event = self._errors.event(translated.details(_OWN_FAULT, self._request_id))
            await self._send({"type": "http.response.body", "body": event})


def _failed(failure: Failure, errors: ErrorFormat, request_id: str | None) -> Response:
    error = translated.details(failure, request_id)
    challenge = {"www-authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
    headers = {**challenge, **translated.headers(failure)}
    return Response(errors.body(error), error.status, headers, media_type="application/json")


def report(failure: Failure) -> None:
    """Log the failure, with its message unless that quotes what the model wrote."""
    status = translated.status(failure)
    message = None if failure.kind in _QUOTES_MODEL_OUTPUT else translated.message(failure)
    fields = {"kind": failure.kind, "status": status, "param": failure.param, "message": message}
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("http.failed", **fields)
    else:
        log.info("http.failed", **fields)
