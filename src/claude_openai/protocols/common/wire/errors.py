"""The body of every error (OpenAI reference: Errors)."""

from claude_openai.protocols.common.wire.reply import Reply


class ErrorBody(Reply):
    """One error; strict clients require all four keys."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorEnvelope(Reply):
    """An error as a whole body, or as the last event of a stream."""

    error: ErrorBody
