"""Where the reader puts what Claude Code says of the account's rate limit: before the last events, and never alone."""

from typing import Any

import pytest

from claude_openai.claude_code.stream_json.failures import process_failure
from claude_openai.claude_code.stream_json.messages import RateLimitInfo, SystemInit, TurnResult, UpstreamEvent
from claude_openai.claude_code.stream_json.reader import AnswerReader
from claude_openai.core.events import (
    RateLimitReported,
    RateLimitStatus,
    ReasoningDelta,
    ReasoningSigned,
    TextDelta,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    Usage,
    UsageReported,
    Working,
)
from claude_openai.core.failures import Kind

NOW = 1_700_000_000
ANSWER: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"model": "claude-sonnet-5", "usage": {"input_tokens": 1}}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]
GONE = process_failure("ended unexpectedly")


def report(status: str = "allowed", **more: Any) -> RateLimitInfo:
    return RateLimitInfo({"status": status, "resetsAt": NOW + 60, "rateLimitType": "five_hour", **more})


def result(status: int | None = None) -> TurnResult:
    return TurnResult(bool(status), "No." if status else "Hi", status, 0.5)


def reader() -> AnswerReader:
    return AnswerReader("sonnet", frozenset(), lambda: NOW)


def read(*messages: dict[str, Any] | RateLimitInfo | TurnResult) -> list[Any]:
    reading = reader()
    wrapped = [UpstreamEvent(each, "session") if isinstance(each, dict) else each for each in messages]
    return [event for message in wrapped for event in reading.feed(message)]


def test_a_tool_that_the_client_did_not_offer_ends_the_turn() -> None:
    reading = AnswerReader("sonnet", frozenset({"mcp__client__get_weather"}), lambda: NOW)
    assert reading.feed(SystemInit("session", ("mcp__client__get_weather",))) == []
    [failed] = reading.feed(SystemInit("session", ("mcp__client__get_weather", "Bash")))
    assert isinstance(failed, TurnFailed)
    assert (failed.failure.kind, reading.done) == (Kind.CLAUDE_CODE_FAILED, True)


def test_one_block_of_thinking_is_set_apart_from_the_next() -> None:
    begun = {"type": "content_block_start", "content_block": {"type": "thinking", "thinking": ""}}
    thoughts = [
        {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": text}}
        for text in ("a", "b", "c")
    ]
    events = read(ANSWER[0], begun, begun, thoughts[0], thoughts[1], begun, thoughts[2], *ANSWER[1:])
    assert [event.text for event in events if isinstance(event, ReasoningDelta)] == ["a", "b", "\n\nc"]


def test_a_report_after_the_answer_stands_before_its_usage() -> None:
    assert read(*ANSWER, report(), result()) == [
        TurnStarted("claude-sonnet-5", "session"),
        TextDelta("Hi"),
        RateLimitReported("allowed", "five_hour", None, NOW + 60),
        UsageReported(Usage(1, 2), 0.5),
        TurnFinished("stop"),
    ]


def test_of_several_reports_the_last_one_counts() -> None:
    events = read(report("allowed_warning"), *ANSWER, report(), result())
    assert [event.status for event in events if isinstance(event, RateLimitReported)] == ["allowed"]


@pytest.mark.parametrize(
    ("told", "status", "retry_after"),
    [
        (report("rejected"), "rejected", 60),
        (report("rejected", isUsingOverage=True), "overage", None),
        (report("allowed"), "allowed", None),
    ],
)
def test_a_rejected_request_may_be_sent_again_when_the_window_is_over(
    told: RateLimitInfo, status: RateLimitStatus, retry_after: float | None
) -> None:
    reported, failed = read(told, result(429))
    assert reported.status == status
    assert (failed.failure.kind, failed.failure.retry_after) == (Kind.RATE_LIMITED, retry_after)


@pytest.mark.parametrize(
    ("raw", "share"),
    [
        ({"unifiedWindows": {"five_hour": {"utilization": 0.42}, "seven_day": {"utilization": 0.9}}}, 0.42),
        ({"unifiedWindows": {"seven_day": {"utilization": 0.9}}}, None),
        ({"unifiedWindows": {"five_hour": {}}}, None),
        ({}, None),
    ],
)
def test_what_is_used_of_the_window_is_read_from_the_list_of_windows(raw: dict[str, Any], share: float | None) -> None:
    reported, _ = read(report(**raw), result(429))
    assert reported.utilization == share


def test_a_process_that_died_before_the_answer_began_reports_a_lost_session_and_the_rate_limit() -> None:
    reading = reader()
    assert reading.feed(report()) == []
    reported, failed = reading.abandoned(GONE)
    assert isinstance(reported, RateLimitReported)
    assert failed == TurnFailed(GONE, session_lost=True)


def test_a_process_that_died_once_the_answer_had_begun_reports_no_lost_session() -> None:
    reading = reader()
    reading.feed(UpstreamEvent({"type": "message_start", "message": {}}, "session"))
    assert reading.abandoned(GONE) == [TurnFailed(GONE)]


def test_what_is_written_and_not_shown_is_a_sign_of_life() -> None:
    reading = AnswerReader("sonnet", frozenset({"look"}), lambda: NOW)
    silent: list[dict[str, Any]] = [
        {"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "x"}},
        {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "{"}},
        {"type": "ping"},
    ]
    call = {"type": "content_block_start", "content_block": {"type": "tool_use", "id": "toolu_1", "name": "look"}}
    for each in (ANSWER[0], call):
        reading.feed(UpstreamEvent(each, "session"))
    assert [reading.feed(UpstreamEvent(each, "session")) for each in silent] == [
        [ReasoningSigned("x")],
        [Working()],
        [Working()],
    ]
