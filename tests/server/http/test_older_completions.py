"""`POST /v1/completions` over HTTP, read by the official client."""

import json

import openai
import pytest
from inline_snapshot import snapshot

from claude_openai.core.events import ReasoningDelta, TextDelta, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import Text, UserMessage
from tests.server.http.conftest import Serve
from tests.server.http.exchange import FINISHED, STARTED, USED, Served, chunks, said

PATH = "/v1/completions"
ASK = {"model": "sonnet", "prompt": "Say kiwi"}


def client(served: Served) -> openai.AsyncOpenAI:
    base_url = str(served.client.base_url.join("/v1"))
    return openai.AsyncOpenAI(base_url=base_url, api_key="any", max_retries=0)


@pytest.mark.proves("completions.answer")
async def test_the_answer_is_a_text(serve: Serve) -> None:
    served = serve((STARTED, ReasoningDelta("Hm."), TextDelta("ki"), TextDelta("wi"), USED, FINISHED), now=lambda: 7)
    answer = await served.client.post(PATH, json=ASK)
    body = answer.json()
    assert body.pop("id").startswith("cmpl-")
    assert body == snapshot(
        {
            "object": "text_completion",
            "created": 7,
            "model": "sonnet",
            "choices": [{"index": 0, "text": "kiwi", "logprobs": None, "finish_reason": "stop"}],
            "usage": {
                "prompt_tokens": 20,
                "completion_tokens": 5,
                "total_tokens": 25,
                "prompt_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 3},
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            "claude": {"session_id": "session-1", "model": "claude-sonnet-4-5", "cost_usd": 0.25},
        }
    )


@pytest.mark.proves("completions.answer")
async def test_a_stream_has_the_text_its_end_and_what_was_used(serve: Serve) -> None:
    served = serve((STARTED, ReasoningDelta("Hm."), TextDelta("ki"), TextDelta("wi"), USED, TurnFinished("length")))
    asked = {**ASK, "stream": True, "stream_options": {"include_usage": True}}
    told = chunks(await served.client.post(PATH, json=asked))
    assert [(each["text"], each["finish_reason"]) for chunk in told for each in chunk["choices"]] == [
        ("ki", None),
        ("wi", None),
        ("", "length"),
    ]
    assert {chunk["object"] for chunk in told} == {"text_completion"}
    assert [chunk["usage"] and chunk["usage"]["total_tokens"] for chunk in told] == [None, None, None, 25]


@pytest.mark.proves("completions.answer", "errors.status-before-first-byte")
async def test_thinking_that_is_not_told_does_not_decide_the_status(serve: Serve) -> None:
    failed = TurnFailed(Failure(Kind.OVERLOADED, "Overloaded."))
    served = serve((STARTED, ReasoningDelta("Hm."), failed))
    answer = await served.client.post(PATH, json={**ASK, "stream": True})
    assert (answer.status_code, json.loads(answer.text)["error"]["code"]) == (503, "overloaded")


@pytest.mark.proves("completions.answer")
async def test_the_official_client_reads_both_forms(serve: Serve) -> None:
    served = serve(said("ki", "wi"), said("ki", "wi"))
    async with client(served) as asking:
        whole = await asking.completions.create(model="sonnet", prompt="Say kiwi")
        assert (whole.choices[0].text, whole.choices[0].finish_reason) == ("kiwi", "stop")
        stream = await asking.completions.create(model="sonnet", prompt="Say kiwi", stream=True)
        assert "".join([chunk.choices[0].text async for chunk in stream]) == "kiwi"


@pytest.mark.proves("completions.answer")
async def test_each_prompt_has_its_choices_and_counts_once(serve: Serve) -> None:
    served = serve(said("one"), said("two"), said("three"), said("four"))
    async with client(served) as asking:
        answer = await asking.completions.create(model="sonnet", prompt=["Say kiwi", "Say plum"], n=2)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert [choice.text for choice in answer.choices] == ["one", "two", "three", "four"]
    asked = [performance.turn.messages for performance in served.backend.performances]
    assert asked == [(UserMessage((Text(prompt),)),) for prompt in ("Say kiwi", "Say kiwi", "Say plum", "Say plum")]
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (40, 20)


@pytest.mark.proves("completions.answer")
async def test_several_prompts_stream_side_by_side(serve: Serve) -> None:
    served = serve(said("one"), said("two"))
    asked = {**ASK, "prompt": ["Say kiwi", "Say plum"], "stream": True, "stream_options": {"include_usage": True}}
    told = chunks(await served.client.post(PATH, json=asked))
    texts = dict.fromkeys(range(2), "")
    for choice in (choice for chunk in told for choice in chunk["choices"]):
        texts[choice["index"]] += choice["text"]
    assert texts == {0: "one", 1: "two"}
    assert told[-1]["usage"]["prompt_tokens"] == 40


@pytest.mark.proves("completions.parameters")
async def test_what_is_not_as_asked_is_told_as_in_chat(serve: Serve) -> None:
    served = serve(said("Hi"))
    answer = await served.client.post(PATH, json={**ASK, "seed": 1, "temperature": 2})
    assert answer.headers["x-claude-openai-ignored"] == "seed"
    assert answer.headers["x-claude-openai-adjusted"] == "temperature=1"
    refused = await served.client.post(PATH, json={**ASK, "echo": True})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "echo")
