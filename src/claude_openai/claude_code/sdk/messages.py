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
    """`message` as a value; None where it says nothing about an answer."""
    match message:
        case StreamEvent(event=event, session_id=session_id, parent_tool_use_id=parent):
            return UpstreamEvent(event, session_id, parent)
        case SystemMessage(data=data):
            return parse_system_message(data)
        case AssistantMessage():
            return _assistant_block(message)
        case UserMessage():
            return _tool_results(message)
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
    """To the log. Of messages that come with every token this is all they cost below `trace`."""
    if isinstance(message, StreamEvent):
        if shows("trace"):
            log.trace("sdk.message", type="StreamEvent", message=message)
    elif shows("debug"):
        log.debug("sdk.message", type=type(message).__name__, message=message)


def _assistant_block(message: AssistantMessage) -> AssistantBlock:
    calls = [ToolUse(block.id, block.name, block.input) for block in message.content if isinstance(block, ToolUseBlock)]
    return AssistantBlock(message.model, tuple(calls), message.parent_tool_use_id)


def _tool_results(message: UserMessage) -> ToolResults | None:
    blocks = message.content if isinstance(message.content, list) else []
    results = [
        ToolResult(block.tool_use_id, block.content, bool(block.is_error))
        for block in blocks
        if isinstance(block, ToolResultBlock)
    ]
    return ToolResults(tuple(results), message.parent_tool_use_id) if results else None
