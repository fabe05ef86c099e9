"""Ids of tool calls, as upstream takes them.

The Messages API wants `^[a-zA-Z0-9_-]+$`, and every id once in a conversation. OpenAI clients send what some other
model or framework made: `functions.search:0`, a hundred characters, the same `call_1` in every turn.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count

_LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(slots=True)
class CallIds:
    """The ids of one conversation. An id depends on nothing that comes later, so a conversation that grows keeps it."""

    _taken: set[str] = field(default_factory=set, init=False)

    def assign(self, sent: str) -> str:
        """The id of a new call that the client calls `sent`: the same wherever it can be."""
        chosen = next(candidate for candidate in _candidates(sent) if candidate not in self._taken)
        self._taken.add(chosen)
        return chosen


def _candidates(sent: str) -> Iterator[str]:
    if _LEGAL.fullmatch(sent):
        yield sent
    for attempt in count():
        yield f"call_{sha256(f'{attempt}:{sent}'.encode()).hexdigest()[:32]}"
