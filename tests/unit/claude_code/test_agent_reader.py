"""One answer of many messages: what Claude Code says at work, as events."""

from typing import Any

import pytest

from claude_openai.claude_code.agent.reader import MAX_SHOWN_CHARACTERS, AgentReader, ClientToolNames
from claude_openai.claude_code.stream_json.failures import process_failure
from claude_openai.claude_code.stream_json.messages import (
    ApiRetry,
    AssistantBlock,
    CliMessage,
    SystemInit,
    ToolResult,
    ToolResults,
    ToolUse,
    TurnResult,
    UpstreamEvent,
)
from claude_openai.core.events import (
    Activity,
    Event,
    TextDelta,
    ToolCalled,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    Usage,
    UsageReported,
    Working,
)
from claude_openai.core.failures import Kind
from claude_openai.core.messages import ToolCall

STARTED = TurnStarted("claude-sonnet-5", "session")
CLIENT = "mcp__client__"
READ = ToolUse("read", "Read", {"file_path": "in.txt"})
CALL = ToolUse("call", f"{CLIENT}look", {"q": 1})
READING = Activity("read", "Read", '{"file_path": "in.txt"}')
GONE = process_failure("ended unexpectedly")


def reader(
    checked: set[str] | None = None, uses: dict[str, Activity] | None = None, *, limited: bool = False
) -> AgentReader:
    known = {"read", "call"} if checked is None else checked
    going_on = {} if uses is None else uses
    return AgentReader("sonnet", ClientToolNames(CLIENT), known.__contains__, going_on, lambda: 0, limited=limited)


def streamed(event: dict[str, Any], parent: str | None = None) -> UpstreamEvent:
    return UpstreamEvent(event, "session", parent)


def message(text: str, *calls: ToolUse, stop: str | None = None) -> list[CliMessage]:
    """One message of the model's, of ten tokens in and two out."""
    said: list[CliMessage] = [
        streamed({"type": "message_start", "message": {"model": "claude-sonnet-5", "usage": {"input_tokens": 10}}})
    ]
    if text:
        said.append(streamed({"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}))
    for call in calls:
        block = {"type": "tool_use", "id": call.id, "name": call.name}
        said += [
            streamed({"type": "content_block_start", "content_block": block}),
            AssistantBlock("claude-sonnet-5", (call,)),
        ]
    reason = stop or ("tool_use" if calls else "end_turn")
    end = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 2}}
    return [*said, streamed(end), streamed({"type": "message_stop"})]


def given(call_id: str, text: str = "Done", *, is_error: bool = False, parent: str | None = None) -> ToolResults:
    return ToolResults((ToolResult(call_id, text, is_error),), parent)


def read(reading: AgentReader, *said: CliMessage) -> list[Event]:
    return [event for each in said for event in reading.feed(each)]


@pytest.mark.proves("agent.answer")
def test_the_text_of_all_messages_is_one_answer_and_what_they_used_is_added_up() -> None:
    reading = reader()
    said = [*message("I read.", READ), given("read"), *message("I see."), TurnResult(False, "I see.", None, 0.5)]
    assert read(reading, SystemInit("session", ("Read",)), *said) == [
        STARTED,
        TextDelta("I read."),
        READING,
        Activity("read", "Read", READING.arguments, "Done"),
        TextDelta("\n\n"),
        TextDelta("I see."),
        UsageReported(Usage(20, 4), 0.5),
        TurnFinished("stop"),
    ]
    assert reading.is_resumable


@pytest.mark.proves("agent.answer")
def test_messages_without_text_leave_no_blank_lines_and_a_cut_sentence_goes_on() -> None:
    silent = [*message("", READ), given("read")]
    assert [event for event in read(reader(), *silent, *message("I see.")) if isinstance(event, TextDelta)] == [
        TextDelta("I see.")
    ]
    cut = [*message("I s", stop="max_tokens"), *message("ee.")]
    assert "".join(event.text for event in read(reader(), *cut) if isinstance(event, TextDelta)) == "I see."


def test_with_a_limit_of_the_clients_the_answer_ends_where_it_is_cut() -> None:
    reading = reader(limited=True)
    read(reading, *message("I s", stop="max_tokens"))
    assert (reading.server_must_act, reading.must_be_stopped) == (True, True)
    assert reading.abandoned(GONE)[-1] == TurnFinished("length")


def test_an_answer_that_claude_code_gives_up_or_the_model_refuses_is_told_as_such() -> None:
    end = TurnResult(True, "Claude's response exceeded the 24 output token maximum.", None)
    assert read(reader(), *message("I s", stop="max_tokens"), end)[-1] == TurnFinished("length")
    assert read(reader(), *message("", stop="refusal"), end)[-1] == TurnFinished("refusal")
    (*_, last) = read(reader(), *message("I s", stop="max_tokens"), TurnResult(True, "Overloaded", 529))
    assert isinstance(last, TurnFailed)


def test_the_clients_calls_wait_for_its_own_before_them_only() -> None:
    reading = reader()
    read(reading, *message("", READ, CALL))
    before = reading.server_must_act
    read(reading, given("read"))
    assert (before, reading.server_must_act) == (False, True)
    assert reading.park() == [
        ToolCalled(ToolCall("call", "look", "{}")),
        UsageReported(Usage(10, 2)),
        TurnFinished("tool_calls"),
    ]

    uses: dict[str, Activity] = {}
    reading = reader(uses=uses)
    read(reading, *message("", CALL, READ))
    assert reading.server_must_act
    later = reader(uses=uses)
    assert read(later, given("read")) == [], "an answer begins with its beginning"
    outcome = Activity("read", "Read", READING.arguments, "Done")
    assert read(later, *message("I see."))[:2] == [STARTED, outcome]


def test_a_sub_agents_words_are_no_part_of_the_answer_but_what_it_does_is_seen() -> None:
    words = streamed({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Mine."}}, "task")
    reading = reader()
    read(reading, *message("", ToolUse("task", "Agent", {})))
    assert read(reading, words) == [Working()]
    assert read(
        reading, AssistantBlock("claude-sonnet-5", (READ,), "task"), given("read", is_error=True, parent="task")
    ) == [
        Activity("read", "Read", READING.arguments, parent="task"),
        Activity("read", "Read", READING.arguments, "Done", failed=True, parent="task"),
    ]


def test_a_tool_that_ran_unchecked_ends_the_turn() -> None:
    reading = reader(checked=set())
    (*_, last) = read(reading, *message("", READ), given("read"))
    assert isinstance(last, TurnFailed)
    assert last.failure.kind is Kind.CLAUDE_CODE_FAILED
    reading = reader(checked=set())
    read(reading, *message("", READ), given("read", is_error=True))
    assert not reading.done, "what was refused did not run"


def test_a_limit_of_the_requests_ends_the_answer_as_it_stands() -> None:
    end = TurnResult(True, "Reached maximum number of turns (1)", None, 0.5, "max_turns")
    assert read(reader(), *message("I read.", READ), given("read"), end)[-2:] == [
        UsageReported(Usage(10, 2), 0.5),
        TurnFinished("length", limit="max_turns"),
    ]


def test_a_failure_between_two_messages_is_upstreams_and_never_an_answer() -> None:
    (*_, last) = read(reader(), *message("I read.", READ), given("read"), TurnResult(True, "Overloaded", 529))
    assert isinstance(last, TurnFailed)
    assert last.failure.kind is Kind.OVERLOADED
    reading = reader()
    read(reading, *message("I read.", READ), given("read"))
    assert reading.abandoned(GONE) == [TurnFailed(GONE)]


def test_a_retry_between_two_messages_is_a_sign_of_life() -> None:
    reading = reader()
    read(reading, *message("I read.", READ), given("read"))
    assert read(reading, ApiRetry(1, 3, 30.0, 529)) == [Working()]


def test_what_is_long_is_cut_where_it_is_shown() -> None:
    reading = reader()
    use = ToolUse("read", "Write", {"content": "x" * (MAX_SHOWN_CHARACTERS + 7), "edits": [1]})
    events = read(reading, *message("", use), given("read", "y" * 2 * MAX_SHOWN_CHARACTERS))
    called, done = (event for event in events if isinstance(event, Activity))
    assert "[... 7 more characters]" in called.arguments
    assert '"edits": [1]' in called.arguments
    assert done.result
    assert len(done.result) < MAX_SHOWN_CHARACTERS + 50
