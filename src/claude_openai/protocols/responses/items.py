"""Reads input items into a conversation that the Messages API takes.

An earlier answer comes back as several items: its text, then its calls. Adjacent items of one answer become one message
of the assistant again. Thinking is left out: upstream only takes back what it has signed itself.
"""

from dataclasses import dataclass, field
from typing import Final, assert_never

from claude_openai.core.models import Model
from claude_openai.protocols.common.content import is_blank, read_parts, text_blocks, text_of
from claude_openai.protocols.common.conversation import (
    Adjusted,
    Call,
    CallKey,
    CallResult,
    Conversation,
    EarlierAnswer,
    Entry,
    Instructions,
    MarkedText,
    UserInput,
    build_conversation,
)
from claude_openai.protocols.common.invalid import invalid, unsupported
from claude_openai.protocols.responses import foreign_items as foreign
from claude_openai.protocols.responses.content import result_part, user_part
from claude_openai.protocols.responses.wire import request as wire

_ARGUMENTS: Final = "input[].arguments"

_MOST_SHOWN = 80
"""Characters of an id or a type that are repeated to the client."""


def read_input(sent: wire.Input | None, instructions: str | None, model: Model, *, known: int = 0) -> Conversation:
    """The conversation of these items: instructions first, a user message or the result of a call last. The first
    `known` items are those of earlier requests.

    Raises:
        RequestFailed: naming the item that cannot be carried, or the call or result that lacks the other.
    """
    reader = _ItemReader()
    if instructions and not is_blank(instructions):
        reader.entries.append(Instructions(instructions))
    if isinstance(sent, str):
        reader.entries.append(UserInput(text_blocks(sent), "input"))
    else:
        for index, item in enumerate(sent or []):
            reader.read(item, f"input[{index - known}]" if index >= known else "input")
        reader.end_answer()
    return build_conversation("input", reader.entries, model)


@dataclass(slots=True)
class _ItemReader:
    """Reads items into `entries`. The items of an answer wait until an item that is not of that answer."""

    entries: list[Entry] = field(default_factory=list)
    _texts: list[str] = field(default_factory=list)
    _calls: list[Call] = field(default_factory=list)
    _results: list[CallResult] = field(default_factory=list)

    def read(self, item: wire.Item, path: str) -> None:
        match item:
            case wire.MessageItem(role="assistant"):
                text = text_of(item.content, f"{path}.content")
                if self._calls:  # text after calls is another answer's
                    self.end_answer()
                self._texts.append(text)
            case wire.FunctionCallItem():
                key, at = CallKey(item.call_id), f"{path}.call_id"
                self._calls.append(Call(key, item.call_id, item.name, item.arguments, at, _ARGUMENTS))
            case wire.ReasoningItem():
                pass
            case wire.MessageItem(role="user"):
                self.end_answer()
                self.entries.append(
                    UserInput(read_parts(item.content, f"{path}.content", user_part), f"{path}.content")
                )
            case wire.MessageItem():
                self.end_answer()
                self.entries.append(Instructions(text_of(item.content, f"{path}.content")))
            case wire.FunctionCallOutputItem():
                self.end_answer()
                blocks = read_parts(item.output, f"{path}.output", result_part)
                self.entries.append(CallResult(CallKey(item.call_id), blocks, f"{path}.call_id"))
            case wire.ItemReference():
                shown = item.id[:_MOST_SHOWN]
                raise invalid(f"{path}.id", f"no stored response has the item '{shown}': send it as it was")
            case wire.OtherItem():
                self._read_foreign(item, path)
            case _:
                assert_never(item)

    def end_answer(self) -> None:
        """Add the answer whose items wait, if there is one."""
        if self._texts or self._calls:
            self.entries.append(EarlierAnswer("\n\n".join(filter(None, self._texts)), self._calls))
        self.entries += self._results
        self._texts, self._calls, self._results = [], [], []

    def _read_foreign(self, item: wire.OtherItem, path: str) -> None:
        """An item of a tool that this server does not have: it is a call, a result, both, or a text."""
        if item.type in foreign.CALLS:
            call = foreign.call_of(item)
            self._calls.append(
                Call(CallKey(call.id), call.id, call.name, call.arguments, f"{path}.call_id", _ARGUMENTS)
            )
            carried = "function_call"
        elif item.type in foreign.DONE:
            call = foreign.call_of(item)
            key = CallKey(f"{call.name} {len(self._calls)}")  # no client refers to it, and ids may not be unique
            self._calls.append(Call(key, call.id, call.name, call.arguments, path, _ARGUMENTS))
            self._results.append(CallResult(key, foreign.outcome_of(item, path), path))
            carried = "function_call"
        elif item.type in foreign.OUTPUTS:
            self.end_answer()
            key = CallKey(foreign.output_id(item))
            self.entries.append(CallResult(key, foreign.outcome_of(item, path), f"{path}.call_id"))
            carried = "function_call_output"
        elif item.type in foreign.NOTES:
            self.end_answer()
            self.entries.append(MarkedText(item.type, foreign.note_of(item)))
            carried = "text"
        else:
            raise unsupported(f"{path}.type", f"Claude cannot be given items of type '{item.type[:_MOST_SHOWN]}' here")
        self.entries.append(Adjusted(f"input[].{item.type}", carried))
