"""`claude-openai logs`: lines as people read them, which ones, and how a file is followed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from claude_openai.cli.commands.logs import followed
from claude_openai.cli.log_lines import LogFilter, shown
from claude_openai.logs.rendering import columns
from claude_openai.logs.request_lines import RequestLines
from claude_openai.system.instances import running
from tests.log_reading import entries_so_far
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import COMMAND, Machine, until

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be put aside there"),
]


def event(name: str, level: str = "info", **fields: object) -> str:
    return json.dumps({"time": "2026-11-22T14:03:22.123456Z", "level": level, "event": name, **fields})


START = event("server.start", url="http://127.0.0.1:8000")
ANSWERED = event("http.request", method="GET", path="/a b", status=200, run_id="3fa85f64", request_id="req_1")
ASKED = event("openai.request", "debug", body={"model": "sonnet"}, run_id="b0000000", text="")
FAILED = event("sdk.error", "error", cause="\x1b[2J", exception="Traceback:\n  File x\nOSError: \x07")
NO_EVENT = "Killed\x1b[2J"

LINES = [START, ANSWERED, ASKED, FAILED, NO_EVENT]


# How a line is shown.


@pytest.mark.proves("commands.logs", "terminal.harmless")
def test_events_are_columns_and_anything_else_stays_as_it_is() -> None:
    assert "".join(f"{shown(line, columns(colours=False, zone=UTC))}\n" for line in LINES) == snapshot("""\
11-22 14:03:22.123 info    server.start             url=http://127.0.0.1:8000
11-22 14:03:22.123 info    http.request             method=GET path="/a b" status=200 run_id=3fa85f64 request_id=req_1
11-22 14:03:22.123 debug   openai.request           body={"model": "sonnet"} run_id=b0000000 text=""
11-22 14:03:22.123 error   sdk.error                cause=\\x1b[2J
    Traceback:
      File x
    OSError: \\x07
Killed\\x1b[2J
""")


@pytest.mark.proves("commands.logs")
@pytest.mark.parametrize(
    "line", ["", "null", "[1]", '{"level": "info"}', '{"event": "x"', '{"event": "x"}', '{"event": [], "time": "soon"}']
)
def test_no_line_is_too_odd_to_be_shown(line: str) -> None:
    assert "\n" not in str(shown(line, columns(colours=False)))
    assert "\n" not in str(shown(line, RequestLines(colours=False)))


@pytest.mark.proves("terminal.colours")
def test_the_level_has_a_colour_where_one_is_wanted() -> None:
    assert "\x1b[31merror  \x1b[0m" in str(shown(FAILED, columns(colours=True)))
    assert "\x1b" not in str(shown(FAILED, columns(colours=False)))


# Which lines are shown.


@pytest.mark.proves("commands.logs")
@pytest.mark.parametrize(
    ("wanted", "lines"),
    [
        (LogFilter(), LINES),
        (LogFilter(level="trace"), [START, ANSWERED, ASKED, FAILED]),
        (LogFilter(level="info"), [START, ANSWERED, FAILED]),
        (LogFilter(level="warning"), [FAILED]),
        (LogFilter(run="3fa8"), [ANSWERED]),
        (LogFilter(run="req_1"), [ANSWERED]),
        (LogFilter(run="chatcmpl-b000"), [ASKED]),
        (LogFilter(event="*.request"), [ANSWERED, ASKED]),
        (LogFilter(level="info", event="*.request"), [ANSWERED]),
    ],
)
def test_events_can_be_picked(wanted: LogFilter, lines: list[str]) -> None:
    assert list(filter(wanted, LINES)) == lines


# How a file is followed.


@pytest.mark.proves("commands.logs.follow")
def test_a_file_is_followed_by_whole_lines_across_its_rotation_and_its_truncation(tmp_path: Path) -> None:
    path = tmp_path / "its.log"
    path.write_text("before\n")

    def part_of_a_line() -> None:
        _append(path, "ne\none")

    def more_of_it() -> None:
        _append(path, " tor")

    def that_is_taken_back() -> None:
        os.truncate(path, path.stat().st_size - 4)

    def the_rest_and_a_rotation() -> None:
        _append(path, " and a half\nlast words")
        path.rename(tmp_path / "its.log.1")

    def a_new_file() -> None:
        path.write_text("new\n")

    def cut_short() -> None:
        path.write_text("")

    def written_again() -> None:
        _append(path, "x\n")

    acts = iter(
        (part_of_a_line, more_of_it, that_is_taken_back, the_rest_and_a_rotation, a_new_file, cut_short, written_again)
    )

    def wait() -> None:
        next(acts)()

    log = path.open("rb")
    log.seek(0, os.SEEK_END)
    assert list(_until_done(followed(path, log, wait))) == [
        "ne",
        "one and a half",
        "last words",
        "new",
        "x",
    ]
    assert log.closed


def _until_done(lines: Iterator[str]) -> Iterator[str]:
    """A generator that is out of acts ends with a RuntimeError."""
    try:
        yield from lines
    except RuntimeError:
        return


def _append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


# The command.


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "its.log"
    path.write_text("".join(f"{line}\n" for line in LINES))
    return path


@pytest.mark.proves("commands.logs")
def test_a_file_is_shown_whole_or_its_last_lines_that_are_wanted(tmp_path: Path, log: Path) -> None:
    machine = Machine.at(tmp_path)
    whole = machine.types("logs", "--events", "--file", str(log))
    assert (whole.code, whole.err) == (0, "")
    assert whole.out.count("\n") == len(LINES) + 3  # the traceback
    requests = machine.types("logs", "--file", str(log))
    assert [line[10:].split() for line in requests.out.splitlines()] == [
        ["GET", "/a", "b", "-", "-", "200", "ok", "0ms"],
        ["error", "sdk.error", "cause:", "\\x1b[2J:", "OSError:", "\\x07", "(--debug", "shows", "the", "traceback)"],
        ["[2J"],
    ]
    last = machine.types("logs", "--file", str(log), "-n", "1", "--event", "*.request")
    assert "openai.request" in last.out
    assert "http.request" not in last.out


@pytest.mark.proves("commands.logs")
def test_what_is_piped_in_is_shown(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    shown = subprocess.run(
        [COMMAND, "logs", "--level", "info"],
        env=machine.environ,
        input=f"{START}\n{ASKED}\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert shown.stdout.count("\n") == 1
    assert "server.start" in shown.stdout


@pytest.mark.proves("commands.logs.follow")
def test_the_log_is_followed_until_ctrl_c(tmp_path: Path, log: Path) -> None:
    with Machine.at(tmp_path).begins("logs", "-f", "-n", "1", "--event", "server.*", "--file", str(log)) as command:
        assert command.stdout is not None
        assert "server.start" in command.stdout.readline()
        _append(log, event("sdk.error") + "\n" + event("server.stop") + "\n")
        assert "server.stop" in command.stdout.readline()
        command.send_signal(signal.SIGINT)
        assert command.wait(timeout=PATIENCE_SECONDS) == 130


@pytest.mark.proves("commands.logs")
def test_the_log_is_that_of_the_server_that_runs_or_of_the_last_one(machine: Machine) -> None:
    assert machine.types("--background", "--simulate", "--port", "0").code == 0
    (server,) = running([machine.known])
    log = server.log_file
    assert log is not None
    until(lambda: "server.start" in {entry["event"] for entry in entries_so_far(log)})
    told = machine.types("logs", "--event", "server.start")
    assert (told.code, told.err) == (0, "")
    assert told.out.count("\n") == 1
    assert machine.types("stop").code == 0
    assert machine.types("logs", "--event", "server.start").out == told.out


@pytest.mark.proves("commands.logs")
def test_where_there_is_no_log_that_is_said(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    assert machine.types("logs").err == (
        "claude-openai: no server of yours runs (name the file of its log with --file)\n"
    )
    missing = machine.types("logs", "--file", "/none")
    assert (missing.code, missing.err) == (
        1,
        "claude-openai: cannot read the log /none: No such file or directory (name another with --file)\n",
    )
