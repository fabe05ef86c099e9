"""Which keys of a reply are on the wire, and that its text survives clients that cut lines their own way."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_openai.protocols.chat_completions.wire import Delta
from claude_openai.protocols.common.wire.errors import ErrorBody, ErrorEnvelope


@pytest.mark.proves("chat.completion.keys")
def test_a_none_that_was_given_is_a_null_and_any_other_is_no_key() -> None:
    assert Delta(content="a").to_json() == '{"content":"a"}'
    assert Delta(role="assistant", content="", refusal=None).to_json() == (
        '{"role":"assistant","content":"","refusal":null}'
    )
    assert Delta().to_json() == "{}"


@pytest.mark.proves("errors.envelope")
def test_an_error_has_all_four_keys() -> None:
    body = ErrorBody(message="No.", type="invalid_request_error", param=None, code=None)
    assert json.loads(ErrorEnvelope(error=body).to_json()) == {
        "error": {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}
    }


@pytest.mark.proves("stream.framing")
@settings(deadline=None)
@given(st.text() | st.text("\x1c\x1d\x1e\x85\u2028\u2029\r\n\v\fa"))
def test_a_reply_is_one_line_to_every_client_and_says_the_same(text: str) -> None:
    line = Delta(content=text).to_json()
    assert line.splitlines() == [line]
    assert json.loads(line) == {"content": text}
