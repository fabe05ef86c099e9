"""Whole requests: those of real clients, and whatever else may come."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.core.messages import (
    AssistantMessage,
    Image,
    Message,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from claude_openai.core.models import Model
from claude_openai.core.turn import DEFAULT_SAMPLING, Sampling, Turn
from claude_openai.protocols.chat_completions.request import ParsedRequest, parse_request, read_turn
from tests.unit.jsontools.test_strict import json_values
from tests.unit.protocols.chat_completions.asking import (
    CATALOGUE,
    SONNET,
    reading,
    reading_of,
    refusal,
    refusal_of,
    sample,
)


def parsed(*messages: Message, sampling: Sampling = DEFAULT_SAMPLING, **fields: Any) -> ParsedRequest:
    """What all of the recorded requests have, and `fields`."""
    model = Model(id="claude-sonnet", resolved="claude-sonnet-4-6")
    return ParsedRequest(Turn(model, messages, sampling), model="claude-sonnet", **fields)


@pytest.mark.proves("params.ignored")
class TestRequestsOfRealClients:
    def test_the_openai_package_with_a_developer_message(self) -> None:
        assert reading_of(sample("openai-python-developer")) == parsed(
            SystemMessage(text="End every answer with CHERRY."), UserMessage(content=(Text(text="Say kiwi"),))
        )

    def test_the_openai_package_with_a_blank_system_message(self) -> None:
        assert reading_of(sample("openai-python-blank-system")) == parsed(UserMessage(content=(Text(text="Say fig"),)))

    def test_the_openai_package_with_a_foreign_call_id(self) -> None:
        assert reading_of(sample("openai-python-foreign-id")) == parsed(
            UserMessage(content=(Text(text="What is the weather in Rome?"),)),
            AssistantMessage(
                tool_calls=(
                    ToolCall(
                        id="call_775d42264e389334517ed1b828928806", name="get_weather", arguments='{"city": "Rome"}'
                    ),
                )
            ),
            ToolMessage(tool_call_id="call_775d42264e389334517ed1b828928806", content=(Text(text="R31"),)),
        )

    def test_the_openai_package_with_a_history_of_calls(self) -> None:
        assert reading_of(sample("openai-python-tool-history")) == parsed(
            UserMessage(content=(Text(text="What is the weather in Rome?"),)),
            AssistantMessage(tool_calls=(ToolCall(id="call_1", name="get_weather", arguments='{"city": "Rome"}'),)),
            ToolMessage(tool_call_id="call_1", content=(Text(text="R32"),)),
            UserMessage(content=(Text(text="Say thanks"),)),
        )

    def test_the_agents_sdk_after_a_handoff(self) -> None:
        assert reading_of(sample("agents-sdk-handoff")) == parsed(
            SystemMessage(text="End every answer with HOLA."),
            UserMessage(content=(Text(text="Call transfer_to_spanish please"),)),
            AssistantMessage(
                tool_calls=(ToolCall(id="toolu_01d2c8d6bb10ef4512afc999", name="transfer_to_spanish", arguments="{}"),)
            ),
            ToolMessage(
                tool_call_id="toolu_01d2c8d6bb10ef4512afc999",
                content=(Text(text='{"assistant": "Spanish"}'),),
            ),
        )

    def test_the_ai_sdk_with_an_image(self) -> None:
        assert reading_of(sample("ai-sdk-image")) == parsed(
            UserMessage(
                content=(
                    Text(text="Describe the image"),
                    Image(
                        media_type="image/png",
                        data="iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAYAAADED76LAAAAEklEQVR4nGP4n2L0Hx9mGBkKACBDpQFoN/xgAAAAAElFTkSuQmCC",
                    ),
                )
            )
        )

    def test_langchain_with_messages_in_a_row(self) -> None:
        assert reading_of(sample("langchain-consecutive")) == parsed(
            SystemMessage(text="hello"),
            SystemMessage(text="hello"),
            UserMessage(content=(Text(text="hello"), Text(text="hello"))),
            AssistantMessage(text="hello"),
            AssistantMessage(text="hello"),
            UserMessage(content=(Text(text="how are you"),)),
        )

    def test_langchain_with_a_stop_sequence(self) -> None:
        assert reading_of(sample("langchain-stop")) == parsed(
            UserMessage(content=(Text(text="hi"),)), sampling=Sampling(stop=("you",))
        )

    def test_opencode_asking_for_a_title(self) -> None:
        assert reading_of(sample("opencode-title")) == parsed(
            SystemMessage(text="You are a title generator. You output ONLY a thread title. Nothing else."),
            UserMessage(
                content=(
                    Text(text="Generate a title for this conversation:\n"),
                    Text(text='"Say hello json"'),
                )
            ),
            sampling=Sampling(max_tokens=32000),
            stream=True,
            include_usage=True,
            ignored=("messages[].cache_control",),
        )

    def test_opencode_after_a_call(self) -> None:
        assert reading_of(sample("opencode-tool-result")) == parsed(
            SystemMessage(text="You are OpenCode, the best coding agent on the planet."),
            UserMessage(content=(Text(text='"Call the bash tool"'),)),
            AssistantMessage(
                tool_calls=(
                    ToolCall(
                        id="toolu_01f1a6c7ad2d5b4219beede8",
                        name="bash",
                        arguments='{"command":"echo side-$((40+2)) > made.txt"}',
                    ),
                )
            ),
            ToolMessage(tool_call_id="toolu_01f1a6c7ad2d5b4219beede8", content=(Text(text="(no output)"),)),
            sampling=Sampling(max_tokens=32000),
            stream=True,
            include_usage=True,
            ignored=("messages[].cache_control", "messages[].tool_calls[].cache_control"),
        )


def test_requests_of_real_clients_that_are_refused_say_why() -> None:
    failure = refusal_of(sample("openai-node-unknown-role"))
    assert (failure.kind, failure.param) == (Kind.INVALID_REQUEST, "messages[0].role")


def test_an_answer_that_a_real_client_wants_continued_is() -> None:
    read = reading_of(sample("openai-python-trailing-assistant"))
    assert [type(message).__name__ for message in read.turn.messages[-2:]] == ["AssistantMessage", "UserMessage"]
    assert "messages=continued" in read.adjusted


def test_the_turn_is_of_the_model_and_the_key_and_the_reply_carries_the_name_that_was_given() -> None:
    assert (reading().model, reading().turn.model) == (SONNET.id, SONNET)
    assert (reading(model="gpt-4o").model, reading(model="gpt-4o").turn.model) == ("gpt-4o", SONNET)
    full = reading(model="claude-haiku-4-5")
    assert (full.model, full.turn.model) == ("claude-haiku-4-5", Model("claude-haiku-4-5", "claude-haiku-4-5"))
    assert (refusal(model="gpt-9").kind, refusal(model="gpt-9").param) == (Kind.MODEL_NOT_FOUND, "model")
    request = parse_request(b'{"messages": [{"role": "user", "content": "Hello"}]}')
    assert read_turn(request, CATALOGUE, "key-2").turn.principal == "key-2"


def test_streaming_and_usage_are_as_asked() -> None:
    assert (reading().stream, reading().include_usage) == (False, False)
    assert reading(stream=True).stream
    assert reading(stream=True, stream_options={"include_usage": True}).include_usage
    assert not reading(stream=True, stream_options={"include_usage": False}).include_usage


@given(st.text().filter(lambda text: text.strip(" \n\t\ufeff").strip()))
def test_any_text_arrives_as_it_was_sent(text: str) -> None:
    assert reading(messages=[{"role": "user", "content": text}]).turn.messages == (UserMessage((Text(text),)),)


def test_half_a_character_in_a_message_is_replaced_as_upstream_would() -> None:
    body = b'{"messages": [{"role": "user", "content": "cut \\ud83d"}]}'
    assert read_turn(parse_request(body), CATALOGUE).turn.messages == (UserMessage((Text("cut \ufffd"),)),)


texts = st.sampled_from(["", " ", "a", "Hello", "\ud83d"])
names = st.sampled_from(["f", "g"])
ids = st.sampled_from(["", "1", "a.b"])
urls = st.sampled_from(["", "data:image/png;base64,QUJD", "data:,", "https://[", "https://example.com/a.png"])
arguments = st.sampled_from(["", "{}", "[", "1", '{"a": 1, "a": 2}'])


def an(kind: str, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({"type": st.just(kind), **fields})


def by(role: str, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({"role": st.just(role), **fields})


parts = st.one_of(
    an("text", text=texts),
    an("refusal", refusal=texts),
    an("input_audio"),
    an("image_url", image_url=st.fixed_dictionaries({"url": urls})),
    an("file", file=st.fixed_dictionaries({}, optional={"file_data": urls, "file_id": texts})),
)
contents = texts | st.lists(parts, max_size=2)
functions = st.fixed_dictionaries({"name": names, "arguments": arguments})
calls = st.lists(st.fixed_dictionaries({"id": ids, "function": functions}), max_size=2)
messages = st.one_of(
    by("system", content=contents),
    by("developer", content=contents),
    by("user", content=contents),
    by("user", content=texts),
    by("assistant", content=contents, refusal=st.none() | texts),
    by("assistant", content=st.none(), tool_calls=calls),
    by("assistant", function_call=functions),
    by("tool", tool_call_id=ids, content=contents),
    by("function", name=names, content=texts),
)
schemas = st.none() | st.fixed_dictionaries({"type": st.just("object")}, optional={"title": json_values})
offered = st.fixed_dictionaries({"name": st.sampled_from("fghi")}, optional={"parameters": schemas})
requests = st.fixed_dictionaries(
    {"messages": st.lists(messages, min_size=1, max_size=6)},
    optional={
        "model": st.sampled_from(["", "gpt-4o", "gpt-9", "claude-x[1m]"]),
        "stop": texts | st.lists(texts, max_size=5),
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "max_tokens": st.integers(0, 9),
        "tools": st.lists(an("function", function=offered), max_size=3),
        "tool_choice": st.sampled_from(["none", "auto", "required"]),
        "\ud83d": st.none(),
    },
)
"""Requests as clients could mean them: the types are right, and what they say may make sense or not."""


@st.composite
def damaged(draw: st.DrawFn) -> object:
    """A request in which one value is anything at all."""

    def damage(value: object) -> object:
        if isinstance(value, dict) and value and draw(st.booleans()):
            key = draw(st.sampled_from(sorted(value)))
            return {**value, key: damage(value[key])}
        if isinstance(value, list) and value and draw(st.booleans()):
            at = draw(st.integers(0, len(value) - 1))
            return [*value[:at], damage(value[at]), *value[at + 1 :]]
        return draw(json_values)

    return damage(draw(requests))


@given(requests | damaged())
def test_whatever_is_sent_is_native_or_refused_with_a_sentence(body: object) -> None:
    outcome = outcome_of(body)
    if isinstance(outcome, Failure):
        assert outcome.message.endswith(".")
    else:
        assert_native(outcome.turn.messages)


def assert_native(native: tuple[Message, ...]) -> None:
    """What the Messages API and Claude Code want of a conversation."""
    spoken = [message for message in native if not isinstance(message, SystemMessage)]
    assert native[len(native) - len(spoken) :] == tuple(spoken)
    assert isinstance(spoken[-1], UserMessage | ToolMessage)
    for before, message in pairwise([AssistantMessage(), *spoken]):
        match message:
            case UserMessage(content):
                assert content
                assert not isinstance(before, UserMessage)
                assert not [block for block in content if isinstance(block, Text) and not block.text.strip()]
            case AssistantMessage(text, calls):
                assert text.strip() or calls
            case ToolMessage():
                assert isinstance(before, AssistantMessage | ToolMessage)


def outcome_of(body: object) -> ParsedRequest | Failure:
    try:
        return reading_of(body)
    except RequestFailed as failed:
        return failed.failure


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode("utf-16")))
def test_bytes_that_are_no_request_are_refused(body: bytes) -> None:
    with pytest.raises(RequestFailed) as raised:
        parse_request(body)
    assert raised.value.failure.kind is Kind.INVALID_REQUEST
