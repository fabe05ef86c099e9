"""A request's body, from bytes to a checked request. Every fault is told by one sentence and the path to it.

The sentences are worded like OpenAI's, since people search for those.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.jsontools.strict import MOST_VALUES, NotJson, TooManyValues, parse
from claude_openai.protocols.common.unknown_fields import unknown_fields
from claude_openai.protocols.common.wire.request import SentWhole

Json = object

Request = TypeVar("Request", bound=SentWhole)

_LONGEST_STEP = 64
"""Characters of a path that come from the client: as many as a key of `metadata` may have."""


def parse_body(body: bytes, shape: type[Request]) -> Request:
    """The request that `body` holds, where it has that `shape`.

    Raises:
        RequestFailed: `INVALID_REQUEST`, with the path of the first fault as `param`.
    """
    sent = _decoded(body)
    if not isinstance(sent, dict):
        raise _invalid(f"The request's body must be a JSON object, but is {_noun(sent)}.")
    try:
        request = shape.model_validate(sent)
    except ValidationError as error:
        raise _told(error.errors(include_url=False)[0]) from None
    request.remember(unknown_fields(sent, request))
    return request


def _decoded(body: bytes) -> Json:
    try:
        return parse(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _invalid(f"The request's body is not UTF-8: {error.reason} at byte {error.start}.") from None
    except TooManyValues:
        raise _invalid(f"The request's body holds more than {MOST_VALUES} JSON values, the limit here.") from None
    except NotJson as error:
        raise _invalid(f"The request's body is not valid JSON: {error}.") from None


def _told(error: ErrorDetails) -> RequestFailed:
    path = _path(error)
    sentence = _SENTENCES.get(error["type"], _as_pydantic_tells_it)
    return _invalid(sentence(path, error), path)


def _path(error: ErrorDetails) -> str:
    """Where the fault is: `messages[0].content`. Tags of unions (`<text>`) and the mark `[key]` are no part of it."""
    path = ""
    for step in error["loc"]:
        if isinstance(step, int):
            path += f"[{step}]"
        elif not step.startswith(("<", "[")):
            path += f".{step[:_LONGEST_STEP]}" if path else step
    if error["type"] in ("unknown_role", "unknown_type") and isinstance(error["input"], dict):
        path += f".{error['type'].removeprefix('unknown_')}"
    return path


Sentence = Callable[[str, ErrorDetails], str]


def _missing(path: str, _: ErrorDetails) -> str:
    return f"Missing required parameter: '{path}'."


def _unknown_kind(field: str) -> Sentence:
    """A message without a known role, or a part without a known type."""

    def sentence(path: str, error: ErrorDetails) -> str:
        sent = error["input"]
        if not isinstance(sent, dict):
            return _expected(path, "an object", sent)
        return _supported(path, error["msg"]) if field in sent else _missing(path, error)

    return sentence


def _unknown_value(path: str, error: ErrorDetails) -> str:
    return _supported(path, error["ctx"]["expected"])


def _wrong_shape(path: str, error: ErrorDetails) -> str:
    return _expected(path, error["msg"], error["input"])


def _wrong_type(expected: str) -> Sentence:
    return lambda path, error: _expected(path, expected, error["input"])


def _expected(path: str, expected: str, sent: Json) -> str:
    return f"Invalid type for '{path}': expected {expected}, but got {_noun(sent)} instead."


def _supported(path: str, values: str) -> str:
    return f"Invalid value for '{path}'. Supported values are: {values}."


def _bound(words: str, limit: str) -> Sentence:
    return lambda path, error: f"Invalid '{path}': expected {words.format(error['ctx'][limit])}."


def _as_pydantic_tells_it(path: str, error: ErrorDetails) -> str:
    return f"Invalid '{path}': {error['msg']}."


_SENTENCES: Final[Mapping[str, Sentence]] = {
    "missing": _missing,
    "unknown_role": _unknown_kind("role"),
    "unknown_type": _unknown_kind("type"),
    "extra_forbidden": lambda path, _: f"Unknown parameter: '{path}'.",
    "literal_error": _unknown_value,
    "greater_than": _bound("a value above {:.12g}", "gt"),
    "greater_than_equal": _bound("a value of at least {:.12g}", "ge"),
    "less_than_equal": _bound("a value of at most {:.12g}", "le"),
    "too_short": _bound("at least {} entry", "min_length"),
    "too_long": _bound("at most {} entries", "max_length"),
    "string_too_short": _bound("at least {} character", "min_length"),
    "string_too_long": _bound("at most {} characters", "max_length"),
    "string_pattern_mismatch": _bound("a string that matches {}", "pattern"),
    "wrong_shape": _wrong_shape,
    "bool_type": _wrong_type("a boolean"),
    "dict_type": _wrong_type("an object"),
    "finite_number": _wrong_type("a finite number"),
    "float_type": _wrong_type("a number"),
    "int_from_float": _wrong_type("an integer"),
    "int_type": _wrong_type("an integer"),
    "list_type": _wrong_type("an array"),
    "model_type": _wrong_type("an object"),
    "string_type": _wrong_type("a string"),
}


def _noun(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _invalid(message: str, param: str | None = None) -> RequestFailed:
    return RequestFailed(Failure(Kind.INVALID_REQUEST, message, param=param or None))
