"""What ends a reply before its own end: a stop sequence, or the number of tokens that the request allows. Deltas
stay as they are up to the cut.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from claude_openai.simulator.script import Block, Gate, Piece, Reply, Text, ToolUse
from claude_openai.simulator.usage import count, output_tokens, token_ends


def stopped(reply: Reply, sequences: Iterable[str]) -> Reply:
    """The reply up to the first stop sequence in its texts, which is not sent itself."""
    for index, block in enumerate(reply.blocks):
        found = _first(block.text, sequences) if isinstance(block, Text) else None
        if found is not None:
            position, sequence = found
            kept = (*reply.blocks[:index], shortened(block, position))
            return replace(reply, blocks=kept, stop_reason="stop_sequence", stop_sequence=sequence)
    return reply


def limited(reply: Reply, max_tokens: int) -> Reply:
    """The reply up to this many whole tokens."""
    if output_tokens(reply) <= max_tokens:
        return reply
    return replace(reply, blocks=tuple(_first_tokens(reply.blocks, max_tokens)), stop_reason="max_tokens")


def shortened(block: Block, length: int) -> Block:
    """The block's first characters, in the same deltas."""
    kept = tuple(_first_characters(block.deltas, length))
    return replace(block, raw=kept) if isinstance(block, ToolUse) else replace(block, deltas=kept)


def _first(text: str, sequences: Iterable[str]) -> tuple[int, str] | None:
    found = [(text.find(sequence), sequence) for sequence in sequences if sequence in text]
    return min(found, default=None)


def _first_tokens(blocks: Iterable[Block], left: int) -> Iterator[Block]:
    for block in blocks:
        if isinstance(block, ToolUse):
            left -= count(block.name)
        if left <= 0:
            return
        ends = list(islice(token_ends(block.text), left))
        yield block if len(ends) < left else shortened(block, ends[-1])
        left -= len(ends)


def _first_characters(pieces: Iterable[Piece], length: int) -> Iterator[Piece]:
    for piece in pieces:
        if isinstance(piece, Gate):
            yield piece
        elif length > 0:
            yield piece[:length]
            length -= len(piece)
