"""Assigns ids of tool calls that upstream accepts.

The Messages API requires `^[a-zA-Z0-9_-]+$`, and ids that are unique in a conversation. OpenAI clients send ids of
other models and frameworks: `functions.search:0`, a hundred characters, the same `call_1` in every turn.

If a conversation has `call_1` and `call_1_2`, Claude Code takes the latter for a part of the former, and loses its
result (measured).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count

_LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PART = re.compile(r"(.+)_\d+")
"""An id that Claude Code takes for that of a part, and in it the id of the whole."""


@dataclass(slots=True)
class CallIds:
    """The ids of one conversation. An id depends on earlier calls only, so it stays as the conversation grows."""

    _taken: set[str] = field(default_factory=set, init=False)
    _wholes: set[str] = field(default_factory=set, init=False)

    def assign(self, sent: str) -> str:
        """The id of a new call whose id in the request is `sent`: the same one if possible."""
        for candidate in _candidates(sent):
            whole = _whole(candidate)
            if not ({candidate, whole} & self._taken or candidate in self._wholes):
                break
        self._taken.add(candidate)
        self._wholes.add(whole)
        return candidate


def _whole(call_id: str) -> str:
    """The id that `call_id` would be a part of; "" if there is none."""
    found = _PART.fullmatch(call_id)
    return found[1] if found else ""


def _candidates(sent: str) -> Iterator[str]:
    if _LEGAL.fullmatch(sent):
        yield sent
    for attempt in count():
        yield f"call_{sha256(f'{attempt}:{sent}'.encode()).hexdigest()[:32]}"
