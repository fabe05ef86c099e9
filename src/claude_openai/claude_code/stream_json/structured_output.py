"""Answers that must fit a schema: the model gives them by a tool of Claude Code's own, whose arguments are the answer.

Measured: Claude Code offers the tool, asks for it where the model ends without, sends back what does not fit up to five
times, and ends the turn once it fits, without a further request. What else the model says is no part of the answer.
"""

from collections.abc import Mapping
from typing import Any, Final

from claude_openai.claude_code.stream_json.messages import CliMessage, SystemInit, ToolResult, ToolResults, TurnResult
from claude_openai.claude_code.stream_json.reader import AnswerReader
from claude_openai.core.events import Event, TextDelta, TextWithdrawn, Working
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import ToolCall
from claude_openai.core.tools import STRUCTURED_OUTPUT

MAX_SCHEMA_RETRIES: Final = 4
"""After the first try: five in all are what Claude Code allows, too."""


class StructuredOutputReader(AnswerReader):
    """An answer that must fit `schema`, JSON text; the other arguments are those of the reader that it is besides.

    Its text comes as the model writes it, and is withdrawn where it turns out not to fit. What Claude Code's own check
    does not find is complained of, so many times as there are `mends`.
    """

    def __init__(self, schema: str, *arguments: Any, mends: int = 0, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._mends = mends
        self._offered |= {STRUCTURED_OUTPUT}
        self._schema = schema
        self._given = ""
        self._accepted = False
        self._results: list[ToolResult] = []

    @property
    def is_our_turn(self) -> bool:
        return self._cut or (bool(self.calls) and super().is_our_turn)

    @property
    def must_be_stopped(self) -> bool:
        return self._cut

    @property
    def can_park(self) -> bool:
        return self._giving is None and super().can_park

    @property
    def calls(self) -> list[ToolCall]:
        return [call for call in super().calls if call.name != STRUCTURED_OUTPUT]

    def unchecked(self, said: CliMessage) -> tuple[str, str] | None:
        if isinstance(said, TurnResult) and self._accepted and not (self.done or said.structured_output_failed):
            return self._schema, self._given or "{}"
        return None

    def feed(self, said: CliMessage) -> list[Event]:
        if isinstance(said, SystemInit) and STRUCTURED_OUTPUT not in said.tools:
            return self._fail(_NOT_TAKEN)
        if isinstance(said, ToolResults) and said.parent is None:
            self._results += said.results
        events = super().feed(said)
        return events if self.done else [*events, *self._outcome()]

    @property
    def _giving(self) -> str | None:
        """The id of the call that gives the answer, where the message has one."""
        return next((call.id for call in self._calls if call.name == STRUCTURED_OUTPUT), None)

    def _streamed(self, event: Mapping[str, Any], session_id: str) -> list[Event]:
        events = super()._streamed(event, session_id)
        match event:
            case {"type": "content_block_delta", "delta": {"type": "text_delta"}}:
                self.exact = False
                return [Working()]
            case {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": str(piece)}}:
                return self._written(piece, events)
            case {"type": "message_stop"} if self.complete and self._asked_again:
                self.exact = False
                self.continue_answer()
        return events

    @property
    def _asked_again(self) -> bool:
        """The message is none that an answer ends with: Claude Code asks for one, and remembers that it had to."""
        return not (self._cut or self.calls or self._giving or self._stop_reason == "refusal")

    def _written(self, piece: str, events: list[Event]) -> list[Event]:
        if not piece or self._calls[-1].name != STRUCTURED_OUTPUT:
            return events
        self._given += piece
        return [TextDelta(piece)]

    def _outcome(self) -> list[Event]:
        """What became of the call that gives the answer.

        Claude Code tries a call as soon as it is written, also one that was cut: that is known at the message's end.
        """
        if not self.complete or self._cut:
            return []
        results, self._results = self._results, []
        for result in results:
            if result.call_id == self._giving:
                return self._unfitting() if result.is_error else self._fitting()
        return []

    def _fitting(self) -> list[Event]:
        self._accepted = True
        return []

    def _unfitting(self) -> list[Event]:
        told = bool(self._given)
        self.exact, self._given = False, ""
        self.continue_answer()
        return [TextWithdrawn()] if told else []

    def _complained(self, fault: str) -> list[Event]:
        self._mends -= 1
        self._accepted = False
        self.correction = f"That answer does not match the required schema: {fault}. Give it again."
        return self._unfitting()

    def _ended(self, end: TurnResult) -> list[Event]:
        if end.structured_output_failed:
            return self._fail(_unfit("the model did not mend it in time"))
        if not self._accepted:
            none_given = self._stop_reason is None and not end.is_error
            return self._fail(_unfit("it gave none")) if none_given else super()._ended(end)
        if fault := self.fault:
            return self._complained(fault) if self._mends else self._fail(_unfit(fault))
        self._stop_reason = "end_turn"
        events = super()._ended(end)
        self.is_resumable = self.is_resumable or self.exact
        return events if self._given else [TextDelta("{}"), *events]


_NOT_TAKEN: Final = Failure(
    Kind.INVALID_REQUEST,
    "Claude Code does not take the schema that the answer is to fit. Mostly it is a pattern or a reference in it.",
)
"""It leaves out the tool then, and answers in plain text."""


def _unfit(why: str) -> Failure:
    sentence = f"The model's answer does not fit the schema that was asked for: {why}."
    return Failure(Kind.INVALID_STRUCTURED_OUTPUT, sentence)
