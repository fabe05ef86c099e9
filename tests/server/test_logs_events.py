"""What is logged of requests: everything at `debug` and `trace`, none of what was said at `info`, no secret ever."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import pytest
from starlette.types import ASGIApp, Message

from claude_openai import logs
from claude_openai.core.events import (
    TextDelta,
    ToolCalled,
    TurnFailed,
    TurnFinished,
    TurnStarted,
    Usage,
    UsageReported,
)
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.keys import Keys
from claude_openai.core.messages import ToolCall
from claude_openai.gateway import Gateway, GatewayLimits, ModelOptions, RunRegistry
from claude_openai.http.app import Services, create_app
from claude_openai.testing.scripted_backend import ScriptedBackend, Step
from tests.log_reading import entries, given_back, texts
from tests.repository import ROOT

pytestmark = pytest.mark.anyio

Json = dict[str, Any]

CHAT = "/v1/chat/completions"
KEY = "our-own-key-of-the-server"

STARTED = TurnStarted("claude-sonnet-4-5", "session-1")
USED = UsageReported(Usage(10, 5))

SAID: Final = "payload"
"""In everything that is said in a conversation, and in nothing else."""

SECRET: Final = "planted-7f3a"

TOOL: Final[Json] = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": f"{SAID} of a description",
        "parameters": {"type": "object", "properties": {"word": {"type": "string", "description": SAID}}},
    },
}
ASKED: Final[Json] = {
    "model": "sonnet",
    "messages": [{"role": "system", "content": f"{SAID} system"}, {"role": "user", "content": f"{SAID} question"}],
    "tools": [TOOL],
    "user": f"{SAID}-user",
    "metadata": {"topic": SAID},
}
CALL = ToolCall("toolu_1", "look_up", json.dumps({"word": f"{SAID} argument"}))
CALLS: tuple[Step, ...] = (STARTED, TextDelta(f"{SAID} text"), ToolCalled(CALL), USED, TurnFinished("tool_calls"))
ANSWER: tuple[Step, ...] = (STARTED, TextDelta(f"{SAID} answer"), USED, TurnFinished("stop"))
FAILS: tuple[Step, ...] = (
    STARTED,
    TurnFailed(Failure(Kind.INVALID_TOOL_ARGUMENTS, f"'{SAID}' is not of type 'integer'")),
)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    yield from given_back()


@asynccontextmanager
async def application(*scripts: tuple[Step, ...]) -> AsyncIterator[ASGIApp]:
    async with anyio.create_task_group() as sessions:
        gateway = Gateway(ScriptedBackend(*scripts), sessions, GatewayLimits(), ModelOptions(), RunRegistry())
        yield create_app(Services(gateway, "1.0", keys=Keys.of((KEY,))))
        sessions.cancel_scope.cancel()


async def ask(app: ASGIApp, body: Json | bytes, headers: Mapping[str, str] | None = None) -> bytes:
    """The answer's body, all of it."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"host": "127.0.0.1", "authorization": f"Bearer {KEY}", **(headers or {})}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": CHAT,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    received: list[bytes] = []
    arriving: list[Message] = [{"type": "http.request", "body": sent, "more_body": False}]

    async def receive() -> Message:
        if not arriving:
            await anyio.sleep_forever()
        return arriving.pop()

    async def send(message: Message) -> None:
        received.append(message.get("body", b""))

    await app(scope, receive, send)
    return b"".join(received)


async def conversation(app: ASGIApp) -> None:
    """Calls, their results, an answer that is streamed, one that fails, and a request that cannot be understood."""
    called = json.loads(await ask(app, ASKED))["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": called["tool_calls"][0]["id"], "content": f"{SAID} result"}
    await ask(app, {**ASKED, "messages": [*ASKED["messages"], called, result], "stream": True})
    await ask(app, {**ASKED, "messages": [{"role": "user", "content": f"{SAID} again"}]})
    await ask(app, {**ASKED, "messages": f"{SAID} and no list"})
    await ask(app, f"{SAID} and no JSON".encode())


async def told(level: logs.Level, *scripts: tuple[Step, ...]) -> list[Json]:
    memory = logs.Memory()
    logs.configure(level, memory, secrets=[KEY])
    async with application(*scripts) as app:
        await conversation(app)
    return entries(memory.text)


@pytest.mark.proves("logs.contents")
async def test_a_whole_conversation_at_info_tells_nothing_of_what_was_said() -> None:
    events = await told("info", (*CALLS, *ANSWER), FAILS)
    assert {"http.request", "conversation.turn", "run.end", "http.failed"} <= {event["event"] for event in events}
    assert [event for event in events if any(SAID in text for text in texts(event))] == []


@pytest.mark.proves("logs.contents")
async def test_at_debug_it_tells_what_was_asked_what_became_of_it_and_what_was_answered() -> None:
    events = await told("debug", (*CALLS, *ANSWER), FAILS)
    first = [event for event in events if event.get("request_id") == events[0]["request_id"]]
    of = {event["event"]: event for event in first}
    assert of["openai.request"]["body"] == ASKED
    assert of["openai.request"]["headers"]["authorization"] == logs.HIDDEN
    effective = of["openai.effective_request"]
    assert (effective["model"], effective["resolved_model"]) == ("sonnet", "claude-sonnet-4-5")
    assert (effective["profile"], effective["tools"], effective["ignored"]) == (
        "chat",
        ["look_up"],
        ["metadata", "user"],
    )
    answered = of["openai.response"]
    assert (answered["text"], answered["finish"]) == (f"{SAID} text", "tool_calls")
    assert answered["calls"][0]["arguments"] == CALL.arguments
    assert answered["usage"]["output_tokens"] == 5
    assert {event["run_id"] for event in first if "run_id" in event} == {answered["run_id"]}
    assert all({"time", "level", "event"} <= event.keys() for event in events)


@pytest.mark.proves("logs.contents")
async def test_a_request_that_cannot_be_understood_is_told_as_it_was_sent() -> None:
    events = await told("debug", (*CALLS, *ANSWER), FAILS)
    *_, shapeless, no_json = [event["body"] for event in events if event["event"] == "openai.request"]
    assert (shapeless["messages"], no_json) == (f"{SAID} and no list", f"{SAID} and no JSON")


@pytest.mark.proves("safety.logs")
async def test_a_request_with_secrets_everywhere_tells_none_at_trace() -> None:
    inner = json.dumps(
        {"headers": {"X-Api-Key": SECRET}, "url": f"https://me:{SECRET}@example.com/?access_token={SECRET}"}
    )
    answer = (
        STARTED,
        TextDelta(f"your password: {SECRET}"),
        ToolCalled(ToolCall("toolu_1", "look_up", json.dumps({"API KEY": SECRET, "word": inner}))),
        USED,
        TurnFinished("tool_calls"),
    )
    body = {
        **ASKED,
        "messages": [{"role": "user", "content": f"call it with {inner}"}, {"role": "user", "content": inner}],
        "metadata": {"Session-Cookie": SECRET},
    }
    memory = logs.Memory()
    logs.configure("trace", memory, secrets=[KEY])
    async with application(answer) as app:
        await ask(app, body, {"cookie": f"a={SECRET}", "user-agent": f"x/1 (token={SECRET})"})
    events = entries(memory.text)
    assert {"openai.request", "openai.effective_request", "openai.response"} <= {event["event"] for event in events}
    assert [event for event in events if any(SECRET in text or KEY in text for text in texts(event))] == []


@pytest.mark.proves("logs.contents")
async def test_below_trace_nothing_is_made_for_each_token() -> None:
    """Whatever is logged of an answer, a hundred times as many tokens make no more events."""

    async def count(tokens: int) -> int:
        memory = logs.Memory()
        logs.configure("debug", memory)
        async with application((STARTED, *[TextDelta("x")] * tokens, USED, TurnFinished("stop"))) as app:
            await ask(app, {**ASKED, "stream": True})
        return len(entries(memory.text))

    assert await count(10) == await count(1000)


@pytest.mark.proves("logs.documented")
def test_every_event_of_the_code_is_in_the_documents_with_its_levels() -> None:
    root = ROOT
    code = "".join(path.read_text("utf-8") for path in (root / "src").rglob("*.py"))
    calls = re.findall(r"\b(?:log|logger\(__name__\))\.(\w+)\(\s*\"([a-z_]+\.[a-z_.]+)\"", code)
    made = re.findall(r'"level": "(\w+)", "event": "([a-z.]+)"', code)
    logged = {(event, level.replace("exception", "error")) for level, event in calls + made}
    page = (root / "docs/reference/logs.md").read_text("utf-8")
    documented = re.findall(r"^\| `([a-z_.]+)` \| ([a-z, ]+) \|", page, re.MULTILINE)
    table = {(event, level) for event, levels in documented for level in levels.split(", ")}
    assert logged == table
