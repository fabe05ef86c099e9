"""The log: what it looks like, and what passes through it."""

import json
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import anyio
import pytest
import structlog

from claude_openai import logs
from tests.log_reading import entries, entry, given_back, logged


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    yield from given_back()


# What it looks like.


@pytest.mark.proves("logs.events")
def test_an_event_is_one_line_of_json_with_its_fields() -> None:
    line = logged(lambda: logs.logger("claude_openai.http").info("http.request", status=200, path="/a\nb"))
    assert line.count("\n") == 1
    decoded = json.loads(line)
    assert list(decoded) == ["time", "level", "event", "status", "path"]
    assert decoded | {"time": None} == {
        "time": None,
        "level": "info",
        "event": "http.request",
        "status": 200,
        "path": "/a\nb",
    }


@pytest.mark.proves("logs.events")
def test_on_a_terminal_an_event_is_a_line_of_columns() -> None:
    line = logged(lambda: logs.logger("claude_openai.http").info("http.request", status=200), json=False)
    assert line.split()[2:] == ["info", "http.request", "status=200"]


@pytest.mark.proves("logs.events")
def test_nothing_a_client_sent_begins_a_line_or_speaks_to_the_terminal() -> None:
    hostile = "x\n2026-01-01 [error] forged\x1b[2J\x9b"
    line = logged(lambda: logs.logger("claude_openai.http").info(hostile, path=hostile), json=False)
    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()


@pytest.mark.proves("logs.events")
def test_numbers_that_json_has_no_word_for_are_text() -> None:
    assert entry(ratio=float("nan"), bound=float("inf"), share=0.5, many=10**400) | {"time": None} == {
        "time": None,
        "level": "info",
        "event": "test.event",
        "ratio": "nan",
        "bound": "inf",
        "share": 0.5,
        "many": 10**400,
    }


@pytest.mark.proves("logs.levels")
def test_each_level_shows_what_is_more_important_too_and_nothing_else() -> None:
    def tell() -> None:
        log = logs.logger("claude_openai.http")
        if logs.shows("trace"):
            log.trace("a.trace")
        log.debug("a.debug")
        log.info("an.info")
        log.error("an.error")
        logging.getLogger("library").debug("library details")
        logging.getLogger("library").warning("library trouble")

    always = ["an.info", "an.error", "library trouble"]
    shown = {
        level: [event["event"] for event in entries(logged(tell, level=level))]
        for level in ("trace", "debug", "info", None)
    }
    assert shown == {
        "trace": ["a.trace", "a.debug", "an.info", "an.error", "library details", "library trouble"],
        "debug": ["a.debug", *always],
        "info": always,
        None: [],
    }


@pytest.mark.proves("logs.levels")
def test_a_trace_says_that_it_is_one() -> None:
    assert entries(logged(lambda: logs.logger("x").trace("a.trace", n=1), level="trace"))[0]["level"] == "trace"


def test_diagnostics_are_warnings_and_errors_for_people_and_take_nothing_from_the_log() -> None:
    people = logs.Memory()

    def tell() -> None:
        logs.logger("claude_openai.http").info("http.request")
        logs.logger("claude_openai.http").warning("settings.doubtful", reason="a typo")
        logs.crashed(LookupError("lost"))

    told = entries(logged(tell, diagnostics=people))
    assert [event["event"] for event in told] == ["http.request", "settings.doubtful", "program.crashed"]
    assert [line for line in people.text.splitlines() if "http.request" in line] == []
    assert "settings.doubtful" in people.text
    assert people.text.rstrip().endswith("LookupError: lost")


def test_diagnostics_are_told_where_nothing_is_logged() -> None:
    people, log = logs.Memory(), logs.Memory()
    logs.configure(None, log, diagnostics=people)
    logs.logger("claude_openai.http").warning("settings.doubtful")
    assert ("settings.doubtful" in people.text, log.text) == (True, "")


def test_an_unexpected_error_shows_where_it_came_from_in_the_log() -> None:
    decoded = json.loads(logged(lambda: logs.crashed(LookupError("lost"))))
    assert (decoded["event"], decoded["exception"]) == ("program.crashed", "LookupError: lost")


@pytest.mark.proves("logs.events")
def test_an_unexpected_error_before_logging_is_set_up_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    logs.crashed(LookupError("lost"))
    assert capsys.readouterr() == ("", "")


@pytest.mark.proves("logs.events")
def test_a_value_that_contains_itself_is_cut_off() -> None:
    circle: list[object] = []
    circle.append(circle)
    assert logs.TOO_DEEP in json.dumps(entry(circle=circle))


@pytest.mark.proves("logs.events")
def test_a_dataclass_is_shown_field_by_field_and_is_no_way_round_the_redaction() -> None:
    @dataclass
    class Login:
        name: str
        api_key: str

    assert entry(login=[Login("me", "sk-secret")])["login"] == [{"name": "me", "api_key": logs.HIDDEN}]


@pytest.mark.proves("logs.events")
async def test_what_a_task_binds_is_in_its_events_and_in_no_others() -> None:
    log = logs.logger("claude_openai.http")

    async def request(name: str) -> None:
        with logs.bound(request_id=name):
            await anyio.lowlevel.checkpoint()
            log.info("http.request", name=name)
        log.info("http.after")

    memory = logs.Memory()
    logs.configure("info", memory)
    async with anyio.create_task_group() as group:
        group.start_soon(request, "one")
        group.start_soon(request, "two")
    events = [json.loads(line) for line in memory.text.splitlines()]
    assert {(event["name"], event["request_id"]) for event in events if event["event"] == "http.request"} == {
        ("one", "one"),
        ("two", "two"),
    }
    assert all("request_id" not in event for event in events if event["event"] == "http.after")


@pytest.mark.proves("logs.events")
@pytest.mark.parametrize("library", ["uvicorn.error", "uvicorn.access", "claude_agent_sdk", "py.warnings"])
def test_what_a_library_logs_comes_out_the_same_way(library: str) -> None:
    logging.getLogger(library).addHandler(logging.NullHandler())
    decoded = json.loads(logged(lambda: logging.getLogger(library).warning("lost %s", "connection")))
    assert (decoded["level"], decoded["event"], decoded["logger"]) == ("warning", "lost connection", library)


@pytest.mark.proves("logs.events")
def test_a_python_warning_is_an_event_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        line = logged(lambda: warnings.warn("old ways", DeprecationWarning, stacklevel=1))
    assert "old ways" in json.loads(line)["event"]


@pytest.mark.proves("logs.events")
def test_an_event_is_of_a_bounded_size() -> None:
    def tell() -> None:
        rows = ["x" * 1000] * 1000
        logs.logger("claude_openai.test").info("test.event", rows=rows, after=1)

    line = logged(tell)
    assert len(line) < 400_000
    decoded = json.loads(line)
    assert list(decoded) == ["time", "level", "event", "rows", logs.CUT]
    assert decoded["rows"][-1] == logs.CUT
