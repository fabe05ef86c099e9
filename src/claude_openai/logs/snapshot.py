"""Snapshots of events: a copy of the fields as plain data of a bounded size, kept until the event is written.

Later changes of the values have no effect, nothing large is held in memory, and no `repr` can add a secret after the
redaction.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from reprlib import Repr
from typing import Any, Final

from structlog.typing import EventDict

LONGEST_TEXT: Final = 64 * 1024
"""Characters of one text that are logged: clients choose some texts, and redaction searches all of them."""

LARGEST_EVENT: Final = 256 * 1024
"""Characters of all texts of an event; any other value counts as `SMALLEST`."""

SMALLEST: Final = 8

HEAD: Final = ("time", "level", "event", "run_id", "request_id")
"""The first fields of an event."""

DEEPEST: Final = 12
"""Levels of nesting that are kept; a value may contain itself."""

CUT: Final = "[cut]"
TOO_DEEP: Final = "[...]"

_TORN: Final = 2048
"""Characters that may be dropped before a cut, back to a space: redaction does not recognise half a secret."""

_MANY: Final = (Mapping, list, tuple, set, frozenset)

_REPR: Final = Repr()
_REPR.maxother = LONGEST_TEXT


def snapshot(event: EventDict) -> EventDict:
    """A copy of the fields of `event` as texts, numbers, lists and dictionaries. The fields of `HEAD` come first, so
    that they are never cut.
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
                copy: list[object] = []
                for item in value:
                    if self._left <= 0:
                        return [*copy, CUT]
                    copy.append(self._value(item, depth - 1))
                return copy
            case _ if is_dataclass(value) and not isinstance(value, type):
                return self.mapping({each.name: getattr(value, each.name) for each in fields(value)}, depth - 1)
            case _:
                return self._text(_REPR.repr(value))

    def _text(self, text: str) -> str:
        most = max(0, min(LONGEST_TEXT, self._left))
        self._left -= len(text)
        return text if len(text) <= most else cut(text, most)


def cut(text: str, most: int) -> str:
    """The beginning of `text`, at most `most` characters, cut at a space or well before a possible secret."""
    begin = text[: max(0, most - _TORN)]
    rest = text[len(begin) : most]
    whole = max(rest.rfind(" "), rest.rfind("\n")) + 1
    return begin + rest[:whole] + CUT


def decoded(text: object) -> str:
    """`text` as a string; names and headers may be bytes."""
    return text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else str(text)
