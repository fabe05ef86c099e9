"""Renders a reply for the wire, twice from the same value: as the events of a stream and as one message.

Pure: the stream is a sequence of steps (an event to send, seconds to pass, a gate to wait at, a fault to
suffer) that `playback` carries out.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from claude_openai.simulator.recorded import JsonObject
from claude_openai.simulator.script import Block, Fault, Gate, Piece, Reply, Text, Thinking, ToolUse

_FIRST_TOKEN = {"output_tokens": 1, "output_tokens_details": {"thinking_tokens": 0}}
"""What upstream says in `message_start`, where it cannot know the end."""


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
    """What is known about a message apart from its content. `usage` is the final one."""

    id: str
    model: str
    usage: JsonObject


def steps(reply: Reply, envelope: Envelope) -> Iterator[Step]:
    """The stream of this reply, its fault included."""
    whole = _whole(reply, envelope)
    if reply.fault is None:
        return whole
    return _broken(whole, reply.fault)


def message(reply: Reply, envelope: Envelope) -> JsonObject:
    """The reply as one object."""
    return _opening(envelope) | {
        "content": [_content(block) for block in reply.blocks],
        "usage": envelope.usage,
        **_ending(reply),
    }


def _whole(reply: Reply, envelope: Envelope) -> Iterator[Step]:
    yield Pause(reply.first_byte_delay)
    yield Emit({"type": "message_start", "message": _opening(envelope)})
    yield Emit({"type": "ping"})
    for index, block in enumerate(reply.blocks):
        yield from _block(index, block)
    yield Emit({"type": "message_delta", "delta": _ending(reply), "usage": envelope.usage})
    yield Emit({"type": "message_stop"})


def _broken(whole: Iterator[Step], fault: Fault) -> Iterator[Step]:
    yield from _first_events(whole, fault.after_events)
    yield fault
    yield from whole


def _first_events(whole: Iterator[Step], events: int) -> Iterator[Step]:
    """As many steps as make this number of events; the rest stays in the iterator."""
    while events > 0:
        for step in islice(whole, 1):
            events -= isinstance(step, Emit)
            yield step
            break
        else:
            return


def _block(index: int, block: Block) -> Iterator[Step]:
    yield Emit({"type": "content_block_start", "index": index, "content_block": _empty(block)})
    for step in _paced(block.deltas, block.delay):
        yield Emit(_delta(index, block, step)) if isinstance(step, str) else step
    if isinstance(block, Thinking):
        yield Emit(_block_delta(index, {"type": "signature_delta", "signature": block.signature}))
    yield Emit({"type": "content_block_stop", "index": index})


def _paced(pieces: Iterable[Piece], delay: float) -> Iterator[str | Gate | Pause]:
    for number, piece in enumerate(pieces):
        if number and delay:
            yield Pause(delay)
        yield piece


def _delta(index: int, block: Block, piece: str) -> JsonObject:
    match block:
        case Text():
            return _block_delta(index, {"type": "text_delta", "text": piece})
        case Thinking():
            return _block_delta(index, {"type": "thinking_delta", "thinking": piece})
        case ToolUse():
            return _block_delta(index, {"type": "input_json_delta", "partial_json": piece})


def _block_delta(index: int, delta: JsonObject) -> JsonObject:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def _empty(block: Block) -> JsonObject:
    """The block as `content_block_start` announces it."""
    match block:
        case Text():
            return {"type": "text", "text": ""}
        case Thinking():
            return {"type": "thinking", "thinking": "", "signature": ""}
        case ToolUse(name=name, id=call_id):
            return {"type": "tool_use", "id": call_id, "name": name, "input": {}}


def _content(block: Block) -> JsonObject:
    match block:
        case Text():
            return {"type": "text", "text": block.text}
        case Thinking():
            return {"type": "thinking", "thinking": block.text, "signature": block.signature}
        case ToolUse():
            return _empty(block) | {"input": _arguments(block.text)}


def _arguments(text: str) -> object:
    """Arguments that are no JSON travel as upstream wraps them where it must give an object."""
    try:
        return json.loads(text) if text else {}
    except json.JSONDecodeError:
        return {"INVALID_JSON": text}


def _opening(envelope: Envelope) -> JsonObject:
    """The message as `message_start` announces it."""
    return {
        "id": envelope.id,
        "type": "message",
        "role": "assistant",
        "model": envelope.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": envelope.usage | _FIRST_TOKEN,
    }


def _ending(reply: Reply) -> JsonObject:
    ending: JsonObject = {"stop_reason": reply.reason, "stop_sequence": reply.stop_sequence}
    return ending if reply.stop_details is None else ending | {"stop_details": reply.stop_details}
