"""Reads an agent's messages into events: one answer of many messages, up to Claude Code's `result` or to calls that the
client has to run.

The answer's text is that of all messages, with a blank line between two. Uses of Claude Code's own tools are `Activity`
events, also a sub-agent's; a sub-agent's text is no part of the answer.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from claude_openai.claude_code.stream_json.failures import process_failure
from claude_openai.claude_code.stream_json.json_mode import JsonModeReader
from claude_openai.claude_code.stream_json.messages import (
    ApiRetry,
    AssistantBlock,
    CliMessage,
    SystemInit,
    ToolResults,
    TurnResult,
    UpstreamEvent,
)
from claude_openai.claude_code.stream_json.reader import TRUNCATED_STOP_REASONS, AnswerReader
from claude_openai.claude_code.stream_json.structured_output import StructuredOutputReader
from claude_openai.core.events import (
    Activity,
    Event,
    TextDelta,
    TextWithdrawn,
    TurnFinished,
    TurnStarted,
    UsageReported,
    Working,
)
from claude_openai.core.failures import Failure
from claude_openai.core.messages import ToolCall
from claude_openai.core.tools import STRUCTURED_OUTPUT

MESSAGE_SEPARATOR: Final = "\n\n"

MAX_SHOWN_CHARACTERS: Final = 4_000
"""Characters of an argument or a result in an `Activity`: a client needs no whole files to follow the agent."""

_UNCHECKED: Final = process_failure("ran a tool before the server had checked it")


@dataclass(frozen=True, slots=True)
class ClientToolNames:
    """The names of the client's tools: the model sees them with `prefix`."""

    prefix: str

    def is_client_tool(self, name: str) -> bool:
        return name.startswith(self.prefix)

    def unprefixed(self, call: ToolCall) -> ToolCall:
        """Return the call with the client's name of the tool."""
        return replace(call, name=call.name.removeprefix(self.prefix))


class AgentReader(AnswerReader):
    """Reads the messages of one turn, which `feed` gets in order. `was_checked` reports whether the permission hook
    checked a call; `uses` are the session's tool uses without a result yet, also while the client runs its calls. Where
    the request limits the answer's length, it is `limited`: the answer ends with the first message that is cut;
    otherwise Claude Code goes on.
    """

    def __init__(
        self,
        model: str,
        names: ClientToolNames,
        was_checked: Callable[[str], bool],
        uses: dict[str, Activity],
        wall_clock: Callable[[], float],
        *,
        limited: bool = False,
    ) -> None:
        super().__init__(model, frozenset(), wall_clock)
        self.ends_when_truncated = limited
        self._names = names
        self._was_checked = was_checked
        self._uses = uses
        self._finished_calls: set[str] = set()
        self._early_activity: list[Event] = []
        self._sent_text = False
        self._separator = ""

    @property
    def server_must_act(self) -> bool:
        """Whether the client has to run its calls of this message: all calls before them have their results.

        Claude Code runs the calls after them at the same time, or once they have their results (measured).
        """
        calls = self.calls
        if not (self.complete and calls):
            return self._cut
        all_ids = [call.id for call in super().calls]
        return self._finished_calls.issuperset(all_ids[: all_ids.index(calls[0].id)])

    @property
    def must_be_stopped(self) -> bool:
        return self._cut

    @property
    def calls(self) -> list[ToolCall]:
        """The client's calls of a complete message, under the client's names."""
        return [self._names.unprefixed(call) for call in super().calls if self._names.is_client_tool(call.name)]

    def feed(self, message: CliMessage) -> list[Event]:
        if self.done:
            return []
        match message:
            case UpstreamEvent(event, session_id, parent=None):
                if event.get("type") == "message_start" and self.complete:
                    self._separator = "" if self._stop_reason == "max_tokens" else MESSAGE_SEPARATOR
                    self.continue_answer()
                return self._in_order(self._stream_event(event, session_id))
            case UpstreamEvent():
                return self._in_order([Working()])
            case AssistantBlock(calls=calls, parent=parent):
                uses: list[Event] = []
                for call in calls:
                    if self._is_own(call.name):
                        shown = {
                            k: _clipped(value) if isinstance(value, str) else value for k, value in call.input.items()
                        }
                        use = Activity(call.id, call.name, json.dumps(shown, ensure_ascii=False), parent=parent)
                        self._uses[call.id] = use
                        uses.append(use)
                return self._in_order(uses)
            case ToolResults():
                return self._tool_results(message)
            case ApiRetry() if self.complete:
                return self._in_order([Working()])
            case SystemInit():
                return []
            case _:
                return self._in_order(super().feed(message))

    def abandoned(self, why: Failure) -> list[Event]:
        if not self.done and self._stop_reason == "tool_use":
            return self._fail(why)
        return super().abandoned(why)

    def _is_own(self, name: str) -> bool:
        return not self._names.is_client_tool(name)

    def _in_order(self, events: list[Event]) -> list[Event]:
        """Return `events` with a separator before further text, and with `Activity` only once the answer has begun."""
        ordered: list[Event] = []
        for event in events:
            if isinstance(event, TextDelta):
                if self._sent_text and self._separator:
                    ordered.append(TextDelta(self._separator))
                self._sent_text, self._separator = True, ""
            if isinstance(event, TextWithdrawn):
                self._sent_text = False
            ordered.append(event)
            if isinstance(event, TurnStarted):
                ordered += self._early_activity
                self._early_activity = []
        if self._started or self.done:
            return ordered
        self._early_activity += [event for event in ordered if isinstance(event, Activity)]
        return [event for event in ordered if not isinstance(event, Activity | Working)]

    def _tool_results(self, message: ToolResults) -> list[Event]:
        events: list[Event] = []
        for result in message.results:
            use = self._uses.pop(result.call_id, None)
            if not (result.is_error or self._was_checked(result.call_id)):
                return self._fail(_UNCHECKED)
            if message.parent is None:
                self._finished_calls.add(result.call_id)
            if use:
                text = ""
                match result.content:
                    case str(text):
                        pass
                    case list(blocks):
                        text = "\n".join(str(block.get("text", f"[{block.get('type')}]")) for block in blocks)
                    case None:
                        pass
                events.append(replace(use, result=_clipped(text), failed=result.is_error))
        return self._in_order(events)

    def _result(self, end: TurnResult) -> list[Event]:
        if end.limit:
            self.is_resumable = False
            return self._last(UsageReported(self._used(), end.cost_usd), TurnFinished("length", limit=end.limit))
        cut_or_refused = end.status is None and (
            self._stop_reason in TRUNCATED_STOP_REASONS or self._stop_reason == "refusal"
        )
        if (end.is_error and not cut_or_refused) or self._stop_reason in (None, "tool_use"):
            return self._fail(self._failure(end), session_lost=not end.is_error)
        self.is_resumable = self._stop_reason in ("end_turn", "stop_sequence")
        return self._finish(end.cost_usd)


class StructuredAgentReader(StructuredOutputReader, AgentReader):
    """Reads an agent's answer that must fit a schema."""

    _ends_without_answer = False
    """An agent may write further messages before it gives the answer."""

    def feed(self, message: CliMessage) -> list[Event]:
        events = super().feed(message)
        if any(isinstance(event, TextWithdrawn) for event in events):
            self._sent_text = False
        return events

    def _is_own(self, name: str) -> bool:
        return name != STRUCTURED_OUTPUT and super()._is_own(name)


class JsonModeAgentReader(JsonModeReader, AgentReader):
    """Reads an agent's answer in JSON mode."""


def _clipped(text: str) -> str:
    more = len(text) - MAX_SHOWN_CHARACTERS
    return f"{text[:MAX_SHOWN_CHARACTERS]} [... {more} more characters]" if more > 0 else text
