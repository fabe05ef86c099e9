"""What is kept of an event until it is written: a copy of its fields as plain data, of a bounded size.

So nothing that changes later, and nothing large, is held; and no `repr` can bring a secret in after the redaction.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from reprlib import Repr
from typing import Any, Final

from structlog.typing import EventDict

LONGEST_TEXT: Final = 64 * 1024
"""Characters of one text that are logged: whoever can connect chooses some of them, and each is looked at."""

LARGEST_EVENT: Final = 256 * 1024
"""Characters of all texts of an event, and what else is in it, each thing counted as one of `SMALLEST`."""

SMALLEST: Final = 8

HEAD: Final = ("time", "level", "event", "run_id", "request_id")
"""What an event begins with."""

DEEPEST: Final = 12
"""Levels of nesting that are shown, because a value may contain itself."""

CUT: Final = "[cut]"
TOO_DEEP: Final = "[...]"

_TORN: Final = 2048
"""Characters at a cut that are left out back to a space: half a secret is none that is known."""

_MANY: Final = (Mapping, list, tuple, set, frozenset)

_REPR: Final = Repr()
_REPR.maxother = LONGEST_TEXT


def snapshot(event: EventDict) -> EventDict:
    """The fields of `event` as they are now: texts, numbers, lists and dictionaries. What says what it is goes first,
    so that it is never cut.
    """
    head = {name: event[name] for name in HEAD if name in event}
    return _Copy().mapping({**head, **event}, DEEPEST)


class _Copy:
    def __init__(self) -> None:
        self._left = LARGEST_EVENT

    def mapping(self, entries: Mapping[Any, object], depth: int) -> dict[str, object]:
        copy: dict[str, object] = {}
        for name, value in entries.items():
            if self._left <= 0:
                copy[CUT] = len(entries) - len(copy)
                break
            named = self._text(decoded(name))
            copy[named] = self._value(value, depth)
        return copy

    def _value(self, value: object, depth: int) -> object:
        self._left -= SMALLEST
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self._text(str(value))
            case bytes() | bytearray():
                return self._text(decoded(bytes(value[: LONGEST_TEXT + 1])))
            case _ if not depth and (isinstance(value, _MANY) or is_dataclass(value)):
                return TOO_DEEP
            case Mapping():
                return self.mapping(value, depth - 1)
            case list() | tuple() | set() | frozenset():
                return self._items(value, depth - 1)
            case _ if is_dataclass(value) and not isinstance(value, type):
                return self.mapping({each.name: getattr(value, each.name) for each in fields(value)}, depth - 1)
            case _:
                return self._text(_REPR.repr(value))

    def _items(
        self, values: "list[object] | tuple[object, ...] | set[object] | frozenset[object]", depth: int
    ) -> object:
        copy: list[object] = []
        for value in values:
            if self._left <= 0:
                return [*copy, CUT]
            copy.append(self._value(value, depth))
        return copy

    def _text(self, text: str) -> str:
        most = max(0, min(LONGEST_TEXT, self._left))
        self._left -= len(text)
        return text if len(text) <= most else cut(text, most)


def cut(text: str, most: int) -> str:
    """The beginning of `text`, up to a space or well before the cut."""
    begin = text[: max(0, most - _TORN)]
    rest = text[len(begin) : most]
    whole = max(rest.rfind(" "), rest.rfind("\n")) + 1
    return begin + rest[:whole] + CUT


def decoded(text: object) -> str:
    """A name or a header's text, which may be bytes."""
    return text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else str(text)
