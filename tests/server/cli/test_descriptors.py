"""A server whose shell has a low limit on open files, with more connections than that."""

import json
import resource
import socket
import subprocess
import sys
from contextlib import ExitStack
from urllib.request import urlopen

import psutil
import pytest

from claude_openai.system.instances import Instance, running
from tests.log_reading import entries_so_far
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import COMMAND, Machine, until

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are read as Linux has them"),
]

SOFT, HARD, IDLE = 128, 256, 400


@pytest.fixture(scope="module")
def server(machine: Machine) -> Instance:
    limited = f'ulimit -Sn {SOFT} && ulimit -Hn {HARD} && exec "$0" "$@"'
    start = [COMMAND, "--background", "--simulate", "--port", "0", "--log-level", "info"]
    subprocess.run(
        ["/bin/sh", "-c", limited, *start],
        env=machine.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    [instance] = running([machine.known])
    return instance


@pytest.mark.proves("hostile.connections")
def test_400_idle_connections_keep_nobody_from_being_answered_and_the_log_quiet(server: Instance) -> None:
    assert server.log_file is not None
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > IDLE + 100  # those of the test itself
    with ExitStack() as idle:
        for number in range(IDLE):
            address = "::1" if number % 2 else "127.0.0.1"
            idle.enter_context(socket.create_connection((address, server.port), timeout=PATIENCE_SECONDS))
        with urlopen(f"http://127.0.0.1:{server.port}/health", timeout=PATIENCE_SECONDS) as answer:
            assert json.load(answer)["ready"] is True
    log = server.log_file
    until(lambda: "http.connections_full" in {entry["event"] for entry in entries_so_far(log)})
    trouble = [entry["event"] for entry in entries_so_far(log) if entry["level"] not in {"info", "debug"}]
    assert trouble == ["http.connections_full"]


@pytest.mark.proves("hostile.connections")
def test_the_server_has_all_it_may_have(server: Instance) -> None:
    assert psutil.Process(server.pid).rlimit(psutil.RLIMIT_NOFILE) == (HARD, HARD)


STARTS = """
import subprocess
from claude_openai.system.descriptors import as_before, raise_limit
shell = ("/bin/sh", "-c", "ulimit -Sn; ulimit -Hn; echo $*", "sh", "a b", "$c")
before = as_before(shell)
print(raise_limit(), before == shell, flush=True)
subprocess.run(as_before(shell), check=True)
"""


@pytest.mark.proves("hostile.connections")
def test_what_is_started_gets_the_limit_as_it_was() -> None:
    """Of Claude Code itself this cannot be seen: it raises its own limit (measured)."""
    limited = f'ulimit -Sn {SOFT} && ulimit -Hn {HARD} && exec "$0" -c "$1"'
    done = subprocess.run(
        ["/bin/sh", "-c", limited, sys.executable, STARTS],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert done.stdout.split("\n") == [f"{HARD} True", str(SOFT), str(HARD), "a b $c", ""]
