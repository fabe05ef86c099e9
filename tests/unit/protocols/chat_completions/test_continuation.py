"""What clients send back of an answer finds the session that gave it, however they write it; anything else does not.

The samples are last requests of conversations that real clients led over one and the same script (`SAID`): what stood
before each answer in them is what the client had sent for it (seen on the wire).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from random import Random
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.core.events import Event, TextDelta, ToolCalled, TurnFinished, TurnStarted
from claude_openai.core.fingerprint import fingerprint
from claude_openai.core.load import Load
from claude_openai.core.messages import AssistantMessage, ToolCall
from claude_openai.gateway import Gateway
from claude_openai.jsontools.strict import parse
from claude_openai.protocols.chat_completions.answer import AnswerFormat
from claude_openai.protocols.chat_completions.collector import Collector
from claude_openai.protocols.chat_completions.stream import ChunkEncoder
from claude_openai.protocols.common.content import is_blank
from claude_openai.testing.scripted_backend import ScriptedBackend
from tests.unit.gateway.test_gateway import events_of, gateway
from tests.unit.protocols.chat_completions.asking import reading_of, sample
from tests.virtual_clock import on_virtual_clock

Message = dict[str, Any]
Json = object

EPHEMERAL: Final = {"type": "ephemeral"}
"""Where a client wants the prompt to be cached."""

CALLED, STOPPED = TurnFinished("tool_calls"), TurnFinished("stop")


def says(*said: str | ToolCall) -> list[Event]:
    """One answer, as a backend tells it."""
    events = [ToolCalled(each) if isinstance(each, ToolCall) else TextDelta(each) for each in said]
    return [TurnStarted("claude-sonnet-4-6", "session"), *events, CALLED if isinstance(said[-1], ToolCall) else STOPPED]


# --- Conversations of real clients -----------------------------------------------------------------------------------

ROME = '{"days": 3, "city":"Rome"}'
SAID: Final[Sequence[list[Event]]] = (
    says(
        "Let me look",
        ". \n\n",
        ToolCall(
            "toolu_sim_000001",
            "get_weather",
            r'{ "unit" : "C",  "city": "Z\u00fcrich \ud83d\ude00 a\/b", "days": 1.0, '
            r'"near": [1e2, -0.0, null, true, 0.10] }',
        ),
        ToolCall("toolu_sim_000002", "get_weather", ROME),
    ),
    says(
        ToolCall(
            "toolu_sim_000003",
            "get_weather",
            r'{"city":"Ur","days":12,"near":[],"unit":"C","extra":{"z":1,"a":{"y":2.50,"b":"\u0041"}}}',
        )
    ),
    says("\n", ToolCall("toolu_sim_000004", "now", "{}")),
    says(" It is warm. "),
    says("You are welcome.\n"),
    says(ToolCall("toolu_sim_000005", "get_weather", ROME)),
    says("Done."),
)

CLIENTS = (
    "agents-sdk-conversation",
    "ai-sdk-conversation",
    "langchain-conversation",
    "openai-node-conversation",
    "openai-node-stream-conversation",
    "openai-python-conversation",
)


def requests(client: str) -> Iterator[Any]:
    """The request for each answer of a conversation, and the last one."""
    body: Any = sample(client)
    for index, message in enumerate(body["messages"]):
        if message["role"] == "assistant":
            yield {**body, "messages": body["messages"][:index]}
    yield body


def as_opencode_marks(body: Any) -> Any:
    """The instructions and the last two messages, their calls too; without calls and without text it is a ""."""
    messages = deepcopy(body["messages"])
    for message in messages:
        if message["role"] == "assistant":
            message["content"] = (message["content"] or "").rstrip()
    for message in (messages[0], *messages[-2:]):
        message["cache_control"] = EPHEMERAL
        for call in message.get("tool_calls", ()):
            call["cache_control"] = EPHEMERAL
    return {**body, "messages": messages}


def load_after(bodies: Sequence[Any], said: Sequence[list[Event]]) -> Load:
    """How the gateway answered these requests, one after the other. `said` is for one session; another says as much."""
    loads: list[Load] = []

    @on_virtual_clock
    async def play() -> None:
        playing = ScriptedBackend([event for answer in said for event in answer])
        async with gateway(playing) as opened:
            for body in bodies:
                await ask(opened, body)
            loads.append(opened.load())

    play()
    return loads[0]


async def ask(opened: Gateway, body: Any) -> list[Event]:
    return await events_of(opened, reading_of(body).turn)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_turn_of_a_real_client_goes_on_in_one_session(client: str) -> None:
    load = load_after([*requests(client)], SAID)
    assert load.turns == {"cold": 1, "results": 4, "live": 2}
    assert load.miss_reasons == {}


def test_every_turn_of_opencode_goes_on_though_its_cache_marks_move() -> None:
    bodies = [as_opencode_marks(body) for body in requests("ai-sdk-conversation")]
    load = load_after(bodies, SAID)
    assert load.turns == {"cold": 1, "results": 4, "live": 2}


# --- One thing written differently -----------------------------------------------------------------------------------

LOOK = ToolCall(
    "toolu_1",
    "look",
    '{"city": "Zürich \\ud83d \ude00", "days": 1.0, "near": [1e2, -0.0, true, null], "note": {"b": 1, "a": "/"}}',
)
NOW = ToolCall("toolu_2", "now", " ")
FIRST = says(" \n\ufeffLet me \ud83d look.", "\u3000\n", LOOK, NOW)
SECOND = says("\nIt  is\ufeff warm,\n\n caf\u00e9.\n")
THIRD = says("Good-bye.")
TOOLS = [
    {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}},
    {"type": "function", "function": {"name": "now"}},
]
ASKED: list[Message] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather?"},
]
BROUGHT: list[Message] = [
    {"role": "tool", "tool_call_id": "toolu_1", "content": "21"},
    {"role": "tool", "tool_call_id": "toolu_2", "content": ""},
]
FOLLOW_UP: Message = {"role": "user", "content": "And tomorrow?"}


def request(messages: list[Message]) -> Any:
    return {"model": "claude-sonnet", "messages": messages, "tools": TOOLS}


def collected(said: Sequence[Event]) -> Message:
    """The message of the one object that the client is sent."""
    collector = Collector("chatcmpl-1", 1, AnswerFormat("claude-sonnet"))
    for event in said:
        collector.feed(event)
    message: Message = json.loads(collector.result().to_json())["choices"][0]["message"]
    return message


def streamed(said: Sequence[Event]) -> Message:
    """The message that a client puts together from the chunks it is sent."""
    encoder = ChunkEncoder("chatcmpl-1", 1, AnswerFormat("claude-sonnet"))
    message: Message = {"content": "", "tool_calls": []}
    for chunk in (json.loads(chunk.to_json()) for event in said for chunk in encoder.feed(event)):
        delta = chunk["choices"][0]["delta"]
        message["role"] = delta.get("role", message.get("role"))
        message["content"] += delta.get("content") or ""
        for piece in delta.get("tool_calls", ()):
            if "id" in piece:
                message["tool_calls"].append(piece)
            else:
                message["tool_calls"][piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]
    return message


Heard = Callable[[Sequence[Event]], Message]
heard_either_way = pytest.mark.parametrize("heard", [collected, streamed])


def at_results(heard: Heard) -> list[Message]:
    return deepcopy([*ASKED, heard(FIRST), *BROUGHT])


def at_follow_up(heard: Heard) -> list[Message]:
    return deepcopy([*ASKED, heard(FIRST), *BROUGHT, heard(SECOND), FOLLOW_UP])


Rewrite = Callable[[Message], None]
"""Writes one message another way, in place."""


def of_role(*roles: str) -> Callable[[Rewrite], Rewrite]:
    def narrowed(rewrite: Rewrite) -> Rewrite:
        return lambda message: rewrite(message) if message["role"] in roles else None

    return narrowed


def answers_with(**fields: Json) -> Rewrite:
    """Further fields, or others in the place of those that are there."""
    return of_role("assistant")(lambda message: message.update(deepcopy(fields)))


def text_as(written: Callable[[str], Json], *roles: str) -> Rewrite:
    """Another form of the content, where it still is a text."""

    @of_role(*(roles or ("assistant",)))
    def rewrite(message: Message) -> None:
        if isinstance(message["content"], str):
            message["content"] = written(message["content"])

    return rewrite


def calls_as(written: Callable[[Message], Message]) -> Rewrite:
    @of_role("assistant")
    def rewrite(message: Message) -> None:
        if message.get("tool_calls"):
            message["tool_calls"] = [written(call) for call in message["tool_calls"]]

    return rewrite


def arguments_as(written: Callable[[str], str]) -> Rewrite:
    def rewrite(call: Message) -> Message:
        return {**call, "function": {**call["function"], "arguments": written(call["function"]["arguments"] or "{}")}}

    return calls_as(rewrite)


def arguments_dumped(**options: Any) -> Rewrite:
    return arguments_as(lambda arguments: json.dumps(parse(arguments), **options))


def javascript_arguments(arguments: str) -> str:
    """`JSON.stringify(JSON.parse(arguments))`, but for integers beyond 2**53: it would make others of them."""
    return json.dumps(json.loads(arguments, parse_float=shortest), separators=(",", ":"), ensure_ascii=False)


LARGEST_IN_FULL: Final = 1e21
"""From here on JavaScript writes numbers with an exponent."""


def shortest(digits: str) -> float | int:
    number = float(digits)
    return int(number) if number.is_integer() and abs(number) < LARGEST_IN_FULL else number


def backwards(arguments: str) -> str:
    return json.dumps(dict(reversed(json.loads(arguments).items())))


def in_parts(text: str, **fields: Json) -> list[Json]:
    return [{"type": "text", "text": text, **fields}] if text else []


@of_role("assistant")
def no_calls_told(message: Message) -> None:
    if not message.get("tool_calls"):
        message["tool_calls"] = None


@of_role("assistant")
def none_called(message: Message) -> None:
    if not message.get("tool_calls"):
        message["tool_calls"] = []


@of_role("system")
def developer(message: Message) -> None:
    message["role"] = "developer"


LAWFUL: dict[str, Rewrite] = {
    "nothing": lambda _: None,
    "what OpenAI's message has besides": answers_with(refusal=None, annotations=[], audio=None, function_call=None),
    "all of that as null": answers_with(refusal=None, annotations=None, audio=None, function_call=None, name=None),
    "an empty refusal": answers_with(refusal=""),
    "what the openai package parsed": answers_with(parsed=None),
    "reasoning": answers_with(reasoning_content="Hm.", reasoning="Hm.", thinking_blocks=[{"thinking": "Hm."}]),
    "what LiteLLM adds": answers_with(provider_specific_fields={"refusal": None}, images=[]),
    "an id and a name": answers_with(id="msg_1", name="assistant"),
    "marks for the cache": answers_with(cache_control=EPHEMERAL),
    "no calls as null": no_calls_told,
    "no calls as an empty list": none_called,
    "text without the space around it": text_as(str.strip),
    "text without the space behind it": text_as(str.rstrip),
    "text as JavaScript trims it": text_as(lambda text: text.strip(" \n\ufeff\u3000")),
    "text with more space around it": text_as(lambda text: f"\n{text}\ufeff "),
    "text in a part": text_as(in_parts),
    "text in two parts": text_as(lambda text: [*in_parts(text[:9]), *in_parts(text[9:])]),
    "text in a marked part": text_as(lambda text: in_parts(text, cache_control=EPHEMERAL)),
    "all other texts in parts": text_as(in_parts, "system", "user", "tool"),
    "questions in marked parts": text_as(lambda text: in_parts(text, cache_control=EPHEMERAL), "user"),
    "results in marked parts": text_as(lambda text: in_parts(text, cache_control=EPHEMERAL), "tool"),
    "no result as null": text_as(lambda text: text or None, "tool"),
    "a developer's instructions": developer,
    "calls with an index": calls_as(lambda call: {**call, "index": 0, "provider_specific_fields": None}),
    "calls without a type": calls_as(lambda call: {name: call[name] for name in ("id", "function")}),
    "calls with marks for the cache": calls_as(lambda call: {**call, "cache_control": EPHEMERAL}),
    "calls with parsed arguments": calls_as(
        lambda call: {**call, "function": {**call["function"], "parsed_arguments": {"city": "Bern"}}}
    ),
    "arguments as Python writes them": arguments_dumped(),
    "arguments as JavaScript writes them": arguments_as(javascript_arguments),
    "arguments without white space": arguments_dumped(separators=(",", ":")),
    "arguments in lines": arguments_dumped(indent=2),
    "arguments without escapes": arguments_dumped(ensure_ascii=False),
    "arguments in order": arguments_dumped(sort_keys=True),
    "arguments the other way round": arguments_as(backwards),
    "arguments with space around them": arguments_as(lambda arguments: f"\n {arguments} "),
    "no arguments as an empty text": arguments_as(lambda arguments: "" if arguments == "{}" else arguments),
}


def rewritten(messages: list[Message], rewrite: Rewrite) -> list[Message]:
    for message in messages:
        rewrite(message)
    return messages


@heard_either_way
@pytest.mark.parametrize("rewrite", LAWFUL.values(), ids=LAWFUL.keys())
def test_what_a_client_may_write_differently_goes_on_in_the_session(rewrite: Rewrite, heard: Heard) -> None:
    bodies = [
        request(ASKED),
        request(rewritten(at_results(heard), rewrite)),
        request(rewritten(at_follow_up(heard), rewrite)),
    ]
    load = load_after(bodies, (FIRST, SECOND, THIRD))
    assert load.turns == {"cold": 1, "results": 1, "live": 1}
    assert load.miss_reasons == {}


@heard_either_way
@pytest.mark.parametrize("content", [None, "", [], " \n"], ids=["null", "empty", "no-parts", "blank"])
def test_an_answer_that_only_calls_has_no_text_however_that_is_written(content: Json, heard: Heard) -> None:
    only_calls = says(LOOK, NOW)
    answer = heard(only_calls)
    for written in ({**answer, "content": content}, {name: answer[name] for name in ("role", "tool_calls")}):
        load = load_after([request(ASKED), request([*ASKED, written, *BROUGHT])], (only_calls, SECOND))
        assert load.turns == {"cold": 1, "results": 1}


# --- One thing that is different -------------------------------------------------------------------------------------


def other_arguments(change: Callable[[dict[str, Any]], None]) -> Rewrite:
    def written(arguments: str) -> str:
        value = json.loads(arguments)
        if value:
            change(value)
        return json.dumps(value)

    return arguments_as(written)


@of_role("assistant")
def other_order_of_calls(message: Message) -> None:
    message.get("tool_calls", []).reverse()


@of_role("user", "system")
def mistaken_role(message: Message) -> None:
    message["role"] = "user"


def other_ids(message: Message) -> None:
    """Of the calls, and of the results with them."""
    for call in message.get("tool_calls", ()):
        call["id"] += "0"
    if message["role"] == "tool":
        message["tool_call_id"] += "0"


def text_with(before: str, after: str) -> Rewrite:
    return text_as(lambda text: text.replace(before, after))


DIFFERENT: dict[str, Rewrite] = {
    "an argument": other_arguments(lambda value: value.update(city="Bern")),
    "the space in an argument": other_arguments(lambda value: value.update(city=value["city"] + " ")),
    "a number": other_arguments(lambda value: value.update(days=2)),
    "a number that is not whole": other_arguments(lambda value: value.update(days=1.5)),
    "a number as text": other_arguments(lambda value: value.update(days="1")),
    "true for a number": other_arguments(lambda value: value.update(days=True)),
    "a number for true": other_arguments(lambda value: value["near"].__setitem__(2, 1)),
    "null for a number": other_arguments(lambda value: value.update(days=None)),
    "a list in another order": other_arguments(lambda value: value["near"].reverse()),
    "one argument less": other_arguments(lambda value: value.pop("days")),
    "one argument more, which is null": other_arguments(lambda value: value.update(unit=None)),
    "the name of an argument": other_arguments(lambda value: value.update(day=value.pop("days"))),
    "an argument within an argument": other_arguments(lambda value: value["note"].update(a="\\/")),
    "the order of the calls": other_order_of_calls,
    "the ids of the calls": other_ids,
    "a call's name": calls_as(lambda call: {**call, "function": {**call["function"], "name": "look"}}),
    "a word": text_with("warm", "cold"),
    "the case of a letter": text_with("Let", "let"),
    "white space within the text": text_with("It  is", "It is"),
    "a line within the text": text_with("\n\n caf", "\n caf"),
    "a mark within the text that is no space": text_with("is\ufeff", "is"),
    "another form of a letter": text_with("\u00e9", "e\u0301"),
    "a result": text_as(lambda text: text.replace("21", "22"), "tool"),
    "the space around a question": text_as(lambda text: f"{text} ", "user"),
    "who said it": mistaken_role,
    "a refusal": answers_with(refusal="No."),
}


@heard_either_way
@pytest.mark.parametrize("change", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_whatever_else_is_different_is_answered_by_a_session_of_its_own(change: Rewrite, heard: Heard) -> None:
    changed = request(rewritten(at_follow_up(heard), change))
    load = load_after([request(ASKED), request(at_results(heard)), changed], (FIRST, SECOND, THIRD))
    assert load.turns == {"cold": 2, "results": 1}
    assert sum(load.miss_reasons.values()) == 1


@heard_either_way
def test_without_one_of_its_messages_it_is_another_conversation(heard: Heard) -> None:
    said = at_follow_up(heard)
    without = {
        "the instructions": said[1:],
        "the calls and their results": said[:2] + said[5:],
        "the answer": said[:5] + said[6:],
    }
    for messages in without.values():
        load = load_after([request(ASKED), request(at_results(heard)), request(messages)], (FIRST, SECOND, THIRD))
        assert load.turns == {"cold": 2, "results": 1}


# --- Any conversation ------------------------------------------------------------------------------------------------

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
argument_objects = st.dictionaries(st.text(max_size=8), values, max_size=3)
calls = st.lists(
    st.builds(
        lambda name, arguments: (name, json.dumps(arguments)), st.sampled_from(["look", "now"]), argument_objects
    ),
    max_size=3,
)
halves = st.sampled_from(["\ud83d", "\ude00", "\ufeff", " ", "\n", "\x85", "\u2028"])
texts = st.lists(st.text(max_size=8) | halves, max_size=3)
answers = st.tuples(texts, calls)
conversations = st.lists(answers, min_size=1, max_size=2)

Conversation = list[tuple[list[str], list[tuple[str, str]]]]


def told(conversation: Conversation) -> tuple[str, list[Message]]:
    """The key of the session that gave these answers, and the messages as its client has them after the last."""
    messages: list[Message] = [{"role": "user", "content": "Hi"}]
    standing = fingerprint(reading_of(request(messages)).turn)
    for turn, (pieces, made) in enumerate(conversation):
        named = tuple(ToolCall(f"toolu_{turn}_{index}", *call) for index, call in enumerate(made))
        results = [{"role": "tool", "tool_call_id": call.id, "content": "21"} for call in named]
        new: list[Message] = results or [{"role": "user", "content": "Go on"}]
        messages += [collected(says(*pieces, *named)), *new]
        asked = fingerprint(reading_of(request(messages)).turn)
        assert asked.before(len(new)) == standing.after(AssistantMessage("".join(pieces), named))
        standing = asked
    return standing.key, messages


def has_words(conversation: Conversation) -> bool:
    """Of an answer without any, nothing is left in a history: no session has that."""
    return all(made or not is_blank("".join(pieces)) for pieces, made in conversation)


@st.composite
def rewrites(draw: st.DrawFn) -> Rewrite:
    """Some lawful ones, one after the other, behind one that shuffles whatever has names in the arguments."""
    chance = draw(st.randoms(use_true_random=False))
    shuffle = arguments_as(lambda arguments: json.dumps(shuffled(parse(arguments), chance)))
    chosen = [shuffle, *draw(st.lists(st.sampled_from(list(LAWFUL.values())), max_size=4))]

    def rewrite(message: Message) -> None:
        for each in chosen:
            each(message)

    return rewrite


def shuffled(value: Json, chance: Random) -> Json:
    match value:
        case dict():
            items = [(name, shuffled(each, chance)) for name, each in value.items()]
            chance.shuffle(items)
            return dict(items)
        case list():
            return [shuffled(each, chance) for each in value]
        case _:
            return value


@given(conversations.filter(has_words), rewrites())
def test_any_lawful_rewriting_of_any_conversation_has_the_same_key(
    conversation: Conversation, rewrite: Rewrite
) -> None:
    key, messages = told(conversation)
    assert fingerprint(reading_of(request(rewritten(messages, rewrite))).turn).key == key


@given(argument_objects, st.data())
def test_any_change_of_one_value_has_another_key(arguments: dict[str, Json], data: st.DataObject) -> None:
    def key(said: Json) -> str:
        return told([(["Let me look."], [("look", json.dumps(said))])])[0]

    assert key(with_one_change(arguments, data)) != key(arguments)


def with_one_change(value: Json, data: st.DataObject) -> Json:
    """A list or an object with one thing different somewhere within; anything else as a text that it is not."""
    match value:
        case dict() if value:
            name = data.draw(st.sampled_from(sorted(value)))
            return {**value, name: with_one_change(value[name], data)}
        case dict():
            return {"more": None}
        case list() if value:
            index = data.draw(st.integers(0, len(value) - 1))
            return [*value[:index], with_one_change(value[index], data), *value[index + 1 :]]
        case list():
            return [None]
        case str():
            return f"{value}!"
        case _:
            return json.dumps(value)
