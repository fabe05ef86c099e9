"""Requests made by chance: nearly right ones, so that they get far. Each is answered, or refused as OpenAI would."""

import json
from itertools import chain
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, Json, said

RESPONSES = "/v1/responses"

FUZZED = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""The server is the same for all examples, and knows nothing of the one before. The same examples in each run."""

GARBAGE: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, True, 0, -1, 1.5, 10**30, "", " ", "auto", "text", "tool", "a\0b", "\ud800", [], {}, [[]]]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
TEXTS = st.sampled_from(["Hello", "", " ", "a\0b", "\ud800", "\U0001f600", '{"a": 1}', "x" * 2_000])
ARGUMENTS = st.sampled_from(["{}", '{"at": "sky"}', " {} ", "", "[]"])
PICTURE = "data:image/png;base64,iVBORw0KGgo="


def mostly(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """With, once in a while, anything in any one place."""
    return st.integers(0, 2).flatmap(
        lambda chance: st.tuples(right, GARBAGE, PLACES).map(_spoilt) if not chance else right
    )


PLACES = st.lists(st.integers(0, 50), min_size=1, max_size=5)
"""Which child to go to, level by level; the last one is spoilt."""


def _spoilt(drawn: tuple[Any, Any, list[int]]) -> Any:
    value, garbage, (first, *further) = drawn
    if not value or not isinstance(value, dict | list):
        return garbage
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[first % len(keys)]
    child = _spoilt((value[key], garbage, further)) if further else garbage
    return {**value, key: child} if isinstance(value, dict) else [*value[:key], child, *value[key + 1 :]]


def chains(*turns: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[Any]:
    """A conversation of some of these turns, each of which is some messages; the user has the last word, mostly."""
    several = st.lists(st.one_of(*turns), max_size=4)
    last = {"role": "user", "content": "Go on."}
    return mostly(several.map(lambda turns: [*chain.from_iterable(turns), last]))


def called(ids: list[str], names: list[str], arguments: str, result: str) -> list[Any]:
    calls = [
        {"id": each, "type": "function", "function": {"name": name, "arguments": arguments}}
        for each, name in zip(ids, names, strict=False)
    ]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": result} for call in calls]
    return [{"role": "user", "content": "Look!"}, {"role": "assistant", "content": None, "tool_calls": calls}, *results]


def items_called(ids: list[str], names: list[str], arguments: str, result: str) -> list[Any]:
    calls = [
        {"type": "function_call", "call_id": each, "name": name, "arguments": arguments}
        for each, name in zip(ids, names, strict=False)
    ]
    results = [{"type": "function_call_output", "call_id": call["call_id"], "output": result} for call in calls]
    return [{"type": "message", "role": "user", "content": "Look!"}, *calls, *results]


IDS = st.lists(st.sampled_from(["call_1", "call_2", "x" * 300]), min_size=1, max_size=2, unique=True)
NAMES = st.lists(st.sampled_from(["look", "see"]), min_size=2, max_size=2)

MESSAGES = chains(
    st.tuples(st.fixed_dictionaries({"role": st.sampled_from(["system", "developer", "user"]), "content": TEXTS})).map(
        list
    ),
    TEXTS.map(
        lambda text: [{"role": "user", "content": [{"type": "text", "text": text}, {"type": "text", "text": "?"}]}]
    ),
    st.just([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE}}]}]),
    TEXTS.map(lambda text: [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": text}]),
    st.builds(called, IDS, NAMES, ARGUMENTS, TEXTS),
)
ITEMS = chains(
    st.builds(
        lambda role, text: [{"type": "message", "role": role, "content": text}],
        st.sampled_from(["user", "system", "developer", "assistant"]),
        TEXTS,
    ),
    TEXTS.map(lambda text: [{"role": "user", "content": [{"type": "input_text", "text": text}]}]),
    st.just([{"role": "user", "content": [{"type": "input_image", "image_url": PICTURE}]}]),
    st.just([{"type": "reasoning", "id": "rs_1", "summary": []}]),
    st.builds(items_called, IDS, NAMES, ARGUMENTS, TEXTS),
)
SCHEMAS = st.sampled_from(
    [
        {},
        {"type": "object"},
        {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]},
        {"anyOf": []},
    ]
)
TOOLS = mostly(
    SCHEMAS.map(
        lambda schema: [{"type": "function", "function": {"name": "look", "parameters": schema, "strict": False}}]
    )
)
CHOICES = mostly(st.sampled_from(["auto", "none", "required", {"type": "function", "function": {"name": "look"}}]))


def is_as_openai_would(answer: httpx2.Response) -> None:
    assert answer.status_code == 200 or 400 <= answer.status_code < 500, answer.text
    if answer.status_code != 200:
        error = answer.json()["error"]
        assert error.keys() == {"message", "type", "param", "code"}
        assert error["message"]


@pytest.mark.proves("hostile.fuzz")
@FUZZED
@given(messages=MESSAGES, tools=TOOLS, choice=CHOICES, stream=st.booleans())
async def test_whatever_the_messages_are_it_is_no_mistake_of_the_servers(
    serve: Serve, messages: list[Any], tools: Any, choice: Any, stream: bool
) -> None:
    body = {"messages": messages, "tools": tools, "tool_choice": choice, "stream": stream}
    is_as_openai_would(await serve(said("Hi")).client.post(CHAT, content=as_json(body)))


@pytest.mark.proves("hostile.fuzz")
@FUZZED
@given(items=mostly(TEXTS) | ITEMS, stream=st.booleans(), store=st.booleans())
async def test_whatever_the_items_are_it_is_no_mistake_of_the_servers(
    serve: Serve, items: Any, stream: bool, store: bool
) -> None:
    body = {"input": items, "stream": stream, "store": store}
    is_as_openai_would(await serve(said("Hi")).client.post(RESPONSES, content=as_json(body)))


def as_json(body: Json) -> bytes:
    """With lone surrogates, too."""
    return json.dumps(body).encode()
