"""A conversation goes on in the session that has it, and where none has it a client can tell by nothing but time."""

import json
import os
from collections import Counter
from collections.abc import Callable
from itertools import cycle
from typing import Any

import anyio
import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion
from structlog.testing import capture_logs

from claude_openai.claude_code.processes.child import LOW_PRIORITY
from claude_openai.simulator import Cut, Failure, Gate, RecordedRequest, Replies, Reply, Stall, Text, ToolUse
from claude_openai.simulator.script import Answer
from tests.claude_code.conftest import NEW_MODEL, OLD_MODEL, Rig, Serve, spoken, system_prompt, text
from tests.claude_code.test_tools import PNG, TOOLS, USER, ask, back, message, outcome, results, sessions, tool, weather
from tests.patience import PATIENCE_SECONDS
from tests.processes import children

DOLLARS_A_TOKEN = {
    "input_tokens": 2e-6,
    "cache_creation_input_tokens": 2.5e-6,
    "cache_read_input_tokens": 0.2e-6,
    "output_tokens": 10e-6,
}
"""What Claude Code takes `NEW_MODEL` to cost (measured)."""


class Chat:
    """A client that has the conversation and sends all of it each time; `asking` goes with every request."""

    def __init__(self, rig: Rig, *, client: AsyncOpenAI | None = None, **asking: Any) -> None:
        self.messages: list[dict[str, Any]] = []
        self._client = client or rig.client
        self._asking = {"model": NEW_MODEL, **asking}

    async def say(self, content: Any, **asking: Any) -> ChatCompletion:
        """The answer to what the user says next."""
        self.messages.append({"role": "user", "content": content})
        return await self.go_on(**asking)

    async def go_on(self, **asking: Any) -> ChatCompletion:
        """The answer to the conversation as it stands; it becomes part of it."""
        answer = await self.answer(self.messages, **asking)
        self.messages.append(back(answer))
        return answer

    async def answer(self, messages: list[dict[str, Any]], **asking: Any) -> ChatCompletion:
        """The answer to another conversation than the one so far, which stays as it is."""
        request = {"messages": messages, **self._asking, **asking}
        completions = self._client.chat.completions
        with anyio.fail_after(PATIENCE_SECONDS):
            if not request.pop("stream", False):
                answer: ChatCompletion = await completions.create(**request)
                return answer
            async with completions.stream(**request, stream_options={"include_usage": True}) as events:
                return await events.get_final_completion()


def native(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Plain words of user and assistant, as upstream is told them."""
    return [{"role": each["role"], "content": [text(each["content"])]} for each in messages]


def in_turn(words: list[str]) -> list[dict[str, Any]]:
    """What user and assistant said to each other."""
    roles = cycle(("user", "assistant"))
    return [{"role": role, "content": said} for role, said in zip(roles, words, strict=False)]


def newest(request: RecordedRequest) -> str:
    """The user's last words."""
    words: str = spoken(request)[-1]["content"][-1]["text"]
    return words


def always(answer: Answer) -> Callable[[RecordedRequest], Answer]:
    return lambda _: answer


def ways(rig: Rig) -> Counter[str]:
    """How turns reached Claude Code so far, and why where there was a reason."""
    load = rig.gateway.load()
    return Counter(load.turns) + Counter(load.miss_reasons)


def asked_for(request: RecordedRequest) -> dict[str, Any]:
    """All of a request but what was said."""
    return {name: value for name, value in request.body.items() if name not in {"messages", "metadata", "system"}}


def dollars(usage: dict[str, Any] | None) -> float:
    assert usage is not None
    return sum(price * float(usage[name]) for name, price in DOLLARS_A_TOKEN.items())


def cost(answer: ChatCompletion) -> float:
    told: float = (answer.model_extra or {})["claude"]["cost_usd"]
    return told


@pytest.mark.proves("conversations.live", "conversations.reasons")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_five_turns_are_five_requests_of_one_session_with_nothing_added(rig: Rig, stream: bool) -> None:
    before, chat = ways(rig), Chat(rig, stream=stream)
    rig.plays(Replies(*[f"Answer {number}." for number in range(5)]))
    with capture_logs() as logged:
        for number in range(5):
            answer = await chat.say(f"Question {number}?")
            assert message(answer).content == f"Answer {number}."
            assert spoken(rig.simulator.requests[-1]) == native(chat.messages[:-1])
    assert list(sessions(rig.simulator.requests).values()) == [5]
    assert ways(rig) - before == {"cold": 1, "live": 4}
    turns = [entry["way"] for entry in logged if entry["event"] == "conversation.turn"]
    assert turns == ["cold", "live", "live", "live", "live"]


@pytest.mark.proves("conversations.live", "conversations.lawful")
async def test_what_the_user_says_next_arrives_in_the_blocks_it_was_sent_in(rig: Rig) -> None:
    chat = Chat(rig)
    rig.plays(lambda _: Reply.of("fine"))
    await chat.say("hi")
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    await chat.say([text("one"), picture, text("two\n")])
    chat.messages.append({"role": "user", "content": "three"})
    await chat.say("/four @five")
    await chat.say("six")
    assert list(sessions(rig.simulator.requests).values()) == [4]
    said = [turn["content"] for turn in spoken(rig.simulator.requests[-1]) if turn["role"] == "user"]
    shown = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
    assert said == [
        [text("hi")],
        [text("one"), shown, text("two\n")],
        [text("three"), text("/four @five")],
        [text("six")],
    ]


@pytest.mark.proves("conversations.live", "tools.same-session", "usage.claude-object")
async def test_a_tool_loop_and_the_chat_after_it_are_one_session_and_each_answer_costs_its_own(rig: Rig) -> None:
    chat = Chat(rig, tools=TOOLS)
    rig.plays(Replies(weather("Rome"), weather("Ur"), weather("Oslo"), "In Ur.", "Yes."))
    answer = await chat.say("Where is it warmest?")
    for degrees in ("32", "45", "-3"):
        chat.messages += results(answer, [degrees])
        answer = await chat.go_on()
    spent = [dollars(request.usage) for request in rig.simulator.requests]
    assert cost(answer) == pytest.approx(sum(spent))
    assert cost(await chat.say("Really?")) == pytest.approx(dollars(rig.simulator.requests[-1].usage))
    assert list(sessions(rig.simulator.requests).values()) == [5]
    assert [outcome(request) for request in rig.simulator.requests[1:]] == [
        [[text("32")]],
        [[text("45")]],
        [[text("-3")]],
        [text("Really?")],
    ]
    assert message(answer).content == "In Ur."


@pytest.mark.proves("conversations.lawful")
async def test_what_clients_write_differently_goes_on_in_the_session_all_the_same(rig: Rig) -> None:
    looking = Reply((Text.of("\n Let me look. \n"), ToolUse("get_weather", {"city": "Rome", "day": None})))
    rig.plays(Replies(looking, Reply((ToolUse("Bash", {}),)), " Hot.\n", "Yes."))
    chat = Chat(rig, tools=TOOLS)
    first, marked = {"role": "user", "content": "hi"}, {"cache_control": {"type": "ephemeral"}}
    chat.messages = [first]
    call = (message(await chat.go_on()).tool_calls or [])[0]
    calling = {
        "role": "assistant",
        "content": "Let me look.",
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{ "day": null,\n"city": "\\u0052ome"}'},
            }
        ],
        "annotations": [],
        "audio": None,
        "refusal": None,
        "reasoning_content": "The city is Rome.",
        "provider_specific_fields": {"citations": None},
    }
    chat.messages = [
        {"role": "user", "content": [text("hi") | marked]},
        calling,
        {"role": "tool", "tool_call_id": call.id, "content": [text("32") | marked], "name": "get_weather"},
    ]
    answer = await chat.go_on()
    chat.messages[-1] |= {"content": ""}
    chat.messages += results(answer, ["done"])
    await chat.go_on()
    chat.messages[-1] = {"role": "assistant", "content": [text("Hot.")], "tool_calls": None, "function_call": None}
    chat.messages[0], chat.messages[3]["content"] = first, None
    await chat.say("Really?")
    assert list(sessions(rig.simulator.requests).values()) == [4]


def drawn(request: RecordedRequest) -> dict[str, Any]:
    names = ("temperature", "top_p", "max_tokens", "stop_sequences", "tool_choice", "thinking")
    return {name: request.body[name] for name in names if name in request.body}


WILD = {"temperature": 0.25, "max_tokens": 77, "stop": ["x"], "tool_choice": "required"}
WILD_UPSTREAM = {
    "temperature": 0.25,
    "max_tokens": 77,
    "stop_sequences": ["x"],
    "tool_choice": {"type": "any"},
    "thinking": {"type": "disabled"},
}


@pytest.mark.proves("conversations.settings-anew", "params.one-request-only")
async def test_how_an_answer_is_drawn_is_told_anew_each_turn(rig: Rig) -> None:
    chat = Chat(rig, model=OLD_MODEL, tools=TOOLS)
    rig.plays(lambda _: Reply.of("fine"))
    usual: dict[str, Any] = {}
    live, rebuilt, unable = {"live": 1}, {"rebuilt": 1, "stopped": 1}, {"rebuilt": 1, "unable": 1}
    steps: list[tuple[dict[str, Any], dict[str, int]]] = [
        (usual, {"cold": 1}),
        (WILD, live),
        (usual, live),
        ({"temperature": 0.75}, live),
        ({"tool_choice": "none", "parallel_tool_calls": False}, live),
        (usual, rebuilt),
        (WILD, live),
        (usual, live),
        (WILD, rebuilt),
        (usual, unable),
        (usual, live),
    ]
    for asking, way in steps:
        if way == rebuilt:
            await rig.gateway.close_idle_sessions()
        before = ways(rig)
        await chat.say("and now?", **asking)
        assert ways(rig) - before == way
    first, *others = rig.simulator.requests
    assert drawn(first)["thinking"]["type"] == "enabled"
    for (asking, _), request in zip(steps[1:], others, strict=True):
        assert spoken(request) == native(chat.messages[: len(spoken(request))])
        if asking is usual:
            assert asked_for(request) == asked_for(first)
        if asking is WILD:
            assert drawn(request) == WILD_UPSTREAM
    assert drawn(others[2])["temperature"] == 0.75
    assert drawn(others[3])["tool_choice"] == {"type": "none"}


KEYS = ("key-of-one", "key-of-two")
HISTORY: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "first"},
    {"role": "assistant", "content": "fine"},
    {"role": "user", "content": "second"},
]
LONGER: list[dict[str, Any]] = [
    *HISTORY,
    {"role": "assistant", "content": "fine"},
    {"role": "user", "content": "third"},
]
OTHERS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "another model": (LONGER, {"model": OLD_MODEL}),
    "other instructions": ([{"role": "system", "content": "Be kind."}, *LONGER[1:]], {}),
    "other tools": (LONGER, {"tools": [*TOOLS, tool("another")]}),
    "no tools": (LONGER, {"tools": openai.omit}),
    "another key": (LONGER, {"extra_headers": {"authorization": f"Bearer {KEYS[1]}"}}),
    "the same again": (HISTORY, {}),
    "a branch": ([*HISTORY[:-1], {"role": "user", "content": "second, but different"}], {}),
    "an edited question": ([*LONGER[:1], {"role": "user", "content": "First"}, *LONGER[2:]], {}),
    "an edited answer": ([*LONGER[:4], {"role": "assistant", "content": "Fine"}, *LONGER[5:]], {}),
    "a shortened history": ([*HISTORY[:1], *LONGER[3:]], {}),
}
"""What is not the conversation that HISTORY began, beside LONGER itself."""


@pytest.mark.proves("conversations.exact", "conversations.reasons")
async def test_whatever_is_not_that_very_conversation_is_answered_by_a_session_of_its_own(serve: Serve) -> None:
    async with serve(api_key=KEYS, max_processes=2 + len(OTHERS)) as rig:
        rig.plays(lambda _: Reply.of("fine"))
        async with rig.client.with_options(api_key=KEYS[0]) as client:
            chat = Chat(rig, client=client, tools=TOOLS)
            await chat.answer(HISTORY[:2])
            await chat.answer(HISTORY)
            for name, (messages, asking) in OTHERS.items():
                await chat.answer(messages, **asking)
                asked = rig.simulator.requests[-1]
                assert spoken(asked) == native(messages[1:]), name
                assert system_prompt(asked) == [messages[0]["content"]], name
            await chat.answer(LONGER)
            assert spoken(rig.simulator.requests[-1]) == native(LONGER[1:])
        requests, load = rig.simulator.requests, rig.gateway.load()
    assert len(sessions(requests[1:-1])) == 1 + len(OTHERS)
    assert load.turns == {"cold": 1, "live": 2, "rebuilt": len(OTHERS)}
    assert load.miss_reasons == {"model": 1, "instructions": 1, "tools": 2, "history": 3, "unknown": 3}
    models = [request.model for request in requests]
    assert [model.startswith(OLD_MODEL) for model in models].count(True) == 1


UNFINISHED = {
    "at length": Reply((Text.of("cut off"),), stop_reason="max_tokens"),
    "do harm": Reply((), stop_reason="refusal", stop_details={"type": "refusal", "explanation": "This may do harm."}),
    "nothing": Reply(),
}


@pytest.mark.proves("conversations.exact", "conversations.reasons")
async def test_after_an_answer_that_was_cut_refused_or_empty_the_next_turn_is_as_the_client_has_it(rig: Rig) -> None:
    before, chat = ways(rig), Chat(rig)
    rig.plays(lambda request: UNFINISHED.get(newest(request), Reply.of(f"Re: {newest(request)}")))
    for words in ("hi", "at length", "one", "do harm", "two", "nothing", "three", "four"):
        await chat.say(words)
    heard = {newest(request): spoken(request) for request in rig.simulator.requests}
    first = ["hi", "Re: hi", "at length", "cut off", "one", "Re: one", "do harm", "This may do harm.", "two", "Re: two"]
    assert heard["two"] == native(in_turn(first[:-1]))
    assert heard["four"] == [
        *native(in_turn(first)),
        {"role": "user", "content": [text("nothing"), text("three")]},  # as there was no answer between them
        {"role": "assistant", "content": [text("Re: three")]},
        {"role": "user", "content": [text("four")]},
    ]
    assert ways(rig) - before == {"cold": 1, "live": 4, "rebuilt": 3, "cut": 3}


@pytest.mark.proves("conversations.exact", "errors.upstream", "errors.upstream.cut")
async def test_after_a_turn_that_failed_nothing_of_it_is_left(rig: Rig) -> None:
    chat = Chat(rig)
    rig.plays(Replies("Hello."))
    await chat.say("hi")
    broken = Reply((Text(("half of ", "an answer")),), fault=Cut(5))
    statuses = []
    for failure in (Failure.of(400), Failure.of(429), Failure.of(529), broken):
        rig.plays(always(failure))
        with pytest.raises(openai.APIStatusError) as caught:
            await chat.say("and then?")
        statuses.append(caught.value.status_code)
        await rig.gateway.until_idle()  # the client may have its error before the process has ended
        assert len(sessions(rig.simulator.requests)) == 1
        rig.plays(Replies("fine"))
        await chat.go_on()
        assert spoken(rig.asked) == native(chat.messages[:-1])
    assert statuses == [400, 429, 503, 502]


@pytest.mark.proves("conversations.exact", "conversations.reasons")
async def test_of_two_requests_for_one_session_one_goes_on_and_the_other_is_rebuilt(rig: Rig) -> None:
    chat, gate, answers = Chat(rig), Gate(), {}
    rig.plays(lambda _: Reply.of("Hello."))
    await chat.say("hi")
    before = ways(rig)
    rig.plays(lambda request: Reply((Text(("You said ", gate, spoken(request)[-1]["content"][0]["text"])),)))

    async def ask(words: str) -> None:
        messages = [*chat.messages, {"role": "user", "content": words}]
        answers[words] = message(await chat.answer(messages)).content

    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as both:
            both.start_soon(ask, "one")
            both.start_soon(ask, "two")
            await rig.simulator.request(1)
            gate.open()
    assert answers == {"one": "You said one", "two": "You said two"}
    assert ways(rig) - before == {"live": 1, "rebuilt": 1, "busy": 1}
    assert len(sessions(rig.simulator.requests)) == 2
    for request in rig.simulator.requests:
        assert spoken(request)[:-1] == native(chat.messages)


@pytest.mark.proves("conversations.exact", "lifetime.client-gone")
async def test_a_client_that_left_in_mid_answer_can_ask_again(rig: Rig) -> None:
    chat = Chat(rig)
    rig.plays(Replies("Hello.", Reply((Text(("half of ", "an answer")),), fault=Stall(5)), "again", "further"))
    await chat.say("hi")
    async with anyio.create_task_group() as leaving:
        leaving.start_soon(chat.say, "and then?")
        with anyio.fail_after(PATIENCE_SECONDS):
            left = await rig.simulator.request(1)
        leaving.cancel_scope.cancel()
    await chat.go_on()
    with anyio.fail_after(PATIENCE_SECONDS):
        await left.closed.wait()
    await chat.say("go on")
    assert [spoken(request) for request in rig.simulator.requests[2:]] == [
        native(chat.messages[:3]),
        native(chat.messages[:5]),
    ]
    assert list(sessions(rig.simulator.requests).values()) == [2, 2]


@pytest.mark.proves("conversations.exact")
async def test_what_a_model_had_to_mend_is_not_in_the_next_turn(rig: Rig) -> None:
    wrong, right = weather(city=3), weather()
    rig.plays(Replies(wrong, right, "Warm.", "Bye."))
    first = await ask(rig, [USER])
    history = [USER, back(first), *results(first, ["32"])]
    second = await ask(rig, history)
    await ask(rig, [*history, back(second), {"role": "user", "content": "thanks"}])
    assert "do not fit" in json.dumps(spoken(rig.simulator.requests[-2]))
    assert "do not fit" not in json.dumps(spoken(rig.simulator.requests[-1]))
    assert ways(rig)["rebuilt"] >= 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has other priorities")
@pytest.mark.proves("safety.event-loop.reading")
async def test_a_conversation_with_a_long_history_lets_the_others_go_first(rig: Rig) -> None:
    rig.plays(None)
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    before = set(children())
    await rig.said("Hi")
    short = set(children()) - before
    past: list[Any] = [{"role": "user", "content": "x" * 1_100_000}, {"role": "assistant", "content": "Long."}]
    with anyio.fail_after(PATIENCE_SECONDS):
        await rig.client.chat.completions.create(model=NEW_MODEL, messages=[*past, {"role": "user", "content": "And?"}])
    (long,) = set(children()) - before - short
    assert {process.nice() for process in short} == {usual}
    assert long.nice() == max(usual, LOW_PRIORITY)
