"""The waits that a client can cause, on a clock that moves only when everyone waits: each is as long as promised."""

from collections.abc import Awaitable, Callable

import anyio
import pytest
from anyio.abc import ObjectSendStream
from starlette.types import Message, Receive, Scope, Send

from claude_openai.core.events import Event, ReasoningDelta, Retrying, TextDelta, TurnFinished
from claude_openai.core.ports import Description
from claude_openai.gateway import Gateway, GatewayLimits, ModelOptions
from claude_openai.http.endpoints.health import ANSWER_SECONDS, HealthCheck
from claude_openai.http.generation.body import SILENCE_SECONDS, WHOLE_SECONDS, read_body
from claude_openai.http.generation.event_stream import KEEP_ALIVE, EventStream
from claude_openai.http.middleware.errors import HttpError
from claude_openai.http.middleware.slow_clients import ClientDisconnected, SlowClientTimeout
from claude_openai.testing.scripted_backend import ScriptedBackend
from tests.server.http.exchange import CHAT
from tests.virtual_clock import on_virtual_clock

SCOPE: Scope = {"type": "http", "method": "POST", "path": CHAT, "headers": []}
START: Message = {"type": "http.response.start", "status": 200, "headers": []}
PIECE: Message = {"type": "http.request", "body": b"x", "more_body": True}


@pytest.mark.proves("stream.keep-alive")
@on_virtual_clock
async def test_a_comment_leaves_whenever_nothing_else_has_left_for_so_long() -> None:
    began, sent = anyio.current_time(), list[tuple[float, bytes]]()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            sent.append((anyio.current_time() - began, message["body"]))

    stream = EventStream(send, {}, keep_alive_seconds=15)
    sender, events = anyio.create_memory_object_stream[Event](0)
    script: list[tuple[float, Event]] = [
        (10, Retrying(1, 2)),
        (20, ReasoningDelta("Hm")),
        (40, TextDelta("Hi")),
        (60, TurnFinished("stop")),
    ]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hand_out, sender, script)
        with events:
            while not isinstance(event := await stream.next(events), TurnFinished):
                if isinstance(event, TextDelta):
                    await stream.write(b"Hi")
    assert sent == [(15, KEEP_ALIVE), (30, KEEP_ALIVE), (40, b"Hi"), (55, KEEP_ALIVE)]


@pytest.mark.proves("errors.invalid-json")
@on_virtual_clock
async def test_a_client_that_falls_silent_within_its_request_is_told_so() -> None:
    began = anyio.current_time()
    with pytest.raises(HttpError) as refused:
        await read_body(SCOPE, arriving(PIECE, PIECE), limit=10)
    assert refused.value.status == 408
    assert anyio.current_time() - began == SILENCE_SECONDS


@pytest.mark.proves("hostile.slow")
@on_virtual_clock
async def test_a_body_that_comes_byte_by_byte_is_given_up_after_its_time() -> None:
    began = anyio.current_time()

    async def dripping() -> Message:
        await anyio.sleep(SILENCE_SECONDS - 1)
        return PIECE

    with pytest.raises(HttpError, match="took over 300 s") as refused:
        await read_body(SCOPE, dripping, limit=1000)
    assert refused.value.status == 408
    assert anyio.current_time() - began == WHOLE_SECONDS


@pytest.mark.proves("lifetime.client-gone")
@on_virtual_clock
async def test_a_client_that_leaves_within_its_request_is_gone() -> None:
    with pytest.raises(ClientDisconnected):
        await read_body(SCOPE, arriving(PIECE, {"type": "http.disconnect"}), limit=10)


@pytest.mark.proves("lifetime.client-gone")
@on_virtual_clock
async def test_a_client_that_does_not_read_is_given_up_after_its_time() -> None:
    began = anyio.current_time()

    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        await anyio.sleep(1000)  # however long an answer takes, only its leaving is bounded
        await send(START)

    await SlowClientTimeout(answer, seconds=60)(SCOPE, arriving(), stuck)
    assert anyio.current_time() - began == 1060


@pytest.mark.proves("http.health.not-ready")
@on_virtual_clock
async def test_a_backend_that_does_not_say_what_it_is_is_not_ready() -> None:
    class Silent(ScriptedBackend):
        async def describe(self) -> Description:
            await anyio.sleep_forever()
            raise AssertionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    began = anyio.current_time()
    async with anyio.create_task_group() as sessions:
        health = HealthCheck(
            Gateway(Silent(), sessions, GatewayLimits(), ModelOptions()), version="1.2.3", simulated=False
        )
        await health(SCOPE, arriving(), send)
    assert (sent[0]["status"], anyio.current_time() - began) == (503, ANSWER_SECONDS)


async def hand_out(sender: ObjectSendStream[Event], script: list[tuple[float, Event]]) -> None:
    began = anyio.current_time()
    async with sender:
        for second, event in script:
            await anyio.sleep_until(began + second)
            await sender.send(event)


def arriving(*messages: Message) -> Callable[[], Awaitable[Message]]:
    """These messages, and then nothing for ever."""
    left = iter(messages)

    async def receive() -> Message:
        for message in left:
            return message
        await anyio.sleep_forever()
        raise AssertionError

    return receive


async def stuck(_message: Message) -> None:
    await anyio.sleep_forever()
