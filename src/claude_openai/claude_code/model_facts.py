"""Facts about Claude's models by their version, which no interface reports.

Each was measured, or read in Claude Code, as its line says; `docs/explain/claude-code.md` has how. A name without a
version (`sonnet`, a model of a gateway) gets the facts that hold for every model.
"""

import re
from dataclasses import replace
from typing import Final

from claude_openai.core.models import EFFORTS, LARGE_SUFFIX, Effort, ModelFacts

_VERSION: Final = re.compile(r"^claude-(?:[a-z]+-)?(\d+)(?:-(\d{1,2}))?(?:-|$|\[|@)")
_LARGE_WINDOW: Final = 1_000_000
_USUAL: Final = ModelFacts()

_TAKEN_BEFORE: Final = {
    "temperature": (4, 7),  # later models refuse it (read in Claude Code)
    "top_p": (4, 1),  # "`temperature` and `top_p` cannot both be specified for this model" (measured)
}
"""The numbers of `core.turn.Sampling` that upstream accepts, and the version from which on it does not."""


def facts_of(name: str, *, listed_efforts: tuple[Effort, ...] | None = None) -> ModelFacts:
    """Return the facts about the model whose full id is `name`, by the version in it.

    `listed_efforts` are the levels that Claude Code lists for it; None where it lists none.
    """
    match = _VERSION.match(name)
    version = (int(match[1]), int(match[2] or 0)) if match else None
    large = LARGE_SUFFIX in name or (version is not None and version >= (4, 7))  # measured
    facts = ModelFacts(
        efforts=EFFORTS[1:] if listed_efforts is None else listed_efforts,
        context_window=_LARGE_WINDOW if large else _USUAL.context_window,
        most_media=600 if large else _USUAL.most_media,  # measured
    )
    if version is None:
        return facts
    return replace(
        facts,
        efforts=_efforts(name, version) if listed_efforts is None else listed_efforts,
        most_output=_most_output(name, version),
        thinks_by_budget=(4, 0) <= version < (4, 6),  # measured
        takes=frozenset(name for name, end in _TAKEN_BEFORE.items() if version < end),
    )


def _efforts(name: str, version: tuple[int, int]) -> tuple[Effort, ...]:
    """Return the effort levels that the version takes (measured); "none" where it can answer without thinking."""
    off: tuple[Effort, ...] = () if version > (5, 0) or "fable" in name else ("none",)
    if version < (4, 5) or (version == (4, 5) and "opus" not in name):
        return off
    if version == (4, 5):
        return (*off, "low", "medium", "high")
    if version == (4, 6):
        return (*off, "low", "medium", "high", "max")
    return (*off, *EFFORTS[1:])


def _most_output(name: str, version: tuple[int, int]) -> int | None:
    """Return the limit of an answer, in tokens, that Claude Code requests (measured)."""
    if version < (4, 0):
        return {(3, 7): 64_000, (3, 5): 8192}.get(version)
    if version < (4, 6):
        return 32_000 if version < (4, 5) and "opus" in name else 64_000
    return 128_000
