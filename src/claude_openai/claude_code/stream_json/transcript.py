"""Encodes a conversation for Claude Code: Messages API messages, and the transcript that a session is resumed from.

Pure. Every message stays a message of its own and every block a block: nothing is flattened into text. What Claude
Code does with such a transcript is measured, and pinned by the tests of this package:

- entries need `type`, `uuid`, `parentUuid` (chained) and `message`;
- after a transcript that ends in an answer, the next user message is sent as a prompt. Any other transcript is answered
  as it stands (`CLAUDE_CODE_RESUME_INTERRUPTED_TURN=1`), at once: before the SDK's `initialize` request is read;
- one that ends in tool results gets a text block "Continue from where you left off." appended;
- user entries in a row become one message. Tool results and the user's words after them therefore stand in two
  entries: in one, they would count as tool results.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import assert_never, cast
from uuid import UUID, uuid5

from claude_openai.claude_code.stream_json.json_mode import INSTRUCTION
from claude_openai.core.messages import (
    AssistantMessage,
    Block,
    Document,
    Image,
    ImageUrl,
    Message,
    SystemMessage,
    Text,
    ToolMessage,
    UserMessage,
)
from claude_openai.core.turn import ReplyFormat
from claude_openai.jsontools.incremental import decode, encode

Json = dict[str, object]


def system_prompt(messages: tuple[Message, ...], form: ReplyFormat | None = None) -> str:
    """The client's instructions, and that of JSON mode, as one text with blank lines between them."""
    instructions = [message.text for message in messages if isinstance(message, SystemMessage)]
    return "\n\n".join([*instructions, INSTRUCTION] if form == ReplyFormat(None) else instructions)


def dialogue(messages: tuple[Message, ...]) -> list[Json]:
    """`messages` without the instructions, as Messages API messages; results of one step share a message."""
    spoken = (message for message in messages if not isinstance(message, SystemMessage))
    return [
        encoded
        for is_result, group in groupby(spoken, lambda message: isinstance(message, ToolMessage))
        for encoded in (_results(group) if is_result else map(_message, group))
    ]


def prompt_of(messages: list[Json]) -> tuple[list[Json], Json | None]:
    """The history, and the user messages at the end as the one message that they become upstream.

    No prompt where tool results are among them: all is history then.
    """
    count = next((n for n, message in enumerate(reversed(messages)) if message["role"] == "assistant"), len(messages))
    history, newest = messages[: len(messages) - count], messages[len(messages) - count :]
    if not newest or any(map(_holds_results, newest)):
        return messages, None
    return history, {"role": "user", "content": [block for message in newest for block in _content(message)]}


def handed(messages: tuple[Message, ...]) -> tuple[list[Json], bytes | None]:
    """The history of `messages`, and the prompt as a line of Claude Code's input, or None (see `prompt_of`)."""
    history, prompt = prompt_of(dialogue(messages))
    return history, verbatim(prompt) if prompt else None


def transcript(messages: list[Json], session_id: UUID, model: str) -> bytes:
    """`messages` as the lines of a Claude Code session file."""
    entries = []
    parent: str | None = None
    for index, message in enumerate(messages):
        uuid = str(uuid5(session_id, str(index)))
        envelope = _answer_envelope(uuid, model) if message["role"] == "assistant" else {}
        entries.append(
            {
                "type": message["role"],
                "uuid": uuid,
                "parentUuid": parent,
                "sessionId": str(session_id),
                "message": envelope | message,
            }
        )
        parent = uuid
    return b"".join(encode(entry).encode() + b"\n" for entry in entries)


def verbatim(message: Json) -> bytes:
    """`message` as a line of Claude Code's input; as written, as the SDK's `verbatim_prompts` has it: `@path` and
    `/command` in it are words.
    """
    line = {"type": "user", "message": message, "parent_tool_use_id": None, "client_composed": True}
    return encode(line).encode() + b"\n"


def _answer_envelope(uuid: str, model: str) -> Json:
    return {"id": f"msg_{uuid}", "type": "message", "model": model, "stop_reason": "end_turn"}


def _holds_results(message: Json) -> bool:
    return any(block["type"] == "tool_result" for block in _content(message))


def _content(message: Json) -> list[Json]:
    return cast("list[Json]", message["content"])


def _results(messages: Iterator[Message]) -> Iterator[Json]:
    yield {
        "role": "user",
        "content": [_result(message) for message in messages if isinstance(message, ToolMessage)],
    }


def _result(message: ToolMessage) -> Json:
    return {  # in the order in which Claude Code itself sends it: the request stays the same to the byte
        "tool_use_id": message.tool_call_id,
        "type": "tool_result",
        "content": [_block(block) for block in message.content],
    }


def _message(message: Message) -> Json:
    match message:
        case UserMessage(content):
            return {"role": "user", "content": [_block(block) for block in content]}
        case AssistantMessage(text, tool_calls):
            blocks: list[Json] = [{"type": "text", "text": text}] if text else []
            calls: list[Json] = [
                {"type": "tool_use", "id": call.id, "name": call.name, "input": decode(call.arguments)}
                for call in tool_calls
            ]
            return {"role": "assistant", "content": blocks + calls}
        case SystemMessage() | ToolMessage():
            raise AssertionError(message)  # dialogue() has taken them out
        case _:
            assert_never(message)


def _block(block: Block) -> Json:
    match block:
        case Text(text):
            return {"type": "text", "text": text}
        case Image(media_type, data):
            return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}
        case ImageUrl(url):
            return {"type": "image", "source": {"type": "url", "url": url}}
        case Document(data, filename):
            source = {"type": "base64", "media_type": "application/pdf", "data": data}
            title = {"title": filename} if filename else {}
            return {"type": "document", "source": source, **title}
        case _:
            assert_never(block)
