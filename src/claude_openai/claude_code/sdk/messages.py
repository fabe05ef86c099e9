"""What the SDK makes of Claude Code's messages, as the values that every backend reads."""

from claude_agent_sdk import (
    AssistantMessage,
    Message,
    RateLimitEvent,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)

from claude_openai.claude_code.stream_json.messages import (
    LIMITS,
    UNFIT,
    Ended,
    RateLimitTold,
    ResultsGiven,
    Said,
    Spoken,
    Streamed,
    ToolResult,
    ToolUse,
)
from claude_openai.claude_code.stream_json.parser import noted
from claude_openai.logs import logger, shows

log = logger(__name__)


def heard(message: Message) -> Said | None:
    """`message` as a value; None where it says nothing about an answer."""
    match message:
        case StreamEvent(event=event, session_id=session_id, parent_tool_use_id=parent):
            return Streamed(event, session_id, parent)
        case SystemMessage(data=data):
            return noted(data)
        case AssistantMessage():
            return _spoken(message)
        case UserMessage():
            return _results(message)
        case RateLimitEvent(rate_limit_info=info):
            return RateLimitTold(info.raw)
        case ResultMessage():
            return Ended(
                message.is_error,
                message.result or "; ".join(message.errors or []),
                message.api_error_status,
                message.total_cost_usd,
                LIMITS.get(message.subtype),
                message.subtype == UNFIT,
            )
        case _:
            return None


def tell(message: Message) -> None:
    """To the log. Of messages that come with every token this is all they cost below `trace`."""
    if isinstance(message, StreamEvent):
        if shows("trace"):
            log.trace("sdk.message", type="StreamEvent", message=message)
    elif shows("debug"):
        log.debug("sdk.message", type=type(message).__name__, message=message)


def _spoken(message: AssistantMessage) -> Spoken:
    calls = [ToolUse(block.id, block.name, block.input) for block in message.content if isinstance(block, ToolUseBlock)]
    return Spoken(message.model, tuple(calls), message.parent_tool_use_id)


def _results(message: UserMessage) -> ResultsGiven | None:
    blocks = message.content if isinstance(message.content, list) else []
    results = [
        ToolResult(block.tool_use_id, block.content, bool(block.is_error))
        for block in blocks
        if isinstance(block, ToolResultBlock)
    ]
    return ResultsGiven(tuple(results), message.parent_tool_use_id) if results else None
