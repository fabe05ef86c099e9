"""JSON mode: the answer is a JSON object without a schema, written by the model as text.

The system prompt asks for it, and text around the object is removed as it streams (`jsontools.json_object`). Where the
text is no JSON object, the server asks the model once more in the same session.
"""

from collections.abc import Mapping
from typing import Any, Final

from claude_openai.claude_code.stream_json.messages import TurnResult
from claude_openai.claude_code.stream_json.reader import TRUNCATED_STOP_REASONS, AnswerReader
from claude_openai.core.events import Event, TextDelta, TextWithdrawn, Working
from claude_openai.core.failures import Failure, Kind
from claude_openai.jsontools.json_object import ObjectText

INSTRUCTION: Final = (
    "A program parses your answer: it must be one valid JSON object (RFC 8259) and nothing else, from its opening to "
    "its closing brace, without words before or after it and without a Markdown code fence around it."
)
"""Appended to the client's own instructions."""

MAX_CORRECTIONS: Final = 1


class JsonModeReader(AnswerReader):
    """Reads an answer in JSON mode. A mixin, as `StructuredOutputReader`: all arguments go to the next class."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._corrections_left = MAX_CORRECTIONS
        self._object = ObjectText()
        self._sent_earlier = False
        self._continues = False

    @property
    def server_must_act(self) -> bool:
        return super().server_must_act and not (self._corrections_left and self._fault())

    def continue_answer(self) -> None:
        self._continues = self._stop_reason in TRUNCATED_STOP_REASONS
        super().continue_answer()

    def _stream_event(self, event: Mapping[str, Any], session_id: str) -> list[Event]:
        if event.get("type") == "message_start" and not self.complete:
            self._begin_object()
        events: list[Event] = []
        for each in super()._stream_event(event, session_id):
            if not isinstance(each, TextDelta):
                events.append(each)
            elif piece := self._object.feed(each.text):
                if self._sent_earlier:
                    self._sent_earlier = False
                    events.append(TextWithdrawn())
                events.append(TextDelta(piece))
            else:
                events.append(Working())
        if event.get("type") == "message_stop" and self.must_be_stopped and self._corrections_left and self._fault():
            self._corrections_left -= 1  # Claude Code asks again by itself
            self.exact = False
            self.continue_answer()
        return events

    def _begin_object(self) -> None:
        """Read a new object: an agent's earlier messages may have one too, of which the last counts. A message after
        one that was cut continues its object.
        """
        if not self._continues:
            self._sent_earlier = self._sent_earlier or bool(self._object.text)
            self._object = ObjectText()
        self._continues = False

    def _fault(self) -> str | None:
        """Return why the message is not a JSON object; None where it is one, or was cut."""
        return self._object.fault() if self.complete and self._stop_reason in {"end_turn", "pause_turn"} else None

    def _result(self, end: TurnResult) -> list[Event]:
        fault = self._fault()
        if fault and self._corrections_left and not end.is_error:
            self._corrections_left -= 1
            self.correction = f"That answer is not the JSON object that was asked for: {fault}. {INSTRUCTION}"
            self.exact = False
            self.continue_answer()
            self._begin_object()
            was_sent, self._sent_earlier = self._sent_earlier, False
            return [TextWithdrawn()] if was_sent else []
        self.exact = self.exact and self._object.only
        return super()._result(end)

    def _finish(self, cost_usd: float | None) -> list[Event]:
        fault = self._fault()
        if not fault:
            return super()._finish(cost_usd)
        message = f"The model's answer is not the JSON object that was asked for: {fault}."
        return self._fail(Failure(Kind.INVALID_STRUCTURED_OUTPUT, message))
