"""Ends an answer before Claude Code does: at a stop sequence that upstream does not support, and where text that was
already streamed would have to be withdrawn.
"""

from collections.abc import Iterable

from claude_openai.core.events import (
    Event,
    TextDelta,
    TextWithdrawn,
    ToolCalled,
    TurnFailed,
    TurnFinished,
    UsageReported,
)
from claude_openai.core.failures import Failure, Kind

_WITHDRAWN = Failure(
    Kind.INVALID_STRUCTURED_OUTPUT,
    "The model's answer does not fit the form that was asked for, and it had been streamed when that was known. "
    "The request can be repeated; without `stream` the model would have mended it.",
)


class StopSequenceFilter:
    """Passes events on until the text contains one of `sequences`; the sequence itself is removed and the turn ends. Of
    sequences that overlap, the one that is complete first counts, and of these the longest.

    Text that may be the beginning of a sequence is held back until more text decides. Such an answer has no usage:
    upstream reports that at its own end. With `streamed`, withdrawn text is a failure.
    """

    def __init__(self, sequences: Iterable[str], *, streamed: bool = False) -> None:
        self._sequences = tuple(sequences)
        self._streamed = streamed
        self._held = ""

    def feed(self, event: Event) -> list[Event]:
        """The events to pass on because of `event`. After `TurnFinished` or `TurnFailed` nothing may be fed."""
        match event:
            case TextWithdrawn():
                self._held = ""
                return [TurnFailed(_WITHDRAWN) if self._streamed else event]
            case _ if not self._sequences:
                return [event]
            case TextDelta(text):
                return self._feed_text(text)
            case ToolCalled() | UsageReported() | TurnFinished() | TurnFailed():
                return [*self._release(len(self._held)), event]
            case _:
                return [event]

    def _feed_text(self, text: str) -> list[Event]:
        self._held += text
        found = [(at + len(each), at) for each in self._sequences if (at := self._held.find(each)) >= 0]
        if found:
            _, begin = min(found)  # the one that is complete first, however the text is cut into deltas
            return [*self._release(begin), TurnFinished("stop")]
        return self._release(len(self._held) - max(map(self._prefix_length, self._sequences)))

    def _prefix_length(self, sequence: str) -> int:
        """The length of the longest prefix of `sequence` that the held text ends with."""
        longest = min(len(sequence) - 1, len(self._held))
        return next((length for length in range(longest, 0, -1) if self._held.endswith(sequence[:length])), 0)

    def _release(self, length: int) -> list[Event]:
        released, self._held = self._held[:length], self._held[length:]
        return [TextDelta(released)] if released else []
