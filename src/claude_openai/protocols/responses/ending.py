"""How a response ends: its status, why it is incomplete or failed, what it used."""

from collections.abc import Mapping
from typing import Final

from claude_openai.core.events import FinishReason, TurnFinished, Usage
from claude_openai.core.failures import Failure
from claude_openai.protocols.common.errors import TABLE
from claude_openai.protocols.responses.wire.reply import (
    ErrorCode,
    IncompleteDetails,
    InputTokensDetails,
    OutputTokensDetails,
    ResponseError,
    ResponseUsage,
    Status,
)

_INCOMPLETE: Final[Mapping[FinishReason, IncompleteDetails]] = {
    "length": IncompleteDetails(reason="max_output_tokens"),
}
"""A refusal is complete: the model has said that it will not answer."""


def incomplete(end: TurnFinished) -> IncompleteDetails | None:
    """Why the answer was cut; None where it was not."""
    return _INCOMPLETE.get(end.reason)


def status_of(end: TurnFinished) -> Status:
    return "incomplete" if incomplete(end) else "completed"


def error_of(failure: Failure) -> ResponseError:
    """Why there is no answer, in a response that had begun. OpenAI has few codes for that; `type` has ours."""
    row = TABLE[failure.kind]
    return ResponseError(code=_CODES.get(row.status, "server_error"), type=row.code, message=failure.message)


_CODES: Final[Mapping[int, ErrorCode]] = {429: "rate_limit_exceeded", 400: "invalid_prompt", 413: "invalid_prompt"}


def usage_of(usage: Usage) -> ResponseUsage:
    return ResponseUsage(
        input_tokens=usage.prompt_tokens,
        input_tokens_details=InputTokensDetails(
            cached_tokens=usage.cache_read_tokens, cache_write_tokens=usage.cache_creation_tokens
        ),
        output_tokens=usage.output_tokens,
        output_tokens_details=OutputTokensDetails(reasoning_tokens=usage.reasoning_tokens),
        total_tokens=usage.prompt_tokens + usage.output_tokens,
    )
