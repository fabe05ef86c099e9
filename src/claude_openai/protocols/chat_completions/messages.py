"""Messages into a conversation that the Messages API takes: who says what, in which part of it."""

import json
from typing import Final, assert_never

from claude_openai.protocols.chat_completions import wire
from claude_openai.protocols.chat_completions.parts import read_blocks, read_result
from claude_openai.protocols.common.content import text_of
from claude_openai.protocols.common.conversation import Call, CallKey, MessageBuilder, Understood, tool_name
from claude_openai.protocols.common.invalid import unsupported

_ARGUMENTS: Final = "messages[].tool_calls[].function.arguments"
_OLD_ARGUMENTS: Final = "messages[].function_call.arguments"


def read_messages(sent: list[wire.Message]) -> Understood:
    """The conversation: instructions first, a user message or a tool result last.

    Raises:
        RequestFailed: naming the message that cannot be carried, or the call or result that lacks the other.
    """
    conversation = MessageBuilder("messages")
    for index, message in enumerate(sent):
        _add(conversation, message, f"messages[{index}]")
    return conversation.finished()


def _add(conversation: MessageBuilder, message: wire.Message, path: str) -> None:
    match message:
        case wire.SystemMessage():
            conversation.instruct(text_of(message.content, f"{path}.content"))
        case wire.UserMessage():
            conversation.say(read_blocks(message.content, f"{path}.content"), f"{path}.content")
        case wire.AssistantMessage():
            if message.audio is not None:
                raise unsupported(f"{path}.audio", "earlier audio answers are not known here")
            conversation.answer(_answer_text(message, path), _calls(conversation, message, path), path)
        case wire.ToolMessage():
            outcome = read_result(message.content, f"{path}.content")
            conversation.result(CallKey(message.tool_call_id), outcome, f"{path}.tool_call_id")
        case wire.FunctionMessage():
            outcome = read_result(message.content, f"{path}.content")
            conversation.result(CallKey(message.name, is_function=True), outcome, f"{path}.name")
        case _:
            assert_never(message)


def _calls(conversation: MessageBuilder, message: wire.AssistantMessage, path: str) -> list[Call]:
    calls = []
    for index, call in enumerate(message.tool_calls or []):
        at = f"{path}.tool_calls[{index}].id"
        if isinstance(call, wire.CustomToolCall):
            conversation.adjust("messages[].tool_calls[].custom", "function")
            name, arguments = tool_name(call.custom.name), json.dumps({"input": call.custom.input})
        else:
            name, arguments = call.function.name, call.function.arguments
        calls.append(Call(CallKey(call.id), call.id, name, arguments, at, _ARGUMENTS))
    if message.function_call is not None:
        made = message.function_call
        key = CallKey(made.name, is_function=True)
        at = f"{path}.function_call.name"
        calls.append(Call(key, f"function_{made.name}", made.name, made.arguments, at, _OLD_ARGUMENTS))
    return calls


def _answer_text(message: wire.AssistantMessage, path: str) -> str:
    said = text_of(message.content, f"{path}.content")
    refused = text_of(message.refusal, f"{path}.refusal")
    return "\n\n".join(text for text in (said, refused) if text)
