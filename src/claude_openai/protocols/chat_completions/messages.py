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
    read_parts,
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
                entries.append(UserInput(read_parts(message.content, content, _user_part), content))
            case wire.AssistantMessage():
                entries += _earlier_answer(message, path)
            case wire.ToolMessage():
                key, at = CallKey(message.tool_call_id), f"{path}.tool_call_id"
                entries.append(CallResult(key, read_parts(message.content, content, _result_part), at))
            case wire.FunctionMessage():
                key, at = CallKey(message.name, is_function=True), f"{path}.name"
                entries.append(CallResult(key, read_parts(message.content, content, _result_part), at))
            case _:
                assert_never(message)
    return build_conversation("messages", entries, model)


def _user_part(part: wire.Part, path: str) -> tuple[Block, ...]:
    match part:
        case wire.TextPart():
            return text_blocks(part.text)
        case wire.ImagePart():
            return (image(part.image_url.url, f"{path}.image_url.url"),)
        case wire.FilePart(file=file) if file.file_data is not None:
            return (document(file.file_data, file.filename, f"{path}.file.file_data"),)
        case wire.FilePart(file=file) if file.file_id is not None:
            raise unsupported(f"{path}.file.file_id", "files cannot be uploaded here: send the data as 'file_data'")
        case wire.FilePart():
            raise invalid(f"{path}.file.file_data", "expected the file's data")
        case AudioPart() | RefusalPart():
            raise not_in_user_message(part, path)
        case _:
            assert_never(part)


def _result_part(part: wire.Part, path: str) -> tuple[Text | Image, ...]:
    """A part of a call's result: text, a refusal, or an image that is sent as data."""
    if isinstance(part, wire.ImagePart):
        return (image_data(part.image_url.url, f"{path}.image_url.url"),)
    return text_blocks(part_text(part, path))


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
