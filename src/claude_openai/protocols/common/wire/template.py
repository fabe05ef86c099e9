"""Encodes the events of a stream that differ in few places, such as its text deltas, without a reply object for each.

An answer has such an event for every token. A reply that is made, validated and encoded takes 25 µs, its text put into
an encoded one 2 µs (measured).
"""

from typing import Final

from pydantic_core import to_json

from claude_openai.protocols.common.wire.reply import escape_line_separators

TEXT_MARK: Final = "5e1f0c3a9d7b4286c7a15f02e9b8d364"
"""The text of the event of which a template is made: 128 random bits, so that nothing else in the event is equal."""

NUMBER_MARK: Final = 5_100_394_728_615_073_249
"""The number of that event, which comes before everything else in it."""


class EventTemplate:
    """Encodes events that differ from `event` in the places of `marks`, which are JSON and stand in it in this order.

    Raises:
        ValueError: a mark is not in `event`.
    """

    def __init__(self, event: bytes, *marks: str) -> None:
        self._pieces: list[bytes] = []
        for mark in marks:
            piece, found, event = event.partition(mark.encode())
            if not found:
                raise ValueError(f"the event has no {mark}")
            self._pieces.append(piece)
        self._end = event

    def fill(self, *values: bytes) -> bytes:
        """Return the event with `values`, which are JSON, in the places of the marks."""
        return b"".join(part for pair in zip(self._pieces, values, strict=True) for part in pair) + self._end


def encode_text(text: str) -> bytes:
    """Return `text`, which has no surrogates, as JSON in the form of `Reply.to_json`."""
    if text.isascii():
        return to_json(text)
    return escape_line_separators(to_json(text).decode()).encode()
