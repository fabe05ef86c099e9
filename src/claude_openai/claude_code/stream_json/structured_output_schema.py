"""A schema of an answer as Claude Code takes it: it checks the answer by itself, and knows draft-07 only.

Claude Code silently drops the tool of a schema with any other keyword (measured). Such keywords move into a description
for the model, and so does what could keep Claude Code busy for ever: a pattern, or references that make it check one
value against very many schemas. Nothing is lost: the server checks answers against the client's own schema.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from claude_openai.jsontools.incremental import decode
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


_MOST_APPLIED: Final = 10_000
"""Schemas that one value may be held against at once. Alternatives that refer to alternatives multiply: eight on each
of seven levels are two million, from a schema of 2 KB."""

_SAME_VALUE: Final = _LISTS | {"$ref", "not", "if", "then", "else", "dependencies", "patternProperties", "contains"}
"""Keywords with schemas that one and the same value may be held against, all of them."""

_OTHER_VALUES: Final = ("properties", "additionalProperties", "propertyNames", "items")
"""Those with schemas of which each is for another value."""


def to_draft7_schema(schema: str) -> Json:
    """`schema`, JSON text of an object's, in the words that Claude Code knows."""
    sent = decode(schema)
    told: Json = _known(sent, _multiplied(sent))
    return told


def _multiplied(schema: Any) -> frozenset[int]:
    """Ids of the parts of `schema` that would make one value be held against very many schemas, if those within them
    keep their `_SAME_VALUE`: more than `_MOST_APPLIED` by themselves, or more with each level of the value, since they
    lead back to themselves on two ways. Each part is counted once, however often it is referred to. A reference back
    counts as one schema: what is recursive continues in parts of the value.
    """
    order: list[int] = []
    leads_to: dict[int, tuple[list[int], list[int]]] = {}
    counts: dict[int, int] = {}
    multiplied: set[int] = set()
    pending = [(schema, schema)]
    while pending:
        part, base = pending[-1]
        if not isinstance(part, dict) or id(part) in counts:
            pending.pop()
            continue
        if isinstance(part.get("$id"), str):
            base = part
        same = [each for name in _SAME_VALUE for each in _schemas(name, part, base)]
        others = [each for name in _OTHER_VALUES for each in _schemas(name, part, base)]
        if id(part) not in leads_to:
            leads_to[id(part)] = ([id(each) for each, _ in same], [id(each) for each, _ in others])
            pending += [each for each in (*same, *others) if id(each[0]) not in leads_to]
            continue
        pending.pop()
        order.append(id(part))
        counts[id(part)] = max((counts.get(id(each), 1) for each, _ in others), default=1)
        count = counts[id(part)] + sum(counts.get(id(each), 1) for each, _ in same)
        if count > _MOST_APPLIED:
            multiplied.add(id(part))
        else:
            counts[id(part)] = count
    circle = _circles(order, leads_to)
    for part_id, (same_ids, other_ids) in leads_to.items():
        back = [sum(circle.get(each) == circle[part_id] for each in ids) for ids in (same_ids, other_ids)]
        if back[0] > 1 or (back[0] and back[1]):
            multiplied.add(part_id)
    return frozenset(multiplied)


def _circles(order: list[int], leads_to: Mapping[int, tuple[list[int], list[int]]]) -> dict[int, int]:
    """The strongly connected component of each part, by Kosaraju's algorithm: `order` is that in which a search from
    the root has left the parts.
    """
    comes_from: dict[int, list[int]] = {part: [] for part in order}
    for part, (same, others) in leads_to.items():
        for each in (*same, *others):
            comes_from.get(each, []).append(part)
    component: dict[int, int] = {}
    for root in reversed(order):
        pending = [root]
        while pending:
            part = pending.pop()
            if part not in component:
                component[part] = root
                pending += comes_from[part]
    return component


def _schemas(name: str, schema: Json, base: Any) -> list[tuple[Any, Any]]:
    """The schemas that the keyword `name` of `schema` stands for, each with the one that its references start from."""
    match schema.get(name):
        case str(reference) if name == "$ref":
            return [_target(reference, base)]
        case dict() as several if name in {"properties", "patternProperties", "dependencies"}:
            return [(each, base) for each in several.values()]
        case list() as several:
            return [(each, base) for each in several]
        case dict() as one:
            return [(one, base)]
        case _:
            return []


def _target(reference: str, base: Any) -> tuple[Any, Any]:
    """Where the JSON pointer `reference` leads; nothing where it is none."""
    part = base
    for step in unquote(reference).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(part, list):
            part = next((each for index, each in enumerate(part) if str(index) == name), None)
        else:
            part = part.get(name) if isinstance(part, dict) else None
        if isinstance(part, dict) and isinstance(part.get("$id"), str):
            base = part
    return part, base


def _known(schema: Any, multiplied: frozenset[int]) -> Any:
    if not isinstance(schema, dict):
        return schema
    sent = {name: value for name, value in schema.items() if name != "$schema"}
    kept = {name for name in sent if id(schema) not in multiplied or name not in _SAME_VALUE}
    untold = {name: sent[name] for name in sent if name not in kept or not _taken(name, sent)}
    if "patternProperties" in untold and "additionalProperties" in sent:  # which is for those that match no pattern
        untold["additionalProperties"] = sent["additionalProperties"]
    told = {name: _part(name, value, multiplied) for name, value in sent.items() if name not in untold}
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
        case "if":
            return "then" in schema or "else" in schema
        case "then" | "else":
            return "if" in schema
        case _:
            alone = not any(first in schema and name in others for first, others in _TOGETHER)
            return name in _KNOWN and alone


def _part(name: str, value: Any, multiplied: frozenset[int]) -> Any:
    if name in _SCHEMAS:
        return _known(value, multiplied)
    if name in _LISTS:
        return [_known(each, multiplied) for each in value]
    if name in _MAPS:
        return {key: _known(each, multiplied) for key, each in value.items()}
    return _each_once(value) if name in {"enum", "required"} else value


def _each_once(values: list[Any]) -> list[Any]:
    return list({json.dumps(value, sort_keys=True): value for value in values}.values())


def _described(description: object, untold: Json) -> str:
    words = json.dumps(untold, ensure_ascii=False)
    return f"{description}\n{words}" if description else words
