"""Reads answers that must fit a schema: the model calls a tool of Claude Code's own, whose arguments are the answer.

Claude Code offers the tool, and asks the model to call it where the model ends without a call. It returns arguments
that do not fit to the model up to five times, and ends the turn once they fit, without a further request (measured).
The model's other text is no part of the answer.
"""

from collections.abc import Mapping
from typing import Any, Final

from claude_openai.claude_code.stream_json.messages import CliMessage, SystemInit, ToolResult, ToolResults, TurnResult
from claude_openai.claude_code.stream_json.reader import LONGEST_CORRECTED, TOO_LONG, AnswerReader
from claude_openai.core.events import Event, TextDelta, TextWithdrawn, Working
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import ToolCall
from claude_openai.core.tools import STRUCTURED_OUTPUT

MAX_SCHEMA_RETRIES: Final = 4
"""After the first try: Claude Code, too, allows five tries in all."""


class StructuredOutputReader(AnswerReader):
    """Reads an answer that must fit `schema`, JSON text. A mixin: the other arguments go to the next class in the
    method resolution order, `AnswerReader` or `AgentReader`.

    The reader passes the answer's text on as the model writes it, and withdraws it where it does not fit. Where Claude
    Code's own check misses a fault, the reader asks the model for a correction, up to `corrections` times.
    """

    def __init__(self, schema: str, *arguments: Any, corrections: int = 0, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._corrections_left = corrections
        self._offered |= {STRUCTURED_OUTPUT}
        self._schema = schema
        self._answer: list[str] = []
        self._accepted = False
        self._results: list[ToolResult] = []

    @property
    def server_must_act(self) -> bool:
        return self._cut or (bool(self.calls) and super().server_must_act)

    @property
    def must_be_stopped(self) -> bool:
        return self._cut

    @property
    def can_park(self) -> bool:
        return self._answer_call_id is None and super().can_park

    @property
    def calls(self) -> list[ToolCall]:
        return [call for call in super().calls if call.name != STRUCTURED_OUTPUT]

    def unchecked_answer(self, message: CliMessage) -> tuple[str, str] | None:
        if isinstance(message, TurnResult) and self._accepted and not (self.done or message.structured_output_failed):
            return self._schema, "".join(self._answer) or "{}"
        return None

    def feed(self, message: CliMessage) -> list[Event]:
        if isinstance(message, SystemInit) and STRUCTURED_OUTPUT not in message.tools:
            return self._fail(_NOT_TAKEN)
        if isinstance(message, ToolResults) and message.parent is None:
            self._results += message.results
        events = super().feed(message)
        # Claude Code runs a call as soon as it is written, even one that was cut, which only the message's end shows.
        if self.done or not (self._results and self.complete) or self._cut:
            return events
        results, self._results = self._results, []
        for result in results:
            if result.call_id == self._answer_call_id:
                if result.is_error and self._is_too_long:
                    return [*events, *self._fail(_unfit(TOO_LONG))]
                if result.is_error:
                    return [*events, *self._withdraw_answer()]
                self._accepted = True
                break
        return events

    @property
    def _answer_call_id(self) -> str | None:
        """The id of the call whose arguments are the answer, where the message has one."""
        return next((call.id for call in self._calls if call.name == STRUCTURED_OUTPUT), None)

    def _stream_event(self, event: Mapping[str, Any], session_id: str) -> list[Event]:
        events = super()._stream_event(event, session_id)
        match event:
            case {"type": "content_block_delta", "delta": {"type": "text_delta"}}:
                self.exact = False
                return [Working()]
            case {
                "type": "content_block_delta",
                "delta": {"type": "input_json_delta", "partial_json": str(piece)},
            } if piece and self._calls[-1].name == STRUCTURED_OUTPUT:
                self._answer.append(piece)
                return [TextDelta(piece)]
            case {"type": "message_stop"} if self.complete and self._ends_without_answer:
                self.exact = False
                self.continue_answer()
        return events

    @property
    def _ends_without_answer(self) -> bool:
        """The message ends without an answer: Claude Code asks the model for one, and keeps that in its history."""
        return not (self._cut or self.calls or self._answer_call_id or self._stop_reason == "refusal")

    @property
    def _is_too_long(self) -> bool:
        length: int = sum(map(len, self._answer))
        return length > LONGEST_CORRECTED

    def _withdraw_answer(self) -> list[Event]:
        was_sent = bool(self._answer)
        self.exact, self._answer = False, []
        self.continue_answer()
        return [TextWithdrawn()] if was_sent else []

    def _result(self, end: TurnResult) -> list[Event]:
        if end.structured_output_failed:
            return self._fail(_unfit("the model did not mend it in time"))
        if not self._accepted:
            has_none = self._stop_reason is None and not end.is_error
            return self._fail(_unfit("it gave none")) if has_none else super()._result(end)
        if fault := self.fault:
            if self._is_too_long or not self._corrections_left:
                return self._fail(_unfit(fault))
            self._corrections_left -= 1
            self._accepted = False
            self.correction = f"That answer does not match the required schema: {fault}. Give it again."
            return self._withdraw_answer()
        self._stop_reason = "end_turn"
        events = super()._result(end)
        self.is_resumable = self.is_resumable or self.exact
        return events if self._answer else [TextDelta("{}"), *events]


_NOT_TAKEN: Final = Failure(
    Kind.INVALID_REQUEST,
    "Claude Code does not take the schema that the answer is to fit. Mostly it is a pattern or a reference in it.",
)
"""Claude Code leaves out the tool then, and the model answers in plain text."""


def _unfit(why: str) -> Failure:
    message = f"The model's answer does not fit the schema that was asked for: {why}."
    return Failure(Kind.INVALID_STRUCTURED_OUTPUT, message)
