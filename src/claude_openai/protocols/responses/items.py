"""Input items into a conversation that the Messages API takes.

An earlier answer comes back as several items: its text, then its calls. What stands next to each other, of one answer,
is one message of the assistant's again. Thinking is left out: upstream only takes back what it has signed itself.
"""

from dataclasses import dataclass, field
from typing import Final, assert_never

from claude_openai.protocols.common.content import is_blank, text_blocks, text_of
from claude_openai.protocols.common.conversation import Call, CallKey, MessageBuilder, Understood
from claude_openai.protocols.common.invalid import invalid, unsupported
from claude_openai.protocols.responses import foreign_items as foreign
from claude_openai.protocols.responses.parts import read_blocks, read_outcome
from claude_openai.protocols.responses.wire import request as wire


def read_input(sent: wire.Input | None, instructions: str | None, *, known: int = 0) -> Understood:
    """The conversation: instructions first, a user message or the result of a call last. So many items as are `known`
    come before those of this request.

    Raises:
        RequestFailed: naming the item that cannot be carried, or the call or result that lacks the other.
    """
    conversation = MessageBuilder("input")
    conversation.instruct("" if is_blank(instructions or "") else instructions or "")
    if isinstance(sent, str):
        conversation.say(text_blocks(sent), "input")
        return conversation.finished()
    answer = _Answer(conversation)
    for index, item in enumerate(sent or []):
        _add(conversation, answer, item, f"input[{index - known}]" if index >= known else "input")
    answer.told()
    return conversation.finished()


_ARGUMENTS: Final = "input[].arguments"


@dataclass(slots=True)
class _Answer:
    """What has come so far of an earlier answer."""

    conversation: MessageBuilder
    texts: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    results: list[tuple[CallKey, foreign.Outcome]] = field(default_factory=list)
    path: str = ""

    def say(self, text: str, path: str) -> None:
        """Text after calls is another answer's."""
        if self.calls:
            self.told()
        self.path = self.path or path
        self.texts.append(text)

    def call(self, call: Call, path: str) -> None:
        self.path = self.path or path
        self.calls.append(call)

    def ran(self, call: foreign.ForeignCall, outcome: foreign.Outcome, path: str) -> None:
        """A call whose result is known, too."""
        key = CallKey(f"{call.name} {len(self.calls)}")  # nobody else names it, and there may be several of one id
        self.call(Call(key, call.id, call.name, call.arguments, path, _ARGUMENTS), path)
        self.results.append((key, outcome))

    def told(self) -> None:
        """It is complete."""
        if self.path:
            self.conversation.answer("\n\n".join(filter(None, self.texts)), self.calls, self.path)
        for key, outcome in self.results:
            self.conversation.result(key, outcome, self.path)
        self.texts, self.calls, self.results, self.path = [], [], [], ""


def _add(conversation: MessageBuilder, answer: _Answer, item: wire.Item, path: str) -> None:
    match item:
        case wire.MessageItem(role="assistant"):
            answer.say(text_of(item.content, f"{path}.content"), path)
        case wire.FunctionCallItem():
            key, at = CallKey(item.call_id), f"{path}.call_id"
            answer.call(Call(key, item.call_id, item.name, item.arguments, at, _ARGUMENTS), path)
        case wire.ReasoningItem():
            pass
        case wire.MessageItem(role="user"):
            answer.told()
            conversation.say(read_blocks(item.content, f"{path}.content"), f"{path}.content")
        case wire.MessageItem():
            answer.told()
            conversation.instruct(text_of(item.content, f"{path}.content"))
        case wire.FunctionCallOutputItem():
            answer.told()
            conversation.result(CallKey(item.call_id), read_outcome(item.output, f"{path}.output"), f"{path}.call_id")
        case wire.ItemReference():
            raise invalid(f"{path}.id", f"no stored response has the item '{item.id[:_MOST_SHOWN]}': send it as it was")
        case wire.OtherItem():
            _add_foreign(conversation, answer, item, path)
        case _:
            assert_never(item)


def _add_foreign(conversation: MessageBuilder, answer: _Answer, item: wire.OtherItem, path: str) -> None:
    """An item of a tool that there is not here: it is a call, a result, both, or a text."""
    if item.type in foreign.CALLS:
        call = foreign.call_of(item)
        at = f"{path}.call_id"
        answer.call(Call(CallKey(call.id), call.id, call.name, call.arguments, at, _ARGUMENTS), path)
        carried = "function_call"
    elif item.type in foreign.DONE:
        answer.ran(foreign.call_of(item), foreign.outcome_of(item, path), path)
        carried = "function_call"
    elif item.type in foreign.OUTPUTS:
        answer.told()
        conversation.result(CallKey(foreign.output_id(item)), foreign.outcome_of(item, path), f"{path}.call_id")
        carried = "function_call_output"
    elif item.type in foreign.NOTES:
        answer.told()
        conversation.note(item.type, foreign.note_of(item))
        carried = "text"
    else:
        raise unsupported(f"{path}.type", f"Claude cannot be given items of type '{item.type[:_MOST_SHOWN]}' here")
    conversation.adjust(f"input[].{item.type}", carried)


_MOST_SHOWN = 80
"""Characters of a type that are repeated to the client."""
