"""What the simulated model answers to a prompt without directives.

It calls the tools that the prompt asks for, once each, and gives structured output where that is offered. Otherwise it
writes text: "Say X" is answered with X, "Count to N" with the numbers, anything else with a short friendly sentence, as
JSON where the prompt asks for JSON. A system prompt can add an ending: "End every answer with X."
"""

import re
from collections.abc import Iterable

from claude_openai.core.tools import STRUCTURED_OUTPUT
from claude_openai.simulator.arguments import arguments
from claude_openai.simulator.directives import without_directives
from claude_openai.simulator.hints import Hints
from claude_openai.simulator.json_answers import json_asked_for
from claude_openai.simulator.script import Block, Text, Thinking, ToolUse
from claude_openai.simulator.situation import Situation

THOUGHT = "The user wants an answer. I am a simulated model, so it will be a simple one."

QUOTED_PROMPT = 60
"""Characters of a prompt that the friendly sentence quotes."""

QUOTED_RESULT = 2_000
"""Characters of a tool result that the answer quotes."""

MOST_DELTAS = 400
"""Deltas of a natural text: one word each up to this number, more words each beyond."""

SHORTEST_KEYWORD = 4
"""Letters that a word of a tool's name needs before it can stand for the tool."""

COMMON_WORDS = frozenset(
    {"call", "check", "create", "current", "data", "delete", "fetch", "file", "find", "from", "info", "into", "item"}
    | {"list", "load", "look", "lookup", "make", "name", "read", "save", "search", "send", "show", "text", "tool"}
    | {"update", "value", "with", "write"}
)
"""Words that occur in too many tool names and prompts to stand for one tool."""

_SAY = re.compile(r"\W*(?:please\s+)?say\b[\s:]*(?P<text>.+)", re.IGNORECASE | re.DOTALL)
_COUNT = re.compile(r"\W*(?:please\s+)?count\s+(?:from\s+1\s+)?to\s+(?P<last>\d{1,5})\b", re.IGNORECASE)
_ENDING = re.compile(r"end every answer with (?:\"([^\"]+)\"|(.+?))(?:\.(?=\s|$)|$)", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(r"\s*\S+|\s+$")
_USE = re.compile(r"\b(?:use|using|call|run|invoke)\b(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_MCP_SERVER = re.compile(r"^mcp__.+?__")
_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def natural_blocks(seen: Situation) -> tuple[Block, ...]:
    """The content of the answer: a thought if thinking is shown, then tool calls, or a text if there are none."""
    content: list[Block] = [Thinking.of(THOUGHT, pieces=4)] if seen.thinks else []
    wanted = _wanted_tools(seen)
    if wanted:
        return (*content, *(call(seen, tool) for tool in (wanted if seen.parallel else wanted[:1])))
    prompt = without_directives(seen.prompt)
    literal = literal_answer(prompt)
    counted = [(seen.images, "image"), (seen.documents, "document")]
    shown = [f"{number} {noun}{'s' * (number > 1)}" for number, noun in counted if number]
    attached = f" I was shown {' and '.join(shown)}." if shown else ""
    quoted = _beginning(" ".join(prompt.split()), QUOTED_PROMPT)
    friendly = f'Hello! You said "{quoted}", and I am only a simulated model.{attached}'
    sentences = []
    for number, result in enumerate(seen.results, start=1):
        # A failed call is left out if the same tool was called again.
        if not (result.failed and any(later.tool == result.tool for later in seen.results[number:])):
            verb = "failed" if result.failed else "answered"
            sentences.append(f"{result.tool} {verb}: {_beginning(result.text, QUOTED_RESULT)}")
    text = " ".join(sentences) or literal or friendly
    if (ending := _ENDING.search(seen.system)) is not None:
        text += f" {ending[1] or ending[2]}"
    as_json = json_asked_for(seen.system, prompt, text, literal=literal is not None)
    return (*content, text_in_words(text if as_json is None else as_json))


def call(seen: Situation, tool: str) -> ToolUse:
    """A call with arguments that the tool's schema accepts."""
    return ToolUse(tool, arguments(seen.schema(tool), hints(seen)))


def hints(seen: Situation) -> Hints:
    return Hints.of(without_directives(seen.prompt), without=seen.tools.keys())


def asked_for(seen: Situation) -> list[str]:
    """The tools that the prompt asks for."""
    prompt = without_directives(seen.prompt)
    if literal_answer(prompt) is not None:
        return []
    return mentioned_tools(prompt, [tool for tool in seen.tools if tool != STRUCTURED_OUTPUT])


def literal_answer(prompt: str) -> str | None:
    """The text that "Say X" or "Count to N" asks for; None for any other prompt."""
    if (say := _SAY.match(prompt)) is not None:
        return say["text"].strip() or None
    if (count := _COUNT.match(prompt)) is not None:
        return ", ".join(map(str, range(1, int(count["last"]) + 1)))
    return None


def text_in_words(text: str) -> Text:
    """A text block with one word in each delta, or several where the text is long."""
    words = _WORD.findall(text)
    together = 1 + len(words) // MOST_DELTAS
    return Text(tuple("".join(words[i : i + together]) for i in range(0, len(words), together)))


def mentioned_tools(prompt: str, tools: Iterable[str]) -> list[str]:
    """The tools that the prompt asks for, in the order in which it mentions them.

    The prompt asks for a name of several words (`get_weather`, `getWeather`) by the whole name or by one of its words
    ("What is the weather?"). It asks for a single word or a CapitalisedName, as Claude Code's own tools have them, only
    where it says to use or call the tool: "Write a poem" is no call of `Write`.
    """

    def position(word: str, start: int = 0) -> int | None:
        at = re.compile(rf"(?<!\w){re.escape(word)}s?(?!\w)", re.IGNORECASE).search(prompt, start)
        return at.start() if at else None

    used = _USE.search(prompt)
    found = []
    for tool in tools:
        name = _MCP_SERVER.sub("", tool)
        first = None if used is None else position(name, used.start("rest"))
        parts = _NAME_PARTS.findall(name)
        if first is None and len(parts) > 1 and not name[0].isupper():
            keywords = [part for part in parts if len(part) >= SHORTEST_KEYWORD and part.lower() not in COMMON_WORDS]
            positions = [position(word) for word in (name, *keywords)]
            first = min((each for each in positions if each is not None), default=None)
        if first is not None:
            found.append((first, tool))
    return [tool for _, tool in sorted(found, key=lambda pair: pair[0])]


def _wanted_tools(seen: Situation) -> list[str]:
    """The tools to call now: the forced one, else those asked for and not called yet, else structured output."""
    if seen.choice == "none":
        return []
    if seen.chosen_tool is not None:
        return [seen.chosen_tool]
    unanswered = [tool for tool in asked_for(seen) if not seen.results_of(tool)]
    if unanswered or not seen.tools:
        return unanswered
    if STRUCTURED_OUTPUT in seen.tools and all(result.failed for result in seen.results_of(STRUCTURED_OUTPUT)):
        return [STRUCTURED_OUTPUT]
    return [next(iter(seen.tools))] if seen.choice == "any" else []


def _beginning(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length].rstrip() + "..."
