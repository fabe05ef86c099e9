"""`--simulate`: the simulator is a process of its own, so that nothing asked of it holds up the server."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import httpx2
import psutil
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.claude_code.test_command import Running, ended, running
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.anyio]

CHAT = "/v1/chat/completions"
SIMULATOR = "claude_openai.simulator.process"

DOUBLED = {f"l{n}": {"oneOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(22)} | {"l22": {"type": "string"}}
"""Four million ways through the alternatives, and no value that fits."""

BACKTRACKING = {
    "type": "object",
    "properties": {"s": {"type": "string", "pattern": "^(a+)+$"}},
    "required": ["s"],
}
"""With the text of `LETTERS` its pattern takes for ever."""

LETTERS = f'[[sim tool=do]] with "{"a" * 48}!"'


def calling(schema: dict[str, Any], said: str) -> dict[str, Any]:
    tool = {"type": "function", "function": {"name": "do", "parameters": schema}}
    return {"messages": [{"role": "user", "content": said}], "tools": [tool]}


@asynccontextmanager
async def simulating(sandbox: Path, *options: str) -> AsyncIterator[tuple[Running, httpx2.AsyncClient]]:
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(sandbox / "tmp")}
    async with (
        running(environment, "--simulate", *options) as server,
        httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE_SECONDS) as http,
    ):
        yield server, http


def simulator_of(server: Running) -> psutil.Process:
    found: list[psutil.Process] = []
    for each in server.family():
        with suppress(psutil.NoSuchProcess):  # a helper of Claude Code's that ends just now
            found += [each] if SIMULATOR in each.cmdline() else []
    (process,) = found
    return process


def port_of(simulator: psutil.Process) -> int:
    """Where it listens, which is on the loopback address only."""
    (listening,) = (each for each in simulator.net_connections("tcp") if each.status == psutil.CONN_LISTEN)
    assert listening.laddr.ip == "127.0.0.1"
    return int(listening.laddr.port)


async def post(http: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> None:
    """Whatever the answer, if one comes before the other end stops."""
    with suppress(httpx2.HTTPError):
        await http.post(path, json=body)


async def busy(process: psutil.Process) -> None:
    """Waits until the process works at something that takes long."""
    used = process.cpu_times().user
    while process.cpu_times().user < used + 0.5:  # noqa: ASYNC110 -- another process works
        await anyio.sleep(0.05)


async def stopped(server: Running) -> None:
    """Ends the server, and sees that all of it has ended."""
    family = server.family()
    server.process.send_signal(signal.SIGTERM)
    with anyio.fail_after(PATIENCE_SECONDS):
        assert await server.process.wait() == 0
    assert ended(family)


@pytest.mark.proves("simulate.process", "safety.event-loop.checks")
async def test_a_schema_that_takes_for_ever_is_an_error_and_others_are_answered_meanwhile(sandbox: Path) -> None:
    schema = {"type": "object", "properties": {"s": {"$ref": "#/$defs/l0"}}, "required": ["s"], "$defs": DOUBLED}
    body = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "[[sim tool=do]]"}],
        "tools": [{"name": "do", "input_schema": schema}],
    }
    answers: list[httpx2.Response] = []
    meanwhile = list[int]()
    async with simulating(sandbox) as (server, http):
        port = port_of(simulator_of(server))

        async def ask() -> None:  # Claude Code would ask three times
            answers.append(await http.post(f"http://127.0.0.1:{port}/v1/messages", json=body))

        with anyio.fail_after(PATIENCE_SECONDS):
            async with anyio.create_task_group() as group:
                group.start_soon(ask)
                while not answers:
                    meanwhile.append((await http.get("/health")).status_code)
                    await anyio.sleep(0.02)
        await stopped(server)
    assert set(meanwhile) == {200}
    assert answers[0].status_code == 400
    assert "the simulator" in answers[0].json()["error"]["message"]


@pytest.mark.proves("simulate.process", "safety.event-loop.checks", "lifetime.stop")
async def test_a_server_answers_others_and_stops_while_its_simulator_is_busy(sandbox: Path) -> None:
    async with (
        simulating(sandbox, "--shutdown-timeout", "0.1") as (server, http),
        anyio.create_task_group() as group,
    ):
        group.start_soon(post, http, CHAT, calling(BACKTRACKING, LETTERS))
        with anyio.fail_after(PATIENCE_SECONDS):
            await busy(simulator_of(server))
            assert (await http.get("/health")).status_code == 200
        await stopped(server)


@pytest.mark.proves("simulate.process", "http.health.not-ready")
async def test_a_simulator_that_ended_is_told_by_health_and_by_every_answer(sandbox: Path) -> None:
    async with simulating(sandbox) as (server, http):
        simulator_of(server).kill()
        with anyio.fail_after(PATIENCE_SECONDS):
            while (health := await http.get("/health")).status_code == 200:  # noqa: ASYNC110 -- another process ends
                await anyio.sleep(0.02)
            answer = await http.post(CHAT, json={"messages": [{"role": "user", "content": "Say kiwi"}]})
        assert "simulator has ended" in health.json()["reason"]
        assert answer.status_code == 502
        assert answer.json()["error"]["code"] == "upstream_unreachable"
        assert "simulator has ended" in answer.json()["error"]["message"]
        await stopped(server)


@pytest.mark.proves("simulate.process", "lifetime.killed")
@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
async def test_the_simulator_ends_with_a_server_that_is_killed_outright(sandbox: Path) -> None:
    async with simulating(sandbox) as (server, _):
        simulator = simulator_of(server)
        assert port_of(simulator)
        server.process.kill()
        assert ended([simulator])
    async with simulating(sandbox) as (server, _):  # removes the folder that is left
        await stopped(server)


@pytest.mark.proves("simulator.command")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_the_simulator_as_a_command_stops_while_it_is_busy(stop: signal.Signals) -> None:
    argv = [sys.executable, "-m", "claude_openai", "simulator", "--port", "0"]
    process = await anyio.open_process(argv, env={"PATH": os.environ["PATH"]}, stderr=None)
    assert process.stdout is not None
    body = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": LETTERS}],
        "tools": [{"name": "do", "input_schema": BACKTRACKING}],
    }
    try:
        with anyio.fail_after(PATIENCE_SECONDS):
            url = (await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 1000)).decode()
            async with (
                httpx2.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as http,
                anyio.create_task_group() as group,
            ):
                group.start_soon(post, http, "/v1/messages", body)
                await busy(psutil.Process(process.pid))
                process.send_signal(stop)
                assert await process.wait() == 0
                group.cancel_scope.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True):
            await process.aclose()
