"""Each message of Claude Code becomes the value that the readers of an answer take."""

from typing import Any

import pytest

from claude_openai.claude_code.stream_json.messages import (
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
from claude_openai.claude_code.stream_json.parser import UnreadableMessage, parse_line, parse_message

OF = {"session_id": "session", "uuid": "uuid"}
RESULT = {**OF, "type": "result", "subtype": "success", "duration_ms": 1, "duration_api_ms": 1, "num_turns": 1}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"path": "x"}}
OUTCOME = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "no", "is_error": True}
LIMIT = {"status": "allowed", "resetsAt": 1, "rateLimitType": "five_hour", "unifiedWindows": {}}

WRITTEN: list[tuple[dict[str, Any], CliMessage | None]] = [
    ({**OF, "type": "system", "subtype": "init", "tools": ["Read"]}, SystemInit("session", ("Read",))),
    ({**OF, "type": "stream_event", "event": {"type": "ping"}}, UpstreamEvent({"type": "ping"}, "session")),
    (
        {**OF, "type": "stream_event", "event": {"type": "ping"}, "parent_tool_use_id": "toolu_1"},
        UpstreamEvent({"type": "ping"}, "session", "toolu_1"),
    ),
    (
        {**OF, "type": "assistant", "message": {"model": "sonnet", "content": [{"type": "text", "text": "Hi"}, CALL]}},
        AssistantBlock("sonnet", (ToolUse("toolu_1", "Read", {"path": "x"}),)),
    ),
    (
        {**OF, "type": "user", "message": {"role": "user", "content": [OUTCOME]}},
        ToolResults((ToolResult("toolu_1", "no", is_error=True),)),
    ),
    ({**OF, "type": "user", "message": {"role": "user", "content": "words"}}, None),
    (
        {
            **OF,
            "type": "system",
            "subtype": "api_retry",
            "attempt": 2,
            "max_retries": 3,
            "retry_delay_ms": 500,
            "error_status": 529,
        },
        ApiRetry(2, 3, 0.5, 529),
    ),
    (
        {**OF, "type": "system", "subtype": "model_refusal_no_fallback", "api_refusal_explanation": "No."},
        ModelRefusal("No."),
    ),
    ({**OF, "type": "system", "subtype": "status"}, None),
    ({**OF, "type": "rate_limit_event", "rate_limit_info": LIMIT}, RateLimitInfo(LIMIT)),
    ({**RESULT, "is_error": False, "result": "Hi", "total_cost_usd": 0.5}, TurnResult(False, "Hi", None, 0.5)),
    (
        {**RESULT, "is_error": True, "errors": ["one", "two"], "api_error_status": 529},
        TurnResult(True, "one; two", 529),
    ),
    ({**OF, "type": "a kind of the future"}, None),
]


@pytest.mark.proves("cli.same-behaviour")
@pytest.mark.parametrize(("written", "meant"), WRITTEN)
def test_a_message_is_parsed(written: dict[str, Any], meant: CliMessage | None) -> None:
    assert parse_message(written) == meant


@pytest.mark.proves("cli.same-behaviour")
@pytest.mark.parametrize("line", [b"", b"   ", b"Warning: something", b"[]"])
def test_a_line_that_is_no_message_is_passed_over(line: bytes) -> None:
    assert parse_line(line) is None


@pytest.mark.proves("cli.same-behaviour")
@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "result"}',
        b'{"type": "rate_limit_event", "rate_limit_info": {}}',
        b'{"type": "assistant", "message": 1}',
        b'{"type"',
    ],
)
def test_a_message_that_cannot_be_read_is_told_as_such(line: bytes) -> None:
    with pytest.raises(UnreadableMessage):
        parse_message(parse_line(line) or {})
