"""Tools of the client, called natively: what goes up, what comes back, and what happens in between."""

import json
import signal
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anyio
import openai
import pytest
import structlog
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from pydantic import BaseModel
from structlog.testing import capture_logs

from claude_openai.simulator import RecordedRequest, Replies, Reply, Text, ToolUse
from tests.claude_code.conftest import NEW_MODEL, Rig, Serve, session_files, spoken, text
from tests.patience import PATIENCE_SECONDS
from tests.processes import children

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where"},
        "day": {"anyOf": [{"$ref": "#/$defs/day"}, {"type": "null"}], "default": None},
    },
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {"day": {"type": "string", "format": "date"}},
}


def tool(name: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    function = {"name": name, "description": f"It is {name}."}
    return {"type": "function", "function": function | ({"parameters": parameters} if parameters else {})}


TOOLS = [tool("get_weather", WEATHER), tool("Bash")]
USER = {"role": "user", "content": "weather in Rome?"}


async def ask(rig: Rig, messages: list[Any], **parameters: Any) -> ChatCompletion:
    request = {"model": NEW_MODEL, "messages": messages, "tools": TOOLS, **parameters}
    with anyio.fail_after(PATIENCE_SECONDS):
        answer: ChatCompletion = await rig.client.chat.completions.create(**request)
    return answer


def message(answer: ChatCompletion) -> ChatCompletionMessage:
    return answer.choices[0].message


def results(answer: ChatCompletion, contents: Iterable[Any]) -> list[dict[str, Any]]:
    calls = message(answer).tool_calls or []
    return [
        {"role": "tool", "tool_call_id": call.id, "content": content}
        for call, content in zip(calls, contents, strict=True)
    ]


def back(answer: ChatCompletion) -> dict[str, Any]:
    """The answer as clients send it back."""
    return message(answer).model_dump(exclude_none=True)


def weather(city: object = "Rome") -> Reply:
    return Reply((Text.of("Let me look."), ToolUse("get_weather", {"city": city})))


def both() -> Reply:
    return Reply(
        (ToolUse("get_weather", {"city": "Rome"}), ToolUse("Bash", {}), ToolUse("get_weather", {"city": "Ur"}))
    )


def sessions(requests: Iterable[RecordedRequest]) -> Counter[str]:
    """How many requests came from each Claude Code process."""
    return Counter(request.headers["x-claude-code-session-id"] for request in requests)


def outcome(request: RecordedRequest) -> list[Any]:
    """The results in the newest message that upstream was told, as lists of blocks, and the texts after them."""
    blocks = spoken(request)[-1]["content"]
    return [block["content"] if block["type"] == "tool_result" else block for block in blocks]


@pytest.mark.proves("tools.offered", "tools.schemas.untouched")
async def test_tools_reach_the_model_under_their_names_with_their_schemas(rig: Rig) -> None:
    rig.plays(Replies("ok"))
    await ask(rig, [USER])
    offered = {tool["name"]: tool for tool in rig.asked.tools}
    assert set(offered) == {"get_weather", "Bash"}
    assert offered["get_weather"]["input_schema"] == WEATHER
    assert offered["get_weather"]["description"] == "It is get_weather."
    assert offered["Bash"]["input_schema"] == {"type": "object", "properties": {}}


@pytest.mark.proves("tools.schemas.untouched")
async def test_a_long_description_of_a_tool_arrives_whole(rig: Rig) -> None:
    long = "It is so.\n\n\nUsage:\n- as ever\n\n" * 2000 + "Really."
    described = tool("get_weather", WEATHER | {"description": long})
    described["function"]["description"] = long
    rig.plays(Replies("ok"))
    await ask(rig, [USER], tools=[described])
    (offered,) = rig.asked.tools
    assert offered["description"].replace("\n \n", "\n\n").replace("\n \n", "\n\n") == long
    assert offered["input_schema"]["description"] == long


@pytest.mark.proves("tools.offered")
async def test_128_tools_of_64_characters_are_all_offered(rig: Rig) -> None:
    names = [f"tool_{number:03}_".ljust(64, "x") for number in range(128)]
    nested = WEATHER | {"properties": {"a": {"type": "object", "properties": WEATHER["properties"]}}, "required": []}
    rig.plays(Replies("ok"))
    await ask(rig, [USER], tools=[tool(name, nested) for name in names])
    assert sorted(tool["name"] for tool in rig.asked.tools) == names
    assert all(tool["input_schema"] == nested for tool in rig.asked.tools)


@pytest.mark.proves("tools.offered")
async def test_a_name_of_128_characters_is_offered_and_called_as_it_is(rig: Rig) -> None:
    name = "get_the_weather_".ljust(128, "x")
    rig.plays(Replies(Reply((ToolUse(name, {"city": "Rome"}),)), "Hot."))
    answer = await ask(rig, [USER], tools=[tool(name, WEATHER)])
    assert [each["name"] for each in rig.asked.tools] == [name]
    (call,) = message(answer).tool_calls or []
    assert call.function.name == name  # type: ignore[union-attr]
    last = await ask(rig, [USER, back(answer), *results(answer, ["32 degrees"])], tools=[tool(name, WEATHER)])
    assert message(last).content == "Hot."
    assert list(sessions(rig.simulator.requests).values()) == [2]


@pytest.mark.proves("tools.calls")
@pytest.mark.parametrize("stream", [False, True])
async def test_calls_to_which_upstream_gave_one_id_have_ids_of_their_own(rig: Rig, *, stream: bool) -> None:
    rome, ur = ({"city": city} for city in ("Rome", "Ur"))
    twice = Reply((ToolUse("get_weather", rome, id="toolu_1"), ToolUse("get_weather", ur, id="toolu_1")))
    rig.plays(Replies(twice, "Hot."))
    if stream:
        async with rig.client.chat.completions.stream(model=NEW_MODEL, messages=[USER], tools=TOOLS) as streamed:  # type: ignore[list-item, arg-type]
            answer: Any = await streamed.get_final_completion()
    else:
        answer = await ask(rig, [USER])
    calls = message(answer).tool_calls or []
    assert [(call.id, json.loads(call.function.arguments)) for call in calls] == [("toolu_1", rome), ("toolu_1-2", ur)]  # type: ignore[union-attr]
    last = await ask(rig, [USER, back(answer), *results(answer, ["32 degrees", "40 degrees"])])
    assert message(last).content == "Hot."
    assert outcome(rig.simulator.requests[-1])[:2] == [[text("32 degrees")], [text("40 degrees")]]


@pytest.mark.proves("tools.calls", "tools.same-session")
async def test_a_call_is_the_clients_and_its_result_goes_on_in_the_same_session(rig: Rig) -> None:
    rig.plays(Replies(weather(), "Hot."))
    answer = await ask(rig, [USER])
    assert answer.choices[0].finish_reason == "tool_calls"
    assert message(answer).content == "Let me look."
    (call,) = message(answer).tool_calls or []
    assert (call.type, call.function.name, json.loads(call.function.arguments)) == (  # type: ignore[union-attr]
        "function",
        "get_weather",
        {"city": "Rome"},
    )
    last = await ask(rig, [USER, back(answer), *results(answer, ["32 degrees"])])
    assert message(last).content == "Hot."
    assert last.choices[0].finish_reason == "stop"
    assert list(sessions(rig.simulator.requests).values()) == [2]
    assert outcome(rig.simulator.requests[1]) == [[text("32 degrees")]]
    assert last.usage is not None
    assert last.usage.prompt_tokens_details is not None
    assert (last.usage.prompt_tokens_details.cached_tokens or 0) > 0


@pytest.mark.proves("tools.calls", "tools.results")
async def test_parallel_calls_come_together_and_their_results_in_any_order(rig: Rig) -> None:
    rig.plays(Replies(both(), "Done."))
    answer = await ask(rig, [USER])
    calls = message(answer).tool_calls or []
    assert [call.function.name for call in calls] == ["get_weather", "Bash", "get_weather"]  # type: ignore[union-attr]
    brought = results(answer, ["1", [text("2")], "3"])
    assert message(await ask(rig, [USER, back(answer), *reversed(brought)])).content == "Done."
    assert outcome(rig.simulator.requests[1]) == [[text("1")], [text("2")], [text("3")]]
    assert list(sessions(rig.simulator.requests).values()) == [2]


@pytest.mark.proves("tools.calls")
async def test_streamed_calls_add_up_to_those_of_the_model(rig: Rig) -> None:
    rig.plays(Replies(both(), "Done."))
    with anyio.fail_after(PATIENCE_SECONDS):
        async with rig.client.chat.completions.stream(model=NEW_MODEL, messages=[USER], tools=TOOLS) as stream:  # type: ignore[list-item, arg-type]
            async for _ in stream:
                pass
            answer = await stream.get_final_completion()
    assert answer.choices[0].finish_reason == "tool_calls"
    calls = answer.choices[0].message.tool_calls or []
    assert [(call.function.name, json.loads(call.function.arguments)) for call in calls] == [
        ("get_weather", {"city": "Rome"}),
        ("Bash", {}),
        ("get_weather", {"city": "Ur"}),
    ]


@pytest.mark.proves("logs.documented")
async def test_calls_are_logged_without_their_arguments(rig: Rig) -> None:
    rig.plays(Replies(Reply((ToolUse("get_weather", {"city": 3}),)), weather("Samarkand")))
    with capture_logs() as logged:
        with anyio.fail_after(PATIENCE_SECONDS):
            request = {"model": NEW_MODEL, "messages": [USER], "tools": TOOLS, "stream": True}
            async for _ in await rig.client.chat.completions.create(**request):  # type: ignore[call-overload]
                pass
        await rig.gateway.until_idle()
    structlog.reset_defaults()
    calls = [entry for entry in logged if entry["event"] == "sdk.structured_tool_call"]
    assert [(entry["tool"], entry["valid"]) for entry in calls] == [("get_weather", False), ("get_weather", True)]
    assert [entry["calls"] for entry in logged if entry["event"] == "openai.stream_tool_calls"] == [1]
    assert "Samarkand" not in str(logged)


class GetWeather(BaseModel):
    """What the client's own helper makes a tool of."""

    city: str


@pytest.mark.proves("tools.clients")
async def test_the_clients_own_parser_reads_the_call(rig: Rig) -> None:
    rig.plays(Replies(Reply((ToolUse("GetWeather", {"city": "Rome"}),))))
    with anyio.fail_after(PATIENCE_SECONDS):
        answer = await rig.client.chat.completions.parse(
            model=NEW_MODEL,
            messages=[USER],  # type: ignore[list-item]
            tools=[openai.pydantic_function_tool(GetWeather)],
        )
    (call,) = answer.choices[0].message.tool_calls or []
    assert call.function.parsed_arguments == GetWeather(city="Rome")


@pytest.mark.proves("tools.invalid")
@pytest.mark.parametrize(
    "bad",
    [
        ToolUse("get_weather", {"city": 3}),
        ToolUse("get_weather", {"city": "Rome", "day": "tomorrow"}),
        ToolUse("get_weather", {}, raw=('{"city": "Ro',)),
        ToolUse("get_wether", {"city": "Rome"}),
    ],
    ids=["wrong type", "wrong format", "no JSON", "unknown tool"],
)
async def test_a_call_that_does_not_fit_goes_back_to_the_model_and_not_to_the_client(rig: Rig, bad: ToolUse) -> None:
    rig.plays(Replies(Reply((bad, ToolUse("Bash", {}))), weather(), "Hot."))
    answer = await ask(rig, [USER])
    (call,) = message(answer).tool_calls or []
    assert call.function.name == "get_weather"  # type: ignore[union-attr]
    assert json.loads(call.function.arguments) == {"city": "Rome"}  # type: ignore[union-attr]
    told = spoken(rig.simulator.requests[1])[-1]["content"]
    assert [block["is_error"] for block in told] == [True, True]
    assert message(await ask(rig, [USER, back(answer), *results(answer, ["32"])])).content is not None


@pytest.mark.proves("tools.invalid")
async def test_a_model_that_does_not_mend_its_call_is_an_error_of_its_own(rig: Rig) -> None:
    rig.plays(lambda _: weather(city=3))
    with pytest.raises(openai.InternalServerError) as caught:
        await ask(rig, [USER])
    assert caught.value.status_code == 502
    assert caught.value.code == "invalid_tool_arguments"
    assert len(rig.simulator.requests) == 3


@pytest.mark.proves("tools.same-session")
async def test_thirty_rounds_run_on_one_process(rig: Rig) -> None:
    rounds = 30
    rig.plays(Replies(*[weather() for _ in range(rounds)], "Enough."))
    messages: list[Any] = [USER]
    for number in range(rounds):
        answer = await ask(rig, messages)
        messages += [back(answer), *results(answer, [f"result {number}"])]
    assert message(await ask(rig, messages)).content == "Enough."
    assert list(sessions(rig.simulator.requests).values()) == [rounds + 1]
    told = [block for turn in spoken(rig.simulator.requests[-1]) for block in turn["content"]]
    assert [block["content"] for block in told if block["type"] == "tool_result"] == [
        [text(f"result {number}")] for number in range(rounds)
    ]


@pytest.mark.proves("tools.results")
@pytest.mark.parametrize(
    ("content", "native"),
    [
        ("", "(get_weather completed with no output)"),  # Claude Code's own words
        ([], "(get_weather completed with no output)"),
        ("Error: no such city", [text("Error: no such city")]),
        ([text("a"), text("b")], [text("a"), text("b")]),
        (
            [text("see"), {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}],
            [text("see"), {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}],
        ),
        ("x" * 1_000_000, [text("x" * 1_000_000)]),
    ],
    ids=["empty", "no parts", "error", "parts", "image", "a megabyte"],
)
async def test_every_kind_of_result_arrives_as_it_is(rig: Rig, content: Any, native: Any) -> None:
    rig.plays(Replies(weather(), "Noted."))
    answer = await ask(rig, [USER])
    assert message(await ask(rig, [USER, back(answer), *results(answer, [content])])).content == "Noted."
    assert outcome(rig.simulator.requests[1])[0] == native


@pytest.mark.proves("tools.results")
async def test_words_after_the_results_follow_them(rig: Rig) -> None:
    rig.plays(Replies(weather(), "Noted."))
    answer = await ask(rig, [USER])
    words = {"role": "user", "content": "in Fahrenheit"}
    assert message(await ask(rig, [USER, back(answer), *results(answer, ["32"]), words])).content == "Noted."
    assert outcome(rig.simulator.requests[1]) == [[text("32")], text("in Fahrenheit")]


@pytest.mark.proves("tools.results")
async def test_results_without_the_tools_are_answered(rig: Rig) -> None:
    rig.plays(Replies(weather(), "Noted."))
    answer = await ask(rig, [USER])
    without = await ask(rig, [USER, back(answer), *results(answer, ["32"])], tools=openai.omit)
    assert message(without).content == "Noted."
    assert outcome(rig.simulator.requests[1])[0] == [text("32")]


@pytest.mark.proves("tools.parked.bounded", "tools.rebuilt")
async def test_a_session_that_waited_too_long_is_gone_and_the_client_does_not_notice(
    serve: Serve, sandbox: Path
) -> None:
    async with serve(tool_timeout=0.5) as rig:
        rig.plays(Replies(weather(), "Hot."))
        answer = await ask(rig, [USER])
        with anyio.fail_after(PATIENCE_SECONDS):
            while children() or session_files(sandbox):  # noqa: ASYNC110
                await anyio.sleep(0.02)  # nobody tells us when a session has expired
        last = await ask(rig, [USER, back(answer), *results(answer, ["32"])])
    assert message(last).content == "Hot."
    assert outcome(rig.simulator.requests[1])[0] == [text("32")]


@pytest.mark.proves("tools.rebuilt", "errors.process-died")
async def test_a_session_that_was_killed_while_it_waited_is_rebuilt(rig: Rig) -> None:
    rig.plays(Replies(weather(), "Hot."))
    answer = await ask(rig, [USER])
    (claude,) = children()
    claude.send_signal(signal.SIGKILL)
    assert message(await ask(rig, [USER, back(answer), *results(answer, ["32"])])).content == "Hot."
    assert outcome(rig.simulator.requests[-1])[0] == [text("32")]


@pytest.mark.proves("tools.rebuilt")
async def test_a_server_that_was_restarted_between_call_and_result_answers_all_the_same(serve: Serve) -> None:
    async with serve() as before:
        before.plays(Replies(weather(), "Hot."))
        answer = await ask(before, [USER])
    async with serve() as after:
        last = await ask(after, [USER, back(answer), *results(answer, ["32"])])
    assert message(last).content == "Hot."
    assert outcome(after.simulator.requests[-1])[0] == [text("32")]


@pytest.mark.proves("tools.no-leak")
async def test_two_clients_with_the_same_conversation_never_get_each_others_result(rig: Rig) -> None:
    secrets = {"one": "secret-of-one", "two": "secret-of-two"}
    rig.plays(lambda request: Reply.of(json.dumps(spoken(request))) if has_results(request) else weather())
    first = {name: await ask(rig, [USER]) for name in secrets}
    answers = {
        name: await ask(rig, [USER, back(first[name]), *results(first[name], [secret])])
        for name, secret in reversed(secrets.items())
    }
    for name, other in (("one", "two"), ("two", "one")):
        content = message(answers[name]).content or ""
        assert secrets[name] in content
        assert secrets[other] not in content
    for request in rig.simulator.requests:
        assert sum(secret in json.dumps(request.body) for secret in secrets.values()) <= 1


@pytest.mark.proves("tools.no-leak")
async def test_sessions_that_nothing_tells_apart_each_get_one_clients_results(rig: Rig) -> None:
    same = Reply((ToolUse("get_weather", {"city": "Rome"}, id="toolu_same"),))
    rig.plays(lambda request: Reply.of(json.dumps(spoken(request))) if has_results(request) else same)
    first = [await ask(rig, [USER]) for _ in range(2)]
    for number, answer in enumerate(first):
        last = await ask(rig, [USER, back(answer), *results(answer, [f"secret-{number}"])])
        told = message(last).content or ""
        assert [secret in told for secret in ("secret-0", "secret-1")] == [number == 0, number == 1]
    assert list(sessions(rig.simulator.requests).values()) == [2, 2]


def has_results(request: RecordedRequest) -> bool:
    return any(block["type"] == "tool_result" for turn in spoken(request) for block in turn["content"])


@pytest.mark.proves("tools.choice")
@pytest.mark.parametrize(
    ("parameters", "choice"),
    [
        ({"tool_choice": "auto"}, None),
        ({"tool_choice": "none"}, {"type": "none"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
            {"type": "tool", "name": "get_weather"},
        ),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
    ],
)
async def test_a_choice_of_tools_is_upstreams_choice(
    rig: Rig, parameters: dict[str, Any], choice: dict[str, Any] | None
) -> None:
    rig.plays(Replies("ok"))
    await ask(rig, [USER], **parameters)
    assert rig.asked.body.get("tool_choice") == choice


@pytest.mark.proves("tools.choice")
async def test_a_forced_choice_is_not_forced_again_after_the_result(rig: Rig) -> None:
    rig.plays(Replies(weather(), "Hot."))
    answer = await ask(rig, [USER], tool_choice="required")
    await ask(rig, [USER, back(answer), *results(answer, ["32"])])
    assert [request.body.get("tool_choice") for request in rig.simulator.requests] == [{"type": "any"}, None]
    assert list(sessions(rig.simulator.requests).values()) == [2]


@pytest.mark.proves("chat.reply.text")
@pytest.mark.parametrize(
    "reply", [Reply((Text.of("cut off"),), stop_reason="max_tokens"), Reply()], ids=["cut", "empty"]
)
async def test_with_tools_too_claude_code_does_not_ask_again_by_itself(rig: Rig, reply: Reply) -> None:
    rig.plays_once(reply)
    answer = await ask(rig, [USER])
    assert answer.choices[0].finish_reason == ("length" if reply.blocks else "stop")
    assert rig.asked_for_once()


@pytest.mark.proves("tools.legacy")
async def test_legacy_functions_are_answered_in_kind(rig: Rig) -> None:
    rig.plays(Replies(Reply((ToolUse("get_weather", {"city": "Rome"}),)), "Hot."))
    functions = [{"name": "get_weather", "parameters": WEATHER}]
    answer = await ask(rig, [USER], tools=openai.omit, functions=functions)
    assert answer.choices[0].finish_reason == "function_call"
    call = message(answer).function_call
    assert call is not None
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Rome"})
    result = {"role": "function", "name": "get_weather", "content": "32"}
    last = await ask(rig, [USER, back(answer), result], tools=openai.omit, functions=functions)
    assert message(last).content == "Hot."
    assert outcome(rig.simulator.requests[1])[0] == [text("32")]


@pytest.mark.proves("tools.calls", "tools.invalid")
@pytest.mark.parametrize("cities", [(1, "Rome"), ("Rome", 1), (1, 1)])
async def test_of_calls_of_one_id_none_that_does_not_fit_reaches_the_client(
    rig: Rig, cities: tuple[object, ...]
) -> None:
    rig.plays(Replies(Reply(tuple(ToolUse("get_weather", {"city": city}, id="toolu_1") for city in cities)), "Sorry."))
    answer = await ask(rig, [USER])
    assert (message(answer).tool_calls, message(answer).content) == (None, "Sorry.")
