"""Requests that take long to parse: others are answered meanwhile, and nobody waits for ever."""

import json
import threading

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from starlette.types import Message

from claude_openai.core.events import TextDelta, TurnFinished
from claude_openai.core.failures import Kind, RequestFailed
from claude_openai.gateway import Gateway, GatewayLimits, ModelOptions
from claude_openai.http.generation.body import Bodies
from claude_openai.http.generation.context import LARGE_BYTES, GenerationContext, run_in_thread_if_large
from claude_openai.http.middleware.slow_clients import ClientDisconnected
from claude_openai.jsontools.work_limit import TooMuch, spend
from claude_openai.testing.scripted_backend import ScriptedBackend
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT

pytestmark = [pytest.mark.anyio, pytest.mark.proves("safety.event-loop.reading")]


class Endless:
    """Work that never ends by itself. `begun` and `given_up` count how often it did, `threads` has where."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.given_up = threading.Event()

    def work(self) -> None:
        self.threads.append(threading.get_ident())
        try:
            while True:
                spend()
        except TooMuch:
            if len(self.threads) > 1 or self.threads[0] != threading.main_thread().ident:
                self.given_up.set()
            raise


async def never() -> Message:
    """What a client sends that has sent its request and waits."""
    await anyio.sleep_forever()
    raise AssertionError


async def given_up(endless: Endless) -> bool:
    return await anyio.to_thread.run_sync(endless.given_up.wait, PATIENCE_SECONDS)


@pytest.mark.parametrize("size", [1, LARGE_BYTES + 1], ids=["small", "large"])
async def test_work_that_takes_long_leaves_the_event_loop_and_ends_with_its_request(size: int) -> None:
    endless = Endless()
    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(run_in_thread_if_large, size, endless.work)
            while endless.threads[-1:] in ([], [threading.get_ident()]):
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        assert await given_up(endless)


async def test_what_takes_longer_than_the_request_may_is_ended_and_told_so() -> None:
    endless = Endless()
    async with anyio.create_task_group() as tasks:
        gateway = Gateway(ScriptedBackend(), tasks, GatewayLimits(), ModelOptions())
        means = GenerationContext(gateway, Bodies(1, 1, gateway.until_stopped), 1, str, int, request_seconds=0.2)
        with pytest.raises(RequestFailed) as raised:
            async with means.parsing(never):
                await run_in_thread_if_large(1, endless.work)
    assert raised.value.failure.kind is Kind.TIMEOUT
    # On a busy machine the time may be over before a thread has begun with it: then nothing goes on.
    assert {*endless.threads} <= {threading.get_ident()} or await given_up(endless)


@pytest.mark.proves("lifetime.client-gone")
async def test_a_client_that_leaves_while_its_request_is_understood_frees_what_it_took() -> None:
    endless = Endless()
    body = iter([{"type": "http.request", "body": b"{}"}])

    async def receive() -> Message:
        if message := next(body, None):
            return message
        while not endless.threads:
            await anyio.lowlevel.checkpoint()
        return {"type": "http.disconnect"}

    async with anyio.create_task_group() as tasks:
        gateway = Gateway(ScriptedBackend(), tasks, GatewayLimits(), ModelOptions())
        bodies = Bodies(2, 2, gateway.until_stopped)
        means = GenerationContext(gateway, bodies, 1, str, int)
        scope = {"type": "http", "headers": [(b"content-length", b"2")]}
        with anyio.fail_after(PATIENCE_SECONDS), pytest.raises(ClientDisconnected):
            async with bodies.read(scope, receive) as read, means.parsing(receive):
                await run_in_thread_if_large(LARGE_BYTES + len(read), endless.work)
        body = iter([{"type": "http.request", "body": b"[]"}])
        async with bodies.read(scope, receive) as read:
            assert read == b"[]"
    assert await given_up(endless)


@pytest.mark.proves("lifetime.stop")
async def test_a_request_that_is_understood_when_the_server_stops_is_told_so() -> None:
    endless = Endless()

    async with anyio.create_task_group() as tasks:
        gateway = Gateway(ScriptedBackend(), tasks, GatewayLimits(), ModelOptions())
        means = GenerationContext(gateway, Bodies(1, 1, gateway.until_stopped), 1, str, int)

        async def stop() -> None:
            while not endless.threads:
                await anyio.lowlevel.checkpoint()
            gateway.stop()

        tasks.start_soon(stop)
        with anyio.fail_after(PATIENCE_SECONDS), pytest.raises(RequestFailed) as raised:
            async with means.parsing(never):
                await run_in_thread_if_large(LARGE_BYTES + 1, endless.work)
    assert raised.value.failure.kind is Kind.SHUTTING_DOWN
    assert await given_up(endless)


async def test_thousands_of_references_are_read_while_others_are_answered(serve: Serve) -> None:
    choices = {"anyOf": [{"const": number} for number in range(300)]}
    parameters = {
        "type": "object",
        "$defs": {"a": choices},
        "properties": {"all": {"properties": {f"p{n}": {"$ref": "#/$defs/a"} for n in range(20_000)}}},
    }
    tool = {"type": "function", "function": {"name": "choose", "parameters": parameters}}
    body = json.dumps({"messages": [{"role": "user", "content": "hi"}], "tools": [tool]}).encode()
    answered: list[int] = []
    http = serve([TextDelta("hi"), TurnFinished("stop")]).client

    async def ask() -> None:
        answered.append((await http.post(CHAT, content=body, timeout=PATIENCE_SECONDS)).status_code)

    meanwhile = 0
    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            while not answered:
                meanwhile += (await http.get("/health", timeout=PATIENCE_SECONDS)).status_code == 200
    assert answered == [200]
    assert meanwhile > 1
