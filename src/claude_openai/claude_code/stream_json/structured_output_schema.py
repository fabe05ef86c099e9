"""Converts the schema of an answer to draft-07: Claude Code checks the answer itself, and knows no other draft.

Claude Code silently drops the tool of a schema with any other keyword (measured). Such keywords move into the
`description`, for the model, as do keywords with which a check could take for ever: a slow pattern, or references that
make Claude Code check one value against very many schemas. The server checks answers against the client's own schema.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from claude_openai.jsontools.incremental import decode
from claude_openai.jsontools.regular_expressions import is_quick

Json = dict[str, Any]

_SCHEMAS: Final = frozenset({"additionalProperties", "propertyNames", "not", "if", "then", "else", "contains", "items"})
"""Keywords whose value is a schema."""

_LISTS: Final = frozenset({"anyOf", "oneOf", "allOf"})
_MAPS: Final = frozenset({"properties", "patternProperties", "definitions", "$defs"})
"""Keywords whose value is a list of schemas, or schemas by name."""

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
"""A keyword that draft-07 lacks, and the keywords that would mean something else without it."""


_MOST_APPLIED: Final = 10_000
"""Schemas that one value may be checked against. Alternatives that refer to alternatives multiply: eight on each of
seven levels make two million, from a schema of 2 KB."""

_SAME_VALUE: Final = _LISTS | {"$ref", "not", "if", "then", "else", "dependencies", "patternProperties", "contains"}
"""Keywords whose schemas may all be checked against the same value."""

_OTHER_VALUES: Final = ("properties", "additionalProperties", "propertyNames", "items")
"""Keywords whose schemas are each for another value."""


def to_draft7_schema(schema: str) -> Json:
    """Convert `schema`, the JSON text of an object schema."""
    sent = decode(schema)
    rewritten: Json = _rewritten(sent, _multiplied(sent))
    return rewritten


def _multiplied(schema: Any) -> frozenset[int]:
    """Return the ids of the parts of `schema` that must lose their `_SAME_VALUE` keywords, since with them one value is
    checked against very many schemas: against more than `_MOST_APPLIED`, or against more with each level of the value,
    where a part leads back to itself in two ways. Each part is counted once, however many references lead to it. A
    reference back counts as one schema: the recursion continues in parts of the value.
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
    """Return the strongly connected component of each part, by Kosaraju's algorithm; `order` is the order in which a
    search from the root left the parts.
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
    """Return the schemas in the keyword `name` of `schema`, each with the schema that its references start from."""
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
    """Look up the JSON pointer `reference`. Returns the schema, None where there is none, and its new base."""
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


def _rewritten(schema: Any, multiplied: frozenset[int]) -> Any:
    """Convert a schema and those in it. Keywords that Claude Code does not know move into the description."""
    if not isinstance(schema, dict):
        return schema
    described: Json = {}
    rewritten: Json = {}
    for name, value in schema.items():
        if name == "$schema":
            continue
        if (id(schema) in multiplied and name in _SAME_VALUE) or not _is_known(name, schema):
            described[name] = value
        elif name in _SCHEMAS:
            rewritten[name] = _rewritten(value, multiplied)
        elif name in _LISTS:
            rewritten[name] = [_rewritten(each, multiplied) for each in value]
        elif name in _MAPS:
            rewritten[name] = {key: _rewritten(each, multiplied) for key, each in value.items()}
        elif name in {"enum", "required"}:  # each value once
            rewritten[name] = list({json.dumps(each, sort_keys=True): each for each in value}.values())
        else:
            rewritten[name] = value
    if "patternProperties" in described and "additionalProperties" in schema:  # it is for those that match no pattern
        described["additionalProperties"] = schema["additionalProperties"]
        rewritten.pop("additionalProperties", None)
    if described:
        text, description = json.dumps(described, ensure_ascii=False), rewritten.get("description")
        rewritten["description"] = f"{description}\n{text}" if description else text
    return rewritten


def _is_known(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether Claude Code takes the keyword `name` as it is in `schema`, and checks it in bounded time."""
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
