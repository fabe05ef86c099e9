"""The JSON object within a model's text, taken out as the text streams: code fences and words around it are left off.

Nothing of the object is held back but its beginning, up to its first name: a brace alone may belong to words.
"""

import re
from typing import Final, Literal

from claude_openai.jsontools.strict import NotJson, parse

LONGEST_BEGINNING: Final = 4096
"""Characters up to the colon after the first name. It bounds what is held back, and how often that is looked at."""

_OPENED: Final = re.compile(r'\{\s*(?:\}|"(?:[^"\\]|\\.)*"\s*:)', re.DOTALL)
"""How an object begins, or is whole without a name."""

_OPENING: Final = re.compile(r'\{\s*(?:"(?:[^"\\]|\\.)*(?:\\|"\s*)?)?', re.DOTALL)
"""What may still become one."""

_OUTSIDE, _INSIDE = re.compile(r'[{}\[\]"]'), re.compile(r'["\\]')
"""What matters outside a string of the object, and inside one."""


class ObjectText:
    """The first object of a text that is fed piece by piece. `text` is what was taken so far."""

    def __init__(self) -> None:
        self._state: Literal["before", "within", "behind"] = "before"
        self._held = ""
        self._last = ""
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._taken: list[str] = []
        self._listed = False
        self._only = True

    @property
    def text(self) -> str:
        """The object as far as it came."""
        return "".join(self._taken)

    @property
    def only(self) -> bool:
        """Whether the text was the object and nothing else but white space."""
        return self._only

    def feed(self, piece: str) -> str:
        """What of `piece`, and of what was held back before it, belongs to the object."""
        taken = self._begun(piece) if self._state == "before" else piece
        if not taken:
            return ""
        if self._state == "behind":
            self._only = self._only and not taken.strip()
            return ""
        end = self._end(taken)
        taken, rest = taken[:end], taken[end:]
        self._only = self._only and not rest.strip()
        self._taken.append(taken)
        return taken

    def fault(self) -> str | None:
        """Why the whole text gives no object, as a phrase; None where it gives one."""
        if self._listed:
            return "it is an array, not an object"
        if not self._taken:
            return "there is no JSON object in it"
        try:
            parse(self.text)
        except NotJson as error:
            return f"it is not valid JSON: {error}"
        return None

    def _begun(self, piece: str) -> str:
        """The object's text, where `piece` makes clear that it has begun; else nothing."""
        text, self._held = self._held + piece, ""
        seen = 0
        while (at := text.find("{", seen)) >= 0:
            self._pass_over(text[seen:at])
            if _OPENED.match(text, at, at + LONGEST_BEGINNING):
                if self._last == "[":
                    self._listed, self._state = True, "behind"
                    return ""
                self._state = "within"
                return text[at:]
            if len(text) - at <= LONGEST_BEGINNING and _OPENING.fullmatch(text, at):
                self._held = text[at:]
                return ""
            self._pass_over("{")
            seen = at + 1
        self._pass_over(text[seen:])
        return ""

    def _pass_over(self, words: str) -> None:
        if stripped := words.strip():
            self._last, self._only = stripped[-1], False

    def _end(self, text: str) -> int:
        """Where the object ends in `text`, its next piece; behind the piece where it goes on."""
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
                        self._state = "behind"
                        return at
        return len(text)
