"""Every message of a request reaches upstream as what it is: native roles and blocks, each character as sent."""

import base64
from typing import Any

import pytest
from openai import BadRequestError

from claude_openai.protocols.common.conversation import CONTINUE
from claude_openai.simulator import Replies
from tests.claude_code.conftest import NEW_MODEL, Rig, spoken, system_prompt, text

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
NATIVE_IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
PDF = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()


async def told(rig: Rig, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """What upstream was told when the client sent `messages`."""
    rig.plays(Replies("ok"))
    answer = await rig.client.chat.completions.create(model=NEW_MODEL, messages=messages)  # type: ignore[arg-type]
    assert answer.choices[0].message.content == "ok"
    return spoken(rig.asked)


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


def assistant(content: str) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


@pytest.mark.proves("chat.messages.native")
@pytest.mark.parametrize(
    "said",
    [
        "plain",
        "  kept \n as it is\t\n",
        'quotes " and \\ and \u2028 and \x00\x07',
        "emoji 👩‍👩‍👧 and 漢字 and e\u0301",
        "x" * 1_000_000,
    ],
    ids=["plain", "white space", "odd characters", "unicode", "a megabyte"],
)
async def test_user_text_arrives_equal(rig: Rig, said: str) -> None:
    assert await told(rig, {"role": "user", "content": said}) == [{"role": "user", "content": [text(said)]}]


@pytest.mark.proves("chat.messages.no-expansion")
@pytest.mark.parametrize("said", ["@/etc/hostname", "/clear", "/model opus", "!ls", "# remember this"])
async def test_what_claude_code_would_act_on_is_mere_text(rig: Rig, said: str) -> None:
    assert await told(rig, {"role": "user", "content": said}) == [{"role": "user", "content": [text(said)]}]


@pytest.mark.proves("chat.messages.native")
async def test_a_long_history_arrives_whole_in_order_and_with_native_roles(rig: Rig) -> None:
    history = [
        message
        for turn in range(40)
        for message in ({"role": "user", "content": f"question {turn}"}, assistant(f"answer {turn}"))
    ]
    assert await told(rig, *history, {"role": "user", "content": "and now?"}) == [
        {"role": message["role"], "content": [text(str(message["content"]))]}
        for message in [*history, {"role": "user", "content": "and now?"}]
    ]


@pytest.mark.proves("chat.messages.system")
async def test_leading_instructions_are_the_system_prompt(rig: Rig) -> None:
    messages = (
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [text("Be "), text("kind.")]},
        {"role": "user", "content": "hi"},
    )
    assert await told(rig, *messages) == [{"role": "user", "content": [text("hi")]}]
    assert system_prompt(rig.asked) == ["Be brief.\n\nBe kind."]


@pytest.mark.proves("chat.messages.system", "safety.argv")
async def test_a_system_prompt_longer_than_an_argument_can_be_arrives_whole(rig: Rig) -> None:
    instructions = "Mind this. " * 20_000
    await told(rig, {"role": "system", "content": instructions}, {"role": "user", "content": "hi"})
    assert system_prompt(rig.asked) == [instructions]


@pytest.mark.proves("chat.messages.system")
async def test_without_instructions_claude_codes_own_prompt_stays_out(rig: Rig) -> None:
    await told(rig, {"role": "user", "content": "hi"})
    assert system_prompt(rig.asked) == []


@pytest.mark.proves("chat.messages.system")
async def test_instructions_hold_for_a_conversation_that_is_resumed_as_it_stands(rig: Rig) -> None:
    await told(rig, {"role": "system", "content": "Be brief."}, *ROUND, {"role": "user", "content": "so?"})
    assert system_prompt(rig.asked) == ["Be brief."]


@pytest.mark.proves("chat.messages.system")
async def test_a_later_system_message_stays_at_its_place_marked(rig: Rig) -> None:
    messages = (
        {"role": "user", "content": "hi"},
        assistant("hello"),
        {"role": "system", "content": "From now on in French."},
        {"role": "user", "content": "how are you?"},
    )
    assert await told(rig, *messages) == [
        {"role": "user", "content": [text("hi")]},
        {"role": "assistant", "content": [text("hello")]},
        {
            "role": "user",
            "content": [text("<system>\nFrom now on in French.\n</system>"), text("how are you?")],
        },
    ]


@pytest.mark.proves("chat.messages.native")
async def test_user_messages_in_a_row_keep_every_block_as_sent(rig: Rig) -> None:
    messages = ({"role": "user", "content": "one"}, user(text("two"), text("three")), {"role": "user", "content": "4"})
    assert await told(rig, *messages) == [
        {"role": "user", "content": [text("one"), text("two"), text("three"), text("4")]}
    ]


@pytest.mark.proves("chat.messages.native")
async def test_assistant_messages_in_a_row_all_arrive(rig: Rig) -> None:
    spoken_upstream = await told(
        rig, {"role": "user", "content": "go"}, assistant("one"), assistant("two"), {"role": "user", "content": "on"}
    )
    said = [block for message in spoken_upstream if message["role"] == "assistant" for block in message["content"]]
    assert said == [text("one"), text("two")]


@pytest.mark.proves("chat.messages.blank")
async def test_blank_messages_of_a_history_are_left_out(rig: Rig) -> None:
    messages = ({"role": "user", "content": "hi"}, assistant(" \n"), {"role": "user", "content": "still there?"})
    assert await told(rig, *messages) == [{"role": "user", "content": [text("hi"), text("still there?")]}]


@pytest.mark.proves("chat.messages.image")
@pytest.mark.parametrize("blocks", [(text("what is this?"), IMAGE), (IMAGE, text("what is this?")), (IMAGE,)])
async def test_an_image_in_the_newest_message_arrives_as_an_image_and_nothing_else(
    rig: Rig, blocks: tuple[dict[str, Any], ...]
) -> None:
    native = [NATIVE_IMAGE if block is IMAGE else block for block in blocks]
    assert await told(rig, user(*blocks)) == [{"role": "user", "content": native}]


@pytest.mark.proves("chat.messages.image")
async def test_images_of_a_history_and_of_its_newest_message_are_all_native(rig: Rig) -> None:
    messages = (user(IMAGE, text("this?")), assistant("a dot"), user(text("and this?"), IMAGE))
    assert await told(rig, *messages) == [
        {"role": "user", "content": [NATIVE_IMAGE, text("this?")]},
        {"role": "assistant", "content": [text("a dot")]},
        {"role": "user", "content": [text("and this?"), NATIVE_IMAGE]},
    ]


@pytest.mark.proves("chat.messages.image")
async def test_an_image_by_url_is_left_to_upstream_to_fetch(rig: Rig) -> None:
    part = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png", "detail": "high"}}
    assert await told(rig, user(text("what?"), part)) == [
        {
            "role": "user",
            "content": [
                text("what?"),
                {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}},
            ],
        }
    ]


@pytest.mark.proves("chat.messages.file")
async def test_a_pdf_arrives_as_a_document(rig: Rig) -> None:
    file = {"filename": "report.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
    ((message),) = await told(rig, user(text("sum up"), {"type": "file", "file": file}))
    assert message["content"] == [
        text("sum up"),
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            "title": "report.pdf",
        },
    ]


ROUND = (
    {"role": "user", "content": "weather in Rome?"},
    {
        "role": "assistant",
        "content": "Let me look.",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}},
            {"id": "call_2", "type": "function", "function": {"name": "Bash", "arguments": ""}},
        ],
    },
    {"role": "tool", "tool_call_id": "call_2", "content": [text("noon")]},
    {"role": "tool", "tool_call_id": "call_1", "content": "32 degrees"},
)
NATIVE_ROUND = [
    {"role": "user", "content": [text("weather in Rome?")]},
    {
        "role": "assistant",
        "content": [
            text("Let me look."),
            {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}},
            {"type": "tool_use", "id": "call_2", "name": "Bash", "input": {}},
        ],
    },
]


def results(message: dict[str, Any]) -> dict[str, Any]:
    return {
        block["tool_use_id"]: [inner["text"] for inner in block["content"]]
        if isinstance(block["content"], list)
        else [block["content"]]
        for block in message["content"]
        if block["type"] == "tool_result"
    }


@pytest.mark.proves("chat.messages.tools")
async def test_a_round_of_tools_in_a_history_is_native(rig: Rig) -> None:
    arrived = await told(rig, *ROUND, assistant("Hot."), {"role": "user", "content": "thanks"})
    assert arrived[:2] == NATIVE_ROUND
    assert results(arrived[2]) == {"call_1": ["32 degrees"], "call_2": ["noon"]}
    assert arrived[3:] == [
        {"role": "assistant", "content": [text("Hot.")]},
        {"role": "user", "content": [text("thanks")]},
    ]


@pytest.mark.proves("chat.messages.tools")
async def test_words_right_after_tool_results_follow_them_and_nothing_is_added(rig: Rig) -> None:
    arrived = await told(rig, *ROUND, {"role": "user", "content": "in Fahrenheit"})
    assert arrived[:2] == NATIVE_ROUND
    assert results(arrived[2]) == {"call_1": ["32 degrees"], "call_2": ["noon"]}
    assert [block for block in arrived[2]["content"] if block["type"] == "text"] == [text("in Fahrenheit")]


@pytest.mark.proves("chat.messages.tools")
async def test_a_conversation_that_ends_in_results_is_answered_after_claude_codes_own_words(rig: Rig) -> None:
    arrived = await told(rig, *ROUND)
    assert arrived[:2] == NATIVE_ROUND
    assert results(arrived[2]) == {"call_1": ["32 degrees"], "call_2": ["noon"]}
    added = [block for block in arrived[2]["content"] if block["type"] == "text"]
    assert added == [text("Continue from where you left off.")]


@pytest.mark.proves("chat.messages.tools")
@pytest.mark.parametrize("ids", [("call_1", "call_1_2"), ("call_1_2", "call_1")])
async def test_no_result_is_lost_where_claude_code_takes_an_id_for_a_part_of_another(
    rig: Rig, ids: tuple[str, ...]
) -> None:
    calls = [{"id": each, "type": "function", "function": {"name": "f", "arguments": "{}"}} for each in ids]
    arrived = await told(
        rig,
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        *({"role": "tool", "tool_call_id": each, "content": f"of {each}"} for each in ids),
        {"role": "user", "content": "and?"},
    )
    assert list(results(arrived[2]).values()) == [[f"of {each}"] for each in ids]


@pytest.mark.proves("chat.messages.tools")
async def test_ids_of_other_servers_are_made_legal_and_still_match(rig: Rig) -> None:
    call = {"id": "call_abc.123:x", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    arrived = await told(
        rig,
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_abc.123:x", "content": "r"},
        {"role": "user", "content": "and?"},
    )
    (made,) = (block["id"] for block in arrived[1]["content"])
    assert made.replace("_", "").replace("-", "").isalnum()
    assert results(arrived[2]) == {made: ["r"]}


@pytest.mark.proves("chat.messages.trailing-assistant")
@pytest.mark.parametrize("before", [[{"role": "user", "content": "hi"}], []], ids=["asked", "unasked"])
async def test_a_history_that_ends_in_an_answer_is_continued(rig: Rig, before: list[dict[str, Any]]) -> None:
    arrived = await told(rig, *before, assistant("Once upon a"))
    continued = {"role": "user", "content": [text(f"<system>\n{CONTINUE}\n</system>")]}
    earlier = [{**each, "content": [text(each["content"])]} for each in [*before, assistant("Once upon a")]]
    assert arrived == [*earlier, continued]


@pytest.mark.proves("chat.messages.trailing-assistant")
async def test_that_an_answer_was_continued_is_reported(rig: Rig) -> None:
    rig.plays(Replies("time"))
    raw = await rig.client.chat.completions.with_raw_response.create(
        model=NEW_MODEL,
        messages=[{"role": "user", "content": "Tell"}, {"role": "assistant", "content": "Once upon a"}],
    )
    assert raw.headers["x-claude-openai-adjusted"] == "messages=continued"


@pytest.mark.proves("chat.messages.system")
async def test_instructions_alone_are_answered(rig: Rig) -> None:
    assert await told(rig, {"role": "system", "content": "Say hello."}) == [
        {"role": "user", "content": [text("<system>\nSay hello.\n</system>")]}
    ]


@pytest.mark.proves("chat.messages.tools")
@pytest.mark.parametrize(
    ("arguments", "carried"),
    [('{"city": "Par', {"invalid_arguments": '{"city": "Par'}), ("null", {}), ("", {})],
    ids=["cut off", "null", "empty"],
)
async def test_arguments_that_are_no_object_are_native_all_the_same(
    rig: Rig, arguments: str, carried: dict[str, Any]
) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    arrived = await told(
        rig,
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Error: no JSON"},
        {"role": "user", "content": "Try again"},
    )
    assert arrived[1]["content"] == [{"type": "tool_use", "id": "call_1", "name": "get_weather", "input": carried}]
    assert results(arrived[2]) == {"call_1": ["Error: no JSON"]}


@pytest.mark.proves("chat.messages.tools", "chat.messages.trailing-assistant")
async def test_a_conversation_with_such_arguments_goes_on_in_its_session(rig: Rig) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}{}"}}
    begun: list[Any] = [
        {"role": "user", "content": "Go"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "no"},
        {"role": "user", "content": "Again"},
    ]
    rig.plays(Replies("one", "two", "three"))
    for said in (assistant("one"), {"role": "user", "content": "more"}), (assistant("two"),), ():
        await rig.client.chat.completions.create(model=NEW_MODEL, messages=begun)
        begun += said
    assert len({request.headers["x-claude-code-session-id"] for request in rig.simulator.requests}) == 1
    assert spoken(rig.simulator.requests[-1])[-1]["content"][0]["text"] == f"<system>\n{CONTINUE}\n</system>"


@pytest.mark.proves("chat.messages.blank")
@pytest.mark.parametrize("content", ["", " \n\t", []])
async def test_a_blank_newest_message_is_refused_and_does_not_hang(rig: Rig, content: Any) -> None:
    with pytest.raises(BadRequestError):
        await told(rig, {"role": "user", "content": content})
    assert rig.simulator.requests == []
