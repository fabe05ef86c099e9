"""A child process belongs to the block that opened it. No Claude Code here: shells and small Pythons stand in."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import psutil
import pytest

from claude_openai.claude_code.processes.child import PIECE_BYTES, Child, Command, child_process, dying_with_parent
from tests.patience import PATIENCE_SECONDS

PYTHON = (sys.executable, "-I", "-S", "-u", "-c")

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"

PARENT = """
import sys, time, anyio
from pathlib import Path
from claude_openai.claude_code.processes.child import Command, child_process, dying_with_parent
async def main():
    folder = Path(sys.argv[1])
    argv = dying_with_parent((sys.executable, "-c", "import time; time.sleep(600)"))
    async with child_process(Command(argv, {}, folder, folder / "err")) as child:
        print(child.pid, flush=True)
        await anyio.sleep_forever()
anyio.run(main)
"""


def command(folder: Path, *argv: str, **environment: str) -> Command:
    return Command(argv, environment, folder, folder / "stderr.log")


async def first_line(child: Child) -> str:
    with anyio.fail_after(PATIENCE_SECONDS):
        return (await anext(child.lines())).decode()


@pytest.mark.proves("lifetime.stop")
async def test_leaving_the_block_ends_the_process_and_what_it_started(tmp_path: Path) -> None:
    script = "sleep 600 & echo $!; wait"
    async with child_process(command(tmp_path, "/bin/sh", "-c", script, PATH=os.environ["PATH"])) as child:
        grandchild = psutil.Process(int(await first_line(child)))
    assert gone(child.pid)
    psutil.wait_procs([grandchild], timeout=PATIENCE_SECONDS)  # it was killed; nobody here hears when it is gone
    assert gone(grandchild.pid)


@pytest.mark.proves("lifetime.stop")
async def test_a_cancelled_block_ends_its_process_too(tmp_path: Path) -> None:
    with anyio.CancelScope() as scope:
        async with child_process(command(tmp_path, *PYTHON, "print('up'); import time; time.sleep(600)")) as child:
            await first_line(child)
            scope.cancel()
            await anyio.sleep_forever()
    assert gone(child.pid)


@pytest.mark.proves("lifetime.stop")
async def test_a_child_that_ignores_being_asked_is_killed(tmp_path: Path) -> None:
    with anyio.fail_after(PATIENCE_SECONDS):
        async with child_process(command(tmp_path, *PYTHON, STUBBORN)) as child:
            assert await first_line(child) == "deaf"
        assert gone(child.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
@pytest.mark.proves("lifetime.killed")
@pytest.mark.parametrize("path", [os.environ["PATH"], "/nowhere"], ids=["with setpriv", "without"])
def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path, path: str) -> None:
    argv = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env={**os.environ, "PATH": path}) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        parent.wait(PATIENCE_SECONDS)
    psutil.wait_procs([child], timeout=PATIENCE_SECONDS)
    assert gone(child.pid)


@pytest.mark.proves("lifetime.stop")
async def test_a_process_is_known_to_have_ended_while_a_grandchild_holds_its_pipes(tmp_path: Path) -> None:
    script = "sleep 600 & echo up"
    with anyio.fail_after(PATIENCE_SECONDS):
        async with child_process(command(tmp_path, "/bin/sh", "-c", script, PATH=os.environ["PATH"])) as child:
            assert await first_line(child) == "up"
            await child.wait_closed()
            assert await child.exit_code() == 0
            child.kill()  # the grandchild
            assert [line async for line in child.lines()] == []


@pytest.mark.proves("lifetime.killed")
def test_a_setpriv_without_the_option_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "setpriv"
    fake.write_text("#!/bin/sh\necho usage: setpriv --nnp\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert dying_with_parent(("claude",))[0] == sys.executable


@pytest.mark.proves("safety.environment")
async def test_a_child_gets_the_named_environment_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "x")
    show = "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}))"
    async with child_process(command(tmp_path, *PYTHON, show, GIVEN="1")) as child:
        assert await first_line(child) == "['GIVEN']"


@pytest.mark.proves("chat.reply.text")
async def test_a_line_of_megabytes_arrives_whole(tmp_path: Path) -> None:
    async with child_process(command(tmp_path, *PYTHON, "print('x' * 5_000_000); print('after')")) as child:
        lines = child.lines()
        with anyio.fail_after(PATIENCE_SECONDS):
            assert await anext(lines) == b"x" * 5_000_000
            assert await anext(lines) == b"after"


@pytest.mark.proves("safety.event-loop.reading")
async def test_long_lines_that_are_written_at_once_are_not_mixed(tmp_path: Path) -> None:
    script = "import sys\nfor line in sys.stdin: print(len(line), len(set(line)))"
    async with child_process(command(tmp_path, *PYTHON, script)) as child:
        async with anyio.create_task_group() as group:
            for letter in b"abc":
                group.start_soon(child.send, bytes([letter]) * (3 * PIECE_BYTES) + b"\n")
        assert [await first_line(child) for _ in range(3)] == [f"{3 * PIECE_BYTES + 1} 2"] * 3


@pytest.mark.proves("safety.event-loop.reading")
async def test_nothing_follows_a_line_that_was_cut(tmp_path: Path) -> None:
    async with child_process(command(tmp_path, *PYTHON, "print('up'); import time; time.sleep(600)")) as child:
        await first_line(child)
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(child.send, b"a" * (3 * PIECE_BYTES))
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
        with pytest.raises(anyio.BrokenResourceError):
            await child.send(b"b\n")


@pytest.mark.proves("errors.process-died")
async def test_what_a_child_complained_about_can_be_read_after_its_end(tmp_path: Path) -> None:
    complain = "import sys; print('no disk', file=sys.stderr); sys.exit(3)"
    async with child_process(command(tmp_path, *PYTHON, complain)) as child:
        assert [line async for line in child.lines()] == []
        assert await child.exit_code() == 3
        assert child.stderr_tail() == "no disk"


def gone(pid: int) -> bool:
    """Ended and reaped, or at least dead."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
