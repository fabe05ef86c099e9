"""Large JSON is decoded and encoded in short steps, to the same values and texts."""

import gc
import json
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_openai.jsontools import incremental
from claude_openai.jsontools.incremental import (
    IncrementalDecoder,
    decode,
    encode,
    encode_line,
    encode_pieces,
    object_of,
)
from claude_openai.jsontools.strict import NotJson, parse
from claude_openai.protocols.responses.stored import items_of
from claude_openai.protocols.responses.wire.request import ResponsesRequest

texts = st.text() | st.text(alphabet='\\"\n\u00e9\U0001f600u0dD8/')
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda values: st.lists(values) | st.dictionaries(texts, values),
)


@pytest.fixture(params=[13, 16, 64])
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incremental, "PIECE", request.param)
    monkeypatch.setattr(incremental, "_FEW", request.param)


def decoded(text: str) -> object:
    """The value of `text`, or the message of the error and its place."""
    try:
        return IncrementalDecoder(object_pairs_hook=object_of).decode(text)
    except json.JSONDecodeError as error:
        return str(error)


def decoded_at_once(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        return str(error)


@pytest.mark.usefixtures("piece")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(json_values, st.booleans())
def test_what_is_encoded_and_decoded_in_steps_is_the_same(value: object, ascii_only: bool) -> None:
    assert encode(value) == json.dumps(value)
    assert encode(value, sort_keys=True) == json.dumps(value, sort_keys=True)
    assert encode_line(value) == json.dumps(value).encode() + b"\n"
    assert decoded(json.dumps(value, ensure_ascii=ascii_only, indent=1)) == value


@pytest.mark.usefixtures("piece")
@pytest.mark.parametrize(
    "text",
    [
        *('"', '"abc', '"ab\\', '"ab\\x"', '"ab\\u12"', '"a\tb"', '"abcdefgh\tij"', "{", '{"a"', '{"a" 1}', '{"a": }'),
        *('{"a": 1', '{"a": 1 "b"}', "{a: 1}", "[1, 2", "[1 2]", "[,]", "tru", '{"a": tru}', '"a" "b"', ""),
    ],
)
def test_what_is_no_json_is_refused_with_the_same_message_in_the_same_place(text: str) -> None:
    assert decoded(text) == decoded_at_once(text)


@pytest.mark.usefixtures("piece")
@given(st.text(alphabet='{}[]",:\\u12dD8 a\n'))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_by_chance_the_same_texts_are_json(text: str) -> None:
    ours, theirs = decoded(text), decoded_at_once(text)
    assert type(ours) is type(theirs)
    assert ours == theirs or text.count("\\")  # the places of errors in escapes may differ


def test_a_name_that_stands_twice_is_found_in_a_large_text_too() -> None:
    fields = ", ".join(f'"k{number}": 1' for number in range(30_000))
    with pytest.raises(NotJson, match='the name "k5" stands twice in one object'):
        parse(f'{{{fields}, "k5": 2}}')


@pytest.fixture
def quick_turns() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    yield
    sys.setswitchinterval(interval)


LINES = "\n" * 10_000_000
FIELDS = {f"field {number}": "" for number in range(200_000)}


@pytest.mark.usefixtures("quick_turns")
@pytest.mark.parametrize(
    "work",
    [
        partial(decode, json.dumps(LINES)),
        partial(decode, json.dumps(FIELDS)),
        partial(object_of, list(FIELDS.items())),
        partial(encode, LINES),
        partial(encode, FIELDS),
        partial(encode_line, LINES),
        partial(items_of, ResponsesRequest(input=LINES), "resp_1"),
    ],
    ids=["decode a text", "decode an object", "make an object", "encode a text", "encode an object", "a line", "items"],
)
def test_other_threads_run_between_the_steps(work: Callable[[], object]) -> None:
    began, done = threading.Event(), threading.Event()

    def run() -> None:
        began.set()
        work()
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    began.wait()
    turns = 0
    while not done.wait(0.0001):
        turns += 1
    thread.join()
    assert turns > 3  # C code over all of it leaves one or two


def test_encoding_leaves_nothing_to_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        encode({"a": [1, {"b": "c"}]})
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.usefixtures("piece")
def test_no_piece_of_what_is_encoded_is_large() -> None:
    value = [{"a": "x" * 500, "b": "\u00e9" * 500}] * 10
    pieces = list(encode_pieces(value))
    assert b"".join(pieces) == json.dumps(value).encode()
    assert max(map(len, pieces)) < 1000
