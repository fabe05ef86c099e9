"""What the simulated model says, and the one question it is asked: all contestants ask alike and hear the same."""

from typing import Final

from claude_openai.simulator import Gate, JsonObject, RecordedRequest, Reply, Text, ToolUse
from claude_openai.simulator.recorded import blocks, texts

MODEL: Final = "claude-sonnet-5"

TOKENS: Final = 200
"""A paragraph or two. The simulator sends them without a pause, so that all the time there is is overhead."""

PROMPT: Final = f"Count to {TOKENS}"
PIECES: Final = tuple(f"{number} " for number in range(1, TOKENS + 1))
ANSWER: Final = "".join(PIECES)

LONG_TOKENS: Final = 5_000
"""A long file, at once: seconds of streaming, so that its beginning and its end do not count."""

LONG_PROMPT: Final = f"Count to {LONG_TOKENS}"
LONG_PIECES: Final = tuple(f"{number} " for number in range(1, LONG_TOKENS + 1))

QUESTION: Final = "How is the weather in Rome?"
WEATHER: Final[JsonObject] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL: Final = ToolUse("get_weather", {"city": "Rome"})
RESULT: Final = "32 degrees"

_BREATH: Final = (Gate(),) * 5
"""After the first token, that its client can take it: in one program with the client, the simulator would say all the
rest before (3 ms for 200 tokens, measured)."""

_BREATH[0].open()


def model(request: RecordedRequest) -> Reply:
    """Call the tool where one is offered and has no result yet; else count as far as the newest words say."""
    newest = request.messages[-1]["content"]
    if request.tools and not any(block.get("type") == "tool_result" for block in blocks(newest)):
        return Reply((CALL,))
    first, *rest = LONG_PIECES if LONG_PROMPT in texts(newest) else PIECES
    return Reply((Text((first, *_BREATH, *rest)),))


def instructions(conversation: str) -> str:
    """A system prompt that no other conversation has, so that each can be told from the others upstream."""
    return f"You are terse. This is conversation {conversation}."
