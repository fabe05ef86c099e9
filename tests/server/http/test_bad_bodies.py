"""Bodies that no client of ours would send: each is OpenAI's error or an answer, never a mistake of the server."""

import gc
import gzip
import json
from typing import Any

import anyio
import httpx2
import pytest

from claude_openai.core.events import TextDelta
from claude_openai.jsontools.strict import MOST_VALUES
from claude_openai.simulator import Gate
from tests.patience import PATIENCE_SECONDS
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, FINISHED, HELLO, STARTED, USED, Json, Served, said

RESPONSES = "/v1/responses"
PATHS = pytest.mark.parametrize("path", [CHAT, RESPONSES])


def body(**more: object) -> bytes:
    """A request with `more` in it, fit for both paths; its texts may be anything that Python has."""
    return json.dumps({**HELLO, "input": "Hello", **more}).encode()


async def sent(served: Served, path: str, content: bytes, **headers: str) -> httpx2.Response:
    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await served.client.post(path, content=content, headers=named)


def error(answer: httpx2.Response) -> Json:
    """It is OpenAI's envelope, with all four keys and a sentence."""
    assert answer.headers["content-type"] == "application/json"
    found: Json = answer.json()["error"]
    assert found.keys() == {"message", "type", "param", "code"}
    assert found["message"]
    return found


NOT_JSON = {
    "nothing": b"",
    "a word": b"hello",
    "half": body()[:-1],
    "two": body() * 2,
    "arrays 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "arrays a million deep, not closed": b"[" * 1_000_000,
    "objects 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep within a request": body()[:-1] + b', "metadata": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "a name that stands twice": b'{"model": "sonnet", "model": "opus"}',
    "NaN": b'{"temperature": NaN}',
    "minus infinity": b'{"temperature": -Infinity}',
    "a number beyond any float": b'{"temperature": 1e999}',
    "an integer of 100,000 digits": b'{"max_tokens": ' + b"9" * 100_000 + b"}",
    "UTF-16": body().decode().encode("utf-16"),
    "UTF-16 without a mark": body().decode().encode("utf-16-le"),
    "Latin-1": '{"model": "sönnet"}'.encode("latin-1"),
    "half a character of UTF-8": b'{"model": "\xc3"}',
    "overlong UTF-8": b'{"model": "\xc0\xaf"}',
    "a control character within a text": b'{"model": "son\x00net"}',
    "a comment": b'{"model": "sonnet" /* the best */}',
    "a comma too many": b'{"model": "sonnet",}',
    "gzip": gzip.compress(body()),
}


@pytest.mark.proves("errors.invalid-json")
@PATHS
@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON)
async def test_what_is_not_json_is_a_400(serve: Serve, path: str, content: bytes) -> None:
    answer = await sent(serve(said("Hi")), path, content)
    assert answer.status_code == 400
    assert error(answer)["type"] == "invalid_request_error"


@pytest.mark.proves("errors.invalid-json")
@PATHS
@pytest.mark.parametrize("value", [None, True, 1, "text", [], [{}], {"messages": 5, "input": 5}])
async def test_json_that_is_no_request_is_a_400(serve: Serve, path: str, value: object) -> None:
    answer = await sent(serve(said("Hi")), path, json.dumps(value).encode())
    assert answer.status_code == 400
    assert error(answer)["type"] == "invalid_request_error"


@pytest.mark.proves("errors.invalid-json")
@PATHS
@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=utf-16", "multipart/form-data", ""])
async def test_json_is_read_whatever_it_is_called(serve: Serve, path: str, kind: str) -> None:
    answer = await sent(serve(said("Hi")), path, body(), content_type=kind)
    assert answer.status_code == 200


@pytest.mark.proves("errors.invalid-json")
@PATHS
async def test_a_form_is_no_json(serve: Serve, path: str) -> None:
    served = serve(said("Hi"))
    for form in ({"data": {"model": "sonnet"}}, {"files": {"file": b"{}"}}):
        answer = await served.client.post(path, **form)
        assert answer.status_code == 400
        assert "not valid JSON" in error(answer)["message"]


@pytest.mark.proves("errors.invalid-json")
@PATHS
async def test_a_body_that_is_packed_is_an_error_that_says_so(serve: Serve, path: str) -> None:
    answer = await sent(serve(said("Hi")), path, gzip.compress(body()), content_encoding="gzip")
    assert answer.status_code == 415
    assert (error(answer)["code"], "gzip" in error(answer)["message"]) == ("unsupported_content_encoding", True)


@pytest.mark.proves("hostile.values")
@PATHS
async def test_a_body_of_too_many_values_is_a_400_that_names_the_limit(serve: Serve, path: str) -> None:
    answer = await sent(serve(said("Hi")), path, body(metadata=[0] * (MOST_VALUES + 1)))
    assert answer.status_code == 400
    assert f"more than {MOST_VALUES} JSON values" in error(answer)["message"]


@pytest.mark.proves("hostile.values")
async def test_past_arguments_of_too_many_values_are_a_400_that_names_the_limit(serve: Serve) -> None:
    arguments = json.dumps({"all": [0] * (MOST_VALUES // 2)})
    calls = [
        {"id": f"call_{number}", "type": "function", "function": {"name": "do", "arguments": arguments}}
        for number in range(2)
    ]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "done"} for call in calls]
    messages = [*HELLO["messages"], {"role": "assistant", "tool_calls": calls}, *results]
    answer = await sent(serve(said("Hi")), CHAT, body(messages=messages))
    assert answer.status_code == 400
    assert f"more than {MOST_VALUES} values" in error(answer)["message"]


@pytest.mark.proves("hostile.values")
async def test_stored_responses_count_with_the_request_that_continues_them(serve: Serve) -> None:
    served = serve(said("Hi"))
    part = {"type": "input_text", "text": "a"}
    item = {"role": "user", "content": [part] * (MOST_VALUES // 6)}
    first = await sent(served, "/v1/responses", json.dumps({"model": "sonnet", "input": [item]}).encode())
    assert first.status_code == 200
    second = {"model": "sonnet", "input": [item], "previous_response_id": first.json()["id"]}
    answer = await sent(served, "/v1/responses", json.dumps(second).encode())
    assert answer.status_code == 400
    assert f"more than {MOST_VALUES} JSON values" in error(answer)["message"]
    assert error(answer)["param"] == "previous_response_id"


ODD_TEXTS = {
    "NUL": "a\0b",
    "lone surrogates": "\ud800 and \udc00",
    "half an emoji": "\U0001f600"[:1].encode("utf-16-be", "surrogatepass")[:2].decode("utf-16-be", "surrogatepass"),
    "the other direction": "\u202egnirts",
    "no character": "\uffff",
    "only white space": "\u2003\n",
    "a megabyte": "x" * 1_000_000,
}


@pytest.mark.proves("hostile.fuzz")
@PATHS
@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
async def test_any_text_is_a_text(serve: Serve, path: str, text: str) -> None:
    messages = [{"role": "user", "content": text}]
    answer = await sent(serve(said("Hi")), path, body(messages=messages, input=text))
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert error(answer)["message"]


ODD_PLACES: dict[str, Json] = {
    "model": {"model": "{}"},
    "agent's model": {"model": "{}-agent"},
    "stop": {"stop": ["{}"]},
    "user": {"user": "{}"},
    "metadata": {"metadata": {"{}": "{}"}},
    "an unknown field": {"{}": 1},
    "a tool's name": {"tools": [{"type": "function", "name": "{}", "function": {"name": "{}", "parameters": {}}}]},
    "a tool's property": {
        "tools": [
            {
                "type": "function",
                "name": "f",
                "parameters": {"type": "object", "properties": {"{}": {}}},
                "function": {"name": "f", "parameters": {"type": "object", "properties": {"{}": {}}}},
            }
        ]
    },
    "previous response": {"previous_response_id": "{}"},
    "an image": {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "{}"}}]}]},
    "a working directory": {"claude": {"workingDirectory": "{}"}},
    "a call's id": {
        "messages": [{"role": "user", "content": "x"}, {"role": "tool", "tool_call_id": "{}", "content": ""}]
    },
}


@pytest.mark.proves("hostile.fuzz")
@PATHS
@pytest.mark.parametrize("place", ODD_PLACES)
@pytest.mark.parametrize("text", [*ODD_TEXTS.values(), ""], ids=[*ODD_TEXTS, "nothing"])
async def test_no_text_in_any_place_is_a_mistake_of_the_servers(serve: Serve, path: str, place: str, text: str) -> None:
    answer = await sent(serve(said("Hi")), path, body(**filled(ODD_PLACES[place], text)))
    assert answer.status_code in (200, 400, 403, 404)
    if answer.status_code != 200:
        error(answer)


def filled(value: Any, text: str) -> Any:
    """`value` with `text` wherever it has "{}"."""
    match value:
        case str():
            return value.replace("{}", text)
        case dict():
            return {filled(key, text): filled(each, text) for key, each in value.items()}
        case list():
            return [filled(each, text) for each in value]
        case _:
            return value


@pytest.mark.proves("errors.body-too-large")
async def test_a_hundred_thousand_messages_are_an_answer_and_keep_nobody_waiting(serve: Serve) -> None:
    roles = ("user", "assistant")
    messages = [{"role": roles[number % 2], "content": str(number)} for number in range(100_001)]
    served = serve(said("Hi"))
    answer = await sent(served, CHAT, body(messages=messages))
    assert answer.status_code == 200
    assert len(served.performance.turn.messages) == 100_001


@pytest.mark.proves("safety.event-loop.reading")
async def test_no_collection_of_garbage_examines_the_values_of_a_large_request(serve: Serve) -> None:
    gate = Gate()
    served = serve([STARTED, gate, TextDelta("Hi"), USED, FINISHED])
    large = body(messages=[{"role": "user", "content": "a"}] * 10_000)
    async with anyio.create_task_group() as group:
        group.start_soon(sent, served, CHAT, large)
        with anyio.fail_after(PATIENCE_SECONDS):
            await gate.reached.wait()
        assert not gc.isenabled()
        gate.open()
    assert gc.isenabled()
