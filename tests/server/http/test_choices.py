"""`n`: several answers to one request, side by side, in one reply."""

from operator import itemgetter

import anyio
import pytest

from claude_openai.core.events import Event, TextDelta, TurnFailed
from claude_openai.core.failures import Failure, Kind
from claude_openai.simulator import Gate
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import (
    FINISHED,
    HELLO,
    STARTED,
    STREAMED,
    USED,
    Blocks,
    Json,
    Served,
    chunks,
    data,
    said,
)

PLACES = 2
"""Of the server of these tests."""

OVERLOADED = TurnFailed(Failure(Kind.OVERLOADED, "Claude is overloaded."))


def texts(answer: Json) -> list[str]:
    return [choice["message"]["content"] for choice in answer["choices"]]


def held(text: str) -> tuple[Gate, list[Event | Gate]]:
    """An answer that waits after its first words."""
    gate = Gate()
    return gate, [STARTED, TextDelta(text), gate, TextDelta("!"), USED, FINISHED]


async def ended(served: Served, number: int) -> None:
    with anyio.fail_after(PATIENCE_SECONDS):
        await served.backend.performances[number].ended.wait()


@pytest.mark.proves("params.n")
async def test_each_answer_is_a_choice_and_the_prompt_counts_once(serve: Serve) -> None:
    served = serve(said("one"), said("two"), said("three"))
    answer = (await served.chat({**HELLO, "n": 3})).json()
    assert texts(answer) == ["one", "two", "three"]
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]
    assert answer["usage"] == {
        "prompt_tokens": 20,
        "completion_tokens": 15,
        "total_tokens": 35,
        "prompt_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 6},
    }
    assert answer["claude"] == {"session_id": "session-1", "model": "claude-sonnet-4-5", "cost_usd": 0.75}


@pytest.mark.proves("params.n")
async def test_a_stream_tells_of_each_answer_as_it_comes_and_of_all_at_the_end(serve: Serve) -> None:
    (first, one), (second, two) = held("one"), held("two")
    served = serve(one, two)
    async with served.stream({**STREAMED, "n": 2, "stream_options": {"include_usage": True}}) as response:
        blocks = Blocks(response)
        begun = [(await blocks.chunk())["choices"][0] for _ in range(4)]
        second.open()
        after = (await blocks.chunk())["choices"][0]
        first.open()
        *rest, usage, done = await blocks.rest()
    assert sorted(choice["index"] for choice in begun) == [0, 0, 1, 1]
    assert after == {"index": 1, "delta": {"content": "!"}, "logprobs": None, "finish_reason": None}
    finished = [choice for block in rest for choice in data(block)["choices"] if choice["finish_reason"]]
    assert sorted(map(itemgetter("index", "finish_reason"), finished)) == [(0, "stop"), (1, "stop")]
    assert (data(usage)["choices"], data(usage)["usage"]["total_tokens"], done) == ([], 30, "data: [DONE]")
    assert [data(block)["usage"] for block in rest] == [None] * len(rest)


@pytest.mark.proves("params.n")
async def test_without_a_chunk_for_usage_the_last_chunk_tells_what_all_cost(serve: Serve) -> None:
    served = serve(said("one"), said("two"))
    async with served.stream({**STREAMED, "n": 2}) as response:
        await response.aread()
    *told, last = chunks(response)
    assert last["claude"]["cost_usd"] == 0.5
    assert not any("claude" in chunk for chunk in told)


@pytest.mark.proves("params.n.places")
async def test_more_answers_than_places_come_one_after_another(serve: Serve) -> None:
    (first, one), (second, two) = held("one"), held("two")
    served = serve(one, two, said("three"))
    async with served.stream({**STREAMED, "n": 5}) as response:
        with anyio.fail_after(PATIENCE_SECONDS):
            await first.reached.wait()
            await second.reached.wait()
        assert len(served.backend.performances) == PLACES
        assert [run["state"] for run in await served.runs()] == ["running"] * PLACES
        first.open()
        second.open()
        await response.aread()
    said_in_all = {chunk["choices"][0]["index"] for chunk in chunks(response)}
    assert said_in_all == {0, 1, 2, 3, 4}


@pytest.mark.proves("params.n.places")
async def test_an_answer_that_fails_before_anything_was_sent_is_the_status_of_all(serve: Serve) -> None:
    _, waiting = held("one")
    served = serve(waiting, [OVERLOADED])
    answer = await served.chat({**HELLO, "n": 2})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "overloaded")
    await ended(served, 0)
    assert sorted(run["state"] for run in await served.runs()) == ["cancelled", "failed"]


@pytest.mark.proves("params.n.places")
async def test_an_answer_that_fails_later_is_the_last_event_and_ends_the_others(serve: Serve) -> None:
    _, waiting = held("one")
    fails = Gate()
    served = serve(waiting, [STARTED, fails, OVERLOADED])
    async with served.stream({**STREAMED, "n": 2}) as response:
        blocks = Blocks(response)
        await blocks.chunk()
        fails.open()
        *_, last = await blocks.rest()
    assert data(last)["error"]["code"] == "overloaded"
    await ended(served, 0)
    assert not served.backend.performances[0].completed
    [message] = [run["error"]["message"] for run in await served.runs() if run["state"] == "cancelled"]
    assert message.startswith("The request ended before this one of its answers was complete")


@pytest.mark.proves("params.n.places", "runs.cancel")
@pytest.mark.parametrize("choice", [0, 1])
async def test_to_cancel_one_of_the_runs_is_to_cancel_the_request(serve: Serve, choice: int) -> None:
    (_, one), (_, two) = held("one"), held("two")
    served = serve(one, two)
    async with served.stream({**STREAMED, "n": 2}) as response:
        blocks = Blocks(response)
        reply = (await blocks.chunk())["id"]
        for _ in range(3):
            await blocks.chunk()
        runs = {run["answer_id"]: run["id"] for run in await served.runs()}
        meant = runs[reply] if choice == 0 else next(run for answer, run in runs.items() if answer != reply)
        assert (await served.client.post(f"/runs/{meant}/cancel")).status_code == 200
        *_, last = await blocks.rest()
    assert data(last)["error"]["code"] == "run_cancelled"
    assert {run["state"] for run in await served.runs()} == {"cancelled"}


@pytest.mark.proves("lifetime.client-gone")
async def test_a_client_that_leaves_ends_all_answers(serve: Serve) -> None:
    (_, one), (_, two) = held("one"), held("two")
    served = serve(one, two)
    async with served.stream({**STREAMED, "n": 4}) as response:
        blocks = Blocks(response)
        for _ in range(4):
            await blocks.chunk()
    await ended(served, 0)
    await ended(served, 1)
    assert len(served.backend.performances) == PLACES


@pytest.mark.proves("params.n.places")
async def test_the_session_of_the_first_answer_goes_on_and_the_others_end(serve: Serve) -> None:
    served = serve([*said("one"), *said("more")], [*said("two"), *said("more")], said("anew"))
    answer = (await served.chat({**HELLO, "n": 2})).json()
    await ended(served, 1)
    assert not served.backend.performances[0].ended.is_set()
    for text, reply in (("two", "anew"), ("one", "more")):
        history = [{"role": "assistant", "content": text}, {"role": "user", "content": "Go on"}]
        assert texts((await served.chat({**HELLO, "messages": [*HELLO["messages"], *history]})).json()) == [reply]
    assert answer["id"] in {run["answer_id"] for run in await served.runs()}


@pytest.mark.proves("params.n.places")
async def test_each_answer_is_a_run_and_the_first_has_the_id_of_the_reply(serve: Serve) -> None:
    served = serve(said("one"), said("two"))
    answer = await served.chat({**HELLO, "n": 2})
    runs = await served.runs()
    assert [run["usage"]["prompt_tokens"] for run in runs] == [20, 20]
    assert {run["request_id"] for run in runs} == {answer.headers["x-request-id"]}
    [first] = [run for run in runs if run["answer_id"] == answer.json()["id"]]
    found = await served.client.get(f"/runs/{answer.json()['id']}")
    assert (found.json()["id"], found.json()["text"]) == (first["id"], "one")


@pytest.mark.proves("params.n")
async def test_more_than_eight_is_a_400_that_names_it(serve: Serve) -> None:
    served = serve(said("one"))
    answer = await served.chat({**HELLO, "n": 9})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "n")
    assert served.backend.performances == []
