"""Converts the SDK's messages to the values that both backends read."""

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
    STRUCTURED_OUTPUT_RETRIES_EXHAUSTED,
    AssistantBlock,
    CliMessage,
    RateLimitInfo,
    ToolResult,
    ToolResults,
    ToolUse,
    TurnResult,
    UpstreamEvent,
)
from claude_openai.claude_code.stream_json.parser import parse_system_message
from claude_openai.logs import logger, shows

log = logger(__name__)


def parse_message(message: Message) -> CliMessage | None:
    """Convert a message of the SDK to a value; None where it says nothing about an answer."""
    match message:
        case StreamEvent(event=event, session_id=session_id, parent_tool_use_id=parent):
            return UpstreamEvent(event, session_id, parent)
        case SystemMessage(data=data):
            return parse_system_message(data)
        case AssistantMessage(content=blocks, model=model, parent_tool_use_id=parent):
            uses = (block for block in blocks if isinstance(block, ToolUseBlock))
            return AssistantBlock(model, tuple(ToolUse(use.id, use.name, use.input) for use in uses), parent)
        case UserMessage(content=content, parent_tool_use_id=parent):
            results = tuple(
                ToolResult(block.tool_use_id, block.content, bool(block.is_error))
                for block in (content if isinstance(content, list) else ())
                if isinstance(block, ToolResultBlock)
            )
            return ToolResults(results, parent) if results else None
        case RateLimitEvent(rate_limit_info=info):
            return RateLimitInfo(info.raw)
        case ResultMessage():
            return TurnResult(
                message.is_error,
                message.result or "; ".join(message.errors or []),
                message.api_error_status,
                message.total_cost_usd,
                LIMITS.get(message.subtype),
                message.subtype == STRUCTURED_OUTPUT_RETRIES_EXHAUSTED,
            )
        case _:
            return None


def log_message(message: Message) -> None:
    """Log a message: those that come with every token (`StreamEvent`) at level `trace`, the others at `debug`."""
    if isinstance(message, StreamEvent):
        if shows("trace"):
            log.trace("sdk.message", type="StreamEvent", message=message)
    elif shows("debug"):
        log.debug("sdk.message", type=type(message).__name__, message=message)
