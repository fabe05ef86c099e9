"""Older completions as a protocol of the generation driver: a form of chat completions."""

from typing import Final

from claude_openai.protocols.chat_completions.protocol import ChatProtocol
from claude_openai.protocols.completions.answer import completion, completion_chunk
from claude_openai.protocols.completions.request import parse_request, read_turn

COMPLETIONS: Final = ChatProtocol("cmpl-", parse_request, read_turn, completion, completion_chunk)
