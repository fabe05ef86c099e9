"""What the simulated model reads in a request: the newest instruction, the tool results after it, the offered tools.
Notes that Claude Code adds by itself are not part of the user's text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from claude_openai.simulator.arguments import Schema
from claude_openai.simulator.directives import OPENING
from claude_openai.simulator.recorded import JsonObject, RecordedRequest, blocks, texts

NOTES = ("<system-reminder>", "[Image: source: ", "[Image: original ", "[structured-output-enforce]")
"""The beginnings of text blocks that Claude Code adds to a user's message."""

OUTPUT_ACCEPTED = "Structured output provided successfully"
"""Claude Code's result for the structured output tool. The turn is over: text beside it is the user's next message."""

ALIASES = {"Task": "Agent"}
"""Older names that Claude Code still accepts for its tools. A call comes back under the offered name, so under the
older name it would seem to have no result."""

NO_ARGUMENTS: Schema = {"type": "object"}
"""The schema of a tool that has none."""

_INSTRUCTION = re.compile(rf"{re.escape(OPENING)}|^\W*(please\s+)?(say|count)\b", re.IGNORECASE)


@dataclass(frozen=True)
class ToolResult:
    tool: str
    text: str
    failed: bool


@dataclass(frozen=True)
class Situation:
    prompt: str
    """The text of the newest instruction."""
    images: int
    documents: int
    results: tuple[ToolResult, ...]
    """The tool results after the newest instruction, in order."""
    system: str
    tools: Mapping[str, Schema]
    choice: str
    """`tool_choice`: auto, any, tool, none."""
    chosen_tool: str | None
    parallel: bool
    """Whether several tools may be called in one message."""
    thinks: bool
    """Whether the request asks for thinking that is shown. Otherwise the model answers at once."""

    def offered(self, name: str) -> str:
        """The tool's name in the request; Claude Code puts the name of an MCP server before it."""
        names = (name, ALIASES.get(name, name))
        found = (tool for each in names for tool in self.tools if tool == each or tool.endswith(f"__{each}"))
        return next(found, name)

    def schema(self, tool: str) -> Schema:
        return self.tools.get(tool, NO_ARGUMENTS)

    def results_of(self, tool: str) -> list[ToolResult]:
        return [result for result in self.results if result.tool == tool]


def situation(request: RecordedRequest) -> Situation:
    """Read the request."""
    newest = _newest_instruction(request.messages)
    asked = request.messages[newest]["content"]
    choice: JsonObject = request.body.get("tool_choice") or {"type": "auto"}
    systems = [message["content"] for message in request.messages if message["role"] == "system"]
    thinking: JsonObject = request.body.get("thinking") or {}
    kind, display = thinking.get("type"), thinking.get("display")
    return Situation(
        prompt="\n".join(_user_texts(asked)),
        images=_count(asked, "image"),
        documents=_count(asked, "document"),
        results=tuple(_results(request.messages, newest)),
        system="\n".join([request.system, *(text for content in systems for text in texts(content))]),
        tools={tool["name"]: tool.get("input_schema", NO_ARGUMENTS) for tool in request.tools},
        choice=choice["type"],
        chosen_tool=choice.get("name"),
        parallel=not choice.get("disable_parallel_tool_use"),
        thinks=(kind == "enabled" and display != "omitted") or (kind == "adaptive" and display == "summarized"),
    )


def _newest_instruction(messages: list[JsonObject]) -> int:
    """The index of the last user message with an instruction. Text beside tool results is mostly Claude Code's own, so
    it counts only if it is clearly an instruction.
    """
    for index in reversed(range(len(messages))):
        content = messages[index]["content"]
        if messages[index]["role"] != "user":
            continue
        if _count(content, "tool_result"):
            found = _user_texts(content)
            results = [block for block in blocks(content) if block.get("type") == "tool_result"]
            accepted = all(OUTPUT_ACCEPTED in texts(result.get("content")) for result in results)
            if any(map(_INSTRUCTION.search, found)) or (found and accepted):
                return index
        elif _user_texts(content) or _count(content, "image", "document"):
            return index
    return 0


def _results(messages: list[JsonObject], newest: int) -> Iterator[ToolResult]:
    """Yield the tool results after the newest instruction, with the names of the tools that were called."""
    names = {}
    for message in messages[newest + 1 :]:
        for block in blocks(message["content"]):
            match block:
                case {"type": "tool_use", "id": call, "name": name}:
                    names[call] = name
                case {"type": "tool_result", "tool_use_id": call}:
                    text = "\n".join(texts(block.get("content")))
                    yield ToolResult(names.get(call, "a tool"), text, bool(block.get("is_error")))
                case _:
                    pass


def _user_texts(content: object) -> list[str]:
    return [text for text in texts(content) if not text.startswith(NOTES)]


def _count(content: object, *kinds: str) -> int:
    return sum(block.get("type") in kinds for block in blocks(content))
