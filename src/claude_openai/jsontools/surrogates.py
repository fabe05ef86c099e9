"""Joins or replaces lone surrogates, which JSON can encode but UTF-8 cannot.

They come from programs that count in UTF-16 and cut a string within a character: JavaScript clients that shorten texts,
and deltas of an answer. A pair of halves is joined; a lone half becomes U+FFFD, as in Claude Code (measured).
"""

import re
from dataclasses import dataclass, field

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)

_PIECE = 2**20
"""Characters that are searched in one go: no other thread runs meanwhile. 30 MB of escapes take 50 ms (measured)."""


def without_surrogates(text: str) -> str:
    """`text` with pairs of halves joined and lone halves replaced."""
    if text.isascii() or not any(_SURROGATE.search(text, at, at + _PIECE) for at in range(0, len(text), _PIECE)):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def json_without_surrogates(text: str) -> str:
    """The JSON `text` with escapes of lone halves replaced. Its length stays, so that positions of errors are right."""
    if not any(_ESCAPED_SURROGATE.search(text, at, at + _PIECE + 5) for at in range(0, len(text), _PIECE)):
        return text
    return _ESCAPE.sub(lambda escape: "\\ufffd" if escape[1] else escape[0], text)


@dataclass(slots=True)
class SurrogateJoiner:
    """Joins characters that were cut between two deltas: a first half waits for the delta with the second."""

    _waiting: str = field(default="", init=False)

    def feed(self, text: str) -> str:
        """The complete characters that `text` adds; "" if it is only a half."""
        if text.isascii() and not self._waiting:  # most deltas
            return text
        text = self._waiting + text
        self._waiting = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return without_surrogates(text[: len(text) - len(self._waiting)])

    def finish(self) -> str:
        """The rest at the end of the text: U+FFFD for a half that waited, else ""."""
        waiting, self._waiting = self._waiting, ""
        return without_surrogates(waiting)
