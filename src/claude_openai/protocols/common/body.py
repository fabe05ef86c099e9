"""Parses a request's body. A fault is reported in one sentence, with the path of the faulty field.

The sentences are worded like OpenAI's, since people search for those.
"""

from collections.abc import Mapping
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.jsontools.strict import MOST_VALUES, NotJson, TooManyValues, parse
from claude_openai.protocols.common.quoting import quoted, with_kind
from claude_openai.protocols.common.unknown_fields import unknown_fields
from claude_openai.protocols.common.wire.request_base import RequestBody

Request = TypeVar("Request", bound=RequestBody)

_LONGEST_STEP = 64
"""Characters of one step of a path that come from the client: as many as a key of `metadata` may have."""

_UNKNOWN_KINDS: Final[Mapping[str, str]] = {"unknown_role": "role", "unknown_type": "type"}
"""Errors of `wire.request_base.field_discriminator`, and the field whose value is unknown."""

_EXPECTED: Final[Mapping[str, str]] = {
    "bool_type": "a boolean",
    "dict_type": "an object",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_from_float": "an integer",
    "int_type": "an integer",
    "list_type": "an array",
    "model_type": "an object",
    "string_type": "a string",
}
"""What pydantic's errors about types expect."""

_BOUNDS: Final[Mapping[str, str]] = {
    "greater_than": "a value above {gt:.12g}",
    "greater_than_equal": "a value of at least {ge:.12g}",
    "less_than_equal": "a value of at most {le:.12g}",
    "too_short": "at least {min_length} entry",
    "too_long": "at most {max_length} entries",
    "string_too_short": "at least {min_length} character",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "a string that matches {pattern}",
}
"""What pydantic's errors about bounds expect, with names of their context."""


def parse_body(body: bytes, shape: type[Request]) -> Request:
    """`body` as a request of that `shape`.

    Raises:
        RequestFailed: `INVALID_REQUEST`, with the path of the first fault as `param`.
    """
    try:
        sent = parse(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _invalid(f"The request's body is not UTF-8: {error.reason} at byte {error.start}.") from None
    except TooManyValues:
        raise _invalid(f"The request's body holds more than {MOST_VALUES} JSON values, the limit here.") from None
    except NotJson as error:
        raise _invalid(f"The request's body is not valid JSON: {error}.") from None
    if not isinstance(sent, dict):
        raise _invalid(f"The request's body must be a JSON object, but is {with_kind(sent)}.")
    try:
        request = shape.model_validate(sent)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = _path(first)
        raise _invalid(_sentence(path, first), path) from None
    request.set_unknown_fields(unknown_fields(sent, request))
    return request


def _path(error: ErrorDetails) -> str:
    """The faulty field: `messages[0].content`. Tags of unions (`<text>`) and the mark `[key]` are not part of it."""
    path = ""
    for step in error["loc"]:
        if isinstance(step, int):
            path += f"[{step}]"
        elif not step.startswith(("<", "[")):
            path += f".{step[:_LONGEST_STEP]}" if path else step
    if error["type"] in _UNKNOWN_KINDS and isinstance(error["input"], dict):
        path += f".{_UNKNOWN_KINDS[error['type']]}"
    return path


def _sentence(path: str, error: ErrorDetails) -> str:
    kind, sent = error["type"], error["input"]
    if kind == "missing" or (kind in _UNKNOWN_KINDS and isinstance(sent, dict) and _UNKNOWN_KINDS[kind] not in sent):
        return f"Missing required parameter: '{path}'."
    if kind == "extra_forbidden":
        return f"Unknown parameter: '{path}'."
    if kind == "literal_error":
        return f"Invalid value for '{path}': {quoted(sent, path)}. Supported values are: {error['ctx']['expected']}."
    if kind in _UNKNOWN_KINDS and isinstance(sent, dict):
        value = quoted(sent[_UNKNOWN_KINDS[kind]], path)
        return f"Invalid value for '{path}': {value}. Supported values are: {error['msg']}."
    if kind in _BOUNDS:
        bound = _BOUNDS[kind].format(**error["ctx"])
        return f"Invalid '{path}': expected {bound}, but got {quoted(sent, path)} instead."
    expected = "an object" if kind in _UNKNOWN_KINDS else error["msg"] if kind == "wrong_shape" else _EXPECTED.get(kind)
    if expected is None:
        return f"Invalid '{path}': {error['msg']}."
    return f"Invalid type for '{path}': expected {expected}, but got {with_kind(sent, path)} instead."


def _invalid(message: str, param: str | None = None) -> RequestFailed:
    return RequestFailed(Failure(Kind.INVALID_REQUEST, message, param=param or None))
