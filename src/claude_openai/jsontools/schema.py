"""JSON Schema, as tools describe their arguments with it: whether a schema is one, and what in a value does not fit.

It is draft 2020-12, whatever `$schema` says: upstream takes no other, and Claude Code puts `{"type": "object"}` in the
place of a schema that upstream refuses (measured).

Nothing outside a schema is ever fetched. What cannot be checked here (a reference to another document, a pattern that
only JavaScript reads) is no fault of the schema's, and lets every value pass.

Clients write schemas, and models write values at a client's wish, so either may be made to take for ever. All work here
counts itself (`jsontools.work_limit`), except for a regular expression while it runs: `Patterns` says which may run.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final, Literal
from urllib.parse import urljoin

from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, extend
from jsonschema_specifications import REGISTRY as SPECIFICATIONS  # type: ignore[import-untyped]
from referencing import Registry
from referencing.exceptions import Unresolvable

from claude_openai.jsontools.formats import FORMATS, format_checker
from claude_openai.jsontools.references import check_references
from claude_openai.jsontools.regular_expressions import is_quick
from claude_openai.jsontools.strict import NotJson, is_nested_deeper, parse
from claude_openai.jsontools.work_limit import TooMuch, spend

_OFFLINE: Registry[Any] = Registry()
"""Knows the schema itself and the specifications of JSON Schema; the validator's own would fetch a `$ref` to a URL."""

_FORMAT_CHECKER: Final = format_checker()

_MOST_NESTED = 64
"""Objects and arrays of a schema within one another; OpenAI allows ten objects, and the validator recurses."""

_MOST_FAULTS = 5
"""Told at once: a model that hears of all of them mends them in one go, and would not read many more."""

_LONGEST_FAULT = 500
"""Characters: the validator repeats the value at fault, which may be a whole file."""

_MOST_REMEMBERED = 32_768
"""Characters of a schema that is remembered as checked: clients send the same tools with every request, and those of a
coding agent take 10 ms (measured)."""

_MOST_STEPS = 200_000
"""Keywords held against parts of a value, a second's worth or two: a schema can be written that takes for ever."""

_DEEPEST = 200
"""Keywords within one another: each takes three of the thousand frames that Python has."""

_QUICK_TEXT, _QUICK_NAME, _QUICK_SEARCHES = 500, 100, 64
"""Characters of a text and of a property's name that a quick pattern may be looked for in, and in how many names at
once: some ms at worst."""

Patterns = Literal["all", "quick", "none"]
"""Which regular expressions of a schema are looked for. "all": any, however long it takes. "quick": only those that
take some ms at worst; another one ends the check with `TooMuch`. "none": none, and every text passes them."""


class InvalidSchema(ValueError):
    """A text is no JSON Schema of an object; the message says why and, where known, where."""


def check_schema(schema: str) -> None:
    """See that `schema`, JSON text, describes an object: the arguments of a function.

    Raises:
        InvalidSchema: it does not.
    """
    fault = _remembered_fault(schema) if len(schema) <= _MOST_REMEMBERED else _fault(schema)
    if fault:
        raise InvalidSchema(fault)


def is_json_schema(schema: Any) -> bool:
    """Whether `schema`, decoded JSON, is a JSON Schema of anything; its references are not looked at."""
    return _Rules(_RULES).is_valid(schema)


class Schema:
    """A schema that has passed `check_schema`, to hold values against."""

    def __init__(self, schema: str) -> None:
        self._validator = _Tolerant(_read(schema), registry=_OFFLINE, format_checker=_FORMAT_CHECKER)

    def violations(self, value: object, patterns: Patterns = "all") -> list[str]:
        """What in `value` does not fit, each in words to mend it by; nothing where it fits.

        Raises:
            TooMuch: the check takes longer than its caller's bound allows, or has a pattern that may.
        """
        effort = _EFFORT.set(_Effort(patterns))
        try:
            return [_told(best_match([error]) or error) for error in islice(self._errors(value), _MOST_FAULTS)]
        finally:
            _EFFORT.reset(effort)

    def _errors(self, value: Any) -> Iterator[ValidationError]:
        try:
            yield from self._validator.iter_errors(value)
        except _TooFarError:
            return


def answer_fault(schema: str, answer: str, patterns: Patterns = "all") -> str | None:
    """Why the text `answer` is no JSON that fits `schema`, in words to mend it by; None if it is.

    Raises:
        TooMuch: see `Schema.misfits`.
    """
    try:
        return "; ".join(Schema(schema).violations(parse(answer), patterns)) or None
    except NotJson as error:
        return f"it is not valid JSON: {error}"


def _told(error: ValidationError) -> str:
    fault = f"{_at(error)}{_clipped(error.message)}"
    if error.validator == "format" and isinstance(error.validator_value, str):
        return f"{fault}, such as {FORMATS[error.validator_value].example}"
    return fault


def _at(error: ValidationError) -> str:
    place = "/".join(map(str, error.absolute_path))
    return f"at '{_clipped(place)}', " if place else ""


def _clipped(text: str) -> str:
    """The end tells what is wrong, the beginning of what."""
    return text if len(text) <= _LONGEST_FAULT else f"{text[: _LONGEST_FAULT // 2]}[...]{text[-_LONGEST_FAULT // 2 :]}"


# --- Whether a schema is one -----------------------------------------------------------------------------------------


def _fault(schema: str) -> str | None:
    decoded = _read(schema)
    if not isinstance(decoded, dict) or decoded.get("type") != "object":
        return """schema must be a JSON Schema of 'type: "object"'"""
    if is_nested_deeper(decoded, _MOST_NESTED):
        return f"schema must not be nested more than {_MOST_NESTED} levels deep"
    try:
        _check(decoded)
        check_references(decoded, _check)
    except ValueError as error:
        return str(error)
    return None


_remembered_fault = lru_cache(maxsize=512)(_fault)


def _check(schema: Any) -> None:
    """See that `schema` is JSON Schema. Patterns may be JavaScript's, and are not read."""
    if error := best_match(_Rules(_RULES).iter_errors(schema)):
        raise InvalidSchema(f"{_at(error)}{_clipped(error.message)}")


def _read(schema: str) -> Any:
    """The schema without any `$schema`, at which the validator would change to another dialect."""

    def of_one_dialect(part: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in part.items() if key != "$schema" or not isinstance(value, str)}

    return json.loads(schema, object_hook=of_one_dialect)


# --- The validator ---------------------------------------------------------------------------------------------------

_Keyword = Callable[..., Iterator[ValidationError] | None]


@dataclass(slots=True)
class _Effort:
    """What it has taken so far to check one value."""

    patterns: Patterns = "all"
    steps: int = 0
    depth: int = 0


_EFFORT: ContextVar[_Effort] = ContextVar("effort")


class _TooFarError(Exception):
    """Checking the value takes more than it is worth."""


def _counted(keyword: _Keyword) -> _Keyword:
    """`keyword`, each use of it counted."""

    def counted(*arguments: Any) -> Iterator[ValidationError]:
        spend()
        yield from keyword(*arguments) or ()

    return counted


def _as_far_as_possible(name: str, keyword: _Keyword) -> _Keyword:
    """`keyword` with bounds, and what it cannot check is right."""
    may_look = _MAY_LOOK.get(name)

    def tolerant(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        spend()
        effort = _EFFORT.get()
        effort.steps += 1
        if effort.steps > _MOST_STEPS or effort.depth > _DEEPEST:
            raise _TooFarError
        if may_look and effort.patterns != "all" and not may_look(value, instance, schema):
            if effort.patterns == "quick":
                raise TooMuch
            return
        effort.depth += 1
        try:
            yield from keyword(validator, value, instance, schema) or ()
        except (Unresolvable, re.error):
            return
        finally:
            effort.depth -= 1

    return tolerant


def _looks_quickly_in_a_text(pattern: str, instance: object, _: Any) -> bool:
    return not isinstance(instance, str) or (len(instance) <= _QUICK_TEXT and is_quick(pattern))


def _looks_quickly_in_names(_: object, instance: object, schema: Mapping[str, Any]) -> bool:
    patterns = schema.get("patternProperties")
    if not isinstance(instance, dict) or not patterns:
        return True
    few = len(patterns) * len(instance) <= _QUICK_SEARCHES
    return few and all(len(name) <= _QUICK_NAME for name in instance) and all(map(is_quick, patterns))


def _looks_at_nothing(_: object, instance: object, __: Any) -> bool:
    """What is evaluated is looked for in the whole schema, patterns and all, without counting."""
    return not instance or not isinstance(instance, dict | list)


_MAY_LOOK: Final[Mapping[str, Callable[[Any, Any, Any], bool]]] = {
    "pattern": _looks_quickly_in_a_text,
    "patternProperties": _looks_quickly_in_names,
    "additionalProperties": _looks_quickly_in_names,
    "unevaluatedProperties": _looks_at_nothing,
    "unevaluatedItems": _looks_at_nothing,
}
"""Keywords that look for regular expressions, and whether this one does so quickly."""


def _unique_items(_: Any, wanted: bool, instance: Any, __: Any) -> Iterator[ValidationError]:
    """The validator's own compares each with each, where they cannot be sorted: 16 s for 2,000 objects (measured)."""
    if wanted and isinstance(instance, list) and len(set(map(_identity, instance))) < len(instance):
        yield ValidationError(f"{instance!r} has non-unique elements")


def _identity(value: object) -> tuple[object, ...]:
    """The same for values that are equal in JSON Schema, where 1 and 1.0 are, 1 and true are not."""
    parts: list[object] = []
    pending = [value]
    while pending:
        spend()
        match pending.pop():
            case dict() as fields:
                names = sorted(fields)
                parts += ("{", len(names), *names)
                pending += (fields[name] for name in names)
            case list() as items:
                parts += ("[", len(items))
                pending += items
            case bool() | None | str() as other:
                parts.append((type(other), other))
            case number:
                parts.append(number)
    return tuple(parts)


def _flat(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The rules of JSON Schema as one document: held against each of their eight, a keyword takes six times as long
    (measured), and the validator would change to its own class at each `$schema`.
    """
    vocabularies = [rules, *(SPECIFICATIONS.contents(urljoin(rules["$id"], each["$ref"])) for each in rules["allOf"])]
    return {
        "type": rules["type"],
        "properties": {name: _here(each) for one in vocabularies for name, each in one["properties"].items()},
        "$defs": {name: _here(each) for one in vocabularies for name, each in one.get("$defs", {}).items()},
    }


def _here(part: Any) -> Any:
    """`part` of a vocabulary, its references to others changed for those to the one document."""
    match part:
        case {"$dynamicRef": "#meta"}:
            return {"$ref": "#"}
        case {"$ref": str(address)}:
            return {"$ref": "#" + address.partition("#")[2]}
        case dict():
            return {name: _here(each) for name, each in part.items()}
        case list():
            return [_here(each) for each in part]
        case _:
            return part


_KEYWORDS: Final[Mapping[str, _Keyword]] = {**Draft202012Validator.VALIDATORS, "uniqueItems": _unique_items}

_RULES: Final = _flat(Draft202012Validator.META_SCHEMA)

_Rules: type[Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {name: _counted(keyword) for name, keyword in _KEYWORDS.items()}
)
"""Holds schemas against the rules of JSON Schema."""

_Tolerant: type[Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {name: _as_far_as_possible(name, keyword) for name, keyword in _KEYWORDS.items()}
)
"""Holds values against schemas."""
