"""What becomes of a command whose standard streams are closed, or lead to a full disk."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from claude_openai.cli.commands.status import described, status_of
from claude_openai.system.instances import Instance, running
from claude_openai.system.serving import bound
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import COMMAND, Machine, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /dev/full")


def typed(machine: Machine, line: str) -> subprocess.CompletedProcess[str]:
    """A line for the shell, in which `claude-openai` is the command."""
    line = line.replace("claude-openai", COMMAND)
    return subprocess.run(
        ["/bin/sh", "-c", line],
        env=machine.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.mark.proves("start.exit-codes")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_a_closed_stream_leads_nowhere_and_changes_nothing_else(tmp_path: Path, closed: str) -> None:
    done = typed(Machine.at(tmp_path), f"claude-openai config {closed}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.proves("start.exit-codes")
@pytest.mark.parametrize("asked", ["config", "config --json", "--help", "--version", "completion bash"])
def test_what_a_full_disk_does_not_take_is_one_sentence(tmp_path: Path, asked: str) -> None:
    done = typed(Machine.at(tmp_path), f"claude-openai {asked} >/dev/full")
    sentence = "claude-openai: cannot write to standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, sentence)


@pytest.mark.proves("start.exit-codes")
def test_a_server_whose_banner_nobody_can_read_serves_all_the_same(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    line = f"exec {COMMAND} --simulate --port 0 --warm-processes 0 --log false 2>/dev/full"
    with subprocess.Popen(["/bin/sh", "-c", line], env=machine.environ) as process:
        try:
            until(lambda: running([machine.known]))
            assert process.poll() is None
        finally:
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.proves("lifetime.stop")
def test_a_terminal_that_is_closed_is_nothing_to_a_server_that_was_told_so(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    line = f"trap '' HUP; exec {COMMAND} --simulate --port 0 --warm-processes 0 --log false"
    with subprocess.Popen(["/bin/sh", "-c", line], env=machine.environ, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: running([machine.known]))
            process.send_signal(signal.SIGHUP)
            (server,) = running([machine.known])
            assert status_of(server).health is not None
        finally:
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.proves("status.not-ready")
def test_a_server_that_port_closed_any_more_is_not_told_to_hang() -> None:
    with bound("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    server = Instance(7, port, ("127.0.0.1",), f"http://127.0.0.1:{port}", time.time(), 1.0)
    told = described(status_of(server))
    assert "is stopping: it accepts no connections" in told
    assert "--force" not in told


@pytest.mark.proves("background.fails")
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    data = tmp_path / "data"
    (data / "logs" / "claude-openai-18999.err").mkdir(parents=True)
    ran = machine.types("--background", "--simulate", "--port", "18999", "--data-dir", str(data))
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("claude-openai: cannot write the file ")
    assert ran.err.endswith("(name another folder with --data-dir)\n")
