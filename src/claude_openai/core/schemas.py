"""JSON Schema, as tools describe their arguments with it: whether a schema is one, and what in a value does not fit.

It is draft 2020-12, whatever `$schema` says: upstream takes no other, and Claude Code puts `{"type": "object"}` in the
place of a schema that upstream refuses (measured).

Nothing outside a schema is ever fetched. What cannot be checked here (a reference to another document, a pattern that
only JavaScript reads) is no fault of the schema's, and lets every value pass.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, extend
from referencing import Registry
from referencing.exceptions import Unresolvable

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
        self._validator = _Tolerant(_read(schema), registry=_OFFLINE, format_checker=_FORMAT_CHECKER)

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
    rules = Draft202012Validator(Draft202012Validator.META_SCHEMA, registry=_OFFLINE)
    if error := best_match(rules.iter_errors(schema)):
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

    steps: int = 0
    depth: int = 0


_EFFORT: ContextVar[_Effort] = ContextVar("effort")


class _TooFarError(Exception):
    """Checking the value takes more than it is worth."""


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


_Tolerant: type[Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {name: _as_far_as_possible(keyword) for name, keyword in Draft202012Validator.VALIDATORS.items()},
)
