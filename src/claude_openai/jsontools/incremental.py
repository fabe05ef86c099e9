"""Decodes and encodes large JSON in short steps, so that other threads run in between.

The C code of the standard library holds the interpreter's lock from the first character to the last: 100 to 300 ms for
30 MB of text, and as long for 400,000 values (measured). The event loop waits for it meanwhile. Here Python code walks
the containers, and C code gets pieces of a text. Faster libraries do not help: msgspec, orjson and jiter need 50 to
150 ms for such a text and over 200 ms for an object of 400,000 fields (measured), in one call as well.
"""

import json
import re
from collections.abc import Callable, Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # which typeshed does not have
from json.encoder import encode_basestring_ascii
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any, Final

PIECE: Final = 2**18
"""Characters that one call of C code works on: 1 to 3 ms. More than the 12 of a pair of escapes."""

_FEW: Final = 4096
"""Entries of a container that one call of C code works on."""

_SPACE: Final = re.compile(r"[ \t\n\r]*")

_CUT_ESCAPE: Final = re.compile(r"\\(?:u(?:[0-9a-fA-F]{0,3}|[dD][89abAB][0-9a-fA-F]{2}))?\Z")
"""The beginning of an escape, or the first of the two escapes that stand for one character."""

Pairs = list[tuple[str, Any]]


class IncrementalDecoder(json.JSONDecoder):
    """Decodes to the same values as `json.JSONDecoder`, with the same errors; takes three times as long (measured)."""

    def __init__(self, *, object_pairs_hook: Callable[[Pairs], Any], **hooks: Any) -> None:
        super().__init__(object_pairs_hook=object_pairs_hook, **hooks)
        self.parse_string = _string
        self.parse_object = _object
        self.scan_once = py_make_scanner(self)


_LARGE: Final = 2**18
"""Characters of a text that is decoded incrementally: C code would hold the lock for over 10 ms (measured)."""


def decode(text: str) -> Any:
    """The same value as that of `json.loads`, in short steps where `text` is large."""
    return json.loads(text) if len(text) <= _LARGE else IncrementalDecoder(object_pairs_hook=object_of).decode(text)


def object_of(pairs: Pairs) -> dict[str, Any]:
    """`dict(pairs)`, which takes 60 ms for 400,000 fields (measured), in steps."""
    if len(pairs) <= _FEW:
        return dict(pairs)
    value: dict[str, Any] = {}
    for start in range(0, len(pairs), _FEW):
        value.update(pairs[start : start + _FEW])
    return value


def encode(value: object, *, sort_keys: bool = False, default: Callable[[Any], object] | None = None) -> str:
    """The same text as `json.dumps`; the names in `value` must be texts."""
    parts: list[str] = []
    _encode_into(parts, value, sort_keys, default)
    return "".join(parts)


def encode_pieces(
    value: object, *, sort_keys: bool = False, default: Callable[[Any], object] | None = None
) -> Iterator[bytes]:
    """The bytes of `encode`, in pieces: to join 60 MB takes 35 ms, to encode them as long again (measured)."""
    parts: list[str] = []
    _encode_into(parts, value, sort_keys, default)
    begin = length = 0
    for end, part in enumerate(parts, 1):
        length += len(part)
        if length > PIECE:
            yield "".join(parts[begin:end]).encode()
            begin, length = end, 0
    yield "".join(parts[begin:]).encode()


def encode_line(value: object) -> bytearray:
    """The bytes of `encode` as a line, with its line break."""
    line = bytearray()
    for piece in encode_pieces(value):
        line += piece
    line += b"\n"
    return line


def _encode_into(parts: list[str], value: object, sort_keys: bool, default: Callable[[Any], object] | None) -> None:
    """Append the text of `value` to `parts`.

    It is not nested in `encode`, since a nested function that calls itself is a reference cycle: after 100,000 messages
    such cycles were 2.4 million objects, and the next collection of garbage took 1 to 2 seconds (measured).
    """
    match value:
        case str() if len(value) > PIECE:
            parts.append('"')
            parts += _text_pieces(value)
            parts.append('"')
        case str():
            parts.append(encode_basestring_ascii(value))
        case dict():
            fields = sorted(value.items()) if sort_keys else value.items()
            separator = "{"
            for name, each in fields:
                parts.append(f"{separator}{encode_text(name)}: ")
                _encode_into(parts, each, sort_keys, default)
                separator = ", "
            parts.append("}" if value else "{}")
        case list() | tuple():
            separator = "["
            for each in value:
                parts.append(separator)
                _encode_into(parts, each, sort_keys, default)
                separator = ", "
            parts.append("]" if value else "[]")
        case None | bool() | int() | float():
            parts.append(json.dumps(value))
        case _ if default:
            _encode_into(parts, default(value), sort_keys, default)
        case _:
            raise TypeError(value)


def encode_text(text: str) -> str:
    """`text` as a JSON string in ASCII."""
    if len(text) <= PIECE:
        encoded: str = encode_basestring_ascii(text)
        return encoded
    return f'"{"".join(_text_pieces(text))}"'


def _text_pieces(text: str) -> Iterator[str]:
    return (encode_basestring_ascii(text[start : start + PIECE])[1:-1] for start in range(0, len(text), PIECE))


def _string(text: str, begin: int, strict: bool = True) -> tuple[str, int]:
    """See `json.decoder.scanstring`: the string that begins at `begin`, after its quote, and where it ends."""
    quote = text.find('"', begin, begin + PIECE)
    if quote == begin or (quote > begin and text[quote - 1] != "\\"):
        found: tuple[str, int] = scanstring(text, begin, strict)
        return found
    parts: list[str] = []
    start = begin
    while True:
        end = _between_escapes(text, start, start + PIECE) if start + PIECE < len(text) else len(text)
        piece = text[start:end]
        try:
            value, length = scanstring(piece + '"', 0, strict)
        except json.JSONDecodeError as error:
            place = begin - 1 if error.msg.startswith("Unterminated") else start + error.pos
            raise json.JSONDecodeError(error.msg, text, place) from None
        parts.append(value)
        if length <= len(piece):
            return "".join(parts), start + length
        if end == len(text):
            raise json.JSONDecodeError("Unterminated string starting at", text, begin - 1)
        start = end


def _between_escapes(text: str, start: int, end: int) -> int:
    """The last position up to `end` that is not within an escape or a pair of them, which begins after `start`."""
    for _ in range(2):  # an escape can be cut right behind the first of a pair
        if found := _CUT_ESCAPE.search(text, max(start, end - 6), end):
            before = text[start : found.start()]
            if (len(before) - len(before.rstrip("\\"))) % 2 == 0:
                end = found.start()
    return end


def _object(
    at: tuple[str, int],
    strict: bool,
    scan_once: Callable[[str, int], tuple[Any, int]],
    _object_hook: None,
    object_pairs_hook: Callable[[Pairs], Any],
    _memo: object,
) -> tuple[Any, int]:
    """See `json.decoder.JSONObject`: the object that begins at `at`, after its bracket, and where it ends."""
    text, end = at
    pairs: Pairs = []
    end = _after_space(text, end)
    if text[end : end + 1] == "}":
        return object_pairs_hook(pairs), end + 1
    while True:
        if text[end : end + 1] != '"':
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, end)
        name, end = _string(text, end + 1, strict)
        end = _after_space(text, end)
        if text[end : end + 1] != ":":
            raise json.JSONDecodeError("Expecting ':' delimiter", text, end)
        end = _after_space(text, end + 1)
        try:
            value, end = scan_once(text, end)
        except StopIteration as error:
            raise json.JSONDecodeError("Expecting value", text, error.value) from None
        pairs.append((name, value))
        end = _after_space(text, end)
        separator = text[end : end + 1]
        if separator == "}":
            return object_pairs_hook(pairs), end + 1
        if separator != ",":
            raise json.JSONDecodeError("Expecting ',' delimiter", text, end)
        end = _after_space(text, end + 1)


def _after_space(text: str, end: int) -> int:
    found = _SPACE.match(text, end)
    return found.end() if found else end
