"""`POST /v1/chat/completions` with `stream`: events leave as they come, framed as OpenAI's clients read them."""

import anyio
import pytest

from claude_openai.core.events import Event, ReasoningDelta, Retrying, TextDelta, TurnFailed, TurnFinished, Working
from claude_openai.core.failures import Failure, Kind
from claude_openai.simulator import Gate
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import FINISHED, HELLO, STARTED, STREAMED, USED, Blocks, chunks, data, said

OVERLOADED = TurnFailed(Failure(Kind.OVERLOADED, "Claude is overloaded."))


@pytest.mark.proves("stream.token-by-token")
async def test_each_delta_has_left_before_the_next_one_comes(serve: Serve) -> None:
    gates = [Gate(), Gate(), Gate()]
    served = serve(
        [STARTED, TextDelta("one"), gates[0], TextDelta("two"), gates[1], TextDelta("three"), gates[2], FINISHED]
    )
    async with served.stream() as response:
        blocks = Blocks(response)
        assert (await blocks.chunk())["choices"][0]["delta"]["role"] == "assistant"
        for text, gate in zip(("one", "two", "three"), gates, strict=True):
            assert (await blocks.chunk())["choices"][0]["delta"] == {"content": text}
            gate.open()
        assert (await blocks.rest())[-1] == "data: [DONE]"


@pytest.mark.proves("stream.token-by-token", "chat.reply.text")
async def test_as_many_texts_go_out_as_came_in_and_none_is_changed(serve: Serve) -> None:
    texts = ["", " ", "\n\n", "data: [DONE]", "naïve ", "🏴‍☠️", "\u2028", '{"a": 1}', "\r\n", "x" * 100_000] * 20
    served = serve(said(*texts))
    async with served.stream() as response:
        await response.aread()
    _role, *contents, _end = chunks(response)
    assert [chunk["choices"][0]["delta"]["content"] for chunk in contents] == texts


@pytest.mark.proves("stream.done")
async def test_text_that_looks_like_framing_stays_within_its_event(serve: Serve) -> None:
    served = serve(said("\n\ndata: [DONE]\n\n: no comment\n\n"))
    async with served.stream() as response:
        await response.aread()
    [_, content, _] = chunks(response)
    assert content["choices"][0]["delta"]["content"] == "\n\ndata: [DONE]\n\n: no comment\n\n"


@pytest.mark.proves("stream.done")
async def test_the_headers_keep_everything_between_from_collecting_the_stream(serve: Serve) -> None:
    served = serve(said("Hi"))
    async with served.stream() as response:
        await response.aread()
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"


@pytest.mark.proves("stream.chunks", "stream.done")
async def test_a_whole_stream(serve: Serve) -> None:
    served = serve(said("Hel", "lo"), new_id=lambda: "1d", now=lambda: 1_700_000_000)
    async with served.stream() as response:
        await response.aread()
    received = chunks(response)
    heads = {(chunk["id"], chunk["object"], chunk["created"], chunk["model"]) for chunk in received}
    assert heads == {("chatcmpl-1d", "chat.completion.chunk", 1_700_000_000, "sonnet")}
    assert [chunk["choices"] for chunk in received] == [
        [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        for delta, finish in (
            ({"role": "assistant", "content": "", "refusal": None}, None),
            ({"content": "Hel"}, None),
            ({"content": "lo"}, None),
            ({}, "stop"),
        )
    ]


@pytest.mark.proves("stream.usage-chunk")
async def test_usage_comes_in_a_chunk_of_its_own_when_asked_for(serve: Serve) -> None:
    served = serve(said("Hi"))
    async with served.stream({**STREAMED, "stream_options": {"include_usage": True}}) as response:
        await response.aread()
    *_, last = chunks(response)
    assert last["choices"] == []
    assert (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == (20, 5)


@pytest.mark.proves("stream.usage-chunk")
async def test_no_chunk_has_usage_when_nobody_asked(serve: Serve) -> None:
    served = serve(said("Hi"))
    async with served.stream() as response:
        await response.aread()
    assert not any(chunk.get("usage") for chunk in chunks(response))


@pytest.mark.proves("stream.token-by-token")
async def test_the_chunks_add_up_to_the_answer_without_stream(serve: Serve) -> None:
    served = serve(said("One ", "and ", "the same."))
    whole = (await served.chat(HELLO)).json()["choices"][0]
    async with served.stream() as response:
        await response.aread()
    choices = [chunk["choices"][0] for chunk in chunks(response)]
    assert "".join(choice["delta"].get("content", "") for choice in choices) == whole["message"]["content"]
    assert choices[-1]["finish_reason"] == whole["finish_reason"]


class TestBeforeTheFirstByte:
    @pytest.mark.proves("errors.status-before-first-byte")
    @pytest.mark.parametrize("before", [[], [STARTED], [STARTED, Retrying(1, 2, 529)], [STARTED, Working()]])
    async def test_a_failure_is_an_answer_with_its_own_status(self, serve: Serve, before: list[Event]) -> None:
        served = serve([*before, OVERLOADED])
        async with served.stream() as response:
            await response.aread()
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/json"
        assert response.json()["error"]["code"] == "overloaded"

    @pytest.mark.proves("errors.status-before-first-byte")
    async def test_when_the_client_is_to_come_back_is_told(self, serve: Serve) -> None:
        served = serve([TurnFailed(Failure(Kind.RATE_LIMITED, "Slow down.", retry_after=7.2))])
        async with served.stream() as response:
            await response.aread()
        assert (response.status_code, response.headers["retry-after"]) == (429, "8")

    @pytest.mark.proves("stream.keep-alive", "stream.error-event")
    async def test_a_silence_decides_for_a_stream_and_a_later_failure_is_an_event(self, serve: Serve) -> None:
        gate = Gate()
        served = serve([STARTED, gate, OVERLOADED], keep_alive_seconds=0.01)
        async with served.stream() as response:
            assert response.status_code == 200
            blocks = Blocks(response)
            assert await blocks.next() == ": keep-alive"
            gate.open()
            *_, last = await blocks.rest()
        assert data(last)["error"]["code"] == "overloaded"

    @pytest.mark.proves("stream.keep-alive")
    async def test_events_without_text_do_not_put_off_the_comment(self, serve: Serve) -> None:
        """A long time of retries or of calls being written is as silent to the client as nothing at all."""
        gates = [Gate() for _ in range(3)]
        works = [step for gate in gates for step in (gate, Working())]
        served = serve([STARTED, *works, *said("Hi")[1:]], keep_alive_seconds=0.01)
        async with served.stream() as response:
            blocks = Blocks(response)
            for gate in gates:
                assert await blocks.next() == ": keep-alive"
                gate.open()
            assert (await blocks.rest())[-1] == "data: [DONE]"


@pytest.mark.proves("stream.keep-alive")
async def test_comments_fill_a_silence_between_two_deltas(serve: Serve) -> None:
    gate = Gate()
    served = serve([STARTED, TextDelta("one"), gate, TextDelta("two"), FINISHED], keep_alive_seconds=0.01)
    async with served.stream() as response:
        blocks = Blocks(response)
        assert [(await blocks.chunk())["choices"][0]["delta"]["content"] for _ in range(2)] == ["", "one"]
        assert [await blocks.next() for _ in range(2)] == [": keep-alive", ": keep-alive"]
        gate.open()
        assert (await blocks.chunk())["choices"][0]["delta"] == {"content": "two"}


class TestAfterTheFirstByte:
    @pytest.mark.proves("stream.error-event", "errors.envelope")
    async def test_a_failure_is_the_last_event_and_nothing_says_that_the_answer_is_whole(self, serve: Serve) -> None:
        served = serve([STARTED, TextDelta("Half an"), OVERLOADED])
        async with served.stream() as response:
            blocks = await Blocks(response).rest()
        assert response.status_code == 200
        assert data(blocks[-1]) == {
            "error": {"message": "Claude is overloaded.", "type": "server_error", "param": None, "code": "overloaded"}
        }
        assert [data(block)["choices"][0]["finish_reason"] for block in blocks[:-1]] == [None, None]

    @pytest.mark.proves("errors.own-fault", "stream.error-event")
    async def test_a_fault_of_our_own_is_the_last_event_and_tells_nothing(self, serve: Serve) -> None:
        served = serve([STARTED, TextDelta("Half an"), ZeroDivisionError("the inside")])
        async with served.stream() as response:
            *_, last = await Blocks(response).rest()
        assert data(last)["error"]["code"] == "internal_error"
        assert "inside" not in last


@pytest.mark.proves("chat.reply.text", "chat.reasoning-content")
async def test_thinking_stands_beside_the_text_of_a_stream(serve: Serve) -> None:
    served = serve([STARTED, ReasoningDelta("a thought"), *said("Hi")[1:]])
    async with served.stream() as response:
        await response.aread()
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks(response)]
    assert [delta["reasoning_content"] for delta in deltas if "reasoning_content" in delta] == ["a thought"]
    assert [delta["content"] for delta in deltas if delta.get("content")] == ["Hi"]


@pytest.mark.proves("chat.reply.text", "stream.chunks")
async def test_an_answer_without_a_word_is_a_stream_that_finishes(serve: Serve) -> None:
    served = serve([STARTED, USED, TurnFinished("stop")])
    async with served.stream() as response:
        await response.aread()
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks(response)] == ["", None]


@pytest.mark.proves("stream.done")
async def test_the_connection_can_be_used_again_after_a_stream(serve: Serve) -> None:
    served = serve(said("Hi"))
    for _ in range(3):
        async with served.stream() as response:
            await response.aread()
        assert chunks(response)
    with anyio.fail_after(PATIENCE_SECONDS):
        for performance in served.backend.performances:
            await performance.ended.wait()
