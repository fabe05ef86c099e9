"""`claude-openai tail`: what was said, and what is said while one looks."""

import signal
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from claude_openai.cli.commands.tail import Transcript, summary
from claude_openai.core.events import Usage
from claude_openai.core.messages import ToolCall
from claude_openai.core.runs import Run, RunState
from claude_openai.protocols.runs.wire import RunActivity, RunCall, RunText
from claude_openai.store import Retention, sqlite_store
from claude_openai.system.instances import Instance, running
from tests.own_loop import in_a_loop_of_its_own
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.runs import FAILED, NOW, RUNNING, a_run, answered, answering, asked
from tests.server.cli.typed import Machine

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals and signals are for POSIX"),
]

CALL = RunCall(id="call_1", name="get_weather", arguments='{"city":\n"Paris\x1b[2J"}')

WEATHER = {
    "type": "function",
    "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}},
}


# What is printed.


@pytest.mark.proves("commands.tail")
def test_text_goes_into_a_file_as_it_is() -> None:
    shown = Transcript(terminal=False)
    text = "one\r\n\x1b[1mtwo\x00 three"
    assert shown.feed(RunText(text=text)) + shown.end() == text


@pytest.mark.proves("commands.tail", "terminal.harmless")
def test_an_unfinished_line_is_ended_before_what_standard_error_adds_to_it() -> None:
    merged = Transcript(terminal=False, merged=True)
    assert merged.feed(RunText(text="one")) + merged.end() == "one\n"


@pytest.mark.proves("commands.tail")
def test_text_cannot_speak_to_a_terminal_and_ends_its_line() -> None:
    shown = Transcript(terminal=True)
    assert shown.feed(RunText(text="a\tb\n\x1b]0;title\x07\x9b2J")) + shown.end() == "a\tb\n\\x1b]0;title\\x07\\x9b2J\n"


@pytest.mark.proves("commands.tail")
def test_a_call_has_a_line_of_its_own_and_a_colour_where_one_is_wanted() -> None:
    plain, coloured = Transcript(terminal=False), Transcript(terminal=True, colours=True)
    told: list[RunText | RunCall] = [RunText(text="Let me look."), CALL, CALL]
    assert "".join(map(plain.feed, told)) + plain.end() == snapshot("""\
Let me look.
→ get_weather({"city": "Paris\\x1b[2J"})
→ get_weather({"city": "Paris\\x1b[2J"})
""")
    assert coloured.feed(CALL) == '\x1b[36m→ get_weather({"city": "Paris\\x1b[2J"})\x1b[0m\n'


@pytest.mark.proves("commands.tail")
def test_what_claude_code_does_itself_is_marked_and_of_its_results_only_failures() -> None:
    shown = Transcript(terminal=False)
    asked = RunActivity(id="1", tool="Bash", arguments='{"command": "ls"}', result=None, failed=False, parent=None)
    told: list[RunText | RunActivity] = [
        RunText(text="Let me look."),
        asked,
        asked.model_copy(update={"result": "a\nb"}),
        asked.model_copy(update={"result": "not\nallowed", "failed": True}),
    ]
    assert "".join(map(shown.feed, told)) == 'Let me look.\n· Bash({"command": "ls"})\n· Bash failed: not allowed\n'


@pytest.mark.proves("commands.tail")
def test_how_a_run_stands_is_one_line() -> None:
    assert [summary(run, NOW) for run in (a_run(), FAILED, RUNNING, a_run(state="parked"))] == snapshot(
        [
            "run 3fa85f64 is completed (12k/678 tokens, $0.0123, 1m00s)",
            "run 3fa85f64 has failed (1.2s): Overloaded. Try \\x1b[31magain.",
            "run b0000000 is running (7.0s); follow it with -f",
            "run 3fa85f64 waits for the results of its calls (12k/678 tokens, $0.0123, 1m00s)",
        ]
    )
    elsewhere = summary(RUNNING, NOW, followed=True)
    assert elsewhere == "run b0000000 is running (7.0s); another server answers it: name that one with --port"


# The command.


@pytest.fixture(scope="module")
def server(machine: Machine) -> Instance:
    assert machine.types("--background", "--simulate", "--port", "0").code == 0
    (server,) = running([machine.known])
    answered(server, "Count to 3", request_id="counted")
    answered(server, "Use get_weather", tools=[WEATHER], request_id="called")
    return server


@pytest.mark.proves("commands.tail", "commands.client")
@pytest.mark.parametrize("follow", [(), ("-f",)])
def test_a_run_that_is_over_is_replayed(machine: Machine, server: Instance, follow: tuple[str, ...]) -> None:
    ran = machine.types("tail", "counted", *follow, "--port", str(server.port))
    assert (ran.code, ran.out) == (0, "1, 2, 3")
    assert ran.err.startswith("run ")
    assert " is completed (" in ran.err
    assert " tokens, $0." in ran.err
    assert machine.types("tail", "coun", *follow).out == ran.out
    latest = machine.types("runs", "--limit", "1", "--json").out
    assert machine.types("tail", *follow).err[4:12] in latest


@pytest.mark.proves("commands.tail", "terminal.colours")
def test_calls_are_marked_and_on_a_terminal_coloured(machine: Machine, server: Instance) -> None:
    assert server.port
    assert machine.types("tail", "called").out.startswith("→ get_weather({")
    seen = machine.sees("tail", "called").out
    assert seen.startswith("\x1b[36m→ get_weather({")
    assert "waits for the results of its calls" in seen


@pytest.mark.proves("commands.tail.follow", "commands.cancel")
def test_a_run_is_followed_as_it_is_said_until_somebody_cancels_it(machine: Machine, server: Instance) -> None:
    with (
        asked(server, "[[sim text=Hello pieces=2]] [[sim stall]]", request_id="stalled", stream=True) as answer,
        machine.begins("tail", "-f", "stalled") as follower,
    ):
        assert follower.stdout is not None
        assert follower.stderr is not None
        first = follower.stdout.read(1)  # it is there before the run is over
        so_far = machine.types("tail", "stalled")
        cancelled = machine.types("cancel", "stalled")
        followed, told = first + follower.stdout.read(), follower.stderr.read()
        code = follower.wait(timeout=PATIENCE_SECONDS)
        streamed = answer.read().decode()
    assert first <= so_far.out == followed[: len(so_far.out)]
    assert so_far.err.rstrip().endswith("; follow it with -f")
    assert (cancelled.code, cancelled.err) == (0, "")
    assert cancelled.out.startswith("cancelled ")
    assert (code, " was cancelled (" in told) == (0, True)
    assert '"code":"run_cancelled"' in streamed.replace(" ", "")


@pytest.mark.proves("commands.tail.follow")
def test_ctrl_c_ends_the_following_and_not_the_run(machine: Machine, server: Instance) -> None:
    with (
        asked(server, "[[sim text=Hello pieces=2]] [[sim stall]]", request_id="watched", stream=True),
        machine.begins("tail", "-f", "watched") as follower,
    ):
        assert follower.stdout is not None
        follower.stdout.read(1)
        follower.send_signal(signal.SIGINT)
        _, told = follower.communicate(timeout=PATIENCE_SECONDS)
        assert (follower.returncode, told.strip()) == (130, "")
        assert " is running (" in machine.types("tail", "watched").err


@pytest.mark.proves("commands.tail.follow")
@pytest.mark.parametrize("promised", [{}, {"content-length": "1000"}])
def test_a_stream_that_breaks_off_is_told_after_what_was_said(tmp_path: Path, promised: dict[str, str]) -> None:
    body = b'event: text\ndata: {"text": "I was saying"}\n\n'
    headers = {"content-type": "text/event-stream", **promised}
    with answering("200 OK", headers, body) as (url, _):
        ran = Machine.at(tmp_path).types("tail", "-f", "3fa8", "--url", url)
    assert (ran.code, ran.out) == (1, "I was saying")
    assert ran.err == (
        f"claude-openai: {url} ended the stream before the run was over (its log says why: claude-openai logs)\n"
    )


@pytest.mark.proves("commands.client")
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"object": "run"}'])
def test_an_answer_that_is_no_run_is_told_as_such(tmp_path: Path, body: bytes) -> None:
    with answering("200 OK", {}, body) as (url, _):
        ran = Machine.at(tmp_path).types("tail", "3fa8", "--url", url)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"claude-openai: what {url} answers is not understood (is it of another version?)\n"


@pytest.mark.proves("commands.cancel", "commands.client")
def test_what_cannot_be_cancelled_is_told_each_by_itself(machine: Machine, server: Instance) -> None:
    assert server.port
    ran = machine.types("cancel", "nobody", "counted")
    nobody, over = ran.err.splitlines()
    assert (ran.code, ran.out) == (1, "")
    assert nobody == ("claude-openai: no run has an id that begins with nobody (list them with: claude-openai runs)")
    assert over.startswith("claude-openai: The run ")
    assert " is completed" in over


@pytest.mark.proves("commands.client")
def test_an_id_that_is_too_short_lists_what_it_could_be(machine: Machine, server: Instance) -> None:
    assert server.port
    for command in ("tail", "cancel"):
        ran = machine.types(command, "chatcmpl")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("claude-openai: several runs have an id that begins with chatcmpl: chatcmpl-")
        assert ran.err.endswith(" (give more of the id)\n")


@pytest.mark.proves("commands.client")
def test_what_cannot_be_an_id_is_not_asked_for(machine: Machine) -> None:
    ran = machine.types("tail", "../v1/models")
    assert ran.code == 2
    assert "'../v1/models' is not an id of a run, nor the beginning of one" in ran.err


@pytest.mark.proves("commands.cancel")
def test_without_a_server_nothing_can_be_cancelled(tmp_path: Path) -> None:
    ran = Machine.at(tmp_path).types("cancel", "3fa8")
    assert ran.code == 1
    assert ran.err == "claude-openai: no server of yours runs (start one with: claude-openai --background)\n"


@pytest.mark.proves("commands.store", "commands.client")
def test_where_no_server_runs_the_store_is_read(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    folder = machine.home / ".claude-openai"
    in_a_loop_of_its_own(_remember, folder, [_kept("3fa85f64"), _kept("3fa85f65")])
    note = f"no server of yours runs; this is from the store in {folder}\n"
    ran = machine.types("tail", "-f", "3fa85f64")
    assert (ran.code, ran.out) == (0, 'Let me look.\n→ get_weather({"city": "Paris"})\n')
    assert ran.err == f"{note}run 3fa85f64 is completed (1.2k/45 tokens, $0.0123, 42s)\n"
    listed = machine.types("runs")
    assert listed.err == note
    assert [line.split()[0] for line in listed.out.splitlines()] == ["ID", "3fa85f65", "3fa85f64"]
    assert machine.types("tail", "3fa").err == (
        f"{note}claude-openai: several runs have an id that begins with 3fa: 3fa85f65, 3fa85f64 (give more of the id)\n"
    )
    assert machine.types("tail", "b").err == (
        f"{note}claude-openai: no run has an id that begins with b (list them with: claude-openai runs)\n"
    )


def _kept(begin: str) -> Run:
    run_id = begin + "0" * 24
    return Run(
        id=run_id,
        answer_id=f"chatcmpl-{run_id}",
        request_id=f"req_{run_id}",
        principal="key-0badcafe",
        client="curl/8",
        model="claude-sonnet-5",
        state=RunState.COMPLETED,
        arrived_at=NOW + int(begin[-1]),
        ended_at=NOW + int(begin[-1]) + 42,
        usage=Usage(1_200, 45),
        cost_usd=0.0123,
        text="Let me look.",
        calls=(ToolCall("call_1", "get_weather", '{"city": "Paris"}'),),
    )


async def _remember(folder: Path, runs: list[Run]) -> None:
    async with sqlite_store(folder, Retention(days=1e6, max_bytes=10**9)) as store:
        for run in runs:
            store.save(run)
