"""The round trip of a tool through the server: the model calls it, the client brings its result, the model goes on.

What is measured is the way up, from the moment the client sends until upstream has received the request that this
causes; what the model and the tool take for themselves is not in it.
"""

import time
from dataclasses import dataclass
from typing import Final

import anyio
import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam, ChatCompletionToolParam

from benchmarks.contestants import ANSWER_SECONDS, INSTRUCTIONS, MODEL
from claude_openai.testing.simulator import Replies, Reply, Simulator, ToolUse

TOOL: Final[ChatCompletionToolParam] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}

QUESTION: Final[list[ChatCompletionMessageParam]] = [
    {"role": "system", "content": INSTRUCTIONS},
    {"role": "user", "content": "How is the weather in Rome?"},
]


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Seconds until upstream was asked: for the question, with the start of Claude Code in it, and for the result."""

    question: float
    result: float
    live: bool
    """Whether the result went on in the session that made the call."""


async def round_trip(client: openai.AsyncOpenAI, upstream: Simulator) -> RoundTrip:
    """Ask with a tool, bring its result, wait for the answer."""
    upstream.script = Replies(Reply((ToolUse("get_weather", {"city": "Rome"}),)), "Warm.")
    upstream.requests.clear()
    with anyio.fail_after(ANSWER_SECONDS):
        asked_at = time.monotonic()
        call = await client.chat.completions.create(model=MODEL, messages=QUESTION, tools=[TOOL])
        messages = [*QUESTION, *_called_and_done(call)]
        brought_at = time.monotonic()
        await client.chat.completions.create(model=MODEL, messages=messages, tools=[TOOL])
    asked, brought = upstream.requests
    return RoundTrip(
        question=asked.received_at - asked_at,
        result=brought.received_at - brought_at,
        live=asked.headers["x-claude-code-session-id"] == brought.headers["x-claude-code-session-id"],
    )


def _called_and_done(answer: ChatCompletion) -> list[ChatCompletionMessageParam]:
    """The one call as clients send it back, and its result."""
    (call,) = answer.choices[0].message.tool_calls or []
    if call.type != "function":
        raise TypeError(f"a function was offered and not called: {call}")
    function = call.function
    return [
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": function.name, "arguments": function.arguments},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.id, "content": "32 degrees"},
    ]
