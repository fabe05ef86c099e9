"""Agent frameworks run their own tool loops against the server as they do against OpenAI's, streamed and not.

Each framework is imported by the tests that need it: either takes two seconds, and brings its own threads and caches.
"""

import operator
import socket
from collections.abc import Iterator
from functools import reduce
from typing import Any, Final

import anyio
import httpx2
import pytest
from pydantic import SecretStr

from claude_openai.testing import Replies, Reply, Text, ToolUse
from tests.claude_code.conftest import NEW_MODEL, PATIENCE_SECONDS, Rig, spoken, text

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


@pytest.mark.proves("tools.clients.langchain")
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


@pytest.mark.proves("tools.clients.agents-sdk")
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
