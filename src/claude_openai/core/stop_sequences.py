"""Where an answer ends before Claude Code says so: at a stop sequence that upstream does not take as one,
and where text that is on its way would have to be taken back.
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
    """Lets through a turn's events up to the first of `sequences`, which is not told itself.

    Text that may begin one is held back until it is clear whether it does. What an answer used that ends so is not
    known: upstream tells that at its own end. With `streamed`, text that is withdrawn is a failure.
    """

    def __init__(self, sequences: Iterable[str], *, streamed: bool = False) -> None:
        self._sequences = tuple(sequences)
        self._streamed = streamed
        self._held = ""

    def feed(self, event: Event) -> list[Event]:
        """What is told of `event`; after a last event there is nothing more to feed."""
        match event:
            case TextWithdrawn():
                self._held = ""
                return [TurnFailed(_WITHDRAWN) if self._streamed else event]
            case _ if not self._sequences:
                return [event]
            case TextDelta(text):
                return self._fed(text)
            case ToolCalled() | UsageReported() | TurnFinished() | TurnFailed():
                return [*self._let_go(len(self._held)), event]
            case _:
                return [event]

    def _fed(self, text: str) -> list[Event]:
        self._held += text
        found = [place for each in self._sequences if (place := self._held.find(each)) >= 0]
        if found:
            return [*self._let_go(min(found)), TurnFinished("stop")]
        return self._let_go(len(self._held) - max(map(self._begun, self._sequences)))

    def _begun(self, sequence: str) -> int:
        """How much of `sequence` stands at the end of what is held."""
        longest = min(len(sequence) - 1, len(self._held))
        return next((length for length in range(longest, 0, -1) if self._held.endswith(sequence[:length])), 0)

    def _let_go(self, length: int) -> list[Event]:
        told, self._held = self._held[:length], self._held[length:]
        return [TextDelta(told)] if told else []
