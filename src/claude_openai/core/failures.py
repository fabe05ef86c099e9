"""Failures of a request as values: a kind, a sentence for the client, and the parameter at fault.

The kind says who must act. `protocols.common.errors` maps it to an HTTP status and to OpenAI's error type and code.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SUBSCRIPTION_TERMS: Final = (
    "this login is a Claude subscription, which is for its buyer's own use; to serve others, use an API key or a cloud "
    "provider: https://code.claude.com/docs/en/legal-and-compliance"
)
"""Shown where a subscription's login stands beside several API keys or an address that others can reach."""

LOG_IN: Final = "sign in with `claude-openai claude auth login`, or set ANTHROPIC_API_KEY"
"""How the operator signs Claude Code in, as part of a sentence: every report of a missing login uses it."""


class Kind(StrEnum):
    """Why a request has no answer."""

    # The client's request
    INVALID_REQUEST = "invalid_request"
    UNSUPPORTED_PARAMETER = "unsupported_parameter"
    REQUEST_TOO_LARGE = "request_too_large"
    CONTEXT_LENGTH_EXCEEDED = "context_length_exceeded"
    MODEL_NOT_FOUND = "model_not_found"
    # Authentication and permissions
    INVALID_API_KEY = "invalid_api_key"
    KEY_RATE_LIMIT_EXCEEDED = "key_rate_limit_exceeded"
    KEY_QUOTA_EXCEEDED = "key_quota_exceeded"
    NOT_LOGGED_IN = "not_logged_in"
    PERMISSION_DENIED = "permission_denied"
    # Upstream's limits
    RATE_LIMITED = "rate_limited"
    INSUFFICIENT_QUOTA = "insufficient_quota"
    OVERLOADED = "overloaded"
    # Upstream and Claude Code
    UPSTREAM_ERROR = "upstream_error"
    UPSTREAM_UNREACHABLE = "upstream_unreachable"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    STREAM_INTERRUPTED = "stream_interrupted"
    INVALID_TOOL_ARGUMENTS = "invalid_tool_arguments"
    INVALID_STRUCTURED_OUTPUT = "invalid_structured_output"
    CLAUDE_CODE_FAILED = "claude_code_failed"
    # This server
    CANCELLED = "cancelled"
    REQUEST_MEMORY_FULL = "request_memory_full"
    QUEUE_FULL = "queue_full"
    QUEUE_TIMEOUT = "queue_timeout"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    TIMEOUT = "timeout"
    SHUTTING_DOWN = "shutting_down"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure: `message` is a sentence that the client's developer can act on, `param` the field at fault
    (`messages[0].role`).

    `retry_after` is in seconds, None where neither upstream nor the server names a time.
    """

    kind: Kind
    message: str
    param: str | None = None
    retry_after: float | None = None


class RequestFailed(Exception):
    """Carries a `Failure` from where it is detected to where the error response is encoded."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure
