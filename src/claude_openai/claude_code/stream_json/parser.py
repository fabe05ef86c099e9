"""Claude Code's messages as it writes them (`stream-json`), made into values.

A message that says nothing about an answer, or is of no kind that was known when this was written, is None. What
Claude Code leaves out has the meaning it has there; a message without what it must have is an `UnreadableMessage`.
"""

import json
from collections.abc import Mapping
from typing import Any

from claude_openai.claude_code.stream_json.messages import (
    LIMITS,
    STRUCTURED_OUTPUT_RETRIES_EXHAUSTED,
    ApiRetry,
    AssistantBlock,
    CliMessage,
    ModelRefusal,
    RateLimitInfo,
    SystemInit,
    ToolResult,
    ToolResults,
    ToolUse,
    TurnResult,
    UpstreamEvent,
)
from claude_openai.logs import logger, shows

log = logger(__name__)

RawMessage = Mapping[str, Any]


class UnreadableMessage(Exception):
    """Claude Code said something that this version cannot read."""


def parse_line(line: bytes) -> RawMessage | None:
    """One line of Claude Code's output; None where it is no message: some builds write diagnostics between them.

    Raises:
        UnreadableMessage: it begins like a message, and is none.
    """
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        words: RawMessage = json.loads(line)
    except ValueError as error:
        raise UnreadableMessage(f"a line of {len(line)} bytes that is no JSON") from error  # its text is no one's here
    return words


def log_message(words: RawMessage) -> None:
    """To the log. Of messages that come with every token this is all they cost below `trace`."""
    if words.get("type") == "stream_event":
        if shows("trace"):
            log.trace("sdk.message", type="stream_event", message=words)
    elif shows("debug"):
        log.debug("sdk.message", type=words.get("type"), message=words)


def parse_message(words: RawMessage) -> CliMessage | None:
    """`words` as a value.

    Raises:
        UnreadableMessage: a message of a known kind is not as it should be.
    """
    try:
        return _parse_known_message(words)
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableMessage(f"a message of type {words.get('type')!r} without {error}") from error


def parse_system_message(words: RawMessage) -> CliMessage | None:
    """The same for a message of type "system"."""
    match words.get("subtype"):
        case "init":
            return SystemInit(words.get("session_id") or "", tuple(words.get("tools") or ()))
        case "api_retry":
            delay = (words.get("retry_delay_ms") or 0) / 1000
            return ApiRetry(words.get("attempt") or 1, words.get("max_retries") or 1, delay, words.get("error_status"))
        case "model_refusal_no_fallback":
            return ModelRefusal(words.get("api_refusal_explanation"))
        case _:
            return None


def _parse_known_message(words: RawMessage) -> CliMessage | None:
    match words.get("type"):
        case "stream_event":
            return UpstreamEvent(words["event"], words["session_id"], words.get("parent_tool_use_id"))
        case "system":
            return parse_system_message(words)
        case "assistant":
            message = words["message"]
            uses = [block for block in message["content"] if block["type"] == "tool_use"]
            calls = tuple(ToolUse(use["id"], use["name"], use["input"]) for use in uses)
            return AssistantBlock(message["model"], calls, words.get("parent_tool_use_id"))
        case "user":
            return _parse_tool_results(words)
        case "rate_limit_event":
            report = words["rate_limit_info"]
            return RateLimitInfo({"status": report["status"], **report})
        case "result":
            text = words.get("result") or "; ".join(words.get("errors") or ())
            limit = LIMITS.get(words.get("subtype") or "")
            return TurnResult(
                words["is_error"],
                text,
                words.get("api_error_status"),
                words.get("total_cost_usd"),
                limit,
                words.get("subtype") == STRUCTURED_OUTPUT_RETRIES_EXHAUSTED,
            )
        case _:
            return None


def _parse_tool_results(words: RawMessage) -> ToolResults | None:
    content = words["message"]["content"]
    blocks = [block for block in content if block["type"] == "tool_result"] if isinstance(content, list) else []
    results = [ToolResult(block["tool_use_id"], block.get("content"), bool(block.get("is_error"))) for block in blocks]
    return ToolResults(tuple(results), words.get("parent_tool_use_id")) if results else None
