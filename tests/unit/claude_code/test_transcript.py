"""A conversation as Claude Code resumes it: pure transformation, whole values."""

import json
from uuid import UUID

import pytest

from claude_openai.claude_code.stream_json.transcript import dialogue, prompt_of, system_prompt, transcript
from claude_openai.core.messages import (
    AssistantMessage,
    Document,
    Image,
    ImageUrl,
    Message,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)

SESSION = UUID("11111111-2222-4333-8444-555555555555")


def user(text: str) -> UserMessage:
    return UserMessage((Text(text),))


def test_every_block_of_a_user_message_stays_a_block_in_its_place() -> None:
    message = UserMessage(
        (
            Text("see"),
            Image("image/png", "aGk="),
            ImageUrl("https://example.com/a.png"),
            Document("JVBERi0=", "a.pdf"),
            Document("JVBERi0="),
        )
    )
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    assert dialogue((message,)) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "see"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                {"type": "document", "source": pdf, "title": "a.pdf"},
                {"type": "document", "source": pdf},
            ],
        }
    ]


def test_calls_and_their_results_are_native_and_results_share_one_message() -> None:
    calls = (ToolCall("a", "weather", '{"city": "Rome"}'), ToolCall("b", "time", "{}"))
    results = (ToolMessage("b", (Text("noon"),)), ToolMessage("a", ()))
    assert dialogue((user("?"), AssistantMessage("wait", calls), *results, user("and?"))) == [
        {"role": "user", "content": [{"type": "text", "text": "?"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "wait"},
                {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Rome"}},
                {"type": "tool_use", "id": "b", "name": "time", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "b", "content": [{"type": "text", "text": "noon"}]},
                {"type": "tool_result", "tool_use_id": "a", "content": []},
            ],
        },
        {"role": "user", "content": [{"type": "text", "text": "and?"}]},
    ]


def test_instructions_are_one_text_and_no_part_of_the_dialogue() -> None:
    messages = (SystemMessage(" be brief\n"), SystemMessage("and kind"), user("hi"))
    assert system_prompt(messages) == " be brief\n\n\nand kind"
    assert dialogue(messages) == dialogue((user("hi"),))


CALL = AssistantMessage("", (ToolCall("a", "f", "{}"),))
RESULT = ToolMessage("a", (Text("r"),))


@pytest.mark.parametrize(
    ("messages", "prompted"),
    [
        ((user("a"),), True),
        ((user("a"), AssistantMessage("b"), user("c")), True),
        ((AssistantMessage("greeting"), user("c")), True),
        ((user("a"), CALL, RESULT), False),
        ((user("a"), CALL, RESULT, user("c")), False),
    ],
    ids=["only", "after an answer", "after a greeting", "results", "after results"],
)
def test_only_a_users_message_at_the_beginning_or_after_an_answer_is_a_prompt(
    messages: tuple[Message, ...], prompted: bool
) -> None:
    made = dialogue(messages)
    assert prompt_of(made) == ((made[:-1], made[-1]) if prompted else (made, None))


def test_a_users_messages_in_a_row_are_one_prompt_with_all_their_blocks() -> None:
    made = dialogue((user("a"), AssistantMessage("b"), user("c"), user("d")))
    content = [{"type": "text", "text": "c"}, {"type": "text", "text": "d"}]
    assert prompt_of(made) == (made[:2], {"role": "user", "content": content})


def test_a_transcript_chains_every_message_to_the_one_before() -> None:
    messages = dialogue((user("a"), AssistantMessage("b"), user("c")))
    entries = [json.loads(line) for line in transcript(messages, SESSION, "claude-x").splitlines()]
    assert [entry["type"] for entry in entries] == ["user", "assistant", "user"]
    assert [entry["parentUuid"] for entry in entries] == [None, entries[0]["uuid"], entries[1]["uuid"]]
    assert {entry["sessionId"] for entry in entries} == {str(SESSION)}
    assert [entry["message"]["content"] for entry in entries] == [message["content"] for message in messages]
    assert entries[1]["message"]["model"] == "claude-x"
