"""Whatever a request was parsed into is freed with its end, by counting references: a reference cycle would keep it
until the garbage collector runs, which then stops everything for as long as it examines the values of large requests.
"""

import gc
import json
from collections.abc import AsyncIterator

import anyio
import pytest

from claude_openai.core.events import TextDelta
from claude_openai.core.messages import UserMessage
from claude_openai.core.turn import Turn
from claude_openai.simulator import Gate
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, FINISHED, STARTED, Json, Served, said

pytestmark = pytest.mark.proves("safety.event-loop.reading")

MESSAGES: list[Json] = [{"role": "user", "content": "Hello"}] * 5000
"""So many that they are parsed in a thread."""

LOOK_AGAIN_SECONDS = 0.01
"""A look at all values takes longer than that, and keeps the thread that parses from its work."""

JSON = {"content-type": "application/json"}


@pytest.fixture
async def before() -> AsyncIterator[int]:
    """What `kept` counts before the test, which has no garbage collector."""
    gc.collect()
    gc.disable()
    yield kept()
    gc.enable()


@pytest.mark.parametrize(
    ("path", "more", "status"),
    [
        (CHAT, {"messages": MESSAGES}, 200),
        (CHAT, {"messages": MESSAGES, "stream": True}, 200),
        (CHAT, {"messages": MESSAGES, "n": 2}, 200),
        ("/v1/responses", {"input": MESSAGES}, 200),
        ("/v1/responses", {"input": MESSAGES, "stream": True}, 200),
        (CHAT, {"messages": MESSAGES, "temperature": 9}, 400),
        (CHAT, {"messages": [*MESSAGES, {"role": "user", "content": 7}]}, 400),
        (CHAT, {"messages": [*MESSAGES, {"role": "tool", "content": "7", "tool_call_id": "unknown"}]}, 400),
        (CHAT, {"messages": MESSAGES, "model": "unknown"}, 404),
    ],
)
async def test_an_answered_request_leaves_nothing(
    serve: Serve, path: str, more: Json, status: int, before: int
) -> None:
    served = serve(said("Hi"))
    answer = await served.client.post(path, content=json.dumps({"model": "sonnet", **more}), headers=JSON)
    assert answer.status_code == status
    await nothing_is_left_of_it(served, before)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_while_it_is_answered_leaves_nothing(
    serve: Serve, stream: bool, before: int
) -> None:
    gate = Gate()
    served = serve([STARTED, TextDelta("one"), gate, FINISHED])
    async with await served.connect() as connection:
        await connection.send(request({"model": "sonnet", "messages": MESSAGES, "stream": stream}))
        with anyio.fail_after(PATIENCE_SECONDS):
            await gate.reached.wait()
    with anyio.fail_after(PATIENCE_SECONDS):
        await served.performance.ended.wait()
    await nothing_is_left_of_it(served, before)


async def test_a_client_that_leaves_while_its_request_is_parsed_leaves_nothing(serve: Serve, before: int) -> None:
    served = serve([STARTED, Gate(), FINISHED])
    async with await served.connect() as connection:
        await connection.send(request({"model": "sonnet", "messages": MESSAGES * 10}))
        with anyio.fail_after(PATIENCE_SECONDS):
            while kept() == before:  # noqa: ASYNC110 -- nobody reports that a value is freed
                await anyio.sleep(LOOK_AGAIN_SECONDS)
    await nothing_is_left_of_it(served, before)


def request(body: Json) -> bytes:
    content = json.dumps(body).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


def kept() -> int:
    """How many there are of a request's values, other tests' among them."""
    return sum(isinstance(each, UserMessage | Turn) for each in gc.get_objects())


async def nothing_is_left_of_it(served: Served, before: int) -> None:
    served.backend.performances.clear()
    gc.disable()  # a large request switches it on at its end
    with anyio.fail_after(PATIENCE_SECONDS):
        while kept() > before:  # noqa: ASYNC110 -- nobody reports that a value is freed
            await anyio.sleep(LOOK_AGAIN_SECONDS)
