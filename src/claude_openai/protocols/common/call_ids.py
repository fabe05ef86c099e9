"""Ids of tool calls, as upstream takes them.

The Messages API wants `^[a-zA-Z0-9_-]+$`, and every id once in a conversation. OpenAI clients send what some other
model or framework made: `functions.search:0`, a hundred characters, the same `call_1` in every turn.

Claude Code takes `call_1_2` for a part of `call_1` where both are there, and loses its result (measured).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count

_LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_PART = re.compile(r"(.+)_\d+")
"""What Claude Code takes for an id of a part, and the id of the whole in it."""


@dataclass(slots=True)
class CallIds:
    """The ids of one conversation. An id depends on nothing that comes later, so a conversation that grows keeps it."""

    _taken: set[str] = field(default_factory=set, init=False)
    _wholes: set[str] = field(default_factory=set, init=False)

    def assign(self, sent: str) -> str:
        """The id of a new call that the client calls `sent`: the same wherever it can be."""
        chosen = next(filter(self._is_free, _candidates(sent)))
        self._taken.add(chosen)
        self._wholes.add(_whole(chosen))
        return chosen

    def _is_free(self, candidate: str) -> bool:
        return not ({candidate, _whole(candidate)} & self._taken or candidate in self._wholes)


def _whole(call_id: str) -> str:
    """The id that `call_id` would be a part of; "" where there is none."""
    found = _PART.fullmatch(call_id)
    return found[1] if found else ""


def _candidates(sent: str) -> Iterator[str]:
    if _LEGAL.fullmatch(sent):
        yield sent
    for attempt in count():
        yield f"call_{sha256(f'{attempt}:{sent}'.encode()).hexdigest()[:32]}"
