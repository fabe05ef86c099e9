"""Which of the offered tools a prompt asks for.

A name of several words (`get_weather`, `getWeather`) is asked for by the whole name or by one of its telling words
("What is the weather?"). A single word or a CapitalisedName, as Claude Code's own tools have them, is asked for only
where the prompt says to use or call it: "Write a poem" is no call of `Write`.
"""

import re
from collections.abc import Iterable

_USE = re.compile(r"\b(?:use|using|call|run|invoke)\b(?P<what>.*)", re.IGNORECASE | re.DOTALL)
_SERVER = re.compile(r"^mcp__.+?__")
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

TELLING_LENGTH = 4
"""Letters a word must have to stand for a tool."""

COMMON = frozenset(
    {"call", "check", "create", "current", "data", "delete", "fetch", "file", "find", "from", "info", "into", "item"}
    | {"list", "load", "look", "lookup", "make", "name", "read", "save", "search", "send", "show", "text", "tool"}
    | {"update", "value", "with", "write"}
)
"""Words that are in too many names and prompts to tell anything."""


def mentioned_tools(prompt: str, tools: Iterable[str]) -> list[str]:
    """The tools asked for, in the order in which the prompt mentions them."""
    found = [(position, tool) for tool in tools if (position := _position(prompt, tool)) is not None]
    return [tool for _, tool in sorted(found, key=lambda pair: pair[0])]


def _position(prompt: str, tool: str) -> int | None:
    """Where the prompt first asks for the tool."""
    name = _SERVER.sub("", tool)
    used = _USE.search(prompt)
    if used is not None and (at := _word_at(prompt, name, used.start("what"))) is not None:
        return at
    parts = _PARTS.findall(name)
    if parts[1:] == [] or name[0].isupper():
        return None
    telling = [part for part in parts if len(part) >= TELLING_LENGTH and part.lower() not in COMMON]
    places = [at for word in (name, *telling) if (at := _word_at(prompt, word, 0)) is not None]
    return min(places, default=None)


def _word_at(prompt: str, word: str, start: int) -> int | None:
    found = re.compile(rf"(?<!\w){re.escape(word)}s?(?!\w)", re.IGNORECASE).search(prompt, start)
    return found.start() if found else None
