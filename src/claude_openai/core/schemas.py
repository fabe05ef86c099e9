"""JSON Schema, as tools describe their arguments with it: whether a schema is one, and what in a value does not fit.

Nothing outside a schema is ever fetched. What cannot be checked here (a reference to another document, a pattern that
only JavaScript reads) is no fault of the schema's, and lets every value pass.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import Draft3Validator, Draft202012Validator, extend, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, specification_with

from claude_openai.core.formats import FORMATS, format_checker
from claude_openai.core.references import check_references
from claude_openai.core.strict_json import is_nested_deeper

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


class InvalidSchema(ValueError):  # noqa: N818 -- says what the schema is
    """A text is no JSON Schema of an object; the message says why and, where known, where."""


def check_schema(schema: str) -> None:
    """See that `schema`, JSON text, describes an object: the arguments of a function.

    Raises:
        InvalidSchema: it does not.
    """
    fault = _remembered_fault(schema) if len(schema) <= _MOST_REMEMBERED else _fault(schema)
    if fault:
        raise InvalidSchema(fault)


class Schema:
    """A schema that has passed `check_schema`, to hold values against."""

    def __init__(self, schema: str) -> None:
        tolerant = _tolerant(_dialect(json.loads(schema)))
        self._validator = tolerant(_plain(schema), registry=_OFFLINE, format_checker=_FORMAT_CHECKER)

    def misfits(self, value: object) -> list[str]:
        """What in `value` does not fit, each in words to mend it by; nothing where it fits."""
        effort = _EFFORT.set(_Effort())
        try:
            return [_told(best_match([error]) or error) for error in islice(self._errors(value), _MOST_FAULTS)]
        finally:
            _EFFORT.reset(effort)

    def _errors(self, value: Any) -> Iterator[ValidationError]:
        try:
            yield from self._validator.iter_errors(value)
        except _TooFarError:
            return


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
    decoded = json.loads(schema)
    if not isinstance(decoded, dict) or decoded.get("type") != "object":
        return """schema must be a JSON Schema of 'type: "object"'"""
    if not isinstance(decoded.get("$schema", ""), str):
        return "'$schema' must be a string"
    if is_nested_deeper(decoded, _MOST_NESTED):
        return f"schema must not be nested more than {_MOST_NESTED} levels deep"
    dialect = _dialect(decoded)
    specification = specification_with(str(dialect.META_SCHEMA["$schema"]), default=DRAFT202012)
    plain = _plain(schema)
    try:
        _check(plain, dialect)
        check_references(plain, specification, lambda part: _check(part, dialect))
    except ValueError as error:
        return str(error)
    return None


_remembered_fault = lru_cache(maxsize=512)(_fault)


def _check(schema: Any, dialect: type[Validator]) -> None:
    """See that `schema` keeps the rules of its dialect. Patterns may be JavaScript's, and are not read."""
    if error := best_match(dialect(dialect.META_SCHEMA, registry=_OFFLINE).iter_errors(schema)):
        raise InvalidSchema(f"{_at(error)}{_clipped(error.message)}")


# --- The validator ---------------------------------------------------------------------------------------------------

_Keyword = Callable[..., Iterator[ValidationError] | None]


@dataclass(slots=True)
class _Effort:
    """What it has taken so far to check one value."""

    steps: int = 0
    depth: int = 0


_EFFORT: ContextVar[_Effort] = ContextVar("effort")


class _TooFarError(Exception):
    """Checking the value takes more than it is worth."""


def _dialect(schema: Mapping[str, Any]) -> type[Validator]:
    dialect: type[Validator] = validator_for(schema, default=Draft202012Validator)
    return Draft202012Validator if dialect is Draft3Validator else dialect  # of which nothing is left in use


def _plain(schema: str) -> Any:
    """`schema` without any `$schema`, at which the validator would change to another dialect, and its own keywords."""

    def of_one_dialect(part: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in part.items() if key != "$schema" or not isinstance(value, str)}

    return json.loads(schema, object_hook=of_one_dialect)


@lru_cache
def _tolerant(dialect: type[Validator]) -> type[Validator]:
    keywords = {name: _as_far_as_possible(keyword) for name, keyword in dialect.VALIDATORS.items()}
    tolerant: type[Validator] = extend(dialect, keywords)  # type: ignore[no-untyped-call]
    return tolerant


def _as_far_as_possible(keyword: _Keyword) -> _Keyword:
    """`keyword` with bounds, and what it cannot check is right."""

    def tolerant(*arguments: Any) -> Iterator[ValidationError]:
        effort = _EFFORT.get()
        effort.steps += 1
        if effort.steps > _MOST_STEPS or effort.depth > _DEEPEST:
            raise _TooFarError
        effort.depth += 1
        try:
            yield from keyword(*arguments) or ()
        except (Unresolvable, re.error):
            return
        finally:
            effort.depth -= 1

    return tolerant
