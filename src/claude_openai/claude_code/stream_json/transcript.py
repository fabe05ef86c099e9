"""Encodes a conversation for Claude Code: Messages API messages, and the transcript that a session is resumed from.

The functions are pure. Each message stays a message and each block a block: nothing is flattened into text. The tests
of this package pin what Claude Code does with such a transcript (measured):

- entries need `type`, `uuid`, `parentUuid` (chained) and `message`;
- after a transcript that ends in an answer, the next user message is sent as a prompt. Any other transcript is answered
  as it stands (`CLAUDE_CODE_RESUME_INTERRUPTED_TURN=1`), at once: before the SDK's `initialize` request is read;
- Claude Code appends a text block "Continue from where you left off." to a transcript that ends in tool results;
- user entries in a row become one message. Tool results and the user's text after them therefore are two entries: in
  one entry, the text would count as a tool result.
"""

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
from claude_openai.jsontools.incremental import decode, encode_line

Json = dict[str, object]


def system_prompt(messages: tuple[Message, ...], form: ReplyFormat | None = None) -> str:
    """Join the client's instructions, and those of JSON mode, with blank lines between them."""
    instructions = [message.text for message in messages if isinstance(message, SystemMessage)]
    return "\n\n".join([*instructions, INSTRUCTION] if form == ReplyFormat(None) else instructions)


def dialogue(messages: tuple[Message, ...]) -> list[Json]:
    """Encode `messages`, without the instructions, for the Messages API; results of one step share a message."""
    encoded: list[Json] = []
    results: list[Json] = []
    for message in messages:
        match message:
            case ToolMessage(call_id, content):
                if not results:
                    encoded.append({"role": "user", "content": results})
                # The fields are in the order in which Claude Code itself sends them: the request stays the same to the
                # byte.
                blocks = [_block(block) for block in content]
                results.append({"tool_use_id": call_id, "type": "tool_result", "content": blocks})
            case UserMessage(content):
                results = []
                encoded.append({"role": "user", "content": [_block(block) for block in content]})
            case AssistantMessage(text, tool_calls):
                results = []
                texts: list[Json] = [{"type": "text", "text": text}] if text else []
                calls: list[Json] = [
                    {"type": "tool_use", "id": call.id, "name": call.name, "input": decode(call.arguments)}
                    for call in tool_calls
                ]
                encoded.append({"role": "assistant", "content": texts + calls})
            case SystemMessage():
                pass
            case _:
                assert_never(message)
    return encoded


def prompt_of(messages: list[Json]) -> tuple[list[Json], Json | None]:
    """Split `messages` into the history and the prompt: the user messages at the end, as one message.

    The prompt is None where tool results are among those: everything is history then.
    """
    count = next((n for n, message in enumerate(reversed(messages)) if message["role"] == "assistant"), len(messages))
    history, newest = messages[: len(messages) - count], messages[len(messages) - count :]
    blocks = [block for message in newest for block in cast("list[Json]", message["content"])]
    if not newest or any(block["type"] == "tool_result" for block in blocks):
        return messages, None
    return history, {"role": "user", "content": blocks}


def history_and_prompt(messages: tuple[Message, ...]) -> tuple[list[Json], bytearray | None]:
    """Encode `messages` as the history, and the prompt as a line of Claude Code's input, or None (see `prompt_of`)."""
    history, prompt = prompt_of(dialogue(messages))
    return history, verbatim(prompt) if prompt else None


def transcript(messages: list[Json], session_id: UUID, model: str) -> bytearray:
    """Encode `messages` as the lines of a Claude Code session file."""
    lines = bytearray()
    parent: str | None = None
    for index, message in enumerate(messages):
        uuid, envelope = str(uuid5(session_id, str(index))), {}
        if message["role"] == "assistant":
            envelope = {"id": f"msg_{uuid}", "type": "message", "model": model, "stop_reason": "end_turn"}
        entry = {
            "type": message["role"],
            "uuid": uuid,
            "parentUuid": parent,
            "sessionId": str(session_id),
            "message": envelope | message,
        }
        lines += encode_line(entry)
        parent = uuid
    return lines


def verbatim(message: Json) -> bytearray:
    """Encode `message` as a line of Claude Code's input, as the SDK's `verbatim_prompts` does: `@path` and `/command`
    in it are plain text.
    """
    line = {"type": "user", "message": message, "parent_tool_use_id": None, "client_composed": True}
    return encode_line(line)


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
