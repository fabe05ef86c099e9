"""Extracts the JSON object from a model's text while the text streams; code fences and prose around it are dropped.

Only the beginning of the object is held back, up to its first name: a brace alone may be prose.
"""

import re
from typing import Final, Literal

from claude_openai.jsontools.strict import NotJson, parse

LONGEST_BEGINNING: Final = 4096
"""Characters up to the colon after the first name. It bounds the held text, and how often it is searched."""

_OPENED: Final = re.compile(r'\{\s*(?:\}|"(?:[^"\\]|\\.)*"\s*:)', re.DOTALL)
"""The beginning of an object, or an empty object."""

_OPENING: Final = re.compile(r'\{\s*(?:"(?:[^"\\]|\\.)*(?:\\|"\s*)?)?', re.DOTALL)
"""A text that may become the beginning of an object."""

_OUTSIDE, _INSIDE = re.compile(r'[{}\[\]"]'), re.compile(r'["\\]')
"""The characters that matter to the parser outside a string of the object, and inside one."""


class ObjectText:
    """Extracts the first object of a text that is fed piece by piece. `text` is the object so far."""

    def __init__(self) -> None:
        self._state: Literal["before", "within", "after"] = "before"
        self._held = ""
        self._last = ""
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._pieces: list[str] = []
        self._is_array = False
        self._only = True

    @property
    def text(self) -> str:
        """The object so far."""
        return "".join(self._pieces)

    @property
    def only(self) -> bool:
        """Whether the text is the object and white space only."""
        return self._only

    def feed(self, piece: str) -> str:
        """The part of `piece`, and of the text held back before, that belongs to the object."""
        text = self._find_beginning(piece) if self._state == "before" else piece
        if not text:
            return ""
        if self._state == "after":
            self._only = self._only and not text.strip()
            return ""
        end = self._end(text)
        taken, rest = text[:end], text[end:]
        self._only = self._only and not rest.strip()
        self._pieces.append(taken)
        return taken

    def fault(self) -> str | None:
        """Why the whole text has no valid object, as a phrase; None if it has one."""
        if self._is_array:
            return "it is an array, not an object"
        if not self._pieces:
            return "there is no JSON object in it"
        try:
            parse(self.text)
        except NotJson as error:
            return f"it is not valid JSON: {error}"
        return None

    def _find_beginning(self, piece: str) -> str:
        """The object's text so far, once `piece` shows that it has begun; else an empty text."""
        text, self._held = self._held + piece, ""
        seen = 0
        while (at := text.find("{", seen)) >= 0:
            self._skip(text[seen:at])
            if _OPENED.match(text, at, at + LONGEST_BEGINNING):
                if self._last == "[":
                    self._is_array, self._state = True, "after"
                    return ""
                self._state = "within"
                return text[at:]
            if len(text) - at <= LONGEST_BEGINNING and _OPENING.fullmatch(text, at):
                self._held = text[at:]
                return ""
            self._skip("{")
            seen = at + 1
        self._skip(text[seen:])
        return ""

    def _skip(self, prose: str) -> None:
        if stripped := prose.strip():
            self._last, self._only = stripped[-1], False

    def _end(self, text: str) -> int:
        """The position where the object ends in `text`, its next piece; the length of the piece if it continues."""
        at = 0
        if self._escaped and text:
            self._escaped, at = False, 1
        while found := (_INSIDE if self._in_string else _OUTSIDE).search(text, at):
            at = found.end()
            match found[0]:
                case '"':
                    self._in_string = not self._in_string
                case "\\":
                    self._escaped = at == len(text)
                    at += 1
                case "{" | "[":
                    self._depth += 1
                case _:
                    self._depth -= 1
                    if self._depth == 0:
                        self._state = "after"
                        return at
        return len(text)
