"""`/v1/responses` by the official client: answered, streamed, continued, stored and forgotten."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import openai
import pytest

from claude_openai.core.events import TextDelta, ToolCalled, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import AssistantMessage, Text, ToolCall, ToolMessage, UserMessage
from claude_openai.simulator import Gate
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import FINISHED, STARTED, USED, Blocks, Json, Served, said

RESPONSES = "/v1/responses"
ASKED: Json = {"model": "sonnet", "input": "Hello"}
WEATHER: Any = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}
CALL = ToolCall("call_1", "look", '{"at":"the sky"}')


@asynccontextmanager
async def official(served: Served) -> AsyncIterator[openai.AsyncOpenAI]:
    url = str(served.client.base_url)
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        yield client


def history(served: Served, turn: int) -> tuple[object, ...]:
    return served.backend.performances[turn].turn.messages


@pytest.mark.proves("responses.input", "responses.usage")
async def test_an_input_is_answered(serve: Serve) -> None:
    async with official(serve(said("Hel", "lo"))) as client:
        response = await client.responses.create(model="sonnet", input="Hello", instructions="Be kind.")
    assert (response.status, response.output_text, response.instructions) == ("completed", "Hello", "Be kind.")
    assert response.usage is not None
    assert response.usage.total_tokens == 25


@pytest.mark.proves("responses.stream")
async def test_a_stream_is_told_event_by_event_as_it_is_said(serve: Serve) -> None:
    gate = Gate()
    served = serve([STARTED, TextDelta("Hel"), gate, TextDelta("lo"), USED, FINISHED])
    async with served.client.stream("POST", RESPONSES, json={**ASKED, "stream": True}) as response:
        blocks = Blocks(response)
        names: list[str] = []
        while not names or names[-1] != "event: response.output_text.delta":
            names.append((await blocks.next()).split("\n")[0])
        gate.open()
        names += [block.split("\n")[0] for block in await blocks.rest()]
    assert names[0] == "event: response.created"
    assert names.count("event: response.output_text.delta") == 2
    assert names[-1] == "event: response.completed"


@pytest.mark.proves("responses.continued")
async def test_a_response_goes_on_from_the_one_before(serve: Serve) -> None:
    served = serve(said("Hello Ann."), said("You are Ann."), said("Yes."))
    async with official(served) as client:
        first = await client.responses.create(model="sonnet", input="I am Ann.")
        second = await client.responses.create(model="sonnet", input="Who am I?", previous_response_id=first.id)
        third = await client.responses.create(model="sonnet", input="Sure?", previous_response_id=second.id)
    assert third.previous_response_id == second.id
    assert history(served, -1) == (
        UserMessage((Text("I am Ann."),)),
        AssistantMessage("Hello Ann."),
        UserMessage((Text("Who am I?"),)),
        AssistantMessage("You are Ann."),
        UserMessage((Text("Sure?"),)),
    )


@pytest.mark.proves("responses.continued")
async def test_a_calls_result_is_all_that_has_to_be_sent(serve: Serve) -> None:
    served = serve([STARTED, ToolCalled(CALL), USED, TurnFinished("tool_calls")], said("Blue."))
    async with official(served) as client:
        asked = await client.responses.create(model="sonnet", input="How is the sky?", tools=[WEATHER])
        result: Any = {"type": "function_call_output", "call_id": "call_1", "output": "blue"}
        answer = await client.responses.create(
            model="sonnet", input=[result], tools=[WEATHER], previous_response_id=asked.id
        )
    assert [item.type for item in asked.output] == ["function_call"]
    assert answer.output_text == "Blue."
    assert history(served, -1)[1:] == (
        AssistantMessage("", (CALL,)),
        ToolMessage("call_1", (Text("blue"),)),
    )


@pytest.mark.proves("responses.continued")
async def test_items_of_stored_responses_can_be_named_in_place_of_being_sent(serve: Serve) -> None:
    served = serve(
        [STARTED, TextDelta("Let me look."), ToolCalled(CALL), USED, TurnFinished("tool_calls")], said("Blue.")
    )
    async with official(served) as client:
        asked = await client.responses.create(model="sonnet", input="How is the sky?", tools=[WEATHER])
        (question,) = (await client.responses.input_items.list(asked.id)).data
        named: Any = [{"type": "item_reference", "id": item.id} for item in (question, *asked.output)]
        result: Any = {"type": "function_call_output", "call_id": "call_1", "output": "blue"}
        answer = await client.responses.create(model="sonnet", input=[*named, result], tools=[WEATHER])
        kept = (await client.responses.input_items.list(answer.id)).data
    assert history(served, -1) == (
        UserMessage((Text("How is the sky?"),)),
        AssistantMessage("Let me look.", (CALL,)),
        ToolMessage("call_1", (Text("blue"),)),
    )
    assert "item_reference" not in [item.type for item in kept]


@pytest.mark.proves("responses.continued")
async def test_an_item_that_is_anothers_or_not_there_is_refused_by_its_place(serve: Serve) -> None:
    served = serve(said("Hello"), keys=("one", "two"))
    mine, other = ({"authorization": f"Bearer {key}"} for key in ("one", "two"))
    made = (await served.client.post(RESPONSES, json=ASKED, headers=mine)).json()
    strangers = [(made["output"][0]["id"], other), ("msg_nobody_o0", mine), ("", mine), ("__", mine)]
    for item, who in strangers:
        naming = {**ASKED, "input": [{"type": "item_reference", "id": item}, {"role": "user", "content": "And?"}]}
        refused = await served.client.post(RESPONSES, json=naming, headers=who)
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "input[0].id")


@pytest.mark.proves("responses.stored")
async def test_a_stored_response_can_be_fetched_listed_and_forgotten(serve: Serve) -> None:
    async with official(serve(said("Hello"))) as client:
        made = await client.responses.create(model="sonnet", input="Hi", metadata={"a": "b"})
        assert await client.responses.retrieve(made.id) == made
        items = await client.responses.input_items.list(made.id)
        assert [item.to_dict()["content"] for item in items.data] == [[{"type": "input_text", "text": "Hi"}]]
        await client.responses.delete(made.id)
        with pytest.raises(openai.NotFoundError, match=f"Response with id '{made.id}' not found."):
            await client.responses.retrieve(made.id)


@pytest.mark.proves("responses.stored")
async def test_of_a_response_that_was_forgotten_the_run_remains_without_its_words(serve: Serve) -> None:
    served = serve(said("Hello"))
    made = (await served.client.post(RESPONSES, json=ASKED)).json()
    await served.client.delete(f"{RESPONSES}/{made['id']}")
    run = (await served.client.get(f"/runs/{made['id']}")).json()
    assert (run["state"], run["text"], run["tool_calls"]) == ("completed", "", [])


@pytest.mark.proves("responses.continued")
async def test_a_response_that_is_still_being_answered_cannot_be_gone_on_from(serve: Serve) -> None:
    gate = Gate()
    served = serve([STARTED, TextDelta("Hel"), gate, USED, FINISHED])
    async with served.client.stream("POST", RESPONSES, json={**ASKED, "stream": True}) as response:
        blocks = Blocks(response)
        response_id = (await blocks.next()).split('"id":"')[1].split('"')[0]
        refused = await served.client.post(RESPONSES, json={**ASKED, "previous_response_id": response_id})
        gate.open()
        await blocks.rest()
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "previous_response_id")


@pytest.mark.proves("responses.stored")
@pytest.mark.parametrize(
    ("query", "numbers", "more"),
    [("", [2, 1, 0], False), ("?order=asc&limit=2", [0, 1], True), ("?order=asc&after={1}", [2], False)],
)
async def test_items_are_listed_by_pages(serve: Serve, query: str, numbers: list[int], more: bool) -> None:
    served = serve(said("Hello"))
    items = [{"role": "user", "content": str(number)} for number in range(3)]
    made = (await served.client.post(RESPONSES, json={**ASKED, "input": items})).json()
    ids = [f"item_{made['id'].removeprefix('resp_')}_{number}" for number in range(3)]
    page = (await served.client.get(f"{RESPONSES}/{made['id']}/input_items{query.format(*ids)}")).json()
    assert [item["id"] for item in page["data"]] == [ids[number] for number in numbers]
    assert (page["first_id"], page["last_id"]) == (ids[numbers[0]], ids[numbers[-1]])
    assert page["has_more"] is more


@pytest.mark.proves("responses.stored", "responses.continued")
async def test_the_items_of_one_that_went_on_are_those_of_the_whole_conversation(serve: Serve) -> None:
    served = serve([*said("Hello"), *said("Fine"), *said("Bye")])
    async with official(served) as client:
        first = await client.responses.create(model="sonnet", input="Hi")
        second = await client.responses.create(model="sonnet", input="How are you?", previous_response_id=first.id)
        third = await client.responses.create(model="sonnet", input="Well then", previous_response_id=second.id)
        items: Any = [item async for item in await client.responses.input_items.list(third.id, order="asc", limit=2)]
        assert [item.content[0].text for item in items] == ["Hi", "Hello", "How are you?", "Fine", "Well then"]
        await client.responses.delete(first.id)
        left: Any = (await client.responses.input_items.list(third.id)).data
    assert [item.content[0].text for item in left] == ["Well then", "Fine", "How are you?"]


@pytest.mark.proves("responses.stored")
async def test_a_page_that_cannot_be_is_refused_by_name(serve: Serve) -> None:
    served = serve(said("Hello"))
    made = (await served.client.post(RESPONSES, json=ASKED)).json()
    for query, param in {"limit=0": "limit", "limit=x": "limit", "order=up": "order", "after=x": "after"}.items():
        answer = await served.client.get(f"{RESPONSES}/{made['id']}/input_items?{query}")
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.proves("responses.stored")
async def test_another_key_has_no_such_response(serve: Serve) -> None:
    served = serve(said("Hello"), keys=("one", "two"))
    mine, other = ({"authorization": f"Bearer {key}"} for key in ("one", "two"))
    made = (await served.client.post(RESPONSES, json=ASKED, headers=mine)).json()
    assert (await served.client.get(f"{RESPONSES}/{made['id']}", headers=mine)).status_code == 200
    assert (await served.client.get(f"{RESPONSES}/{made['id']}", headers=other)).status_code == 404
    stolen = {**ASKED, "previous_response_id": made["id"]}
    refused = await served.client.post(RESPONSES, json=stolen, headers=other)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["param"]) == (
        400,
        "previous_response_not_found",
        "previous_response_id",
    )


@pytest.mark.proves("responses.stored")
async def test_what_is_not_to_be_stored_is_not_there_afterwards(serve: Serve) -> None:
    async with official(serve(said("Hello"))) as client:
        made = await client.responses.create(model="sonnet", input="Hi", store=False)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(made.id)


@pytest.mark.proves("responses.stored")
async def test_what_is_stored_is_no_stream(serve: Serve) -> None:
    served = serve(said("Hello"))
    async with official(served) as client:
        made = await client.responses.create(model="sonnet", input="Hi")
        with pytest.raises(openai.BadRequestError) as refused:
            await client.responses.retrieve(made.id, stream=True)
    assert (refused.value.param, refused.value.code) == ("stream", "unsupported_parameter")


@pytest.mark.proves("responses.cancel")
async def test_a_response_that_is_being_answered_can_be_ended(serve: Serve) -> None:
    served = serve([STARTED, TextDelta("Hel"), Gate()])
    async with served.client.stream("POST", RESPONSES, json={**ASKED, "stream": True}) as response:
        blocks = Blocks(response)
        begun = await blocks.next()
        response_id = begun.split('"id":"')[1].split('"')[0]
        with anyio.fail_after(PATIENCE_SECONDS):
            cancelled = await served.client.post(f"{RESPONSES}/{response_id}/cancel")
            rest = await blocks.rest()
    assert cancelled.json()["status"] == "cancelled"
    last = json.loads(rest[-1].removeprefix("event: response.failed\ndata: "))["response"]
    assert (last["status"], last["error"]["type"]) == ("cancelled", "run_cancelled")
    kept = (await served.client.get(f"{RESPONSES}/{response_id}")).json()
    assert (kept["status"], kept["error"]) == ("cancelled", None)
    again = await served.client.post(f"{RESPONSES}/{response_id}/cancel")
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")


@pytest.mark.proves("responses.cancel")
async def test_one_that_is_complete_cannot_be_cancelled(serve: Serve) -> None:
    served = serve(said("Hello"))
    made = (await served.client.post(RESPONSES, json=ASKED)).json()
    assert (await served.client.post(f"{RESPONSES}/{made['id']}/cancel")).status_code == 400


@pytest.mark.proves("responses.stored")
async def test_one_that_is_being_answered_cannot_be_forgotten_and_one_whose_client_left_is_cancelled(
    serve: Serve,
) -> None:
    served = serve([STARTED, TextDelta("Hel"), Gate()])
    async with served.client.stream("POST", RESPONSES, json={**ASKED, "stream": True}) as response:
        response_id = (await Blocks(response).next()).split('"id":"')[1].split('"')[0]
        refused = await served.client.delete(f"{RESPONSES}/{response_id}")
        assert (refused.status_code, "Cancel it first" in refused.json()["error"]["message"]) == (400, True)
    with anyio.fail_after(PATIENCE_SECONDS):
        await served.backend.performances[0].ended.wait()
        while (await served.client.get(f"{RESPONSES}/{response_id}")).json()["status"] == "in_progress":
            await anyio.lowlevel.checkpoint()
    kept = (await served.client.get(f"{RESPONSES}/{response_id}")).json()
    assert kept["status"] == "cancelled"
    assert (await served.client.delete(f"{RESPONSES}/{response_id}")).json()["deleted"] is True


@pytest.mark.proves("responses.continued", "responses.input.refused")
async def test_what_is_at_fault_is_named_by_its_place_in_this_request(serve: Serve) -> None:
    served = serve(said("Hello"))
    made = (await served.client.post(RESPONSES, json=ASKED)).json()
    stray = {"type": "function_call_output", "call_id": "none", "output": "x"}
    asked = {**ASKED, "previous_response_id": made["id"], "input": [stray]}
    refused = await served.client.post(RESPONSES, json=asked)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "input[0].call_id")


@pytest.mark.proves("responses.status")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_failure_before_anything_was_said_has_its_status(serve: Serve, *, stream: bool) -> None:
    served = serve([TurnFailed(Failure(Kind.OVERLOADED, "Too much."))])
    answer = await served.client.post(RESPONSES, json={**ASKED, "stream": stream})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "overloaded")


@pytest.mark.proves("responses.status")
async def test_a_failure_afterwards_is_the_streams_last_event(serve: Serve) -> None:
    served = serve([STARTED, TextDelta("Hel"), TurnFailed(Failure(Kind.STREAM_INTERRUPTED, "It broke off."))])
    answer = await served.client.post(RESPONSES, json={**ASKED, "stream": True})
    assert answer.status_code == 200
    assert answer.text.split("\n\n")[-2].startswith("event: response.failed\n")


@pytest.mark.proves("responses.status")
async def test_what_is_not_as_asked_is_told_in_the_headers(serve: Serve) -> None:
    served = serve(said("Hello"))
    answer = await served.client.post(RESPONSES, json={**ASKED, "user": "me", "reasoning": {"effort": "low"}})
    assert answer.headers["x-claude-openai-ignored"] == "user,reasoning.effort"
