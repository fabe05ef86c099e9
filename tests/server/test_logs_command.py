"""The log of the command as a person starts it. Claude Code is the real one, and what it says is simulated."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from claude_openai.settings import Settings
from tests.log_reading import entries, entries_so_far, texts
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import until
from tests.server.test_logs_events import ASKED, CHAT, SAID, SECRET

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
    until(lambda: "server.start" in {event["event"] for event in entries_so_far(path)})
    [url] = [event["url"] for event in entries_so_far(path) if event["event"] == "server.start"]
    return str(url)


def call_a_tool(url: str) -> None:
    with httpx2.Client(base_url=url, timeout=PATIENCE_SECONDS) as http:
        http.post(CHAT, json={**ASKED, "stream": True}).raise_for_status()


@pytest.mark.proves("logs.format", "logs.contents")
def test_standard_output_is_ndjson_alone_and_people_have_standard_error(tmp_path: Path) -> None:
    with serving(tmp_path, "--log-format", "json", "--log-level", "info", CLAUDE_OPENAI_PROT="1"):
        url = announced(tmp_path / "out")
        call_a_tool(url)
    events = entries((tmp_path / "out").read_text())
    assert {event["url"] for event in events if event["event"] in {"server.ready", "server.start"}} == {url}
    assert [event["event"] for event in events][-1] == "server.stop"
    assert [event for event in events if any(SAID in text for text in texts(event))] == []
    assert f"{url}/v1" in (tmp_path / "err").read_text()
    assert "server.ready" not in (tmp_path / "err").read_text()
    assert "settings.doubtful" in {event["event"] for event in events}
    assert "is not a setting" not in (tmp_path / "err").read_text()


@pytest.mark.proves("logs.contents")
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


@pytest.mark.proves("logs.levels")
@pytest.mark.parametrize("word", ["0", "no", "off", "false"])
def test_any_usual_word_switches_it_off(word: str) -> None:
    assert Settings.load({}, {"CLAUDE_OPENAI_LOG": word}).log is False


@pytest.mark.proves("logs.levels")
def test_switched_off_it_says_nothing_at_all(tmp_path: Path) -> None:
    with serving(tmp_path, "--log", "false", "--log-file", str(tmp_path / "log")):
        until(lambda: "http://" in (tmp_path / "err").read_text())
    assert (tmp_path / "out").read_bytes() == b""
    assert not (tmp_path / "log").exists()


@pytest.mark.proves("logs.format")
def test_diagnostics_for_people_are_on_standard_error_if_asked_for(tmp_path: Path) -> None:
    with serving(tmp_path, DEBUG="1", CLAUDE_OPENAI_PROT="1"):
        announced(tmp_path / "out")
    assert "CLAUDE_OPENAI_PROT is not a setting" in (tmp_path / "err").read_text()
    assert "settings.doubtful" in {event["event"] for event in entries((tmp_path / "out").read_text())}


@contextmanager
def on_a_terminal(
    folder: Path, *options: str, **variables: str
) -> Iterator[tuple[Callable[[Callable[[str], bool]], str], Callable[[int], None]]]:
    """The command on a pseudo-terminal, ended by SIGINT. The block gets a function that reads until `enough`, and one
    that sets the columns of the terminal.
    """
    ours, theirs = os.openpty()
    environment = {**os.environ, "TMPDIR": str(folder), "TERM": "dumb", **variables}
    process = subprocess.Popen([*ARGV, *options], env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""

    def read(enough: Callable[[str], bool]) -> str:
        def arrived() -> bool:
            nonlocal shown
            if select.select([ours], [], [], 0)[0]:
                try:
                    shown += os.read(ours, 65_536)
                except OSError:  # the other end is closed
                    return True
            return enough(shown.decode(errors="replace").replace("\r\n", "\n"))

        until(arrived)
        return shown.decode(errors="replace").replace("\r\n", "\n")

    try:
        yield read, lambda columns: termios.tcsetwinsize(ours, (24, columns))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)
        os.close(ours)


@pytest.mark.proves("logs.console")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_on_a_terminal_each_request_is_one_line_and_a_failed_one_has_its_reason_below(tmp_path: Path) -> None:
    """The log is in a file besides, which has the events; the window is made narrower meanwhile."""
    log = tmp_path / "log"
    with on_a_terminal(tmp_path, "--trace-file", str(log), CLAUDE_OPENAI_PROT="1") as (read, resize):
        resize(110)
        start = read(lambda text: "Login" in text and text.endswith("\n"))
        [base] = re.findall(r"URL +(http://\S+)/v1", start)
        port = base.rpartition(":")[2]
        with httpx2.Client(base_url=base, timeout=PATIENCE_SECONDS, headers={"user-agent": "curl/8.14"}) as http:

            def requests() -> str:
                http.get("/health")
                messages = [{"role": "user", "content": "Hi"}]
                answer = http.post(CHAT, json={"messages": messages})
                assert answer.status_code == 200
                history = [*messages, {"role": "assistant", "content": "Hello"}, *messages]
                streamed = {"messages": history, "stream": True, "seed": 1}
                assert http.post(CHAT, json=streamed).status_code == 200
                unknown = {"model": "gpt-4o", "messages": messages}
                assert http.post(CHAT, json=unknown, headers={"x-stainless-retry-count": "1"}).status_code == 404
                return str(answer.json()["id"])

            run = requests()
            at_110 = read(lambda text: text.count("model_not_found") == 1 and text.endswith("gpt-4o=sonnet.\n"))
            resize(80)
            requests()
            at_80 = read(lambda text: text.count("model_not_found") == 2 and text.endswith("gpt-4o=sonnet.\n"))
            for command in ("status",), ("runs", "--port", port), ("tail", run, "--port", port):
                argv = [sys.executable, "-m", "claude_openai", *command]
                subprocess.run(
                    argv,
                    env={**os.environ, "TMPDIR": str(tmp_path)},
                    capture_output=True,
                    check=True,
                    timeout=PATIENCE_SECONDS,
                )
            with socket.create_connection(("127.0.0.1", int(port)), PATIENCE_SECONDS) as https:
                https.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n")
                assert https.recv(65_536).startswith(b"HTTP/1.1 400 ")
            assert http.get("/v1/models").status_code == 200
        shown = read(lambda text: "GET /v1/models" in text and text.endswith("\n"))
    lines = at_110.removeprefix(start).splitlines()
    narrow = at_80.removeprefix(at_110).splitlines()
    time = r"\d\d:\d\d:\d\d  "
    good, rebuilt, failed, reason = lines
    figures = r"\d\S+ \(first .+\)  \d+ in(, | \(\d+ cached\), )\d+ out  \$0\.\d+"
    assert re.fullmatch(rf"{time}chat +sonnet-5-5 +curl +200 ok  {figures}  (warm|cold)", good)
    assert re.fullmatch(rf"{time}chat stream +sonnet-5-5 +curl +200 ok  {figures}  rebuilt.*", rebuilt)
    assert re.fullmatch(rf"{time}chat +gpt-4o +curl \(retry 1\) +404 model_not_found  .+", failed)
    assert "--model-alias gpt-4o=sonnet" in reason
    assert [line.split()[1] for line in narrow[:3]] == ["chat"] * 3
    assert [max(map(len, lines)) <= 110, max(map(len, narrow)) <= 80, len(narrow)] == [True, True, 4]
    tls, models = shown.removeprefix(at_80).splitlines()
    assert re.fullmatch(rf"{time}warning  A client speaks HTTPS.*: use http:// in its base URL", tls)
    assert re.fullmatch(rf"{time}GET /v1/models +- +curl +200 ok  .+", models)
    assert "warning  CLAUDE_OPENAI_PROT is not a setting" in start
    assert re.search(r"(^|[\r\n])claude-openai \d", start)
    assert {"server.start", "openai.request"} <= {event["event"] for event in entries(log.read_text())}


@pytest.mark.proves("logs.format")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_on_a_terminal_all_events_are_columns_if_asked_for(tmp_path: Path) -> None:
    for asked in ({"log_level": "info"}, {"debug": True}, {"trace": True}):
        assert Settings.load(asked, {}).wants_events
    with on_a_terminal(tmp_path, "--debug") as (read, _):
        shown = read(lambda text: "server.start " in text and text.endswith("\n"))
    [line] = [line for line in shown.splitlines() if "server.start " in line]
    assert " info " in line
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
