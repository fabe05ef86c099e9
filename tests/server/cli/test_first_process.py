"""A server that is the first process of a container, without an init before it."""

import shutil
import subprocess
import sys

import pytest

from claude_openai.claude_code.agent import sandbox
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not sandbox.works(), reason="no process can be the first here: it takes bubblewrap"
)

AS_FIRST = """
import os, signal, subprocess, sys, time
from claude_openai.cli.first_process import continue_in_child

continue_in_child()
assert os.getppid() == 1
own = subprocess.Popen(["sh", "-c", "exit 3"])
reads, writes = os.pipe()
made = subprocess.run(["sh", "-c", "sleep 0.01 & echo $!"], stdout=subprocess.PIPE, pass_fds=[writes], check=True)
os.close(writes)
os.read(reads, 1)  # until nobody has the other end: the orphan has ended
deadline = time.monotonic() + 100
while os.path.exists(f"/proc/{int(made.stdout)}"):
    assert time.monotonic() < deadline, "it is a zombie"
assert own.wait() == 3
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
os.kill(1, signal.SIGTERM)
signal.pause()
"""


@pytest.mark.proves("lifetime.first-process")
def test_the_first_process_reaps_what_others_left_and_passes_signals_on() -> None:
    """And takes nothing from those who wait for a child of their own."""
    bwrap = shutil.which("bwrap")
    assert bwrap
    namespace = [bwrap, "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc", "--unshare-pid"]
    ended = subprocess.run(
        [*namespace, "--as-pid-1", sys.executable, "-c", AS_FIRST],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (7, "")
