"""Compiles a query of runs (`core.search`) to SQL over the view `effective_runs`. Values are bound parameters."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from claude_openai.core.runs import ACTIVE_STATES, Run, RunState
from claude_openai.core.search.query import TEXT_FIELDS, Comparison, OneOf, Phrase, Query, Term, Within
from claude_openai.core.search.words import has_phrase, searched_text
from claude_openai.store.sqlite.rows import calls_of
from claude_openai.text import ascii_lower

TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "run": ("id", "answer_id", "request_id"),
    "model": ("model",),
    "client": ("client",),
    "key": ("principal",),
    "state": ("state",),
    "way": ("way",),
    "code": ("error_code",),
    "tool": (),
    "profile": ("profile",),
    "finish": ("finish",),
}
"""The columns of each field of `core.search.query.TEXT_FIELDS`. Tools are in the JSON of `calls`."""

_PROMPT: Final = "(input_tokens + cache_creation_tokens + cache_read_tokens)"

NUMBERS: Final[Mapping[str, str]] = {
    "cost": "cost_usd",
    "tokens": f"({_PROMPT} + output_tokens)",
    "out": "output_tokens",
    "cached": f"(CAST(cache_read_tokens AS REAL) / NULLIF({_PROMPT}, 0))",
    "duration": "(ended_at - arrived_at)",
    "first": "(first_token_at - arrived_at)",
    "queue": "(began_at - arrived_at)",
    "arrived": "arrived_at",
}
"""The expression of each of `core.search.query.QUANTITIES`."""

_UNFINISHED: Final = "state IN ('queued', 'running', 'parked')"
"""Written exactly as in the schema, so that the partial index `runs_unfinished` serves it."""


@dataclass(slots=True)
class _Parameters:
    """The bound values; `add` returns the placeholder of one."""

    values: list[str | int | float] = field(default_factory=list)

    def add(self, value: str | float) -> str:
        self.values.append(value)
        return f"?{len(self.values)}"


def selection(
    query: Query, limit: int, principal: str | None, after: Run | None
) -> tuple[str, list[str | int | float]]:
    """The statement that selects the runs of `core.ports.RunStore.search`, and its parameters."""
    bound = _Parameters()
    conditions = [each for term in query.terms for each in _conditions(term, bound)]
    if principal is not None:
        conditions.append(f"principal = {bound.add(principal)}")
    if after is not None:
        sign = ">" if query.sort == "old" else "<"
        conditions.append(f"(arrived_at, id) {sign} ({bound.add(after.arrived_at)}, {bound.add(after.id)})")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    match query.sort:
        case "new":
            order = "arrived_at DESC, id DESC"
        case "old":
            order = "arrived_at, id"
        case _:
            order = f"{NUMBERS[query.sort]} DESC, arrived_at DESC, id DESC"
    # The inner one reads an index where it can: whole rows are long.
    found = f"SELECT id FROM effective_runs {where} ORDER BY {order} LIMIT {bound.add(limit)}"  # noqa: S608 -- ours
    return f"SELECT * FROM effective_runs WHERE id IN ({found}) ORDER BY {order}", bound.values  # noqa: S608 -- ours


def add_functions(connection: sqlite3.Connection) -> None:
    """Give `connection` the functions that the statements of `selection` call."""
    connection.create_function("has_phrase", 5, _has_phrase, deterministic=True)


def _conditions(term: Term, bound: _Parameters) -> Iterator[str]:
    condition = _condition(term.condition, bound)
    # A missing value is no match. Only a negation needs that said: anywhere else it would keep SQLite from its indexes.
    yield f"NOT COALESCE({condition}, 0)" if term.negated else condition
    if isinstance(term.condition, OneOf) and term.condition.field == "state" and not term.negated:
        yield from _by_stored_state(term.condition.values)


def _by_stored_state(states: tuple[str, ...]) -> Iterator[str]:
    """A condition that every run in these effective states fulfils and an index serves. Of an unfinished run the stored
    state may be an older one; a finished run is in its stored state.
    """
    if RunState.COMPLETED in states:
        return
    active = ACTIVE_STATES | {RunState.PARKED}
    finished = [f"'{state.value}'" for state in RunState if state.value in states and state not in active]
    stored = [_UNFINISHED, *([f"state IN ({', '.join(finished)})"] if finished else [])]
    selects = " UNION ALL ".join(f"SELECT id FROM main.runs WHERE {each}" for each in stored)  # noqa: S608 -- ours
    yield f"id IN ({selects})"


def _condition(condition: Phrase | OneOf | Within, bound: _Parameters) -> str:
    match condition:
        case Phrase(phrase, is_prefix):
            return f"has_phrase(text, error, calls, {bound.add(phrase)}, {int(is_prefix)})"
        case Within(quantity, low, high, low_open, high_open):
            number = NUMBERS[quantity]
            parts = [f"{number} IS NOT NULL"] if low is None and high is None else []
            if low is not None:
                parts.append(f"{number} {'>' if low_open else '>='} {bound.add(low)}")
            if high is not None:
                parts.append(f"{number} {'<' if high_open else '<='} {bound.add(high)}")
            return f"({' AND '.join(parts)})"
        case OneOf(field="tool", values=values):
            wanted = ", ".join(map(bound.add, values))
            called = f"SELECT 1 FROM json_each(calls) WHERE json_extract(value, '$[1]') IN ({wanted})"  # noqa: S608
            return f"(calls <> '[]' AND EXISTS ({called}))"
        case OneOf(name, values, comparison):
            columns = TEXTS[name]
            if not values:
                return f"({' OR '.join(f'{column} IS NOT NULL' for column in columns)})"
            folds = TEXT_FIELDS[name].folds_case
            each = [
                _compared(
                    f"lower({column})" if folds else column, ascii_lower(value) if folds else value, comparison, bound
                )
                for column in columns
                for value in values
            ]
            return f"({' OR '.join(each)})"
        case _:
            assert_never(condition)


def _compared(column: str, value: str, comparison: Comparison, bound: _Parameters) -> str:
    match comparison:
        case Comparison.EXACT:
            return f"{column} = {bound.add(value)}"
        case Comparison.PREFIX:  # as a range, which an index serves; U+10FFFF sorts behind every other character
            return f"({column} >= {bound.add(value)} AND {column} < {bound.add(value)} || char(0x10FFFF))"
        case Comparison.INSIDE:
            return f"instr({column}, {bound.add(value)}) > 0"
        case _:
            assert_never(comparison)


def _has_phrase(text: str, error: str | None, calls: str, phrase: str, is_prefix: int) -> bool:
    searched = searched_text(text, error, calls_of(calls))
    return has_phrase(searched, phrase, is_prefix=bool(is_prefix))
