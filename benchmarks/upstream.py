"""What upstream saw of a conversation."""

from typing import Final

from benchmarks.model import instructions
from claude_openai.simulator import RecordedRequest, Simulator

SESSION: Final = "x-claude-code-session-id"
"""By this header upstream learns which session of Claude Code asks."""


def requests_of(upstream: Simulator, conversation: str) -> list[RecordedRequest]:
    """Its requests, in their order."""
    return [request for request in upstream.requests if instructions(conversation) in request.system]


def sessions_of(upstream: Simulator, conversation: str) -> tuple[str, ...]:
    """Which session asked, for each of its requests; empty where none is named."""
    return tuple(request.headers.get(SESSION, "") for request in requests_of(upstream, conversation))
