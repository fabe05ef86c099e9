"""Errors for a field of a request, in one form: the path, then the reason."""

from claude_openai.core.failures import Failure, Kind, RequestFailed


def invalid(path: str, reason: str) -> RequestFailed:
    """The error for a value at `path` that is wrong."""
    return RequestFailed(Failure(Kind.INVALID_REQUEST, f"Invalid '{path}': {reason}.", param=path))


def unsupported(path: str, reason: str) -> RequestFailed:
    """The error for a value at `path` that is valid, but cannot be carried."""
    return RequestFailed(Failure(Kind.UNSUPPORTED_PARAMETER, f"Unsupported '{path}': {reason}.", param=path))
