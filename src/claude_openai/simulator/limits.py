"""Cuts a reply at a stop sequence, or at the request's `max_tokens`. The deltas before the cut stay as they are."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from claude_openai.simulator.script import Block, Gate, Piece, Reply, Text, ToolUse
from claude_openai.simulator.usage import count, output_tokens, token_ends


def cut_at_stop_sequence(reply: Reply, sequences: Iterable[str]) -> Reply:
    """Cut the reply before the first stop sequence in its texts."""
    for index, block in enumerate(reply.blocks):
        text = block.text if isinstance(block, Text) else ""
        found = [(text.find(sequence), sequence) for sequence in sequences if text and sequence in text]
        if found:
            position, sequence = min(found)
            kept = (*reply.blocks[:index], cut_block(block, position))
            return replace(reply, blocks=kept, stop_reason="stop_sequence", stop_sequence=sequence)
    return reply


def cut_at_max_tokens(reply: Reply, max_tokens: int) -> Reply:
    """Cut the reply after this many whole tokens."""
    if output_tokens(reply) <= max_tokens:
        return reply
    left = max_tokens
    kept: list[Block] = []
    for block in reply.blocks:
        if isinstance(block, ToolUse):
            left -= count(block.name)
        if left <= 0:
            break
        ends = list(islice(token_ends(block.text), left))
        kept.append(block if len(ends) < left else cut_block(block, ends[-1]))
        left -= len(ends)
    return replace(reply, blocks=tuple(kept), stop_reason="max_tokens")


def cut_block(block: Block, length: int) -> Block:
    """Cut the block after this many characters. The deltas stay the same; the last one may be shorter."""
    kept: list[Piece] = []
    for piece in block.deltas:
        if isinstance(piece, Gate):
            kept.append(piece)
        elif length > 0:
            kept.append(piece[:length])
            length -= len(piece)
    return replace(block, raw=tuple(kept)) if isinstance(block, ToolUse) else replace(block, deltas=tuple(kept))
