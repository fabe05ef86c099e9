"""`claude-openai status`, of two servers side by side and of none."""

import json
import os
import re
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import click
import httpx2
import pytest

import claude_openai
from claude_openai.cli.commands.status import ServerStatus, described
from claude_openai.server.doctor import Check, of_server
from claude_openai.system.instances import Instance, process_of, running
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import Machine

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals and signals are POSIX's"),
]

NOBODY = "no server of yours runs"


@pytest.fixture(scope="module")
def servers(machine: Machine) -> list[Instance]:
    """Two, by port."""
    for hosts in ([], ["--host", "127.0.0.2", "--host", "localhost"]):
        assert machine.types("--background", "--simulate", "--port", "0", *hosts).code == 0
    return running([machine.known])


@pytest.mark.proves("status.lists", "background.ready")
def test_each_server_has_a_block_with_what_it_says_of_itself(machine: Machine, servers: list[Instance]) -> None:
    assert len(servers) == 2
    ran = machine.types("status")
    assert (ran.code, ran.err) == (0, "")
    for block, server in zip(ran.out.split("\n\n"), servers, strict=True):
        first, *facts = block.splitlines()
        told = {name: value for name, _, value in (fact.strip().partition(" ") for fact in facts)}
        assert first == f"{server.url}/v1  running"
        assert told["PID"].strip() == str(server.pid)
        assert told["Version"].strip().startswith(f"{claude_openai.__version__}, Claude Code ")
        assert told["Host"].strip() == ", ".join(server.hosts)
        assert "resting" not in told["Processes"]
        assert {"Simulated", "Uptime", "Runs", "Processes", "Log"} <= told.keys()


@pytest.mark.proves("start.hosts")
def test_each_address_of_each_host_is_answered(servers: list[Instance]) -> None:
    by_hosts = {server.hosts: server for server in servers}
    assert by_hosts.keys() == {("localhost",), ("127.0.0.2", "localhost")}
    for hosts, server in by_hosts.items():
        assert server.url == f"http://{hosts[0].replace('localhost', '127.0.0.1')}:{server.port}"
        for address in ("127.0.0.1", "[::1]", *(["127.0.0.2"] if "127.0.0.2" in hosts else [])):
            with urlopen(f"http://{address}:{server.port}/health", timeout=PATIENCE_SECONDS) as answer:
                assert json.load(answer)["ready"] is True


@pytest.mark.proves("status.lists")
def test_one_server_can_be_asked_for_by_its_port(machine: Machine, servers: list[Instance]) -> None:
    one, other = servers
    ran = machine.types("status", "--port", str(one.port))
    assert ran.code == 0
    assert one.url in ran.out
    assert other.url not in ran.out


@pytest.mark.proves("status.lists")
def test_programs_get_the_same_as_json(machine: Machine, servers: list[Instance]) -> None:
    ran = machine.types("status", "--json")
    told = json.loads(ran.out)["servers"]
    assert ran.code == 0
    assert [(each["port"], each["pid"], each["url"], each["answers"]) for each in told] == [
        (each.port, each.pid, each.url, True) for each in servers
    ]
    assert all(each["health"]["ready"] and each["uptime"] >= 0 for each in told)


@pytest.mark.proves("status.not-ready", "commands.doctor")
def test_a_server_whose_login_upstream_refuses_is_not_ready_for_status_and_doctor_alike(
    machine: Machine, servers: list[Instance]
) -> None:
    server = servers[1]
    assert of_server(server) == Check("Server", "ok", "it is ready")
    assert said(server, "[[sim error=401]]") == 401
    ran = machine.types("status", "--port", str(server.port))
    refused = "Upstream refused Claude Code's login with the last request."
    assert ran.code == 0
    assert f"running, but not ready: {refused}" in ran.out
    check = of_server(server)
    assert (check.status, check.remedy) == ("fail", f"then see: claude-openai status --port {server.port}")
    assert check.told.startswith(f"it is not ready: {refused}")
    assert said(server, "Say hello") == 200
    assert of_server(server).status == "ok"


@pytest.mark.proves("status.not-ready")
def test_the_end_of_a_used_up_window_is_told_as_a_time_from_now(servers: list[Instance]) -> None:
    health = {"ready": False, "reason": "The account's usage window is used up.", "ready_at": time.time() + 7199}
    lines = click.unstyle(described(ServerStatus(servers[0], health))).splitlines()
    assert lines[0].endswith("running, but not ready: The account's usage window is used up.")
    assert "Ready in 1h59m" in {" ".join(line.split()) for line in lines}


@pytest.mark.proves("processes.warm.bursts")
@pytest.mark.parametrize(
    ("bounded_by", "why"),
    [
        ("memory", " (8 warm ones wanted; the available memory allows fewer)"),
        ("max_processes", " (8 warm ones wanted; --max-processes allows fewer)"),
        (None, ""),
    ],
)
def test_what_bounds_the_processes_that_wait_is_told(servers: list[Instance], bounded_by: str | None, why: str) -> None:
    warm_pool = {"wanted": 8, "ready": 3, "bounded_by": bounded_by}
    health = {"processes": {"resting": 2, "warm": 3}, "warm_pool": warm_pool}
    lines = click.unstyle(described(ServerStatus(servers[0], health))).splitlines()
    assert f"Processes 2 idle, 3 warm{why}" in {" ".join(line.split()) for line in lines}


def said(server: Instance, words: str) -> int:
    """The status of the answer to them."""
    body = {"messages": [{"role": "user", "content": words}]}
    return httpx2.post(f"{server.url}/v1/chat/completions", json=body, timeout=PATIENCE_SECONDS).status_code


@pytest.mark.proves("instances.files")
def test_a_server_is_known_by_its_process_whatever_the_clock_is_set_to(servers: list[Instance]) -> None:
    server = servers[0]
    at_another_time, of_earlier_version = (
        replace(server, started_at=server.started_at - 60),
        replace(server, identity=None),
    )
    assert process_of(server) is not None
    assert process_of(replace(server, identity=f"{server.identity}0")) is None
    assert process_of(of_earlier_version) is not None
    assert process_of(replace(at_another_time, identity=None)) is None
    if sys.platform == "linux":  # create times move with the clock
        assert process_of(at_another_time) is not None


@pytest.mark.proves("status.not-ready", "terminal.colours")
def test_a_hung_server_is_told_as_such_and_who_waits_sees_it(machine: Machine, servers: list[Instance]) -> None:
    hung = servers[0]
    os.kill(hung.pid, signal.SIGSTOP)
    try:
        ran = machine.sees("status", "--port", str(hung.port), NO_COLOR="1")
    finally:
        os.kill(hung.pid, signal.SIGCONT)
    assert ran.code == 1
    assert re.search(r"\rAsking \.\.\. [1-9] s", ran.out)
    assert f"{hung.url}/v1  does not answer within 3 seconds\n" in ran.out
    assert f"claude-openai stop --port {hung.port} --force" in ran.out


@pytest.mark.proves("terminal.colours")
def test_colours_are_for_terminals_and_for_those_who_want_them(machine: Machine, servers: list[Instance]) -> None:
    shown, declined = machine.sees("status"), machine.sees("status", NO_COLOR="1")
    assert "\x1b[32mrunning\x1b[0m" in shown.out
    assert "\x1b" not in declined.out
    assert servers[0].url in declined.out
    assert "\x1b" not in machine.types("status").out


@pytest.mark.proves("status.lists")
def test_where_no_server_runs_that_is_said_with_exit_code_1(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    ran = machine.types("status")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out == f"{NOBODY}; start one with: claude-openai --background\n"
    as_json = machine.types("status", "--json", "--port", "8000")
    assert (as_json.code, json.loads(as_json.out)) == (1, {"servers": []})
