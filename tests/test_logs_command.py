"""The log of the command as a person starts it. Claude Code is the real one, and what it says is simulated."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from claude_openai.settings import Settings
from tests.cli.typed import until
from tests.log_reading import entries, texts
from tests.patience import PATIENCE_SECONDS
from tests.test_logs_events import ASKED, CHAT, SAID, SECRET

ARGV = (sys.executable, "-m", "claude_openai", "--simulate", "--port", "0", "--warm-processes", "0")


@contextmanager
def serving(folder: Path, *options: str, **variables: str) -> Iterator[None]:
    """The command, its output in files; stopped by SIGTERM, within a bound."""
    environment = {**os.environ, "TMPDIR": str(folder), **variables}
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen([*ARGV, *options], env=environment, stdout=out, stderr=err)
    try:
        yield
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)


def announced(path: Path) -> str:
    """The URL, once the log at `path` has it."""
    until(lambda: path.exists() and '"server.start"' in path.read_text())
    [url] = [event["url"] for event in entries(path.read_text()) if event["event"] == "server.start"]
    return str(url)


def call_a_tool(url: str) -> None:
    with httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS) as http:
        http.post(CHAT, json={**ASKED, "stream": True}).raise_for_status()


@pytest.mark.proves("logs.stdout", "logs.no-payload")
def test_standard_output_is_ndjson_alone_and_people_have_standard_error(tmp_path: Path) -> None:
    with serving(tmp_path, "--log-format", "json", "--log-level", "info"):
        url = announced(tmp_path / "out")
        call_a_tool(url)
    events = entries((tmp_path / "out").read_text())
    assert {event["url"] for event in events if event["event"] in {"server.ready", "server.start"}} == {url}
    assert [event["event"] for event in events][-1] == "server.stop"
    assert [event for event in events if any(SAID in text for text in texts(event))] == []
    assert f"{url}/v1" in (tmp_path / "err").read_text()
    assert "server.ready" not in (tmp_path / "err").read_text()


@pytest.mark.proves("logs.trace")
def test_a_trace_in_a_file_has_every_message_of_claude_code_and_what_it_was_started_with(tmp_path: Path) -> None:
    file = tmp_path / "logs" / "trace.log"
    with serving(tmp_path, "--trace", "--trace-file", str(file), ANTHROPIC_API_KEY=f"sk-ant-{SECRET}"):
        call_a_tool(announced(file))
    events = entries(file.read_text())
    levels = {(event["event"], event["level"]) for event in events}
    assert {("sdk.message", "trace"), ("sdk.message", "debug"), ("adapter.claude_args", "debug")} <= levels
    assert {("http.request", "info"), ("openai.request", "debug"), ("openai.response", "debug")} <= levels
    [started, *_] = [event for event in events if event["event"] == "adapter.claude_args"]
    assert "--output-format=stream-json" in started["argv"]
    assert "ANTHROPIC_BASE_URL" in started["env"]
    [request, *_] = [event["request_id"] for event in events if event["event"] == "http.request"]
    assert {event["request_id"] for event in events if event["event"] == "sdk.message"} == {request}
    assert [event for event in events if any(SECRET in text for text in texts(event))] == []
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.proves("logs.off")
@pytest.mark.parametrize("word", ["0", "no", "off", "false"])
def test_any_usual_word_switches_it_off(word: str) -> None:
    assert Settings.load({}, {"CLAUDE_OPENAI_LOG": word}).log is False


@pytest.mark.proves("logs.off")
def test_switched_off_it_says_nothing_at_all(tmp_path: Path) -> None:
    with serving(tmp_path, "--log", "false", "--log-file", str(tmp_path / "log")):
        until(lambda: "http://" in (tmp_path / "err").read_text())
    assert (tmp_path / "out").read_bytes() == b""
    assert not (tmp_path / "log").exists()


@pytest.mark.proves("logs.debug")
@pytest.mark.parametrize(("variable", "told"), [("DEBUG", True), ("OTHER", False)])
def test_diagnostics_for_people_are_on_standard_error_if_asked_for(tmp_path: Path, variable: str, told: bool) -> None:
    with serving(tmp_path, **{variable: "1", "CLAUDE_OPENAI_PROT": "1"}):
        announced(tmp_path / "out")
    assert ("CLAUDE_OPENAI_PROT is no setting" in (tmp_path / "err").read_text()) is told
    assert "settings.doubtful" in {event["event"] for event in entries((tmp_path / "out").read_text())}


@pytest.mark.proves("logs.format")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_on_a_terminal_it_is_columns(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    environment = {**os.environ, "TMPDIR": str(tmp_path), "TERM": "dumb"}
    process = subprocess.Popen(ARGV, env=environment, stdout=theirs, stderr=subprocess.DEVNULL)
    shown = b""

    def started() -> bool:
        nonlocal shown
        if select.select([ours], [], [], 0)[0]:
            shown += os.read(ours, 65_536)
        return b"server.start " in shown and shown.endswith(b"\n")

    try:
        until(started)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)
    [line] = [line for line in shown.decode().splitlines() if "server.start " in line]
    assert "[info" in line
    assert "url=http://127.0.0.1:" in line


@pytest.mark.proves("logs.never-hurts")
def test_nobody_reading_standard_output_hurts_no_request(tmp_path: Path) -> None:
    """The pipe is full after the first of these requests."""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [*ARGV, "--trace", "--session-ttl", "0"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        lines = (json.loads(line) for line in process.stdout)
        url = next(event["url"] for event in lines if event["event"] == "server.start")
        large = {**ASKED, "messages": [{"role": "user", "content": f"{SAID} " * 20_000}]}
        with httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS) as http:
            assert [http.post(CHAT, json=large).status_code for _ in range(3)] == [200, 200, 200]
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.proves("logs.file")
def test_a_file_that_cannot_be_written_is_one_sentence_with_a_remedy(tmp_path: Path) -> None:
    argv = [*ARGV, "--log-file", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"claude-openai: cannot write the log {tmp_path}: Is a directory (name another file with --log-file)\n"
    )
