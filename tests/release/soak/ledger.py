"""What happened in a soak, in numbers, and each promise that was broken, in a sentence."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from tests.release.soak.marks import secrets_in
from tests.release.soak.plan import Change, Mishap


class Figure(StrEnum):
    CONVERSATIONS = "conversations"
    TURNS = "turns"
    REQUESTS = "requests of clients"
    UPSTREAM = "requests upstream"
    ANSWERS = "answers checked"
    CALLS = "tool calls"
    DISCONNECTS = "disconnects"
    KILLS = "kills of a Claude Code"
    KILLED = "requests failed by a kill"
    RETRIES = "retries of clients"
    LEAKS = "leaks"


@dataclass(slots=True)
class Ledger:
    """`failures` counts by what was done upstream and by the code that the client was told, None for an answer."""

    counts: Counter[Figure] = field(default_factory=Counter)
    changes: Counter[Change] = field(default_factory=Counter)
    failures: Counter[tuple[Mishap, str | None]] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def count(self, figure: Figure, by: int = 1) -> None:
        self.counts[figure] += by

    def breaks(self, said: str) -> None:
        self.broken.append(said)

    def seen(self, text: str, where: str, *, of: str | None = None) -> None:
        """`text` may hold the secret `of` a conversation, and no other."""
        if strangers := secrets_in(text) - {of}:
            self.leaks(f"{where} holds a secret of another conversation: {' '.join(sorted(strangers))}")

    def leaks(self, said: str) -> None:
        self.count(Figure.LEAKS)
        self.breaks(said)
