"""The identity of a process, and records of it that are this program's or an earlier version's."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from claude_openai.store.sqlite import schema, servers
from claude_openai.system.process_identity import identity_of, is_running


def test_a_process_is_recognized_by_its_identity_and_by_nothing_like_it() -> None:
    pid, created_at = os.getpid(), psutil.Process().create_time()
    recorded = identity_of(pid)
    assert recorded is not None
    assert is_running(pid, recorded)
    assert not is_running(pid, f"{recorded}0")
    assert [is_running(pid, each) for each in (created_at, str(created_at), created_at - 60, "", "now")] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not move create times")
def test_an_identity_on_linux_is_of_this_boot_and_has_no_time_of_the_clock() -> None:
    boot, ticks = str(identity_of(os.getpid())).split(":")
    assert boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    assert 0 < int(ticks) / os.sysconf("SC_CLK_TCK") <= uptime + 1
    assert not is_running(os.getpid(), f"00000000-0000-0000-0000-000000000000:{ticks}")


def test_a_process_that_has_ended_has_no_identity_reaped_or_not() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        if sys.platform != "win32":
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            assert identity_of(process.pid) is None
        process.wait()
        assert identity_of(process.pid) is None


def test_a_server_of_the_store_lives_by_its_identity_and_by_the_time_that_an_earlier_version_wrote() -> None:
    connection = sqlite3.connect(":memory:")
    for statements in schema.migrations():
        for statement in statements:
            connection.execute(statement)
    server = servers.register(connection)
    rows = [(2, os.getpid(), psutil.Process().create_time()), (3, os.getpid(), 1.0), (4, os.getpid(), "other:1")]
    connection.executemany("INSERT INTO servers (id, pid, started_at) VALUES (?, ?, ?)", rows)
    assert servers.living(connection) == {server.id, 2}
    connection.execute("DELETE FROM servers")
    servers.assert_presence(connection, server)
    assert servers.living(connection) == {server.id}
    connection.close()
