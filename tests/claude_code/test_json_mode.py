"""JSON mode with the real Claude Code: the model's own text, without what stands around the object."""

import json
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from claude_openai.simulator import RecordedRequest, Replies, Reply, Text, ToolUse
from tests.claude_code.conftest import NEW_MODEL, Rig, Serve, spoken, system_prompt
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

MODE: Any = {"type": "json_object"}
ASK: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Which city?"},
]
ROME = '{"name": "Rome", "people": 3}'
FENCED = f"Here it is:\n```json\n{ROME}\n```\nAnything else?"


def session_of(request: RecordedRequest) -> str:
    return request.headers["x-claude-code-session-id"]


async def asked(rig: Rig, messages: list[ChatCompletionMessageParam] = ASK, **more: Any) -> str | None:
    asks: Any = {"model": NEW_MODEL, "messages": messages, "response_format": MODE, **more}
    answer: ChatCompletion = await rig.client.chat.completions.create(**asks)
    return answer.choices[0].message.content


async def streamed(rig: Rig) -> list[str]:
    stream = await rig.client.chat.completions.create(model=NEW_MODEL, messages=ASK, response_format=MODE, stream=True)
    return [text async for chunk in stream if (text := chunk.choices[0].delta.content)]


@pytest.mark.proves("format.object")
async def test_it_is_the_models_own_text_asked_for_after_the_clients_instructions_and_no_tool(rig: Rig) -> None:
    rig.plays(Replies(ROME))
    assert await asked(rig) == ROME
    assert rig.asked.tools == []
    [prompt] = system_prompt(rig.asked)
    assert prompt.startswith("Be brief.\n\n")
    assert "one valid JSON object" in prompt


@pytest.mark.proves("format.object", "format.streamed")
async def test_it_streams_as_it_is_written_without_the_fence_and_the_words_around_it(rig: Rig) -> None:
    rig.plays(Replies(Reply.of(FENCED, pieces=24)))
    deltas = await streamed(rig)
    assert len(deltas) > 5
    assert "".join(deltas) == ROME


@pytest.mark.proves("format.object", "format.fits")
async def test_responses_have_it_too(rig: Rig) -> None:
    rig.plays(Replies(Reply.of(FENCED, pieces=9)))
    response = await rig.client.responses.create(model=NEW_MODEL, input="Which city?", text={"format": MODE})
    assert response.output_text == ROME


@pytest.mark.proves("format.mended")
@pytest.mark.parametrize("wrong", ["Rome, I think.", '{"name": "Rome",}', f"[{ROME}, {ROME}]"])
async def test_an_answer_that_is_no_object_is_corrected_once_in_the_same_session(rig: Rig, wrong: str) -> None:
    rig.plays(Replies(wrong, ROME))
    assert await asked(rig) == ROME
    first, second = rig.simulator.requests
    assert session_of(first) == session_of(second)
    assert "is not the JSON object that was asked for" in json.dumps(spoken(second)[-1])


@pytest.mark.proves("format.mended")
async def test_an_answer_without_a_word_is_asked_for_again(rig: Rig) -> None:
    rig.plays(Replies(Reply(()), ROME))
    assert await asked(rig) == ROME


@pytest.mark.proves("format.mended")
async def test_a_stream_that_had_sent_nothing_goes_on_with_the_correction(rig: Rig) -> None:
    rig.plays(Replies("Rome, I think.", ROME))
    assert "".join(await streamed(rig)) == ROME


@pytest.mark.proves("format.mended")
async def test_what_was_streamed_and_is_no_json_is_an_error(rig: Rig) -> None:
    rig.plays(Replies('{"name": "Rome",}', ROME))
    with pytest.raises(openai.APIError, match="had been streamed") as error:
        await streamed(rig)
    assert error.value.code == "invalid_structured_output"
    assert len(rig.simulator.requests) == 1


@pytest.mark.proves("format.mended")
@pytest.mark.parametrize("reply", [Reply.of("Rome."), Reply(())])
async def test_what_is_still_no_object_is_an_error(rig: Rig, reply: Reply) -> None:
    rig.plays(lambda _: reply)
    with pytest.raises(openai.InternalServerError) as error:
        await asked(rig)
    assert (error.value.status_code, error.value.code) == (502, "invalid_structured_output")


@pytest.mark.proves("format.object", "format.cut")
async def test_an_answer_that_is_cut_or_refused_is_told_as_such(rig: Rig) -> None:
    rig.plays_once(Reply((Text.of('{"name": "Ro'),), stop_reason="max_tokens"))
    answer = await rig.client.chat.completions.create(model=NEW_MODEL, messages=ASK, response_format=MODE, max_tokens=8)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ('{"name": "Ro', "length")
    rig.plays(lambda _: Reply((), stop_reason="refusal"))
    refused = await rig.client.chat.completions.create(model=NEW_MODEL, messages=ASK, response_format=MODE)
    assert refused.choices[0].finish_reason == "content_filter"


@pytest.mark.proves("conversations.live")
async def test_a_conversation_goes_on_in_its_session_unless_the_client_lacks_what_was_said_there(rig: Rig) -> None:
    rig.plays(Replies(ROME, FENCED, ROME))
    history = list(ASK)
    for question in ("And now?", "And then?", ""):
        said = await asked(rig, history)
        assert said == ROME
        history += [{"role": "assistant", "content": said}, {"role": "user", "content": question}]
    first, second, third = rig.simulator.requests
    assert session_of(first) == session_of(second) != session_of(third)
    assert [message["content"][0]["text"] for message in spoken(third)[1::2]] == [ROME, ROME]
    assert len({system_prompt(request)[0] for request in rig.simulator.requests}) == 1


@pytest.mark.proves("format.object", "format.tools")
async def test_the_clients_tools_are_called_before_the_answer(rig: Rig) -> None:
    weather: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    rig.plays(Replies(Reply((Text.of("Let me see."), ToolUse("weather", {}))), FENCED))
    called = await rig.client.chat.completions.create(
        model=NEW_MODEL, messages=ASK, response_format=MODE, tools=[weather]
    )
    message = called.choices[0].message
    assert message.content is None
    assert message.tool_calls
    result: Any = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "Sunny."}
    history: Any = [*ASK, message.model_dump(exclude_none=True), result]
    assert await asked(rig, history, tools=[weather]) == ROME
    assert len({session_of(request) for request in rig.simulator.requests}) == 1


@pytest.mark.proves("format.object", "format.fits")
async def test_of_what_an_agent_says_the_last_object_is_the_answer(serve: Serve, tmp_path: Path) -> None:
    async with serve(allowed_working_directory_prefixes=str(tmp_path)) as rig:
        rig.plays(
            Replies(
                Reply((Text.of('I try {"a": 1} first.'), ToolUse("Glob", {"pattern": "*"}))),
                Reply.of("It says nothing."),
                FENCED,
            )
        )
        answer = await rig.client.chat.completions.create(
            model=f"{NEW_MODEL}-agent", messages=ASK, response_format=MODE, timeout=PATIENCE_SECONDS
        )
        assert answer.choices[0].message.content == ROME
        assert "is not the JSON object" in json.dumps(rig.simulator.requests[-1].messages)


@pytest.mark.proves("format.object", "format.fits")
async def test_the_cli_backend_has_it_with_its_correction(serve: Serve) -> None:
    history: list[ChatCompletionMessageParam] = [
        *ASK,
        {"role": "assistant", "content": "Which country?"},
        {"role": "user", "content": "Italy"},
    ]
    async with serve(backend="cli") as rig:
        for messages in (ASK, history):
            rig.plays(Replies("Rome.", FENCED))
            assert await asked(rig, messages) == ROME
            assert "one valid JSON object" in system_prompt(rig.simulator.requests[-1])[0]


@pytest.mark.proves("format.object", "simulator.rules")
@pytest.mark.parametrize(
    "shape",
    [
        (
            "Answer in JSON that fits it: "
            '{"properties": {"city": {"type": "string"}, "people": {"type": "integer"}}, "required": []}'
        ),
        'Answer with a JSON object like this one: {"city": "<the name>", "people": 5}',
    ],
)
async def test_the_simulated_model_answers_with_the_shape_that_the_prompt_describes(rig: Rig, shape: str) -> None:
    answer = json.loads(await asked(rig, [{"role": "user", "content": f"{shape}\nWhich city is 7 times Paris?"}]) or "")
    assert answer == {"city": "Paris", "people": 7}
