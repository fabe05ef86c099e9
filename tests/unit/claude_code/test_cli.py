"""The claude command that fails, in each way a program can: told to the client in words, to the log in full."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from claude_openai.claude_code.cli import CliBackend, CliSettings, installed_cli
from claude_openai.claude_code.sdk import bundled_cli
from claude_openai.core.events import Event, TextDelta, TurnFailed
from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.testing.backend_conformance import TURN
from claude_openai.testing.batches import each_event
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio


def streamed(event: dict[str, Any]) -> str:
    return json.dumps({"type": "stream_event", "session_id": "session", "event": event})


INIT = '{"type": "system", "subtype": "init", "session_id": "session", "tools": []}'
BEGINNING = [
    streamed({"type": "message_start", "message": {}}),
    streamed({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi"}}),
]


def backend(folder: Path, *commands: str, timeout: float = 10) -> CliBackend:
    """Over a program that does not listen, but carries out `commands` of a shell."""
    program = folder / "claude"
    program.write_text("\n".join(("#!/bin/sh", *commands)) + "\n")
    program.chmod(0o700)
    return CliBackend(CliSettings(str(program), {}, timeout=timeout, output=folder / "output"))


def kept_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def says(*lines: str) -> str:
    return "\n".join(f"echo {shlex.quote(line)}" for line in lines)


async def events(of: CliBackend) -> list[Event]:
    with anyio.fail_after(PATIENCE_SECONDS):
        async with of.open(TURN) as session:
            return [event async for event in each_event(session.events())]


async def failure(of: CliBackend) -> Failure:
    (*_, last) = await events(of)
    assert isinstance(last, TurnFailed)
    return last.failure


@pytest.mark.proves("cli.failures")
@pytest.mark.parametrize("said", [[INIT], [INIT, *BEGINNING]], ids=["before the answer", "within it"])
async def test_an_answer_that_takes_too_long_is_given_up_and_the_setting_named(tmp_path: Path, said: list[str]) -> None:
    slow = backend(tmp_path, says(*said), "exec sleep 1000", timeout=1)
    failed = await failure(slow)
    assert failed.kind is Kind.TIMEOUT
    assert "--process-timeout-ms" in failed.message


@pytest.mark.proves("cli.failures")
async def test_a_command_that_refuses_its_options_says_why_in_the_log_and_in_its_folder(tmp_path: Path) -> None:
    with capture_logs() as logs:
        failed = await failure(backend(tmp_path, "echo \"error: unknown option '--tools'\" >&2", "exit 1"))
    (run,) = kept_in(tmp_path / "output")
    folder = tmp_path / "output" / run
    assert (failed.kind, "could not be started" in failed.message) == (Kind.CLAUDE_CODE_FAILED, True)
    assert [(log["exit_code"], log["stderr"]) for log in logs] == [(1, "error: unknown option '--tools'")]
    assert (folder / "exit_code").read_text() == "1\n"
    assert (folder / "stderr.log").read_text() == "error: unknown option '--tools'\n"


@pytest.mark.proves("cli.failures")
async def test_after_three_that_did_not_start_none_is_started_for_a_while(tmp_path: Path) -> None:
    broken = backend(tmp_path, "exit 1")
    for _ in range(3):
        await failure(broken)
    failed = await failure(broken)
    assert "failed to start 3 times" in failed.message
    assert failed.retry_after
    assert broken.status().start_failure
    assert len(kept_in(tmp_path / "output")) == 3


@pytest.mark.proves("cli.failures")
async def test_a_command_that_dies_within_its_answer_has_no_answer(tmp_path: Path) -> None:
    (*said, last) = await events(backend(tmp_path, says(INIT, *BEGINNING), "kill -9 $$"))
    assert TextDelta("Hi") in said
    assert isinstance(last, TurnFailed)
    assert last.failure.kind is Kind.STREAM_INTERRUPTED


@pytest.mark.proves("cli.failures")
async def test_words_that_cannot_be_read_are_a_failure_of_claude_codes(tmp_path: Path) -> None:
    failed = await failure(backend(tmp_path, says(INIT, '{"type": "result"}'), "exec sleep 1000"))
    assert failed.kind is Kind.CLAUDE_CODE_FAILED
    assert "cannot parse" in failed.message


@pytest.mark.proves("cli.failures")
async def test_one_that_is_no_program_does_not_start(tmp_path: Path) -> None:
    nothing = CliBackend(CliSettings(str(tmp_path), {}))
    assert (await failure(nothing)).kind is Kind.CLAUDE_CODE_FAILED


@pytest.mark.proves("cli.failures")
@pytest.mark.parametrize(
    ("commands", "why"),
    [
        (["echo 'no such option' >&2", "exit 1"], "no such option"),
        (["exit 3"], "exit code 3"),
        (
            [says('{"type": "control_response", "response": {"subtype": "error", "error": "unsupported"}}')],
            "unsupported",
        ),
    ],
)
async def test_one_that_cannot_say_what_it_is_is_named_with_the_reason(
    tmp_path: Path, commands: list[str], why: str
) -> None:
    with anyio.fail_after(PATIENCE_SECONDS), pytest.raises(RequestFailed, match=why) as raised:
        await backend(tmp_path, *commands).describe()
    assert str(tmp_path / "claude") in str(raised.value)


@pytest.mark.proves("cli.output")
async def test_what_is_older_than_the_retention_is_gone_once_it_runs(tmp_path: Path) -> None:
    for name in ("a" * 32, "b" * 32):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / ("a" * 32), (100, 100))
    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(CliBackend(CliSettings("claude", {}, output=tmp_path, retention_days=1)).run)
            while kept_in(tmp_path) != ["b" * 32]:  # noqa: ASYNC110 -- it happens on the disk
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()


@pytest.mark.proves("cli.executable")
def test_the_command_is_the_one_on_path_and_else_the_sdks_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "claude"
    program.touch(mode=0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed_cli() == str(program)
    program.unlink()
    assert installed_cli() == str(bundled_cli())
