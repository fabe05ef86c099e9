"""The sentence about a wrong value quotes it, for every parameter of every protocol, in brief, and never a secret."""

import json
from collections.abc import Callable, Sequence

import pytest

from claude_openai.core.failures import RequestFailed
from claude_openai.protocols.chat_completions import parameters as chat
from claude_openai.protocols.chat_completions.request import parse_request as parse_chat
from claude_openai.protocols.common.quoting import LONGEST, quoted, with_kind
from claude_openai.protocols.common.shared_parameters import Parameter
from claude_openai.protocols.completions import parameters as completions
from claude_openai.protocols.completions.request import parse_request as parse_completion
from claude_openai.protocols.responses import parameters as responses
from claude_openai.protocols.responses.request import parse_request as parse_response

pytestmark = pytest.mark.proves("errors.wrong-type")

SECRET = "sk-ant-api03-" + "A1b2C3d4" * 3
WRONG: tuple[object, ...] = (1234567, -5.25, True, "wrongword")
CONVERSATION = {"messages", "input", "prompt", "suffix", "instructions", "prediction", "functions", "tools"}
SENT = {"messages": [{"role": "user", "content": "Hi"}], "prompt": "Hi", "input": "Hi"}


def message(parse: Callable[[bytes], object], name: str, value: object) -> str | None:
    """The sentence that refuses `value` as the parameter `name`; None where another or none is refused."""
    needed = "messages" if parse is parse_chat else "prompt" if parse is parse_completion else "input"
    try:
        parse(json.dumps({needed: SENT[needed], name: value}).encode())
    except RequestFailed as refused:
        return refused.failure.message if refused.failure.param == name else None
    return None


@pytest.mark.parametrize(
    ("parse", "table"),
    [
        (parse_chat, chat.PARAMETERS),
        (parse_completion, completions.PARAMETERS),
        (parse_response, responses.PARAMETERS),
    ],
    ids=["chat completions", "completions", "responses"],
)
def test_every_parameter_quotes_its_wrong_value(parse: Callable[[bytes], object], table: Sequence[Parameter]) -> None:
    unquoted, accepting = [], []
    for parameter in table:
        refusals = [(value, said) for value in WRONG if (said := message(parse, parameter.name, value))]
        if not refusals:
            accepting.append(parameter.name)
        text = parameter.name in CONVERSATION
        unquoted += [
            said
            for value, said in refusals
            if quoted(value, parameter.name) not in said and not (text and isinstance(value, str))
        ]
        hidden = message(parse, parameter.name, SECRET) or ""
        assert "A1b2" not in hidden
        assert len(hidden) < 400
    assert unquoted == []
    assert set(accepting) <= {"conversation"}  # refused as a whole, whatever it is


@pytest.mark.parametrize(
    ("value", "path", "shown"),
    [
        (3, "temperature", "3"),
        (None, "n", "null"),
        ("hot", "temperature", "'hot'"),
        (SECRET, "model", f"a string of {len(SECRET)} characters"),
        ("hunter2", "claude.apiKey", "a string of 7 characters"),
        ("what was said", "stop", "a string of 13 characters"),
        ("a\x1b", "stop", "a string of 2 characters"),
        ("", "stop", "''"),
        (10**300, "n", f"1{'0' * (LONGEST - 2)}…"),
        ([1], "stop", "an array of 1 entry"),
        ({}, "stop", "an object of 0 entries"),
    ],
)
def test_a_value_is_quoted_or_described(value: object, path: str, shown: str) -> None:
    assert quoted(value, path) == shown
    assert len(with_kind(value, path)) <= LONGEST + 20


def test_a_text_of_a_conversation_is_not_quoted() -> None:
    assert with_kind("Hello", "messages[0]") == "a string"
