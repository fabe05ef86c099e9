"""Encodes a reply in the two forms of the Messages API: as the events of a stream and as one message.

The encoder is pure: a stream is a sequence of steps (an event to send, a pause, a gate to wait at, a fault) that
`playback` carries out.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from claude_openai.simulator.recorded import JsonObject
from claude_openai.simulator.script import Block, Fault, Gate, Reply, Text, Thinking, ToolUse

_FIRST_TOKEN = {"output_tokens": 1, "output_tokens_details": {"thinking_tokens": 0}}
"""Upstream's output usage in `message_start`, before the answer is complete."""


@dataclass(frozen=True)
class Emit:
    """Send this event; its `type` is its name."""

    event: JsonObject


@dataclass(frozen=True)
class Pause:
    seconds: float


Step: TypeAlias = Emit | Pause | Gate | Fault


@dataclass(frozen=True)
class Envelope:
    """The fields of a message apart from its content. `usage` is the final usage."""

    id: str
    model: str
    usage: JsonObject


def steps(reply: Reply, envelope: Envelope) -> Iterator[Step]:
    """Encode the reply as a stream, with its fault after the number of events that it names."""
    whole = _steps_without_fault(reply, envelope)
    events = 0
    while reply.fault is not None and events < reply.fault.after_events:
        step = next(whole, None)
        if step is None:
            break
        events += isinstance(step, Emit)
        yield step
    if reply.fault is not None:
        yield reply.fault
    yield from whole


def message(reply: Reply, envelope: Envelope) -> JsonObject:
    """Encode the reply as one object."""
    return {
        "id": envelope.id,
        "type": "message",
        "role": "assistant",
        "model": envelope.model,
        "content": [_content(block) for block in reply.blocks],
        "stop_reason": reply.reason,
        "stop_sequence": reply.stop_sequence,
        **({} if reply.stop_details is None else {"stop_details": reply.stop_details}),
        "usage": envelope.usage,
    }


def _steps_without_fault(reply: Reply, envelope: Envelope) -> Iterator[Step]:
    whole = message(reply, envelope)
    ending = {name: whole.pop(name) for name in ("stop_reason", "stop_sequence", "stop_details") if name in whole}
    started: JsonObject = {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": envelope.usage | _FIRST_TOKEN,
    }
    yield Pause(reply.first_byte_delay)
    yield Emit({"type": "message_start", "message": whole | started})
    yield Emit({"type": "ping"})
    for index, block in enumerate(reply.blocks):
        yield from _block(index, block)
    yield Emit({"type": "message_delta", "delta": ending, "usage": envelope.usage})
    yield Emit({"type": "message_stop"})


def _block(index: int, block: Block) -> Iterator[Step]:
    empty: JsonObject
    match block:
        case Text():
            empty, delta, field = {"text": ""}, "text_delta", "text"
        case Thinking():
            empty, delta, field = {"thinking": "", "signature": ""}, "thinking_delta", "thinking"
        case ToolUse():
            empty, delta, field = {"input": {}}, "input_json_delta", "partial_json"
    yield Emit({"type": "content_block_start", "index": index, "content_block": _content(block) | empty})
    for number, piece in enumerate(block.deltas):
        if number and block.delay:
            yield Pause(block.delay)
        if isinstance(piece, Gate):
            yield piece
        else:
            yield Emit({"type": "content_block_delta", "index": index, "delta": {"type": delta, field: piece}})
    if isinstance(block, Thinking):
        signature = {"type": "signature_delta", "signature": block.signature}
        yield Emit({"type": "content_block_delta", "index": index, "delta": signature})
    yield Emit({"type": "content_block_stop", "index": index})


def _content(block: Block) -> JsonObject:
    """The whole block. Arguments that are not JSON are wrapped as upstream wraps them, which must send an object."""
    match block:
        case Text():
            return {"type": "text", "text": block.text}
        case Thinking():
            return {"type": "thinking", "thinking": block.text, "signature": block.signature}
        case ToolUse(name=name, id=call_id):
            try:
                arguments = json.loads(block.text or "{}")
            except json.JSONDecodeError:
                arguments = {"INVALID_JSON": block.text}
            return {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
