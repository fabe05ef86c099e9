"""A schema of an answer as Claude Code takes it: it checks the answer by itself, and knows draft-07 only.

A schema with anything else in it loses its tool without a word (measured), so what Claude Code does not know is told to
the model in a description, and so is a pattern that may keep it busy for ever. Nothing is lost by that: answers are
held against the client's own schema here.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from claude_openai.jsontools.regular_expressions import is_quick

Json = dict[str, Any]

_SCHEMAS: Final = frozenset({"additionalProperties", "propertyNames", "not", "if", "then", "else", "contains", "items"})
"""Keywords that stand for a schema."""

_LISTS: Final = frozenset({"anyOf", "oneOf", "allOf"})
_MAPS: Final = frozenset({"properties", "patternProperties", "definitions", "$defs"})
"""Those that stand for several: in a row, and by name."""

_OTHERS: Final = frozenset(
    {
        *(
            "$id",
            "$comment",
            "$ref",
            "title",
            "description",
            "default",
            "examples",
            "deprecated",
            "readOnly",
            "writeOnly",
        ),
        *("type", "enum", "const", "nullable", "format", "pattern", "minLength", "maxLength", "multipleOf"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "uniqueItems"),
        *("minProperties", "maxProperties", "required", "dependencies", "contentMediaType", "contentEncoding"),
    }
)
_KNOWN: Final = _SCHEMAS | _LISTS | _MAPS | _OTHERS

_TOGETHER: Final = (
    ("prefixItems", ("items",)),
    ("minContains", ("contains",)),
    ("maxContains", ("contains",)),
)
"""Keywords without which others would mean something else."""


def to_draft7_schema(schema: str) -> Json:
    """`schema`, JSON text of an object's, in the words that Claude Code knows."""
    told: Json = _known(json.loads(schema))
    return told


def _known(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    sent = {name: value for name, value in schema.items() if name != "$schema"}
    untold = {name: sent[name] for name in sent if not _taken(name, sent)}
    told = {name: _part(name, value) for name, value in sent.items() if name not in untold}
    return {**told, "description": _described(told.get("description"), untold)} if untold else told


def _taken(name: str, schema: Mapping[str, Any]) -> bool:
    value = schema[name]
    match name:
        case "enum":
            return bool(value)
        case "$ref":
            return str(value) == "#" or str(value).startswith("#/")
        case "pattern":
            return isinstance(value, str) and is_quick(value)
        case "patternProperties":
            return all(map(is_quick, value))
        case "additionalProperties":  # of which those are none that match a pattern
            return all(map(is_quick, schema.get("patternProperties", ())))
        case "if":
            return "then" in schema or "else" in schema
        case "then" | "else":
            return "if" in schema
        case _:
            alone = not any(first in schema and name in others for first, others in _TOGETHER)
            return name in _KNOWN and alone


def _part(name: str, value: Any) -> Any:
    if name in _SCHEMAS:
        return _known(value)
    if name in _LISTS:
        return [_known(each) for each in value]
    if name in _MAPS:
        return {key: _known(each) for key, each in value.items()}
    return _each_once(value) if name in {"enum", "required"} else value


def _each_once(values: list[Any]) -> list[Any]:
    return list({json.dumps(value, sort_keys=True): value for value in values}.values())


def _described(description: object, untold: Json) -> str:
    words = json.dumps(untold, ensure_ascii=False)
    return f"{description}\n{words}" if description else words
