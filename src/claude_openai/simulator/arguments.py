"""Generates tool arguments: a value that a JSON schema accepts, with texts and numbers of the prompt where they fit.

The generator supports types, enum, const, references within the schema, allOf, anyOf, oneOf, bounds, lengths, formats,
nesting and recursion. It meets a `pattern` if one of a few ordinary strings does. It is pure and repeatable.

Some schemas would take exponential time, so each visited part counts as work (`jsontools.work_limit`).
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator
from referencing.exceptions import Unresolvable
from referencing.jsonschema import EMPTY_REGISTRY

from claude_openai.jsontools.work_limit import TooMuch, spend
from claude_openai.simulator.hints import Hints
from claude_openai.simulator.recorded import JsonObject

Schema: TypeAlias = Mapping[str, Any] | bool

SHALLOW = 3
"""Levels of nesting down to which optional properties are generated; deeper, only the required ones."""

DEEPEST = 12
"""Levels after which the generator stops following a schema that requires itself."""

LONGEST = 1_000_000
"""The largest `minLength` and `minProperties` that are met; a schema that asks for more raises `TooMuch`."""

FORMATS: Mapping[str, str] = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "someone@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "json-pointer": "/example",
    "regex": ".*",
}

ORDINARY = "a A abc ABC a1 A1 1 12 123 1234 12345 AB-123 abc-123 a_b a.b 1.0.0 12:30 2026-01-31 #c0ffee +15550100"
"""Strings that are tried on a `pattern`."""


def arguments(schema: Schema, hints: Hints) -> Any:
    """Generate a value for the schema: the same value for the same prompt.

    Raises:
        TooMuch: the work exceeds the caller's bound, or the value would be longer than `LONGEST`.
    """
    return _Generator(schema, hints).generate(schema, "value", 0)


def invalid_arguments(schema: Schema, hints: Hints) -> JsonObject:
    """Generate an object that the schema does not accept, if there is one."""
    valid = arguments(schema, hints)
    fields: JsonObject = valid if isinstance(valid, dict) else {}
    broken: list[JsonObject] = [{}]
    for name, value in fields.items():
        broken.append({**fields, name: 12345 if isinstance(value, str) else "not what the schema asks for"})
    broken.append({**fields, "unexpected": True})
    return next((value for value in broken if not accepts(schema, value)), broken[-1])


def accepts(schema: Schema, value: object, root: Schema | None = None) -> bool:
    """Whether the schema, a part of `root`, accepts the value. References to other documents are not fetched."""
    validator = Draft202012Validator(schema if root is None else root, registry=EMPTY_REGISTRY)
    try:
        return validator.evolve(schema=schema).is_valid(value)
    except Unresolvable:
        return True


class _Generator:
    """Generates one value. It holds the whole schema, and the hints that are not used yet."""

    def __init__(self, root: Schema, hints: Hints) -> None:
        self._root = root
        self._hints = hints

    def generate(self, schema: Schema, name: str, depth: int, variant: int = 0) -> Any:
        """Generate a value of the schema. Another `variant` gives another value where the schema has one."""
        plain = self._plain(schema)
        choices = list(self._choices(plain, depth, variant))
        for choice in choices[:-1]:
            kept = self._hints.copy()
            value = self._typed(choice, name, depth, variant)
            if accepts(plain, value, self._root):
                return value
            self._hints = kept
        return self._typed(choices[-1], name, depth, variant)

    def _plain(self, schema: Schema, seen: tuple[str, ...] = ()) -> JsonObject:
        """Merge the schema's `$ref` and `allOf` into the schema itself."""
        spend()
        if isinstance(schema, bool):
            return {}
        plain = {key: value for key, value in schema.items() if key not in {"$ref", "allOf"}}
        reference = schema.get("$ref")
        if reference and reference not in seen:
            found: Any = self._root if reference == "#" or reference.startswith("#/") else None
            for step in reference.removeprefix("#").split("/")[1:]:
                key = step.replace("~1", "/").replace("~0", "~")
                if isinstance(found, list):
                    found = dict(enumerate(found)).get(int(key) if key.isdecimal() else -1)
                else:
                    found = found.get(key) if isinstance(found, Mapping) else None
            if isinstance(found, Mapping | bool):  # a pointer that leads nowhere accepts anything
                plain = _both(plain, self._plain(found, (*seen, reference)))
        for part in schema.get("allOf", ()):
            plain = _both(plain, self._plain(part, seen))
        return plain

    def _choices(self, plain: JsonObject, depth: int, variant: int) -> Iterator[JsonObject]:
        """Yield the schema once for each way through its alternatives; deep down, those without nesting first."""
        keyword = next((word for word in ("oneOf", "anyOf") if plain.get(word)), None)
        if keyword is None:
            yield plain
            return
        rest = {key: value for key, value in plain.items() if key != keyword}
        branches = [self._plain(branch) for branch in plain[keyword] if branch is not False]

        def nests(branch: JsonObject) -> bool:
            return _kind(branch) in {"object", "array"} or bool(branch.keys() & {"anyOf", "oneOf"})

        branches.sort(key=nests if depth > SHALLOW else lambda branch: branch.get("type") == "null")
        turn = variant % len(branches) if branches else 0
        for branch in branches[turn:] + branches[:turn]:
            spend()
            yield from self._choices(_both(rest, branch), depth, variant)

    def _typed(self, plain: JsonObject, name: str, depth: int, variant: int) -> Any:
        """Generate a value of a schema without references and alternatives."""
        if "const" in plain:
            return plain["const"]
        if members := plain.get("enum"):
            mentioned = [member for member in members if self._hints.mentions(str(member))]
            ordered = mentioned + [member for member in members if member not in mentioned]
            return ordered[variant % len(ordered)]
        match _kind(plain):
            case "object":
                return self._object(plain, depth) if depth < DEEPEST else {}
            case "array":
                return self._array(plain, name, depth) if depth < DEEPEST else []
            case "integer" | "number" as kind:
                integer = kind == "integer"
                for hint in self._hints.numbers:
                    value = _as_number(Fraction(hint), integer)
                    if accepts(plain, value, self._root):
                        self._hints.numbers.remove(hint)
                        return value
                return _as_number(_nth_number(plain, integer, variant), integer)
            case "boolean":
                return variant % 2 == 0
            case "null":
                return None
            case _:
                return self._string(plain, name, variant)

    def _object(self, plain: JsonObject, depth: int) -> JsonObject:
        """Generate an object with the required properties, those whose value the prompt mentions, and enough of them.

        A tool that requires nothing gets all its properties, or it would be called without arguments.
        """
        properties: JsonObject = plain.get("properties", {})
        required = list(plain.get("required", ()))
        optional = [name for name in properties if name not in required and properties[name] is not False]
        chosen = []
        for name in optional if depth <= SHALLOW else ():
            members = self._plain(properties[name]).get("enum", ())
            if any(isinstance(member, str) and self._hints.mentions(member) for member in members):
                chosen.append(name)
        if depth == 0 and not required:
            chosen = optional
        missing = plain.get("minProperties", 0) - len(required) - len(chosen)
        if missing > LONGEST:
            raise TooMuch
        spare = [name for name in optional if name not in chosen] + [f"extra_{n}" for n in range(max(0, missing))]
        wanted = {*required, *chosen, *spare[: max(0, missing)]}
        names = [name for name in properties if name in wanted] + sorted(wanted - set(properties))
        return {
            name: self.generate(
                properties[name] if name in properties else _other_property(plain, name), name, depth + 1
            )
            for name in names
        }

    def _array(self, plain: JsonObject, name: str, depth: int) -> list[Any]:
        leading = plain.get("prefixItems", [])
        following = plain.get("items", True)
        least = plain.get("minItems", 0)
        length = max(least, len(leading), 1) if depth <= SHALLOW else least
        length = min(length, plain.get("maxItems", length))
        if following is False:
            length = min(length, len(leading))
        made: list[Any] = []
        for variant in range(length * 8):
            if len(made) == length:
                break
            schema = leading[len(made)] if len(made) < len(leading) else following
            value = self.generate(schema, name, depth + 1, variant)
            if not (plain.get("uniqueItems") and value in made):
                made.append(value)
        return made

    def _string(self, plain: JsonObject, name: str, variant: int) -> str:
        form = plain.get("format")
        for hint in self._hints.texts:
            if form not in FORMATS and _fitted(plain, hint) == hint:
                self._hints.texts.remove(hint)
                return hint
        own = FORMATS.get(str(form), f"example {name}") + (f" {variant + 1}" if variant else "")
        candidates = (_fitted(plain, text) for text in (own, *ORDINARY.split()))
        return next((text for text in candidates if text is not None), own)


def _kind(plain: JsonObject) -> str:
    """The type to generate: as the schema states it, or guessed from the keywords that it has."""
    stated = plain.get("type")
    if isinstance(stated, list):
        stated = next((kind for kind in stated if kind != "null"), "null")
    if isinstance(stated, str):
        return stated
    return next((kind for kind, keywords in _KEYWORDS_OF_TYPES.items() if keywords & plain.keys()), "string")


_KEYWORDS_OF_TYPES: Mapping[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties", "minProperties"}),
    "array": frozenset({"items", "prefixItems", "minItems", "uniqueItems"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
}


def _other_property(plain: JsonObject, name: str) -> Schema:
    """The schema of a property that `properties` does not list."""
    patterns = plain.get("patternProperties", {}).items()
    found = next((schema for pattern, schema in patterns if re.search(pattern, name)), None)
    schema = plain.get("additionalProperties", True) if found is None else found
    return schema if isinstance(schema, Mapping | bool) else True


def _fitted(plain: JsonObject, text: str) -> str | None:
    """Pad or cut the text to a permitted length; None if the result does not match the pattern."""
    if plain.get("minLength", 0) > LONGEST:
        raise TooMuch
    fitted = text.ljust(plain.get("minLength", 0), "x")[: plain.get("maxLength")]
    return fitted if re.search(plain.get("pattern", ""), fitted) else None


def _nth_number(plain: JsonObject, integer: bool, variant: int) -> Fraction:
    """Generate a number within the bounds: a multiple of `multipleOf`, or a point between the bounds."""
    multiple = _fraction(plain, "multipleOf")
    if multiple is None and not integer:
        return _point(plain, variant)
    step = Fraction(1) if multiple is None else Fraction(multiple.numerator) if integer else multiple
    firsts, lasts = [], []
    if (low := _fraction(plain, "minimum")) is not None:
        firsts.append(math.ceil(low / step))
    if (low := _fraction(plain, "exclusiveMinimum")) is not None:
        firsts.append(math.floor(low / step) + 1)
    if (high := _fraction(plain, "maximum")) is not None:
        lasts.append(math.floor(high / step))
    if (high := _fraction(plain, "exclusiveMaximum")) is not None:
        lasts.append(math.ceil(high / step) - 1)
    first, last = max(firsts, default=None), min(lasts, default=None)
    if first is None:
        return (1 + variant if last is None else min(1, last) - variant) * step
    room = variant + 1 if last is None else last - first + 1
    return (first + variant % max(1, room)) * step


def _point(plain: JsonObject, variant: int) -> Fraction:
    """Generate a number between the bounds, or beyond the only one."""
    lows = [_fraction(plain, "minimum"), _fraction(plain, "exclusiveMinimum")]
    highs = [_fraction(plain, "maximum"), _fraction(plain, "exclusiveMaximum")]
    low = max((bound for bound in lows if bound is not None), default=None)
    high = min((bound for bound in highs if bound is not None), default=None)
    if high is None:
        return (low or Fraction(0)) + 1 + variant
    if low is None:
        return high - 1 - variant
    return low + (high - low) * (variant + 1) / (variant + 2)


def _fraction(plain: JsonObject, keyword: str) -> Fraction | None:
    """The keyword's number as the decimal that is written: 0.1 is exactly a tenth."""
    return Fraction(str(plain[keyword])) if keyword in plain else None


def _as_number(value: Fraction, integer: bool) -> int | float:
    return int(value) if integer or value.denominator == 1 else float(value)


def _both(one: JsonObject, other: JsonObject) -> JsonObject:
    """Merge two schemas keyword by keyword. Where a keyword has no rule in `_MERGES`, the other's value wins."""
    merged = {**one, **other}
    for keyword in one.keys() & other.keys() & _MERGES.keys():
        merged[keyword] = _MERGES[keyword](one[keyword], other[keyword])
    return merged


def _both_types(one: Any, other: Any) -> list[str]:
    ones, others = (set(kind if isinstance(kind, list) else [kind]) for kind in (one, other))
    common = ones & others
    if "integer" in ones ^ others and "number" in ones | others:
        common.add("integer")
    return sorted(common)


_MERGES: Mapping[str, Callable[[Any, Any], Any]] = {
    "type": _both_types,
    "properties": lambda one, other: {
        **one,
        **other,
        **{name: {"allOf": [one[name], other[name]]} for name in one.keys() & other.keys()},
    },
    "required": lambda one, other: [*one, *(name for name in other if name not in one)],
    "enum": lambda one, other: [member for member in one if member in other],
    "items": lambda one, other: {"allOf": [one, other]},
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}
"""How two values of one keyword are merged. A `type` of [] accepts nothing."""
