"""Encodes failures: one table maps a failure's kind to HTTP status, OpenAI type and code.

OpenAI does not document its types; these are the ones its API sends. Its clients choose their exception by the status,
and people look for the code. 499 is nginx's "client closed request", which no client retries.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from claude_openai.core.failures import Failure, Kind
from claude_openai.jsontools.surrogates import without_surrogates
from claude_openai.protocols.common.wire import sse
from claude_openai.protocols.common.wire.errors import ErrorBody, ErrorEnvelope

LONGEST_MESSAGE: Final = 4000
"""Characters of an error's message, which may repeat what the client sent: the middle of a longer one is cut."""


@dataclass(frozen=True, slots=True)
class Row:
    """How one kind of failure is encoded."""

    status: int
    type: str
    code: str | None


TABLE: Mapping[Kind, Row] = {
    Kind.INVALID_REQUEST: Row(400, "invalid_request_error", None),
    Kind.UNSUPPORTED_PARAMETER: Row(400, "invalid_request_error", "unsupported_parameter"),
    Kind.REQUEST_TOO_LARGE: Row(413, "invalid_request_error", "request_too_large"),
    Kind.CONTEXT_LENGTH_EXCEEDED: Row(400, "invalid_request_error", "context_length_exceeded"),
    Kind.MODEL_NOT_FOUND: Row(404, "invalid_request_error", "model_not_found"),
    Kind.INVALID_API_KEY: Row(401, "invalid_request_error", "invalid_api_key"),
    Kind.KEY_RATE_LIMIT_EXCEEDED: Row(429, "rate_limit_error", "key_rate_limit_exceeded"),
    Kind.KEY_QUOTA_EXCEEDED: Row(429, "insufficient_quota", "key_quota_exceeded"),
    Kind.NOT_LOGGED_IN: Row(401, "authentication_error", "not_logged_in"),
    Kind.PERMISSION_DENIED: Row(403, "permission_error", "permission_denied"),
    Kind.RATE_LIMITED: Row(429, "rate_limit_error", "rate_limit_exceeded"),
    Kind.INSUFFICIENT_QUOTA: Row(429, "insufficient_quota", "insufficient_quota"),
    Kind.OVERLOADED: Row(503, "server_error", "overloaded"),
    Kind.UPSTREAM_ERROR: Row(502, "server_error", "upstream_error"),
    Kind.UPSTREAM_UNREACHABLE: Row(502, "server_error", "upstream_unreachable"),
    Kind.UPSTREAM_TIMEOUT: Row(504, "server_error", "upstream_timeout"),
    Kind.STREAM_INTERRUPTED: Row(502, "server_error", "stream_interrupted"),
    Kind.INVALID_TOOL_ARGUMENTS: Row(502, "server_error", "invalid_tool_arguments"),
    Kind.INVALID_STRUCTURED_OUTPUT: Row(502, "server_error", "invalid_structured_output"),
    Kind.CLAUDE_CODE_FAILED: Row(502, "server_error", "claude_code_failed"),
    Kind.CANCELLED: Row(499, "invalid_request_error", "run_cancelled"),
    Kind.REQUEST_MEMORY_FULL: Row(503, "server_error", "request_memory_full"),
    Kind.QUEUE_FULL: Row(429, "rate_limit_error", "queue_full"),
    Kind.QUEUE_TIMEOUT: Row(503, "server_error", "queue_timeout"),
    Kind.FIRST_BYTE_TIMEOUT: Row(504, "server_error", "first_byte_timeout"),
    Kind.IDLE_TIMEOUT: Row(504, "server_error", "idle_timeout"),
    Kind.TIMEOUT: Row(504, "server_error", "timeout"),
    Kind.SHUTTING_DOWN: Row(503, "server_error", "shutting_down"),
    Kind.INTERNAL: Row(500, "server_error", "internal_error"),
}


def status(failure: Failure) -> int:
    """The HTTP status of an error response for `failure`."""
    return TABLE[failure.kind].status


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """The content of an error in any protocol; `type` and `code` are OpenAI's words. `request_id` is the answer's
    `x-request-id`; None if the error belongs to no request.
    """

    status: int
    message: str
    type: str
    param: str | None = None
    code: str | None = None
    request_id: str | None = None


def details(failure: Failure, request_id: str | None = None) -> ErrorDetails:
    row = TABLE[failure.kind]
    return ErrorDetails(row.status, message(failure), row.type, failure.param, row.code, request_id)


def message(failure: Failure) -> str:
    """The message of `failure`, at most `LONGEST_MESSAGE` characters of it."""
    text = failure.message
    if len(text) > LONGEST_MESSAGE:
        text = f"{text[: LONGEST_MESSAGE // 2]}[...]{text[-LONGEST_MESSAGE // 2 :]}"
    return without_surrogates(text)


class ErrorFormat(Protocol):
    """How a protocol encodes an error."""

    @property
    def schema(self) -> type:
        """The model of the body, for OpenAPI."""
        ...

    def body(self, error: ErrorDetails) -> str:
        """The whole body of an error response, as JSON."""
        ...

    def event(self, error: ErrorDetails) -> bytes:
        """The last event of a stream that failed after it had begun."""
        ...


class OpenAiErrors:
    """OpenAI's error object: `{"error": {"message", "type", "param", "code"}}` (OpenAI reference: Errors)."""

    schema = ErrorEnvelope

    def body(self, error: ErrorDetails) -> str:
        body = ErrorBody(message=error.message, type=error.type, param=error.param, code=error.code)
        return ErrorEnvelope(error=body).to_json()

    def event(self, error: ErrorDetails) -> bytes:
        return sse.event(self.body(error))


OPENAI_ERRORS: Final = OpenAiErrors()


def headers(failure: Failure) -> dict[str, str]:
    """The headers of an error response: `retry-after` in whole seconds, if upstream or this server knows it."""
    if failure.retry_after is None:
        return {}
    return {"retry-after": str(max(0, math.ceil(failure.retry_after)))}
