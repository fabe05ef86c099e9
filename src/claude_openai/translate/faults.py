"""Faults of a request, told in one way: the path first, then the reason; and what a stream cannot take back."""

from claude_openai.core.events import Event, TextWithdrawn, TurnFailed
from claude_openai.core.failures import Failure, Kind, RequestFailed


def invalid(path: str, reason: str) -> RequestFailed:
    """What stands at `path` is wrong."""
    return RequestFailed(Failure(Kind.INVALID_REQUEST, f"Invalid '{path}': {reason}.", param=path))


def unsupported(path: str, reason: str) -> RequestFailed:
    """What stands at `path` is right, and cannot be carried."""
    return RequestFailed(Failure(Kind.UNSUPPORTED_PARAMETER, f"Unsupported '{path}': {reason}.", param=path))


def as_streamed(event: Event) -> Event:
    """`event` as a stream can tell it: text that was sent is not withdrawn any more."""
    return TurnFailed(_WITHDRAWN) if isinstance(event, TextWithdrawn) else event


_WITHDRAWN = Failure(
    Kind.INVALID_STRUCTURED_OUTPUT,
    "The model's answer does not fit the schema that was asked for, and it had been streamed when that was known. "
    "The request can be repeated; without `stream` the model would have mended it.",
)
