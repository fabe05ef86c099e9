"""Which keys of a reply are on the wire, and that its text survives clients that cut lines their own way."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_openai.protocols.chat_completions.wire import CalledFunction, CalledTool, Delta
from claude_openai.protocols.common.wire.errors import ErrorBody, ErrorEnvelope
from claude_openai.protocols.common.wire.reply import Reply


def test_a_none_that_was_given_is_a_null_and_any_other_is_no_key() -> None:
    assert Delta(content="a").to_json() == '{"content":"a"}'
    assert Delta(role="assistant", content="", refusal=None).to_json() == (
        '{"role":"assistant","content":"","refusal":null}'
    )
    assert Delta().to_json() == "{}"


def test_a_constant_is_always_on_the_wire_in_its_place() -> None:
    call = CalledTool(id="call_1", function=CalledFunction(name="f", arguments="{}"))
    written = '{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}'
    assert call.to_json() == written
    assert call.model_dump() == json.loads(written)
    assert call.model_copy(update={"id": "call_2"}).to_json() == written.replace("call_1", "call_2")
    assert (
        CalledTool.model_validate_json('{"id":"call_1","function":{"name":"f","arguments":"{}"}}').to_json() == written
    )


def test_a_reply_whose_constant_would_be_no_key_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match="ReplyWithConstants"):
        type("Forgotten", (Reply,), {"__annotations__": {"object": str}, "object": "model"})


def test_an_error_has_all_four_keys() -> None:
    body = ErrorBody(message="No.", type="invalid_request_error", param=None, code=None)
    assert json.loads(ErrorEnvelope(error=body).to_json()) == {
        "error": {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}
    }


@settings(deadline=None)
@given(st.text() | st.text("\x1c\x1d\x1e\x85\u2028\u2029\r\n\v\fa"))
def test_a_reply_is_one_line_to_every_client_and_says_the_same(text: str) -> None:
    line = Delta(content=text).to_json()
    assert line.splitlines() == [line]
    assert json.loads(line) == {"content": text}
