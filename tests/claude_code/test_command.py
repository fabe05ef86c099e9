"""The command as a person runs it: a process of its own, told by options and variables, stopped by signals."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import httpx2
import openai
import psutil
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from openai import AsyncOpenAI

from claude_openai.claude_code.sdk import bundled_cli
from claude_openai.simulator import Gate, Reply, Simulator, Stall, Text
from tests.claude_code.conftest import NEW_MODEL
from tests.patience import PATIENCE_SECONDS

Upstream = tuple[Simulator, dict[str, str]]


@dataclass
class Running:
    """One started command. `told` are the lines it logged so far."""

    process: anyio.abc.Process
    url: str
    told: list[str]
    ready: dict[str, Any]

    @property
    def client(self) -> AsyncOpenAI:
        return AsyncOpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@asynccontextmanager
async def running(
    environment: Mapping[str, str], *options: str, directory: Path | None = None
) -> AsyncIterator[Running]:
    """The command, ready; killed with the block if it still runs then. No Claude Code waits beside the one asked."""
    environment = {"CLAUDE_OPENAI_WARM_PROCESSES": "0", **environment}
    argv = [sys.executable, "-m", "claude_openai", "--port", "0", "--log-format", "json", *options]
    process = await anyio.open_process(argv, env=environment, stdin=subprocess.DEVNULL, stderr=None, cwd=directory)
    assert process.stdout is not None
    lines = BufferedByteReceiveStream(process.stdout)
    told: list[str] = []
    try:
        with anyio.fail_after(PATIENCE_SECONDS):
            ready: dict[str, Any] = {}
            while not ready:
                told.append((await lines.receive_until(b"\n", 1_000_000)).decode())
                entry = json.loads(told[-1])
                ready = entry if entry["event"] == "server.ready" else {}
        yield Running(process, ready["url"], told, ready)
    finally:
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True), anyio.fail_after(PATIENCE_SECONDS):
            await process.wait()
            async for _ in process.stdout:  # asyncio closes its pipe, and with it the process, when all is read
                pass


def ended(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)
    return alive == []


def failed_start(environment: Mapping[str, str], *options: str) -> tuple[int, str]:
    """Exit code and standard error of a command that does not get to serve."""
    argv = [sys.executable, "-m", "claude_openai", *options]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    return done.returncode, done.stderr


@pytest.fixture
def waiting(upstream: Upstream) -> tuple[Gate, dict[str, str]]:
    """An upstream whose answer waits for a gate between its two words, and the login that leads to it."""
    simulator, login = upstream
    gate = Gate()
    simulator.script = lambda _: Reply((Text(("one ", gate, "two")),))
    simulator.requests.clear()
    return gate, login


async def listen(client: AsyncOpenAI, said: list[str]) -> None:
    async with client:
        stream = await client.chat.completions.create(
            model=NEW_MODEL, messages=[{"role": "user", "content": "hi"}], stream=True
        )
        async for chunk in stream:
            said.extend(choice.delta.content or "" for choice in chunk.choices)


async def listen_in_vain(client: AsyncOpenAI, failures: list[str | None] | None = None) -> None:
    try:
        await listen(client, [])
    except openai.APIError as error:
        (failures if failures is not None else []).append(error.code)


async def refusing_connections(server: Running) -> None:
    """Waits until the server has begun to stop. Each try is a new connection: an open one may be served for longer."""
    host, port = server.url.removeprefix("http://").split(":")
    with suppress(OSError):
        while True:
            await (await anyio.connect_tcp(host, int(port))).aclose()


@pytest.mark.proves("simulate.answers", "simulate.loud", "safety.loopback")
async def test_simulate_answers_without_an_account_and_says_so_loudly(sandbox: Path) -> None:
    async with running({"PATH": os.environ["PATH"], "TMPDIR": str(sandbox / "tmp")}, "--simulate") as server:
        assert server.ready["simulated"] is True
        assert server.url.startswith("http://127.0.0.1:")
        async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE_SECONDS) as http:
            health = await http.get("/health")
            body = {"messages": [{"role": "user", "content": "Say kiwi"}]}
            answer = await http.post("/v1/chat/completions", json=body)
        assert health.json()["simulated"] is True
        assert answer.headers["x-claude-openai-simulated"] == "true"
        assert answer.json()["choices"][0]["message"]["content"] == "kiwi"
        server.process.send_signal(signal.SIGINT)
        with anyio.fail_after(PATIENCE_SECONDS):
            assert await server.process.wait() == 0


@pytest.mark.proves("settings.base-url", "simulate.loud", "lifetime.stop")
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGHUP])
async def test_a_stopped_server_lets_a_running_turn_finish(
    waiting: tuple[Gate, dict[str, str]], stop: signal.Signals
) -> None:
    gate, login = waiting
    said: list[str] = []
    async with running(login) as server, anyio.create_task_group() as group:
        assert server.ready["simulated"] is False
        with anyio.fail_after(PATIENCE_SECONDS):
            group.start_soon(listen, server.client, said)
            await gate.reached.wait()
            family = server.family()
            server.process.send_signal(stop)
            await refusing_connections(server)
            gate.open()
            assert await server.process.wait() == 0
    assert "".join(said) == "one two"
    assert ended(family)


@pytest.mark.proves("lifetime.stop", "stream.error-event")
@pytest.mark.parametrize("impatient", [False, True], ids=["when the drain is over", "at the second signal"])
async def test_a_turn_that_does_not_finish_is_ended_and_told_so(upstream: Upstream, impatient: bool) -> None:
    simulator, login = upstream
    simulator.script = lambda _: Reply((Text(("one ", "two ", "three")),), fault=Stall(5))
    simulator.requests.clear()
    failures: list[str | None] = []
    drain = "60" if impatient else "0.2"
    async with running(login, "--shutdown-timeout", drain) as server, anyio.create_task_group() as group:
        group.start_soon(listen_in_vain, server.client, failures)
        with anyio.fail_after(PATIENCE_SECONDS):
            await simulator.request(0)
            family = server.family()
            server.process.send_signal(signal.SIGTERM)
            if impatient:
                await refusing_connections(server)
                server.process.send_signal(signal.SIGINT)
            assert await server.process.wait() == 0
    assert failures == ["shutting_down"]
    assert ended(family)


@pytest.mark.proves("lifetime.killed", "lifetime.killed-server.sweep")
@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
async def test_a_server_that_is_killed_outright_leaves_no_process_and_the_next_start_its_folder(
    waiting: tuple[Gate, dict[str, str]], sandbox: Path
) -> None:
    def kept() -> set[Path]:
        return {entry for place in (sandbox / "tmp").iterdir() if place.is_dir() for entry in place.iterdir()}

    gate, login = waiting
    before = kept()  # of servers that other tests of this process share
    async with running(login) as server, anyio.create_task_group() as group:
        group.start_soon(listen_in_vain, server.client)
        with anyio.fail_after(PATIENCE_SECONDS):
            await gate.reached.wait()
        family = server.family()
        server.process.kill()
    assert family
    assert ended(family)
    assert len(kept() - before) == 2  # its own folder and its instance file: nobody was left to remove them
    async with running(login) as next_server:
        next_server.process.terminate()
        with anyio.fail_after(PATIENCE_SECONDS):
            await next_server.process.wait()
    assert kept() <= before


@pytest.mark.proves("start.refused")
def test_a_busy_port_is_one_sentence(upstream: Upstream) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, told = failed_start(upstream[1], "--port", str(port))
    assert code == 3
    assert f"port {port}" in told
    assert "--port 0" in told
    assert told.count("\n") == 1


@pytest.mark.proves("start.refused")
@pytest.mark.parametrize("program", ["/nowhere/claude", "/bin/false", "/bin/cat"])
def test_a_missing_or_wrong_cli_is_one_sentence(upstream: Upstream, program: str) -> None:
    code, told = failed_start(upstream[1], "--port", "0", "--claude-command", program, "--log-format", "console")
    assert code == 3
    assert program in told
    assert "--claude-command" in told
    assert "Traceback" not in told


@pytest.mark.proves("start.banner", "start.login", "start.refused")
async def test_the_banner_tells_what_a_person_needs_to_know(upstream: Upstream) -> None:
    async with running(upstream[1] | {"ANTHROPIC_API_KEY": ""}) as server:
        assert server.ready["login"] is None
        assert "claude auth login" in server.ready["login_remedy"]
        assert "Claude Code 2" in server.ready["backend"]
        assert server.ready["model"].startswith("sonnet")
        assert server.ready["needs_key"] is False
        server.process.terminate()
        with anyio.fail_after(PATIENCE_SECONDS):
            assert await server.process.wait() == 0


@pytest.mark.proves("settings.claude-command")
async def test_another_claude_code_is_the_one_that_runs(upstream: Upstream, tmp_path: Path) -> None:
    simulator, login = upstream
    simulator.script = None
    other = tmp_path / "my-claude"
    other.write_text(f'#!/bin/sh\necho used >> {shlex.quote(str(tmp_path))}/used\nexec {bundled_cli()} "$@"\n')
    other.chmod(0o755)
    async with running({**login, "CLAUDE_COMMAND": str(other)}) as server:
        async with server.client as client:
            answer = await client.chat.completions.create(
                model=NEW_MODEL, messages=[{"role": "user", "content": "Say kiwi"}]
            )
        server.process.terminate()
        with anyio.fail_after(PATIENCE_SECONDS):
            await server.process.wait()
    assert answer.choices[0].message.content == "kiwi"
    assert (tmp_path / "used").read_text().count("used") == 2  # who are you, and the turn


@pytest.mark.proves("simulator.command")
async def test_the_simulator_runs_by_itself() -> None:
    argv = [sys.executable, "-m", "claude_openai", "simulator", "--port", "0"]
    process = await anyio.open_process(argv, env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, stderr=None)
    assert process.stdout is not None
    try:
        with anyio.fail_after(PATIENCE_SECONDS):
            url = (await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 1000)).decode()
            async with httpx2.AsyncClient(base_url=url) as http:
                body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Say kiwi"}]}
                answer = await http.post("/v1/messages", json=body)
            assert answer.json()["content"] == [{"type": "text", "text": "kiwi"}]
            process.terminate()
            assert await process.wait() == 0
    finally:
        await process.aclose()


@pytest.mark.proves("lifetime.stop")
async def test_a_stop_during_the_start_ends_the_start(upstream: Upstream, tmp_path: Path) -> None:
    slow = tmp_path / "slow-claude"
    slow.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(tmp_path))}/started\nexec sleep 600\n")
    slow.chmod(0o755)
    argv = [sys.executable, "-m", "claude_openai", "--port", "0", "--claude-command", str(slow)]
    process = await anyio.open_process(argv, env=upstream[1], stdin=subprocess.DEVNULL, stderr=None, stdout=None)
    try:
        with anyio.fail_after(PATIENCE_SECONDS):
            await appeared(anyio.Path(tmp_path / "started"))
            process.terminate()
            assert await process.wait() == 0
    finally:
        await process.aclose()


async def appeared(path: anyio.Path) -> None:
    while not await path.exists():  # noqa: ASYNC110 -- another process makes it
        await anyio.sleep(0.02)


@pytest.mark.proves("models.alias", "start.refused")
def test_an_alias_of_nothing_is_told_at_the_start(upstream: Upstream) -> None:
    code, told = failed_start(upstream[1], "--port", "0", "--model-alias", "gpt-4o=nope", "--log-format", "console")
    assert code == 3
    assert "`nope`" in told
    assert "--model-alias" in told


@pytest.mark.proves("start.refused")
def test_an_address_of_another_machine_is_told_as_such(upstream: Upstream) -> None:
    code, told = failed_start(upstream[1], "--host", "203.0.113.5", "--api-key", "key-of-ours")
    assert code == 3
    assert "--host" in told
