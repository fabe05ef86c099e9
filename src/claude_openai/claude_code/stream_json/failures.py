"""Converts Claude Code's errors to failures: one table for the API's statuses, one for parts of Claude Code's texts.

Claude Code reports every upstream error as a `result` of subtype "success" with `is_error` and `api_error_status`;
where the API was never reached there is only its text (measured).
"""

import re

from claude_openai.core.failures import LOG_IN, Failure, Kind

_BY_STATUS = {
    400: Kind.INVALID_REQUEST,
    401: Kind.NOT_LOGGED_IN,
    402: Kind.INSUFFICIENT_QUOTA,
    403: Kind.PERMISSION_DENIED,
    404: Kind.MODEL_NOT_FOUND,
    408: Kind.UPSTREAM_TIMEOUT,
    413: Kind.REQUEST_TOO_LARGE,
    429: Kind.RATE_LIMITED,
    503: Kind.OVERLOADED,
    504: Kind.UPSTREAM_TIMEOUT,
    529: Kind.OVERLOADED,
}

_SERVER_ERRORS = 500

_BY_TEXT = (
    # The statuses that the text may come with; None: the API was not reached.
    ((400, 413, None), "prompt is too long", Kind.CONTEXT_LENGTH_EXCEEDED),
    ((400, None), "context limit", Kind.CONTEXT_LENGTH_EXCEEDED),
    ((400, None), "context window", Kind.CONTEXT_LENGTH_EXCEEDED),
    ((400, 402, 403, None), "credit balance", Kind.INSUFFICIENT_QUOTA),
    ((None,), "not logged in", Kind.NOT_LOGGED_IN),
    ((None,), "/login", Kind.NOT_LOGGED_IN),
    ((None,), "timed out", Kind.UPSTREAM_TIMEOUT),
    ((None,), "econnrefused", Kind.UPSTREAM_UNREACHABLE),
    ((None,), "unable to connect", Kind.UPSTREAM_UNREACHABLE),
    ((None,), "connection", Kind.UPSTREAM_UNREACHABLE),
)

_ADVICE = re.compile(r"\s*If it persists, check your inference gateway \([^)]*\)\.?")
"""The part of a text that has the address of the server's upstream, which clients must not see."""

_PREFIX = re.compile(r"^(?:Failed to authenticate\.\s*)?API Error:\s*(?:\d{3}\s+)?")


def upstream_failure(status: int | None, text: str, *, model: str, retry_after: float | None = None) -> Failure:
    """Convert an error with upstream's `status` (None: no answer) and Claude Code's `text`. `retry_after`: seconds."""
    kind, lowered = _BY_STATUS.get(status or 0), text.lower()
    if kind is None:
        kind = Kind.INVALID_REQUEST if status and status < _SERVER_ERRORS else Kind.UPSTREAM_ERROR
    kind = next((named for statuses, part, named in _BY_TEXT if status in statuses and part in lowered), kind)
    message = _ADVICE.sub("", _PREFIX.sub("", text.strip())) or f"Upstream answered {status}."
    if kind is Kind.NOT_LOGGED_IN:
        state = "is not signed in" if status is None else "was refused by upstream"
        message = f"Claude Code {state} ({message}). On the server's machine, {LOG_IN}; then try again."
    if kind is Kind.MODEL_NOT_FOUND:
        message = f"The model `{model}` was refused upstream: {message} GET /v1/models lists what there is."
    return Failure(
        kind,
        message,
        param="model" if kind is Kind.MODEL_NOT_FOUND else None,
        retry_after=retry_after if kind is Kind.RATE_LIMITED else None,
    )


def process_failure(problem: str) -> Failure:
    """Return the failure of Claude Code itself; `problem` is a clause such as "ended unexpectedly"."""
    return Failure(
        Kind.CLAUDE_CODE_FAILED,
        f"Claude Code {problem}. The server's log says more; the request can be repeated.",
    )
