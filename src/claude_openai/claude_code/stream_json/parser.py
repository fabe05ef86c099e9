"""Parses Claude Code's output (`stream-json`) into values.

A message that says nothing about an answer, or of an unknown type, is parsed as None. A field that Claude Code leaves
out has its default; a message without a required field raises `UnreadableMessage`.
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
    """Claude Code wrote a message that this version cannot parse."""


def parse_line(line: bytes) -> RawMessage | None:
    """Parse one line of Claude Code's output; None where it is no message, since some builds write diagnostics too.

    Raises:
        UnreadableMessage: the line begins like a message, but is not JSON.
    """
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        message: RawMessage = json.loads(line)
    except ValueError as error:
        # The line may hold a client's text, which no error shows.
        raise UnreadableMessage(f"a line of {len(line)} bytes that is no JSON") from error
    return message


def log_message(message: RawMessage) -> None:
    """Log a message: those that come with every token (`stream_event`) at level `trace`, the others at `debug`."""
    if message.get("type") == "stream_event":
        if shows("trace"):
            log.trace("sdk.message", type="stream_event", message=message)
    elif shows("debug"):
        log.debug("sdk.message", type=message.get("type"), message=message)


def parse_message(message: RawMessage) -> CliMessage | None:
    """Parse a message; None where it says nothing about an answer.

    Raises:
        UnreadableMessage: a message of a known kind lacks a required field, or has one of another type.
    """
    try:
        match message.get("type"):
            case "stream_event":
                return UpstreamEvent(message["event"], message["session_id"], message.get("parent_tool_use_id"))
            case "system":
                return parse_system_message(message)
            case "assistant":
                inner = message["message"]
                uses = [block for block in inner["content"] if block["type"] == "tool_use"]
                calls = tuple(ToolUse(use["id"], use["name"], use["input"]) for use in uses)
                return AssistantBlock(inner["model"], calls, message.get("parent_tool_use_id"))
            case "user":
                content = message["message"]["content"]
                blocks = content if isinstance(content, list) else []
                results = tuple(
                    ToolResult(block["tool_use_id"], block.get("content"), bool(block.get("is_error")))
                    for block in blocks
                    if block["type"] == "tool_result"
                )
                return ToolResults(results, message.get("parent_tool_use_id")) if results else None
            case "rate_limit_event":
                report = message["rate_limit_info"]
                return RateLimitInfo({"status": report["status"], **report})
            case "result":
                return TurnResult(
                    message["is_error"],
                    message.get("result") or "; ".join(message.get("errors") or ()),
                    message.get("api_error_status"),
                    message.get("total_cost_usd"),
                    LIMITS.get(message.get("subtype") or ""),
                    message.get("subtype") == STRUCTURED_OUTPUT_RETRIES_EXHAUSTED,
                )
            case _:
                return None
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableMessage(f"a message of type {message.get('type')!r} without {error}") from error


def parse_system_message(message: RawMessage) -> CliMessage | None:
    """Parse a message of type "system"."""
    match message.get("subtype"):
        case "init":
            return SystemInit(message.get("session_id") or "", tuple(message.get("tools") or ()))
        case "api_retry":
            delay = (message.get("retry_delay_ms") or 0) / 1000
            return ApiRetry(
                message.get("attempt") or 1, message.get("max_retries") or 1, delay, message.get("error_status")
            )
        case "model_refusal_no_fallback":
            return ModelRefusal(message.get("api_refusal_explanation"))
        case _:
            return None
