"""Stock clients lead conversations, and agent frameworks run their own tool loops, as they do against OpenAI's server.

Each framework is imported by the tests that need it: either takes two seconds, and brings its own threads and caches.
"""

import operator
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import reduce
from typing import Any, Final

import anyio
import httpx2
import pytest
from pydantic import SecretStr

from claude_openai.core.load import Load
from claude_openai.simulator import Replies, Reply, Text, ToolUse
from tests.claude_code.conftest import NEW_MODEL, Rig, spoken, text
from tests.patience import PATIENCE_SECONDS

LOOP_SECONDS: Final = 3 * PATIENCE_SECONDS
"""For a whole loop, which asks three times."""

QUESTION = "Where is it warmest, in Rome, Ur or Oslo?"
ANSWER = "In Ur, at 45 degrees."
DEGREES = {"Rome": 32, "Ur": 45, "Oslo": -3}


@pytest.fixture(autouse=True)
def _nothing_but_the_server_is_called(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the frameworks would report to their makers is turned off, and looking up any other host fails the test."""
    monkeypatch.setenv("LANGCHAIN_TRACING_V2", "false")
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    looked_up: list[object] = []
    resolve = socket.getaddrinfo

    def only_this_machine(host: Any, *arguments: Any, **options: Any) -> Any:
        if host != "127.0.0.1":
            looked_up.append(host)
            raise socket.gaierror(f"a test looked up {host}")
        return resolve(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", only_this_machine)
    yield
    assert looked_up == []


def weather(*cities: str, words: str = "") -> Reply:
    calls = tuple(ToolUse("get_weather", {"city": city}) for city in cities)
    return Reply(((Text.of(words, pieces=2),) if words else ()) + calls)


def journey() -> Replies:
    """Two calls at once with words before them, one more call, an answer."""
    return Replies(weather("Rome", "Ur", words="Let me look."), weather("Oslo"), ANSWER)


def assert_one_session_was_told_the_degrees(rig: Rig) -> None:
    """The loop asked three times, in one Claude Code process, and each result was the one of its call."""
    assert len(rig.simulator.requests) == 3
    assert len({request.headers["x-claude-code-session-id"] for request in rig.simulator.requests}) == 1
    told = [block for turn in spoken(rig.simulator.requests[-1]) for block in turn["content"]]
    cities = {block["id"]: block["input"]["city"] for block in told if block["type"] == "tool_use"}
    results = [(cities[block["tool_use_id"]], block["content"]) for block in told if block["type"] == "tool_result"]
    assert results == [(city, [text(f"{degrees} degrees")]) for city, degrees in DEGREES.items()]


@pytest.mark.proves("tools.clients")
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_langchain_runs_an_agent_loop_with_bound_tools(rig: Rig, streamed: bool) -> None:
    from langchain_core.messages import AIMessage, BaseMessage, HumanMessage  # noqa: PLC0415 - see above
    from langchain_core.tools import tool  # noqa: PLC0415
    from langchain_openai import ChatOpenAI  # noqa: PLC0415

    @tool
    async def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"{DEGREES[city]} degrees"

    async def answered(messages: list[BaseMessage]) -> AIMessage:
        if not streamed:
            return await model.ainvoke(messages)
        return reduce(operator.add, [chunk async for chunk in model.astream(messages)])

    rig.plays(journey())
    messages: list[BaseMessage] = [HumanMessage(QUESTION)]
    with anyio.fail_after(LOOP_SECONDS):
        async with httpx2.AsyncClient() as http:  # LangChain's own is never closed
            model = ChatOpenAI(
                model_name=NEW_MODEL,
                openai_api_base=f"{rig.url}/v1",
                openai_api_key=SecretStr("none"),
                http_async_client=http,
                max_retries=0,
            ).bind_tools([get_weather])
            while (answer := await answered(messages)).tool_calls:
                messages += [answer, *[await get_weather.ainvoke(call) for call in answer.tool_calls]]
    assert answer.text == ANSWER
    assert [message.text for message in messages if isinstance(message, AIMessage)] == ["Let me look.", ""]
    assert_one_session_was_told_the_degrees(rig)


@pytest.mark.proves("tools.clients")
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_the_agents_sdk_runs_an_agent_with_a_function_tool(rig: Rig, streamed: bool) -> None:
    from agents import (  # noqa: PLC0415 - see above
        Agent,
        OpenAIChatCompletionsModel,
        Runner,
        flush_traces,
        function_tool,
    )

    @function_tool
    async def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"{DEGREES[city]} degrees"

    rig.plays(journey())
    model = OpenAIChatCompletionsModel(NEW_MODEL, rig.client)
    agent = Agent("meteorologist", instructions="You know the weather.", model=model, tools=[get_weather])

    async def run() -> object:
        if not streamed:
            return (await Runner.run(agent, QUESTION)).final_output
        running = Runner.run_streamed(agent, QUESTION)
        async for _ in running.stream_events():
            pass
        return running.final_output

    with anyio.fail_after(LOOP_SECONDS):
        assert await run() == ANSWER
    flush_traces()  # if there were any they would go out later, when nobody watches what is looked up
    assert_one_session_was_told_the_degrees(rig)


# --- Conversations ---------------------------------------------------------------------------------------------------

Say = Callable[[str], Awaitable[str]]
"""Says one thing in a conversation, runs the tools that the model then calls, and gives its answer."""

Client = Callable[[Rig, bool, bool], AbstractAsyncContextManager[Say]]
"""A conversation that a stock client leads; whether it streams, whether it has a tool."""

INSTRUCTIONS = "Be brief."
RESULT = "32 degrees"
CONVERSATION_SECONDS: Final = 5 * PATIENCE_SECONDS
"""For a whole conversation, which asks five or six times."""


@asynccontextmanager
async def the_openai_package(rig: Rig, streamed: bool, tooled: bool) -> AsyncIterator[Say]:
    """As its documentation has it: the message of the answer goes back as it is."""
    messages: list[Any] = [{"role": "system", "content": INSTRUCTIONS}]
    parameters: dict[str, Any] = {"model": NEW_MODEL, "messages": messages}
    if tooled:
        schema = {"type": "object", "properties": {"city": {"type": "string"}}}
        parameters["tools"] = [{"type": "function", "function": {"name": "get_weather", "parameters": schema}}]

    async def answered() -> Any:
        if not streamed:
            return (await rig.client.chat.completions.create(**parameters)).choices[0].message
        async with rig.client.chat.completions.stream(**parameters) as stream:
            return (await stream.get_final_completion()).choices[0].message

    async def say(words: str) -> str:
        messages.append({"role": "user", "content": words})
        while True:
            messages.append(await answered())
            if not (calls := messages[-1].tool_calls):
                return str(messages[-1].content)
            messages.extend({"role": "tool", "tool_call_id": call.id, "content": RESULT} for call in calls)

    yield say


@asynccontextmanager
async def langchain(rig: Rig, streamed: bool, tooled: bool) -> AsyncIterator[Say]:
    from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage  # noqa: PLC0415 - see above
    from langchain_core.tools import tool  # noqa: PLC0415
    from langchain_openai import ChatOpenAI  # noqa: PLC0415

    @tool
    async def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"{RESULT} in {city}"

    messages: list[BaseMessage] = [SystemMessage(INSTRUCTIONS)]
    async with httpx2.AsyncClient() as http:  # LangChain's own is never closed
        chat = ChatOpenAI(
            model_name=NEW_MODEL,
            openai_api_base=f"{rig.url}/v1",
            openai_api_key=SecretStr("none"),
            http_async_client=http,
            max_retries=0,
        )
        model = chat.bind_tools([get_weather]) if tooled else chat

        async def answered() -> AIMessage:
            if not streamed:
                return await model.ainvoke(messages)
            return reduce(operator.add, [chunk async for chunk in model.astream(messages)])

        async def say(words: str) -> str:
            messages.append(HumanMessage(words))
            while (answer := await answered()).tool_calls:
                messages.extend([answer, *[await get_weather.ainvoke(call) for call in answer.tool_calls]])
            messages.append(answer)
            return answer.text

        yield say


@asynccontextmanager
async def the_agents_sdk(rig: Rig, streamed: bool, tooled: bool) -> AsyncIterator[Say]:
    from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool  # noqa: PLC0415 - see above

    @function_tool
    async def get_weather(city: str) -> str:
        """The weather of a city."""
        return f"{RESULT} in {city}"

    model = OpenAIChatCompletionsModel(NEW_MODEL, rig.client)
    agent = Agent("meteorologist", instructions=INSTRUCTIONS, model=model, tools=[get_weather] if tooled else [])
    items: list[Any] = []

    async def say(words: str) -> str:
        items.append({"role": "user", "content": words})
        if streamed:
            running = Runner.run_streamed(agent, items)
            async for _ in running.stream_events():
                pass
            items[:] = running.to_input_list()
            return str(running.final_output)
        run = await Runner.run(agent, items)
        items[:] = run.to_input_list()
        return str(run.final_output)

    yield say


each_client = pytest.mark.parametrize("client", [the_openai_package, langchain, the_agents_sdk])
either_way = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])

ANSWERS = (" \n Hello, w\u00f6rld.\n\n", "\ufeffTwo \U0001f600  ", "Three.\n\n  And a half.\n", "4", "Five.")
"""With what a client may trim, and with what none may."""


def rounds() -> Replies:
    """Words and two calls, one call, an answer; an answer; one more call, a last answer."""
    call = ToolUse("get_weather", raw=('{ "city" : ', '"R\\u006fme\\/Ur" }'))
    return Replies(
        Reply((Text.of(" Let me look.\n\n", pieces=3), call, ToolUse("get_weather", {"city": "Ur"}))),
        Reply((call,)),
        "It is warm.\n",
        " You are welcome.",
        Reply((call,)),
        ANSWER,
    )


def ways_since(rig: Rig, before: Load) -> Counter[str]:
    """How the turns since then reached Claude Code."""
    return Counter(rig.gateway.load().turns) - Counter(before.turns)


def assert_one_session_heard_it_all(rig: Rig, questions: Sequence[str]) -> None:
    assert len({request.headers["x-claude-code-session-id"] for request in rig.simulator.requests}) == 1
    heard = [block for turn in spoken(rig.simulator.requests[-1]) for block in turn["content"]]
    assert [block["text"] for block in heard if block["type"] == "text" and block["text"] in questions] == [*questions]


@pytest.mark.proves("conversations.clients", "conversations.live", "conversations.lawful")
@either_way
@each_client
async def test_five_turns_of_a_chat_are_one_session(rig: Rig, client: Client, streamed: bool) -> None:
    questions = ["One?", "Two?", "Three?", "Four?", "Five?"]
    rig.plays(Replies(*ANSWERS))
    before = rig.gateway.load()
    with anyio.fail_after(CONVERSATION_SECONDS):
        async with client(rig, streamed, False) as say:
            assert [await say(words) for words in questions] == [*ANSWERS]
    assert ways_since(rig, before) == {"cold": 1, "live": 4}
    assert_one_session_heard_it_all(rig, questions)


@pytest.mark.proves("conversations.clients", "conversations.live", "conversations.lawful", "tools.same-session")
@either_way
@each_client
async def test_rounds_of_calls_and_what_is_said_after_them_are_one_session(
    rig: Rig, client: Client, streamed: bool
) -> None:
    questions = ["Is it warm?", "Thanks.", "And in Rome?"]
    rig.plays(rounds())
    before = rig.gateway.load()
    with anyio.fail_after(CONVERSATION_SECONDS):
        async with client(rig, streamed, True) as say:
            assert [await say(words) for words in questions] == ["It is warm.\n", " You are welcome.", ANSWER]
    assert ways_since(rig, before) == {"cold": 1, "results": 3, "live": 2}
    assert_one_session_heard_it_all(rig, questions)
