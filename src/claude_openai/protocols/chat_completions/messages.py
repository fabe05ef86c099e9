"""Reads the messages of a chat completion into a conversation that the Messages API takes."""

import json
from typing import Final, assert_never

from claude_openai.core.messages import Block, Image, Text
from claude_openai.core.models import Model
from claude_openai.protocols.chat_completions import wire
from claude_openai.protocols.common.content import (
    document,
    image,
    image_data,
    not_in_user_message,
    part_text,
    text_blocks,
    text_of,
)
from claude_openai.protocols.common.conversation import (
    Adjusted,
    Call,
    CallKey,
    CallResult,
    Conversation,
    EarlierAnswer,
    Entry,
    Instructions,
    UserInput,
    build_conversation,
    tool_name,
)
from claude_openai.protocols.common.invalid import invalid, unsupported
from claude_openai.protocols.common.wire.request_base import AudioPart, RefusalPart

_ARGUMENTS: Final = "messages[].tool_calls[].function.arguments"
_OLD_ARGUMENTS: Final = "messages[].function_call.arguments"


def read_messages(sent: list[wire.Message], model: Model) -> Conversation:
    """The conversation of these messages: instructions first, a user message or a tool result last.

    Raises:
        RequestFailed: naming the message that cannot be carried, or the call or result that lacks the other.
    """
    entries: list[Entry] = []
    for index, message in enumerate(sent):
        path = f"messages[{index}]"
        content = f"{path}.content"
        match message:
            case wire.SystemMessage():
                entries.append(Instructions(text_of(message.content, content)))
            case wire.UserMessage():
                entries.append(UserInput(_user_blocks(message.content, content), content))
            case wire.AssistantMessage():
                entries += _earlier_answer(message, path)
            case wire.ToolMessage():
                key, at = CallKey(message.tool_call_id), f"{path}.tool_call_id"
                entries.append(CallResult(key, _result_blocks(message.content, content), at))
            case wire.FunctionMessage():
                key, at = CallKey(message.name, is_function=True), f"{path}.name"
                entries.append(CallResult(key, _result_blocks(message.content, content), at))
            case _:
                assert_never(message)
    return build_conversation("messages", entries, model)


def _user_blocks(content: wire.Content, path: str) -> list[Block]:
    if isinstance(content, str):
        return [*text_blocks(content)]
    blocks: list[Block] = []
    for index, part in enumerate(content):
        at = f"{path}[{index}]"
        match part:
            case wire.TextPart():
                blocks += text_blocks(part.text)
            case wire.ImagePart():
                blocks.append(image(part.image_url.url, f"{at}.image_url.url"))
            case wire.FilePart(file=file) if file.file_data is not None:
                blocks.append(document(file.file_data, file.filename, f"{at}.file.file_data"))
            case wire.FilePart(file=file) if file.file_id is not None:
                reason = "files cannot be uploaded here: send the data as 'file_data'"
                raise unsupported(f"{at}.file.file_id", reason)
            case wire.FilePart():
                raise invalid(f"{at}.file.file_data", "expected the file's data")
            case AudioPart() | RefusalPart():
                raise not_in_user_message(part, at)
            case _:
                assert_never(part)
    return blocks


def _result_blocks(content: wire.Content | None, path: str) -> tuple[Text | Image, ...]:
    """The result of a call: text, refusals included, and images that are sent as data."""
    if content is None or isinstance(content, str):
        return text_blocks(content or "")
    blocks: list[Text | Image] = []
    for index, part in enumerate(content):
        at = f"{path}[{index}]"
        if isinstance(part, wire.ImagePart):
            blocks.append(image_data(part.image_url.url, f"{at}.image_url.url"))
        else:
            blocks += text_blocks(part_text(part, at))
    return tuple(blocks)


def _earlier_answer(message: wire.AssistantMessage, path: str) -> list[Entry]:
    if message.audio is not None:
        raise unsupported(f"{path}.audio", "earlier audio answers are not known here")
    texts = (text_of(message.content, f"{path}.content"), text_of(message.refusal, f"{path}.refusal"))
    entries: list[Entry] = []
    calls = []
    for index, call in enumerate(message.tool_calls or []):
        at = f"{path}.tool_calls[{index}].id"
        if isinstance(call, wire.CustomToolCall):
            entries.append(Adjusted("messages[].tool_calls[].custom", "function"))
            name, arguments = tool_name(call.custom.name), json.dumps({"input": call.custom.input})
        else:
            name, arguments = call.function.name, call.function.arguments
        calls.append(Call(CallKey(call.id), call.id, name, arguments, at, _ARGUMENTS))
    if message.function_call is not None:
        made = message.function_call
        key, at = CallKey(made.name, is_function=True), f"{path}.function_call.name"
        calls.append(Call(key, f"function_{made.name}", made.name, made.arguments, at, _OLD_ARGUMENTS))
    return [*entries, EarlierAnswer("\n\n".join(filter(None, texts)), calls)]
