"""A history that a process reads from a FIFO: `sh` and `cat` stand in for Claude Code."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint

from claude_openai.claude_code.processes.child import Child, Command, child_process
from claude_openai.claude_code.processes.late_history import CAN_COME_LATE, LateHistory
from claude_openai.claude_code.processes.scratch import HISTORY, scratch_folder
from tests.patience import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.skipif(not CAN_COME_LATE, reason="here every history is a file"),
    pytest.mark.proves("processes.warm.history"),
]

CONTENT = b"0123456789abcdef" * 65_536
"""A megabyte: a FIFO holds 64 KiB."""


@asynccontextmanager
async def reading(script: str) -> AsyncIterator[tuple[LateHistory, Child]]:
    """A shell that runs `script` with the path of the history as its argument."""
    with scratch_folder() as scratch:
        history = LateHistory(scratch)
        argv = (shutil.which("sh") or "sh", "-c", script, "sh", str(history.path))
        command = Command(argv, {"PATH": os.environ["PATH"]}, scratch.work, scratch.stderr)
        async with child_process(command) as child:
            yield history, child
            child.kill()
            with anyio.fail_after(PATIENCE_SECONDS):
                async for _ in child.lines():
                    pass  # asyncio closes the pipe once it has seen its end
                await child.wait_closed()
        await checkpoint()
        assert session_files_open() == []


def session_files_open() -> list[str]:
    """Those that this program has open, under their names or removed."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # that of the listing itself is closed by now
            found.append(str(link.readlink()))
    return [path for path in found if HISTORY in path]


async def test_a_history_longer_than_a_pipe_is_read_once_and_the_second_open_finds_an_empty_file() -> None:
    async with reading('cat "$1"; test -f "$1" && cat "$1"; echo; echo end') as (history, child):
        lines: list[bytes] = []

        async def read() -> None:
            lines.extend([line async for line in child.lines()])

        with anyio.fail_after(PATIENCE_SECONDS):
            async with anyio.create_task_group() as group:
                group.start_soon(read)
                await history.send(CONTENT, child)
        assert lines == [CONTENT, b"end"]
        assert history.path.stat().st_mode & 0o777 == 0o600


async def test_only_this_user_can_open_it() -> None:
    with scratch_folder() as scratch:
        assert LateHistory(scratch).path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("script", ['head -c 100000 "$1" >/dev/null; sleep 600', "exit 0"], ids=["half", "nothing"])
async def test_a_reader_that_leaves_is_an_error_and_is_ended(script: str) -> None:
    async with reading(script) as (history, child):
        with anyio.fail_after(PATIENCE_SECONDS):
            with pytest.raises(BrokenPipeError):
                await history.send(CONTENT, child)
            await child.wait_closed()


async def test_a_history_that_is_cut_short_is_never_taken_for_the_whole() -> None:
    async with reading('exec <"$1"; head -c 10 >/dev/null; echo begun; sleep 600') as (history, child):
        begun = False
        with anyio.fail_after(PATIENCE_SECONDS):
            async with anyio.create_task_group() as group:
                group.start_soon(history.send, CONTENT, child)
                async for _ in child.lines():
                    begun = True
                    group.cancel_scope.cancel()
            await child.wait_closed()
        assert begun
        assert child.was_killed


async def test_one_that_never_opens_it_is_waited_for_as_long_as_the_caller_wants() -> None:
    async with reading("sleep 600") as (history, child):
        with anyio.move_on_after(0.05) as scope:
            await history.send(CONTENT, child)
        assert scope.cancelled_caught
        assert child.is_running
