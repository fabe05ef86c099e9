"""What the simulated model understands of a request: the newest instruction, the tool results since, the tools on
offer. Notes that Claude Code adds by itself are not taken for the user's words.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from claude_openai.simulator.arguments import Schema
from claude_openai.simulator.directives import OPENING
from claude_openai.simulator.recorded import JsonObject, RecordedRequest, blocks, texts

NOTES = ("<system-reminder>", "[Image: source: ", "[Image: original ", "[structured-output-enforce]")
"""How text blocks begin that Claude Code adds to a user's message."""

TAKEN = "Structured output provided successfully"
"""What Claude Code answers to that tool: the turn is over, and words beside it are the user's next ones."""

ALIASES = {"Task": "Agent"}
"""Older names that Claude Code still takes for its tools: a call comes back under the name that is offered, and under
the other one it would seem to have no result."""

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
    """The user's newest words."""
    images: int
    documents: int
    results: tuple[ToolResult, ...]
    """What the tools have answered since, in order."""
    system: str
    tools: Mapping[str, Schema]
    choice: str
    """`tool_choice`: auto, any, tool, none."""
    chosen_tool: str | None
    parallel: bool
    """Whether several tools may be called in one message."""
    thinks: bool
    """Whether thinking was asked for and will be shown. Without being shown, the model answers at once."""

    def offered(self, name: str) -> str:
        """The tool's name as offered; Claude Code may have put its server's name before it."""
        names = (name, ALIASES.get(name, name))
        found = (tool for each in names for tool in self.tools if tool == each or tool.endswith(f"__{each}"))
        return next(found, name)

    def schema(self, tool: str) -> Schema:
        return self.tools.get(tool, NO_ARGUMENTS)

    def results_of(self, tool: str) -> list[ToolResult]:
        return [result for result in self.results if result.tool == tool]


def situation(request: RecordedRequest) -> Situation:
    newest = _newest_instruction(request.messages)
    asked = request.messages[newest]["content"]
    choice: JsonObject = request.body.get("tool_choice") or {"type": "auto"}
    return Situation(
        prompt="\n".join(_words(asked)),
        images=_count(asked, "image"),
        documents=_count(asked, "document"),
        results=tuple(_results(request.messages, newest)),
        system="\n".join([request.system, *_later_system_texts(request.messages)]),
        tools={tool["name"]: tool.get("input_schema", NO_ARGUMENTS) for tool in request.tools},
        choice=choice["type"],
        chosen_tool=choice.get("name"),
        parallel=not choice.get("disable_parallel_tool_use"),
        thinks=_thinks(request.body.get("thinking") or {}),
    )


def _newest_instruction(messages: list[JsonObject]) -> int:
    """The index of the last user message that says something. Words beside tool results are mostly Claude Code's
    own, so those count only if they are a clear instruction.
    """
    for index in reversed(range(len(messages))):
        content = messages[index]["content"]
        if messages[index]["role"] != "user":
            continue
        if _count(content, "tool_result"):
            words = _words(content)
            if any(map(_INSTRUCTION.search, words)) or (words and _only_taken(content)):
                return index
        elif _words(content) or _count(content, "image", "document"):
            return index
    return 0


def _only_taken(content: object) -> bool:
    """Whether all results are Claude Code's word that it has taken an answer."""
    results = [block for block in blocks(content) if block.get("type") == "tool_result"]
    return all(TAKEN in texts(result.get("content")) for result in results)


def _results(messages: list[JsonObject], newest: int) -> Iterator[ToolResult]:
    """The tool results after the newest instruction, under the names of the tools that were called."""
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


def _later_system_texts(messages: list[JsonObject]) -> Iterator[str]:
    for message in messages:
        if message["role"] == "system":
            yield from texts(message["content"])


def _words(content: object) -> list[str]:
    return [text for text in texts(content) if not text.startswith(NOTES)]


def _count(content: object, *kinds: str) -> int:
    return sum(block.get("type") in kinds for block in blocks(content))


def _thinks(thinking: JsonObject) -> bool:
    if thinking.get("type") == "enabled":
        return thinking.get("display") != "omitted"
    return thinking.get("type") == "adaptive" and thinking.get("display") == "summarized"
