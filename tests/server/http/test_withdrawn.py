"""Text that turns out not to be the answer: left out of a whole one, the end of a stream that has told it."""

from typing import Any

import pytest

from claude_openai.core.events import Event, TextDelta, TextWithdrawn
from tests.server.http.conftest import Serve
from tests.server.http.exchange import FINISHED, HELLO, STARTED, STREAMED, USED, Served

pytestmark = pytest.mark.proves("format.unfit")

MENDED: tuple[Event, ...] = (
    STARTED,
    TextDelta("{"),
    TextWithdrawn(),
    TextDelta('{"a"'),
    TextDelta(":1}"),
    USED,
    FINISHED,
)


async def text_of_response(served: Served) -> str:
    answer = await served.client.post("/v1/responses", json={"model": "sonnet", "input": "Hello"})
    text: str = answer.json()["output"][0]["content"][0]["text"]
    return text


async def test_a_whole_answer_has_nothing_of_it(serve: Serve) -> None:
    served = serve(MENDED)
    assert (await served.chat(HELLO)).json()["choices"][0]["message"]["content"] == '{"a":1}'
    assert await text_of_response(served) == '{"a":1}'
    [run, *_] = await served.runs()
    assert (await served.client.get(f"/runs/{run['id']}")).json()["text"] == '{"a":1}'


async def test_a_stream_ends_with_an_error_and_so_does_its_run(serve: Serve) -> None:
    served = serve(MENDED)
    streamed = await served.client.post("/v1/chat/completions", json=STREAMED)
    assert "invalid_structured_output" in streamed.text.split("\n\n")[-2]
    assert "[DONE]" not in streamed.text
    [run] = await served.runs()
    assert (run["state"], run["error"]["code"]) == ("failed", "invalid_structured_output")


async def test_a_streamed_response_fails_with_its_reason(serve: Serve) -> None:
    asked: dict[str, Any] = {"model": "sonnet", "input": "Hello", "stream": True}
    streamed = await serve(MENDED).client.post("/v1/responses", json=asked)
    assert "event: response.failed" in streamed.text
    assert "invalid_structured_output" in streamed.text
