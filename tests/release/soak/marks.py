"""Secrets and marks: how client and model each know what the model was told. Pure.

Each conversation has a secret, and each text in it a mark: the secret, and which text it is. The trail of a
conversation is its marks in order. The client knows the trail of what it sent, the model that of what reached it, and
the model's answer tells its own. So an answer is right only if nothing was lost, added, put in another order, or taken
from a branch that was left.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from random import Random
from typing import Final, Literal, Self

Kind = Literal["s", "t", "u", "a", "c", "r"]
"""What is marked: instructions, tool, user's message, answer, call, result."""

SECRET: Final = re.compile("zq[0-9a-f]{20}")
"""No other text looks like it, and none that the log would hide."""

_MARK: Final = re.compile(rf"{SECRET.pattern}(?:/[a-z]\d+(?:\.\d+)?)?")
_UNORDERED: Final = re.compile(r".*/([tr])[\d.]+")
_ANSWER: Final = re.compile(rf"({SECRET.pattern})/a\d+ knows ((?:{SECRET.pattern} )+)and heard ([0-9a-f]+)\..*")
_FILLER: Final = " All the rest of this is only said so that the answer takes its time, and can be cut or left."


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer says: whose it is, every secret the model saw, and the trail it was told."""

    secret: str
    secrets: frozenset[str]
    trail: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None where `text` is no such answer."""
        if not (found := _ANSWER.fullmatch(text)):
            return None
        return cls(found[1], secrets_in(found[2]), found[3])

    def told(self, number: int) -> str:
        """As text, the `number`th of its conversation."""
        known = " ".join(sorted(self.secrets))
        return f"{mark(self.secret, 'a', number)} knows {known} and heard {self.trail}.{_FILLER}"


def new_secret(random: Random) -> str:
    return f"zq{random.randbytes(10).hex()}"


def mark(secret: str, kind: Kind, number: int, part: int | None = None) -> str:
    return f"{secret}/{kind}{number}" + ("" if part is None else f".{part}")


def result_of(call: str) -> str:
    """The mark of the result that belongs to the call with this mark."""
    return call.replace("/c", "/r")


def secrets_in(text: str) -> frozenset[str]:
    return frozenset(SECRET.findall(text))


def marks_in(value: object) -> list[str]:
    """The marks in all texts of a piece of JSON, in order."""
    return [found for text in _texts(value) for found in _MARK.findall(text)]


def trail(*values: object) -> str:
    """A digest of the marks in `values`. Tools, and the results of one message, may come in any order."""
    runs = (list(run) for _, run in groupby(marks_in(list(values)), _unordered))
    ordered = (found for run in runs for found in (sorted(run) if _unordered(run[0]) else run))
    return hashlib.sha256("\n".join(ordered).encode()).hexdigest()[:16]


def _unordered(found: str) -> str | None:
    kind = _UNORDERED.fullmatch(found)
    return kind and kind[1]


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from _texts(each)
        case Sequence():
            for each in value:
                yield from _texts(each)
        case _:
            pass
