"""Whether a request goes on exactly where a session stands: a hash over all that shaped the session.

Canonical means: what a client may lawfully write differently when it sends a message back does not count (white space
around an answer's text, the order of keys and the white space in a call's arguments). Everything else does. No guessing
by content, and nothing crosses principals: other servers have handed one user's context to another that way.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

from claude_openai.core.messages import AssistantMessage, Message, ToolCall
from claude_openai.core.turn import Turn


def fingerprint(turn: Turn, messages: Iterable[Message]) -> str:
    """Of a session that was shaped by `turn` and has said and heard `messages`; SHA-256, hexadecimal."""
    shape = [
        turn.principal,
        turn.model.resolved or turn.model.id,
        asdict(turn.sampling),
        [asdict(tool) for tool in turn.tools],
    ]
    digest = hashlib.sha256()
    for part in (shape, *map(_canonical, messages)):
        digest.update(json.dumps(part, sort_keys=True).encode() + b"\n")
    return digest.hexdigest()


def _canonical(message: Message) -> object:
    if isinstance(message, AssistantMessage):
        return ["AssistantMessage", message.text.strip(), [_canonical_call(call) for call in message.tool_calls]]
    return [type(message).__name__, asdict(message)]


def _canonical_call(call: ToolCall) -> object:
    return [call.id, call.name, json.loads(call.arguments or "{}")]
