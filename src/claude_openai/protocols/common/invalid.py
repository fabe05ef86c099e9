"""Faults of a request, told in one way: the path first, then the reason."""

from claude_openai.core.failures import Failure, Kind, RequestFailed


def invalid(path: str, reason: str) -> RequestFailed:
    """What stands at `path` is wrong."""
    return RequestFailed(Failure(Kind.INVALID_REQUEST, f"Invalid '{path}': {reason}.", param=path))


def unsupported(path: str, reason: str) -> RequestFailed:
    """What stands at `path` is right, and cannot be carried."""
    return RequestFailed(Failure(Kind.UNSUPPORTED_PARAMETER, f"Unsupported '{path}': {reason}.", param=path))
