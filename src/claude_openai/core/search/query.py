"""A parsed query: what each term of it requires of a run, and the fields that terms name."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, get_args

from claude_openai.core.keys import UNNAMED
from claude_openai.core.runs import Run, RunState

LONGEST_QUERY: Final = 1000
"""Characters."""

MOST_TERMS: Final = 32

Sort = Literal["new", "old", "cost", "duration", "tokens", "first"]
"""The order of the runs found: latest or earliest first, or those with the largest value first."""

SORTS: Final[tuple[Sort, ...]] = get_args(Sort)


class Comparison(Enum):
    """How a value of a query is compared with a field. Only letters of ASCII are compared without case."""

    EXACT = "is"
    PREFIX = "begins with"
    INSIDE = "contains"


@dataclass(frozen=True, slots=True)
class TextField:
    """A field with text: `of` returns its values in a run, `values` are all that exist (None: any)."""

    of: Callable[[Run], tuple[str | None, ...]]
    comparison: Comparison
    example: str
    values: tuple[str, ...] | None = None
    folds_case: bool = False


@dataclass(frozen=True, slots=True)
class Quantity:
    """A field with a number, which `of` returns for a run; None if it has none."""

    of: Callable[[Run], float | None]
    example: str
    unit: Literal["number", "seconds", "share"] = "number"


def _tokens(run: Run) -> int | None:
    return run.usage.prompt_tokens + run.usage.output_tokens if run.usage else None


def _output(run: Run) -> int | None:
    return run.usage.output_tokens if run.usage else None


_STATES: Final = tuple(state.value for state in RunState)
_WAYS: Final = ("live", "results", "warm", "cold", "rebuilt")
_EXACT, _PREFIX = Comparison.EXACT, Comparison.PREFIX

TEXT_FIELDS: Final[Mapping[str, TextField]] = {
    "run": TextField(lambda run: run.names, _PREFIX, "run:1a2b3c4d"),
    "model": TextField(lambda run: (run.model, run.asked_model), Comparison.INSIDE, "model:sonnet", folds_case=True),
    "client": TextField(lambda run: (run.client,), _PREFIX, "client:curl", folds_case=True),
    "key": TextField(lambda run: (run.principal,), _EXACT, "key:alice"),
    "state": TextField(lambda run: (run.state.value,), _EXACT, "state:failed", _STATES),
    "way": TextField(lambda run: (run.session_start,), _EXACT, "way:rebuilt", _WAYS),
    "why": TextField(lambda run: (run.reason,), _EXACT, "why:history"),
    "endpoint": TextField(lambda run: (run.endpoint,), _EXACT, "endpoint:chat"),
    "code": TextField(lambda run: (run.error_code,), _PREFIX, "code:rate_limit"),
    "tool": TextField(lambda run: tuple(call.name for call in run.calls), _EXACT, "tool:get_weather"),
    "profile": TextField(lambda run: (run.profile,), _EXACT, "profile:agent", ("chat", "agent")),
    "finish": TextField(lambda run: (run.finish,), _EXACT, "finish:length"),
}
"""The fields with text by name. `store.sqlite.search` has the same names."""

QUANTITIES: Final[Mapping[str, Quantity]] = {
    "cost": Quantity(lambda run: run.cost_usd, "cost:>0.1"),
    "tokens": Quantity(_tokens, "tokens:>10000"),
    "out": Quantity(_output, "out:>1000"),
    "cached": Quantity(lambda run: run.usage.cached_share if run.usage else None, "cached:<50%", "share"),
    "duration": Quantity(lambda run: run.duration, "duration:>5s", "seconds"),
    "first": Quantity(lambda run: run.first_token_seconds, "first:>2s", "seconds"),
    "queue": Quantity(lambda run: run.queue_seconds, "queue:>1s", "seconds"),
    "arrived": Quantity(lambda run: run.arrived_at, "since:1h", "seconds"),
}
"""The fields with numbers by name. `arrived` is queried as `since:`, `until:` and `at:`."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Requires these space-separated words (`words.words`) in a row; with `is_prefix` the last may go on."""

    words: str
    is_prefix: bool


@dataclass(frozen=True, slots=True)
class OneOf:
    """Requires that the field `field` compares with one of `values`; without values, that it is there at all."""

    field: str
    values: tuple[str, ...]
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Within:
    """Requires a number from `low` to `high` (None: no bound); an end that is open is no part of it."""

    quantity: str
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False


Condition = Phrase | OneOf | Within


@dataclass(frozen=True, slots=True)
class Term:
    """One condition, or with `negated` that it does not hold. `source` is the term as it was typed."""

    condition: Condition
    negated: bool = False
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """A term that is not understood: `text`, at `position` (characters from 0), and the sentence about it."""

    text: str
    position: int
    message: str


@dataclass(frozen=True, slots=True)
class Query:
    """All `terms` must hold. `problems` are the terms that were left out because they are wrong."""

    terms: tuple[Term, ...] = ()
    sort: Sort = "new"
    problems: tuple[Problem, ...] = ()

    @property
    def is_by_time(self) -> bool:
        """Whether the order is one by time, which has pages: the runs behind one."""
        return self.sort in {"new", "old"}


EVERYTHING: Final = Query()
"""Matches every run."""


def in_state(state: RunState | None) -> Query:
    """The runs in `state`; all of them without one."""
    return EVERYTHING if state is None else Query((Term(OneOf("state", (state.value,), _EXACT)),))


def key_comparison(values: Iterable[str]) -> Comparison:
    """How `key:` compares its values: keys without a name are shown, and so queried, by the beginning of an id."""
    return _PREFIX if all(value.startswith(UNNAMED) for value in values) else _EXACT
