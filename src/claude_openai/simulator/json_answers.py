"""The JSON answer to a prompt that asks for JSON in words: an object of the shape that the prompt describes, by a JSON
schema or by an example.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from claude_openai.simulator.arguments import Schema, arguments
from claude_openai.simulator.hints import Hints

_ASKED = re.compile(
    r"\b(?:answer|reply|respon[ds]\w*|return|output|provide|produce|generate|give|format|parse[sd]?)\w*\b"
    r"[^\n]{0,120}(?<!\.)\bJSON"  # no file's ending, of which the description of a sandbox has many
    r"|(?<!\.)\bJSON\b[^\n]{0,80}\b(?:match|fit|compatible|conform|following)",
    re.IGNORECASE,
)

_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("int", "integer"), "integer"),
    **dict.fromkeys(("float", "number"), "number"),
    **dict.fromkeys(("bool", "boolean", "true/false", "true|false", "true or false"), "boolean"),
}
"""The type of a value for which an example has only a name of that type."""


def json_asked_for(system: str, prompt: str, answer: str, *, literal: bool) -> str | None:
    """The JSON text that the prompts ask for; None if they ask for none. Without a shape, the object has the `answer`.

    A user's prompt that says what to answer (`literal`) does not ask for JSON, unless the system prompt does.
    """
    by_system = _ASKED.search(system) is not None
    if not by_system and (_ASKED.search(prompt) is None or literal):
        return None
    try:
        if isinstance(json.loads(answer), dict):
            return answer
    except (ValueError, RecursionError):
        pass
    in_prompt = list(_objects(prompt))
    examples = [value for value, _, _ in _objects(system)] or [value for value, _, _ in in_prompt]
    shapes: list[Schema] = [
        each for each, _, _ in (*_objects(system), *in_prompt) if isinstance(each.get("properties"), dict)
    ]
    if not shapes and not examples:
        return json.dumps({"answer": answer}, ensure_ascii=False) if by_system else None
    shape = shapes[-1] if shapes else _schema_of_example(examples[-1])
    beside_shape = prompt
    for _, begin, end in reversed(in_prompt):
        beside_shape = beside_shape[:begin] + beside_shape[end:]
    return json.dumps(arguments(shape, Hints.of(beside_shape, without=("JSON",))), ensure_ascii=False)


def _objects(text: str) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Find the outermost JSON objects of a text. Yields each with its start and its end."""
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            if value:
                yield value, at, end
        at = text.find("{", end)


def _schema_of_example(example: object) -> Schema:
    match example:
        case dict():
            properties = {name: _schema_of_example(value) for name, value in example.items()}
            return {"type": "object", "properties": properties, "required": list(example)}
        case list():
            return {"type": "array", "items": _schema_of_example(example[0]) if example else {"type": "string"}}
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer"}
        case float():
            return {"type": "number"}
        case None:
            return {"type": "null"}
        case _:
            return {"type": _TYPES.get(str(example).strip("<>{} ").lower(), "string")}
