"""Encodes a chat completion as a completion: its text, its finish reason and its usage."""

from collections.abc import Mapping
from typing import Final

from claude_openai.protocols.chat_completions.wire import ChatCompletion, ChatCompletionChunk, FinishReason
from claude_openai.protocols.completions.wire import Completion, CompletionChoice, CompletionEnd


def completion(answer: ChatCompletion) -> Completion:
    """The whole answer as one object."""
    return _completion(
        answer, [_choice(each.index, each.message.content, each.finish_reason) for each in answer.choices]
    )


def completion_chunk(chunk: ChatCompletionChunk) -> Completion | None:
    """One event of a stream; None for chunks that a completion does not have: roles, refusals, thinking."""
    choices = [
        _choice(each.index, each.delta.content, each.finish_reason)
        for each in chunk.choices
        if each.delta.content or each.finish_reason
    ]
    return _completion(chunk, choices) if choices or not chunk.choices else None


def _completion(answer: ChatCompletion | ChatCompletionChunk, choices: list[CompletionChoice]) -> Completion:
    made = Completion(id=answer.id, created=answer.created, model=answer.model, choices=choices)
    given = {"usage": answer.usage, "claude": answer.claude}
    return made.model_copy(update={name: value for name, value in given.items() if name in answer.model_fields_set})


def _choice(index: int, text: str | None, finish: FinishReason | None) -> CompletionChoice:
    """A completion cannot end with calls."""
    end = None if finish is None else _ENDS.get(finish, "stop")
    return CompletionChoice(index=index, text=text or "", logprobs=None, finish_reason=end)


_ENDS: Final[Mapping[FinishReason, CompletionEnd]] = {"length": "length", "content_filter": "content_filter"}
