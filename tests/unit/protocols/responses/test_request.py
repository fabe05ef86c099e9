"""What a request for a response asks for: its items, its tools, and what is told of the rest."""

import json
from typing import get_type_hints

import pytest
from inline_snapshot import snapshot
from openai.types.responses import response_create_params

from claude_openai.core.messages import (
    AssistantMessage,
    Document,
    Image,
    ImageUrl,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from claude_openai.core.tools import ToolChoice
from claude_openai.core.turn import Sampling
from claude_openai.protocols.common.conversation import CONTINUE
from claude_openai.protocols.common.parameter_checks import markdown_table
from claude_openai.protocols.responses.parameters import PARAMETERS
from claude_openai.protocols.responses.wire.request import ResponsesRequest
from tests.unit.protocols.responses.asking import conversation, reading, reading_of, refusal, sample, stored_response
from tests.unit.protocols.test_agent import rules

WEATHER = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}
CALL = {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": '{"city": "Rome"}'}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "32 degrees"}
PIXEL = "iVBORw0KGgo="


def said(text: str) -> UserMessage:
    return UserMessage((Text(text),))


def test_text_is_what_the_user_says() -> None:
    turn = reading(input="Hello", instructions="Be brief.").turn
    assert turn.messages == (SystemMessage("Be brief."), said("Hello"))


@pytest.mark.parametrize("empty", ["", " ", [], None, [{"role": "user", "content": ""}]])
def test_instructions_alone_are_what_the_user_says(empty: object) -> None:
    asked = reading(input=empty, instructions="Say hello.")
    assert asked.turn.messages == (said("<system>\nSay hello.\n</system>"),)
    alone = [{"role": "developer", "content": "Say hello."}]
    assert reading(input=alone).turn.messages == asked.turn.messages


def test_an_answer_at_the_end_is_to_be_continued_which_is_reported() -> None:
    asked = reading(input=[{"role": "user", "content": "Tell"}, {"role": "assistant", "content": "Once upon a"}])
    assert asked.turn.messages[1:] == (AssistantMessage("Once upon a"), said(f"<system>\n{CONTINUE}\n</system>"))
    assert asked.adjusted == ("input=continued",)


@pytest.mark.proves("tools.results.ids")
def test_calls_in_a_row_with_the_same_id_get_their_outputs_in_order() -> None:
    outputs = (RESULT, {**RESULT, "output": "b"})
    asked = reading(input=[{"role": "user", "content": "Weather?"}, CALL, CALL, *outputs])
    answer, *results = asked.turn.messages[1:]
    assert isinstance(answer, AssistantMessage)
    first, second = (call.id for call in answer.tool_calls)
    assert first != second
    assert results == [ToolMessage(first, (Text("32 degrees"),)), ToolMessage(second, (Text("b"),))]
    assert asked.adjusted == ("input[].call_id=unique",)


@pytest.mark.proves("responses.input")
def test_arguments_of_the_past_that_are_no_object_are_kept_as_text_which_is_reported() -> None:
    asked = reading(input=[{"role": "user", "content": "Weather?"}, {**CALL, "arguments": '{"city": "Par'}, RESULT])
    wrapped = ToolCall("call_1", "get_weather", '{"invalid_arguments": "{\\"city\\": \\"Par"}')
    assert asked.turn.messages[1] == AssistantMessage("", (wrapped,))
    assert asked.adjusted == ("input[].arguments=object",)


@pytest.mark.proves("responses.tools")
def test_a_functions_name_has_up_to_128_characters() -> None:
    name = "f" * 128
    assert reading(tools=[{**WEATHER, "name": name}]).turn.tools[0].name == name
    assert refusal(tools=[{**WEATHER, "name": name + "f"}]).param == "tools[0].name"


@pytest.mark.proves("responses.input")
def test_items_become_native_messages() -> None:
    assert conversation(
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        CALL,
        RESULT,
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "And?"}]},
        instructions="Be kind.",
    ) == (
        SystemMessage("Be kind."),
        SystemMessage("Be brief."),
        said("Weather?"),
        AssistantMessage("I look.", (ToolCall("call_1", "get_weather", '{"city": "Rome"}'),)),
        ToolMessage("call_1", (Text("32 degrees"),)),
        said("And?"),
    )


@pytest.mark.proves("responses.input")
def test_text_after_the_calls_results_is_another_answer() -> None:
    answer = {"role": "assistant", "content": "It is warm."}
    assert conversation(
        {"role": "user", "content": "Weather?"}, CALL, RESULT, answer, {"role": "user", "content": "Ok"}
    )[1:4] == (
        AssistantMessage("", (ToolCall("call_1", "get_weather", '{"city": "Rome"}'),)),
        ToolMessage("call_1", (Text("32 degrees"),)),
        AssistantMessage("It is warm."),
    )


@pytest.mark.proves("responses.input")
def test_images_and_files_are_blocks() -> None:
    (message,) = conversation(
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"},
                {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
            ],
        }
    )
    assert isinstance(message, UserMessage)
    assert message.content == (
        Text("Look"),
        Image("image/png", PIXEL),
        ImageUrl("https://example.com/a.png"),
        Document("JVBERi0=", "a.pdf"),
    )


@pytest.mark.proves("responses.input")
def test_a_result_can_hold_an_image() -> None:
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}
    result = {**RESULT, "output": [{"type": "input_text", "text": "Here"}, image]}
    assert conversation({"role": "user", "content": "Show"}, CALL, result)[-1] == ToolMessage(
        "call_1", (Text("Here"), Image("image/png", PIXEL))
    )


@pytest.mark.parametrize(
    ("fields", "param", "sentence"),
    [
        ({"input": []}, "input", "Invalid 'input': there is no message to answer."),
        ({"input": None}, "input", "Invalid 'input': there is no message to answer."),
        ({"input": 5}, "input", "Invalid type for 'input': expected a string or an array of items, but got an integer"),
        ({"input": "  "}, "input", "Invalid 'input': the newest user message is empty or only white space."),
        ({"input": [RESULT]}, "input[0].call_id", "Invalid 'input[0].call_id': no assistant message before it has a"),
        ({"input": [CALL]}, "input[0].call_id", "Invalid 'input[0].call_id': the call 'call_1' has no result"),
        (
            {"input": [{"type": "mystery_call", "id": "x"}]},
            "input[0].type",
            "Unsupported 'input[0].type': Claude cannot be given items of type 'mystery_call' here.",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
            "input[0].content[0].file_id",
            "Unsupported 'input[0].content[0].file_id': files cannot be uploaded here",
        ),
        (
            {"tools": [{"type": "web_search"}]},
            "tools[0].type",
            "Unsupported 'tools[0].type': there are functions only, and no tools of type 'web_search'.",
        ),
        ({"tool_choice": "required"}, "tool_choice", "Invalid 'tool_choice': there are no 'tools' to call."),
        ({"background": True}, "background", "Unsupported parameter: 'background'. A response is answered while"),
        ({"conversation": "conv_1"}, "conversation", "Unsupported parameter: 'conversation'. Use"),
    ],
)
def test_what_cannot_be_carried_is_refused_by_name(fields: dict[str, object], param: str, sentence: str) -> None:
    failure = refusal(**fields)
    assert (failure.param, failure.message[: len(sentence)]) == (param, sentence)


@pytest.mark.proves("responses.tools")
@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice()),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "any"}, ToolChoice("required")),
        ({"type": "function", "name": "get_weather"}, ToolChoice("tool", "get_weather")),
        (
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "get_weather"}]},
            ToolChoice("required"),
        ),
    ],
)
def test_functions_and_every_choice_among_them_are_carried(choice: object, expected: ToolChoice) -> None:
    turn = reading(tools=[WEATHER], tool_choice=choice).turn
    assert ([tool.name for tool in turn.tools], turn.tool_choice) == (["get_weather"], expected)


def test_what_is_carried_reaches_the_turn_and_what_is_not_is_reported() -> None:
    read = reading(
        max_output_tokens=200_000,
        truncation="auto",
        temperature=1.5,
        metadata={"a": "b"},
        user="me",
        text={"verbosity": "low"},
        reasoning={"effort": "xhigh", "summary": "detailed", "mode": "pro", "context": "all_turns"},
        include=["reasoning.encrypted_content"],
        mystery=1,
    )
    assert read.turn.sampling == Sampling(max_tokens=200_000, effort="high")
    assert read.adjusted == (
        "max_output_tokens=128000",
        "temperature=1",
        "reasoning.effort=high",
        "reasoning.summary=auto",
    )
    assert read.shows_thinking
    assert read.ignored == snapshot(
        ("truncation", "user", "text.verbosity", "reasoning.context", "reasoning.mode", "include", "mystery")
    )


def test_how_closely_an_image_is_looked_at_cannot_be_chosen_which_is_told() -> None:
    image = {"type": "input_image", "image_url": "https://example.com/a.png"}
    said = [{"role": "user", "content": [{"type": "input_text", "text": "?"}, {**image, "detail": "low"}]}]
    assert reading(input=said).ignored == ("input[].content[].detail",)
    marked = [{"role": "user", "content": [{"type": "input_text", "text": "?", "prompt_cache_breakpoint": {}}]}]
    assert reading(input=marked).ignored == ("input[].content[].prompt_cache_breakpoint",)


def test_every_field_of_the_request_has_its_row() -> None:
    assert sorted(row.name for row in PARAMETERS) == sorted(ResponsesRequest.model_fields)
    documented = get_type_hints(response_create_params.ResponseCreateParamsStreaming)
    assert sorted(row.name for row in PARAMETERS) == sorted([*documented, "claude"])  # the last is ours
    assert markdown_table(PARAMETERS).count("\n") == len(PARAMETERS) + 2


@pytest.mark.proves("responses.parameters")
def test_the_response_tells_back_what_was_asked_for() -> None:
    response = reading(
        model="gpt-4o", tools=[WEATHER], tool_choice="auto", metadata={"a": "b"}, instructions="Be kind."
    ).response
    assert response.model == "gpt-4o"
    assert response.metadata == {"a": "b"}
    assert response.instructions == "Be kind."
    assert response.tools == [
        {
            "type": "function",
            "name": "get_weather",
            "description": None,
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        }
    ]


def test_a_response_goes_on_from_the_items_of_an_earlier_one() -> None:
    asked = [{"role": "user", "content": "I am Ann."}]
    answered = {"output": [{"type": "message", "role": "assistant", "content": "Hello Ann."}]}
    history = (stored_response(json.dumps(asked), answered),)
    turn = reading_of({"input": "Who am I?", "previous_response_id": "resp_0"}, history).turn
    assert turn.messages == (said("I am Ann."), AssistantMessage("Hello Ann."), said("Who am I?"))


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("openai-text", "U"),
        ("openai-result", "UAT"),
        ("agents-two-results", "UATT"),
        ("agents-forced", "U"),
        ("agents-conversation", "SUAT"),
    ],
)
def test_what_real_clients_send_is_understood(name: str, roles: str) -> None:
    read = reading_of(sample(name))
    assert "".join(type(message).__name__[0] for message in read.turn.messages) == roles
    assert read.ignored == ()


@pytest.mark.proves("responses.tools")
def test_the_agent_profile_is_chosen_as_in_chat_completions() -> None:
    read = reading_of({"input": "Hello", "claude": {"mode": "agent", "showActivity": True}}, rules=rules())
    assert read.turn.agent is not None
    assert (read.turn.agent.directory, read.shows_activity) == (rules().workspace.prefixes[0], True)
    assert reading(model="claude-sonnet").turn.agent is None


@pytest.mark.proves("responses.tools")
def test_activities_as_events_have_no_place_in_a_response_which_is_told() -> None:
    asked = {"input": "Hello", "claude": {"mode": "agent", "showActivity": "events"}}
    assert reading_of(asked, rules=rules()).ignored == ("claude.showActivity",)
