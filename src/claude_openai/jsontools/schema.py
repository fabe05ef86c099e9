"""Validates the JSON Schemas of tools, and values against them.

The dialect is draft 2020-12, whatever `$schema` names: upstream accepts no other, and Claude Code replaces a schema
that upstream refuses by `{"type": "object"}` (measured).

Nothing outside a schema is ever fetched. A keyword that cannot be checked here (a reference to another document, a
pattern that only JavaScript understands) does not make the schema invalid, and accepts every value.

Clients write schemas, and models write values that clients influence, so both can be built to take for ever. All work
here is counted (`jsontools.work_limit`), except for a running regular expression: `Patterns` says which may run.
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
"""An empty registry: the validator's default one would fetch a `$ref` to a URL."""

_FORMAT_CHECKER: Final = format_checker()

_MOST_NESTED = 64
"""Levels of nesting in a schema; OpenAI allows ten objects, and the validator recurses."""

_MOST_FAULTS = 5
"""Violations that are reported together: a model corrects all of them at once, and would not read many more."""

_LONGEST_FAULT = 500
"""Characters of one message: the validator repeats the invalid value, which may be a whole file."""

_LONGEST_CACHED = 32_768
"""Characters of a schema whose check is cached: clients send the same tools with every request, and the check of a
coding agent's tools takes 10 ms (measured)."""

_MOST_STEPS = 200_000
"""Keywords applied to parts of a value, which take a second or two: a schema can be built that takes for ever."""

_DEEPEST = 200
"""Levels of nested keywords: each takes three of Python's thousand stack frames."""

_QUICK_TEXT, _QUICK_NAME, _QUICK_SEARCHES = 500, 100, 64
"""Limits for a quick pattern, which keep a search to some ms: characters of a text, characters of a property's name,
and searches in names."""

Patterns = Literal["all", "quick", "none"]
"""Which regular expressions of a schema are evaluated. "all": any, however long it takes. "quick": only those that take
some ms at worst; any other ends the check with `TooMuch`. "none": none, and every text passes."""


class InvalidSchema(ValueError):
    """The text is not the JSON Schema of an object; the message says why and, if known, where."""


def check_schema(schema: str) -> None:
    """Check that `schema`, JSON text, is the JSON Schema of an object: the arguments of a function.

    Raises:
        InvalidSchema: it is not.
    """
    fault = _cached_fault(schema) if len(schema) <= _LONGEST_CACHED else _fault(schema)
    if fault:
        raise InvalidSchema(fault)


def is_json_schema(schema: Any) -> bool:
    """Whether `schema`, decoded JSON, is a JSON Schema of any type; its references are not checked."""
    return _MetaValidator(_META_SCHEMA).is_valid(schema)


class Schema:
    """Validates values against a schema that has passed `check_schema`."""

    def __init__(self, schema: str) -> None:
        self._validator = _Validator(_read(schema), registry=_OFFLINE, format_checker=_FORMAT_CHECKER)

    def violations(self, value: Any, patterns: Patterns = "all") -> list[str]:
        """The violations in `value`, as phrases by which the model can correct them; empty if `value` fits.

        Raises:
            TooMuch: the check takes longer than the caller's limit allows, or has a pattern that might.
        """
        effort = _EFFORT.set(_Effort(patterns))
        phrases: list[str] = []
        try:
            for found in islice(self._validator.iter_errors(value), _MOST_FAULTS):
                error = best_match([found]) or found
                phrases.append(_phrase(error))
                if error.validator == "format" and isinstance(error.validator_value, str):
                    phrases[-1] += f", such as {FORMATS[error.validator_value].example}"
        except _TooFarError:
            pass
        finally:
            _EFFORT.reset(effort)
        return phrases


def answer_fault(schema: str, answer: str, patterns: Patterns = "all") -> str | None:
    """Why the text `answer` is not JSON that fits `schema`, as a phrase for the model; None if it fits.

    Raises:
        TooMuch: see `Schema.violations`.
    """
    try:
        return "; ".join(Schema(schema).violations(parse(answer), patterns)) or None
    except NotJson as error:
        return f"it is not valid JSON: {error}"


def _phrase(error: ValidationError) -> str:
    place = "/".join(map(str, error.absolute_path))
    return f"at '{_clipped(place)}', {_clipped(error.message)}" if place else _clipped(error.message)


def _clipped(text: str) -> str:
    """Cut the middle: the beginning of a message names the value, the end the rule."""
    return text if len(text) <= _LONGEST_FAULT else f"{text[: _LONGEST_FAULT // 2]}[...]{text[-_LONGEST_FAULT // 2 :]}"


# --- The check of a schema -------------------------------------------------------------------------------------------


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


_cached_fault = lru_cache(maxsize=512)(_fault)


def _check(schema: Any) -> None:
    """Check that `schema` is JSON Schema. Patterns may be JavaScript's, and are not compiled."""
    if error := best_match(_MetaValidator(_META_SCHEMA).iter_errors(schema)):
        raise InvalidSchema(_phrase(error))


def _read(schema: str) -> Any:
    """The decoded schema without any `$schema`, at which the validator would switch to another dialect."""

    def of_one_dialect(part: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in part.items() if key != "$schema" or not isinstance(value, str)}

    return json.loads(schema, object_hook=of_one_dialect)


# --- The validator ---------------------------------------------------------------------------------------------------

_Keyword = Callable[..., Iterator[ValidationError] | None]


@dataclass(slots=True)
class _Effort:
    """The work that the check of one value has taken so far."""

    patterns: Patterns = "all"
    steps: int = 0
    depth: int = 0


_EFFORT: ContextVar[_Effort] = ContextVar("effort")


class _TooFarError(Exception):
    """The check of the value has reached `_MOST_STEPS` or `_DEEPEST`, and stops there."""


def _counted(keyword: _Keyword) -> _Keyword:
    """`keyword` with its uses counted."""

    def counted(*arguments: Any) -> Iterator[ValidationError]:
        spend()
        yield from keyword(*arguments) or ()

    return counted


def _limited(name: str, keyword: _Keyword) -> _Keyword:
    """`keyword` with limits; it accepts values that it cannot check."""
    may_search = _MAY_SEARCH.get(name)

    def limited(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        spend()
        effort = _EFFORT.get()
        effort.steps += 1
        if effort.steps > _MOST_STEPS or effort.depth > _DEEPEST:
            raise _TooFarError
        if may_search and effort.patterns != "all" and not may_search(value, instance, schema):
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

    return limited


def _is_quick_in_text(pattern: str, instance: object, _: Any) -> bool:
    return not isinstance(instance, str) or (len(instance) <= _QUICK_TEXT and is_quick(pattern))


def _is_quick_in_names(_: object, instance: object, schema: Mapping[str, Any]) -> bool:
    patterns = schema.get("patternProperties")
    if not isinstance(instance, dict) or not patterns:
        return True
    few = len(patterns) * len(instance) <= _QUICK_SEARCHES
    return few and all(len(name) <= _QUICK_NAME for name in instance) and all(map(is_quick, patterns))


def _is_empty(_: object, instance: object, __: Any) -> bool:
    """The validator searches the whole schema for evaluated properties, patterns included, without counting."""
    return not instance or not isinstance(instance, dict | list)


_MAY_SEARCH: Final[Mapping[str, Callable[[Any, Any, Any], bool]]] = {
    "pattern": _is_quick_in_text,
    "patternProperties": _is_quick_in_names,
    "additionalProperties": _is_quick_in_names,
    "unevaluatedProperties": _is_empty,
    "unevaluatedItems": _is_empty,
}
"""The keywords that search with regular expressions, and whether this search is quick."""


def _unique_items(_: Any, wanted: bool, instance: Any, __: Any) -> Iterator[ValidationError]:
    """The validator's own compares all pairs if items cannot be sorted: 16 s for 2,000 objects (measured)."""
    if wanted and isinstance(instance, list) and len(set(map(_identity, instance))) < len(instance):
        yield ValidationError(f"{instance!r} has non-unique elements")


def _identity(value: object) -> tuple[object, ...]:
    """Equal for values that are equal in JSON Schema, where 1 equals 1.0 and 1 does not equal true."""
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
    """The meta-schema as one document: validation against its eight vocabularies takes six times as long (measured),
    and the validator would switch to its own class at each `$schema`.
    """
    vocabularies = [rules, *(SPECIFICATIONS.contents(urljoin(rules["$id"], each["$ref"])) for each in rules["allOf"])]
    return {
        "type": rules["type"],
        "properties": {name: _here(each) for one in vocabularies for name, each in one["properties"].items()},
        "$defs": {name: _here(each) for one in vocabularies for name, each in one.get("$defs", {}).items()},
    }


def _here(part: Any) -> Any:
    """`part` of a vocabulary, with references to other vocabularies replaced by references within the one document."""
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

_META_SCHEMA: Final = _flat(Draft202012Validator.META_SCHEMA)

_MetaValidator: type[Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {name: _counted(keyword) for name, keyword in _KEYWORDS.items()}
)
"""Validates schemas against the meta-schema."""

_Validator: type[Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {name: _limited(name, keyword) for name, keyword in _KEYWORDS.items()}
)
"""Validates values against schemas, with limits."""
