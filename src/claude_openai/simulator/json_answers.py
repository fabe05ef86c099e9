"""JSON that a prompt asks for in words: an object that fits the shape written there, a JSON schema or an example."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from claude_openai.simulator.arguments import Schema, arguments
from claude_openai.simulator.hints import Hints
from claude_openai.simulator.rules import obeyed
from claude_openai.simulator.situation import Situation

_ASKED = re.compile(
    r"\b(?:answer|reply|respon[ds]\w*|return|output|provide|produce|generate|give|format|parse[sd]?)\w*\b[^\n]{0,120}\bJSON"
    r"|\bJSON\b[^\n]{0,80}\b(?:match|fit|compatible|conform|following)",
    re.IGNORECASE,
)

_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("int", "integer"), "integer"),
    **dict.fromkeys(("float", "number"), "number"),
    **dict.fromkeys(("bool", "boolean", "true/false", "true|false", "true or false"), "boolean"),
}
"""How an example names the type of a value in its place."""


def json_asked_for(seen: Situation, prompt: str, spoken: str) -> str | None:
    """The JSON text that is asked for; None where the prompt asks for none. Without a shape it has what was `spoken`.

    Where the prompt says what to say, it asks for that, unless the system prompt asks for JSON.
    """
    by_system = _ASKED.search(seen.system) is not None
    if not by_system and (_ASKED.search(prompt) is None or obeyed(prompt) is not None):
        return None
    if _is_object(spoken):
        return spoken
    shape = _shape(seen.system, prompt)
    if shape is None and not by_system:
        return None
    if shape is None:
        return json.dumps({"answer": spoken}, ensure_ascii=False)
    return json.dumps(arguments(shape, _hints(prompt)), ensure_ascii=False)


def _shape(system: str, prompt: str) -> Schema | None:
    """The last schema there is; else one for the last example, of the system prompt's before the user's."""
    in_system, in_prompt = ([value for value, _, _ in _objects(text)] for text in (system, prompt))
    schemas = [each for each in (*in_system, *in_prompt) if isinstance(each.get("properties"), dict)]
    if schemas:
        return schemas[-1]
    examples = in_system or in_prompt
    return _like(examples[-1]) if examples else None


def _hints(prompt: str) -> Hints:
    """What the prompt mentions beside the shape."""
    for _, begin, end in reversed(list(_objects(prompt))):
        prompt = prompt[:begin] + prompt[end:]
    return Hints.of(prompt, without=("JSON",))


def _objects(text: str) -> Iterator[tuple[dict[str, Any], int, int]]:
    """The JSON objects that stand in a text, without those within others: each with its beginning and its end."""
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


def _like(example: object) -> Schema:
    match example:
        case dict():
            properties = {name: _like(value) for name, value in example.items()}
            return {"type": "object", "properties": properties, "required": list(example)}
        case list():
            return {"type": "array", "items": _like(example[0]) if example else {"type": "string"}}
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


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
