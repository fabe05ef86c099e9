"""The lines for a person at a terminal: what they have, and what they leave out."""

import re
from datetime import UTC
from functools import partial
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_openai.gateway.session_table import MissReason
from claude_openai.logs.request_lines import MOST_OPEN, REASONS, RequestLines
from claude_openai.logs.sentences import SENTENCES
from claude_openai.text import COMMANDS_CLIENT, columns_of
from tests.repository import ROOT

TIME = "2026-11-30T19:44:56.352481Z"
REQUEST = {
    "event": "http.request",
    "level": "info",
    "time": TIME,
    "request_id": "req_1",
    "method": "POST",
    "path": "/v1/chat/completions",
    "endpoint": "chat",
    "client": "OpenAI/Python 2.1.0",
    "status": 200,
    "complete": True,
    "stream": True,
    "duration_ms": 1502,
}
END = {
    "event": "run.end",
    "level": "info",
    "time": TIME,
    "request_id": "req_1",
    "model": "claude-sonnet-5-5",
    "profile": "chat",
    "usage": {"input_tokens": 2, "cache_creation_tokens": 10, "cache_read_tokens": 1200, "output_tokens": 36},
    "cost_usd": 0.0004,
    "first_token_ms": 900,
    "way": "rebuilt",
    "error": None,
}


def lines(*events: dict[str, Any]) -> list[str]:
    render = RequestLines(colours=False, zone=UTC)
    return [text for event in events if (text := render(event)) is not None]


def test_the_events_of_a_request_are_one_line() -> None:
    turn = {"event": "conversation.turn", "level": "info", "request_id": "req_1", "way": "rebuilt", "reason": "history"}
    [line] = lines(turn, END, REQUEST)
    head, figures = line.split("  1.5s ")
    assert head == "19:44:56  chat stream        claude-sonnet-5-5   OpenAI/Python    200 ok"
    assert figures == "(first 0.9s)  1.2k in (1.2k cached), 36 out  $0.0004  rebuilt: history changed"


def test_several_answers_are_one_line_with_the_prompt_counted_once() -> None:
    [line] = lines(END, END, REQUEST)
    assert "1.2k in (1.2k cached), 72 out  $0.0008" in line


def test_two_requests_at_once_are_told_apart() -> None:
    other = {**REQUEST, "request_id": "req_2", "path": "/v1/responses", "endpoint": "responses"}
    first, second = lines(END, other, REQUEST)
    assert first.split()[1:4] == ["responses", "stream", "-"]
    assert "claude-sonnet-5-5" in second


def test_an_agents_request_says_so() -> None:
    [line] = lines({**END, "profile": "agent"}, REQUEST)
    assert line.split()[1:4] == ["chat", "agent", "stream"]


def test_an_answer_that_broke_off_has_its_error_and_its_reason() -> None:
    failed = {
        "event": "http.failed",
        "level": "warning",
        "request_id": "req_1",
        "kind": "overloaded",
        "message": "Wait.",
    }
    [text] = lines({**END, "error": "overloaded"}, failed, REQUEST)
    line, reason = text.splitlines()
    assert "200 overloaded" in line
    assert reason.strip() == "Wait."


def test_a_client_that_left_is_no_success() -> None:
    [line] = lines({**REQUEST, "status": None, "complete": False})
    assert "client left" in line


def test_a_health_check_is_shown_only_where_it_fails() -> None:
    check = {**REQUEST, "method": "GET", "path": "/health", "endpoint": None, "stream": False}
    assert lines(check) == []
    [line] = lines({**check, "status": 503})
    assert "GET /health" in line


def test_failing_health_checks_are_one_line_for_each_change_of_state_with_the_reason() -> None:
    check = {**REQUEST, "method": "GET", "path": "/health", "endpoint": None, "stream": False}
    failed = {"event": "http.failed", "level": "info", "request_id": "req_1", "kind": "not_ready", "status": 503}
    bad, worse = ({**failed, "message": text} for text in ("Claude Code has not answered yet.", "It has ended."))
    ill = {**check, "status": 503}
    first, second, well = lines(check, bad, ill, bad, ill, worse, ill, worse, ill, check, check)
    assert "503 not_ready" in first
    assert first.endswith("\n          Claude Code has not answered yet.")
    assert second.endswith("\n          It has ended.")
    assert "200 ok" in well


@pytest.mark.parametrize("kind", ["invalid_tool_arguments", "invalid_structured_output"])
def test_a_fault_of_the_models_has_a_reason_that_quotes_nothing(kind: str) -> None:
    failed = {"event": "http.failed", "level": "warning", "request_id": "req_1", "kind": kind, "status": 502}
    [line] = lines(failed, {**REQUEST, "status": 502, "run_id": "a1b2"})
    assert f"502 {kind}" in line
    assert line.endswith("see: claude-openai tail a1b2")


def test_a_warning_that_belongs_to_no_request_is_a_line_of_its_own() -> None:
    doubt = {
        "event": "settings.doubtful",
        "level": "warning",
        "time": TIME,
        "reason": "CLAUDE_OPENAI_PROT is not a setting",
    }
    assert lines(doubt) == ["19:44:56  warning  CLAUDE_OPENAI_PROT is not a setting"]


def test_of_an_exception_the_last_line_is_shown() -> None:
    fault = {"event": "http.fault", "level": "error", "time": TIME, "exception": "Traceback\n  at\nValueError: no\n"}
    [line] = lines(fault)
    assert line.endswith("A defect of this server ended a request: ValueError: no (--debug shows the traceback)")


def test_a_trouble_of_a_request_is_part_of_its_second_line() -> None:
    trouble = {"event": "sdk.error", "level": "error", "request_id": "req_1", "stage": "answer", "error": "Broken pipe"}
    failed = {"event": "http.failed", "level": "warning", "request_id": "req_1", "kind": "x", "message": "It ended."}
    [text] = lines(trouble, failed, {**REQUEST, "status": 502})
    assert text.splitlines()[1:] == ["          It ended.; Claude Code failed during an answer: Broken pipe"]
    [text] = lines(trouble, REQUEST)
    assert text.splitlines()[1:] == ["          Claude Code failed during an answer: Broken pipe"]


def test_every_warning_and_error_that_is_documented_is_a_sentence() -> None:
    table = (ROOT / "docs/reference/logs.md").read_text()
    events = re.findall(r"^\| `([a-z_.]+)` \| (?:info, )?(?:warning|error) ", table, re.MULTILINE)
    assert sorted(events) == sorted(SENTENCES)


def test_every_reason_of_a_rebuilt_conversation_has_words() -> None:
    assert set(REASONS) == {reason for part in get_args(MissReason) for reason in get_args(part) or (part,)}


def test_requests_of_the_commands_of_this_program_have_no_line() -> None:
    assert lines({**REQUEST, "method": "GET", "path": "/runs", "client": COMMANDS_CLIENT}) == []


def test_the_least_important_columns_are_left_out_of_a_narrow_terminal() -> None:
    turn = {"event": "conversation.turn", "level": "info", "request_id": "req_1", "way": "rebuilt", "reason": "history"}
    changed = {"event": "http.not_as_asked", "level": "info", "request_id": "req_1", "ignored": ["seed"]}
    fitted = {}
    for columns in (200, 140, 110, 80, 40):
        render = RequestLines(colours=False, zone=UTC, width=partial(int, columns))
        [fitted[columns]] = [text for event in (turn, changed, END, REQUEST) if (text := render(event)) is not None]
    assert fitted[200].endswith("$0.0004  rebuilt: history changed  not as asked: seed")
    head = "19:44:56  chat stream  sonnet-5-5  OpenAI/Python  200 ok  1.5s"
    assert fitted[110] == f"{head} (first 0.9s)  1.2k in, 36 out  $0.0004  rebuilt"
    assert fitted[80] == "19:44:56  chat stream  sonnet-5-5  200 ok  1.5s  1.2k in, 36 out  rebuilt"
    assert all(len(text) <= columns for columns, text in fitted.items())


@given(st.text(max_size=60), st.text(max_size=200), st.integers(1, 160))
@settings(max_examples=60)
def test_no_line_of_a_request_is_wider_than_the_terminal(text: str, message: str, columns: int) -> None:
    failed = {"event": "http.failed", "level": "info", "request_id": "req_1", "kind": text, "message": message}
    render = RequestLines(colours=False, width=lambda: columns)
    render({**END, "model": text})
    render(failed)
    shown = str(render({**REQUEST, "status": 400, "path": text, "client": text})).splitlines()
    assert len(shown) <= 2
    assert all(columns_of(line) <= max(columns, 10) for line in shown)


def test_a_long_reason_keeps_its_remedy_at_its_end() -> None:
    message = "The model `gpt-4o` does not exist here. " * 4 + "Start the server with --model-alias gpt-4o=sonnet."
    failed = {"event": "http.failed", "level": "info", "request_id": "req_1", "kind": "x", "message": message}
    render, whole = (
        RequestLines(colours=False, width=lambda: 80, whole_reasons=whole_reasons) for whole_reasons in (False, True)
    )
    assert render(failed) is whole(failed) is None
    line = str(render({**REQUEST, "status": 404})).splitlines()[1]
    assert 68 <= len(line) <= 80
    assert re.fullmatch(r" {10}The model `gpt-4o` .*\u2026.* --model-alias gpt-4o=sonnet\.", line)
    assert str(whole({**REQUEST, "status": 404})).endswith(message)


def test_a_long_reason_keeps_a_command_that_stands_in_its_middle() -> None:
    message = f"Claude Code is not signed in: sign in with `claude-openai claude auth login`, or set {'a key ' * 20}."
    failed = {"event": "http.failed", "level": "info", "request_id": "req_1", "kind": "x", "message": message}
    render = RequestLines(colours=False, width=lambda: 80)
    assert render(failed) is None
    line = str(render({**REQUEST, "status": 401})).splitlines()[1]
    assert len(line) <= 80
    assert line.endswith("\u2026 `claude-openai claude auth login`")


def test_a_long_reason_keeps_the_name_that_was_meant() -> None:
    message = f"The model `sonet` does not exist here. Did you mean `sonnet`? Available: {'a, ' * 40}b."
    failed = {"event": "http.failed", "level": "info", "request_id": "req_1", "kind": "x", "message": message}
    render = RequestLines(colours=False, width=lambda: 80)
    assert render(failed) is None
    assert "Did you mean `sonnet`?" in str(render({**REQUEST, "status": 404}))


def test_a_stop_says_what_it_waits_for() -> None:
    stop = {"event": "server.stopping", "level": "info", "time": TIME, "signal": "SIGINT"}
    drain = {"event": "server.draining", "level": "info", "time": TIME, "running": 2, "seconds": 30.0}
    assert lines(stop, drain, {**drain, "running": 0}, stop) == [
        "19:44:56  stopping (SIGINT)",
        "19:44:56  waiting for 2 running requests, for at most 30s; a second Ctrl-C ends them",
        "19:44:56  stopping at once (SIGINT)",
    ]


def test_a_warning_wraps_at_the_width_of_the_terminal_and_loses_no_word() -> None:
    doubt = {"event": "settings.doubtful", "level": "warning", "time": TIME, "reason": "it is not a setting " * 8}
    for columns in (80, 200):
        text = str(RequestLines(colours=False, zone=UTC, width=partial(int, columns))(doubt))
        assert all(len(line) <= columns for line in text.splitlines())
        assert text.split() == ["19:44:56", "warning", *("it is not a setting " * 8).split()]


def test_text_of_a_client_neither_begins_a_line_nor_controls_the_terminal() -> None:
    hostile = "x\n2026 forged\x1b[2J\x9b\u202e\r"
    [text] = lines({**END, "model": hostile}, {**REQUEST, "client": hostile, "path": hostile, "endpoint": None})
    assert text.isprintable()


def test_details_of_requests_that_never_end_are_forgotten() -> None:
    render = RequestLines(colours=False, zone=UTC)
    for number in range(MOST_OPEN + 1):
        render({**END, "request_id": f"req_{number}"})
    assert "claude-sonnet-5-5" not in str(render({**REQUEST, "request_id": "req_0"}))
    assert "claude-sonnet-5-5" in str(render({**REQUEST, "request_id": f"req_{MOST_OPEN}"}))


def test_colours_say_how_it_went() -> None:
    colours = {
        status: RequestLines(colours=True, zone=UTC)({**REQUEST, "status": status}) for status in (200, 404, 502)
    }
    assert [code in str(colours[status]) for status, code in ((200, "[32m"), (404, "[33m"), (502, "[31m"))] == [
        True
    ] * 3
