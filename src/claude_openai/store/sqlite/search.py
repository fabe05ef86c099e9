"""Compiles a query of runs (`core.search`) to SQL over the view `effective_runs`. Values are bound parameters."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from claude_openai.core.runs import TERMINAL_STATES, Run
from claude_openai.core.search.query import TEXT_FIELDS, Comparison, OneOf, Phrase, Query, Term, Within
from claude_openai.core.search.words import has_phrase, searched_text
from claude_openai.store.sqlite.ended import indexed_since, number_of
from claude_openai.store.sqlite.rows import calls_of
from claude_openai.text import ascii_lower

TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "run": ("id", "answer_id", "request_id"),
    "model": ("model", "asked_model"),
    "client": ("client",),
    "key": ("principal",),
    "state": ("state",),
    "way": ("way",),
    "why": ("reason",),
    "endpoint": ("endpoint",),
    "code": ("error_code",),
    "tool": (),
    "profile": ("profile",),
    "finish": ("finish",),
}
"""The columns of each field of `core.search.query.TEXT_FIELDS`. Tools are in the JSON of `calls`."""

FEW_HITS: Final = 1000
MANY_HITS: Final = 10_000
"""How many of the latest runs with the words of a query are looked at first, and then. Of a common word there may be a
hundred thousand."""

SAME_MOMENT: Final = 1000
"""Runs that may have arrived within the same microsecond."""

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

    indexed_since: float | None
    values: list[str | int | float] = field(default_factory=list)

    def add(self, value: str | float) -> str:
        self.values.append(value)
        return f"?{len(self.values)}"


Statement = tuple[str, list[str | int | float]]


def search(
    connection: sqlite3.Connection, query: Query, limit: int, principal: str | None, after: Run | None
) -> list[tuple[Any, ...]]:
    """The rows of `core.ports.RunStore.search`. `connection` has the view `effective_runs`."""
    connection.create_function("has_phrase", 5, _has_phrase, deterministic=True)
    since = indexed_since(connection)
    by_time = query.sort == "new" and since is None and _phrases(query)
    for hits in (FEW_HITS, MANY_HITS) if by_time else ():
        # The index has the runs by time: the latest hits are enough if enough of them fulfil the other terms.
        rows = connection.execute(*selection(query, limit, principal, after, hits=hits)).fetchall()
        if len(rows) >= limit:
            return rows
        matched, parameters = _hits(query, after, hits)
        if len(connection.execute(matched, parameters).fetchall()) < hits:
            return rows
    return connection.execute(*selection(query, limit, principal, after, since=since)).fetchall()


def selection(
    query: Query,
    limit: int,
    principal: str | None,
    after: Run | None,
    *,
    since: float | None = None,
    hits: int | None = None,
) -> Statement:
    """The statement that selects the runs of a search, and its parameters. `since` is `ended.indexed_since`.

    With `hits`, only the latest so many that have the words of the query are considered.
    """
    bound = _Parameters(since)
    conditions: list[str] = []
    if hits is not None:
        matched, values = _hits(query, after, hits)
        bound.values += values
        conditions.append(f"id IN (SELECT run_id FROM indexed WHERE number IN ({matched}))")  # noqa: S608 -- ours
    left = [term for term in query.terms if hits is None or not _is_hit(term)]
    conditions += [each for term in left for each in _conditions(term, bound)]
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


def _is_hit(term: Term) -> bool:
    return isinstance(term.condition, Phrase) and not term.negated


def _phrases(query: Query) -> list[Phrase]:
    return [term.condition for term in query.terms if isinstance(term.condition, Phrase) and not term.negated]


def _hits(query: Query, after: Run | None, most: int) -> Statement:
    """The statement that selects the numbers of the latest indexed runs with all words of `query`."""
    match = " AND ".join(map(_matched, _phrases(query)))
    values: list[str | int | float] = [match, most]
    bounds = ""
    if after is not None:  # runs of the same moment have the numbers behind it
        values.append(number_of(after.arrived_at) + SAME_MOMENT)
        bounds = "AND rowid <= ?3 "
    return f"SELECT rowid FROM words_index WHERE words_index MATCH ?1 {bounds}ORDER BY rowid DESC LIMIT ?2", values  # noqa: S608


def _matched(phrase: Phrase) -> str:
    """`phrase` in the language of FTS5. Words have only letters and digits."""
    return f'"{phrase.words}"{"*" if phrase.is_prefix else ""}'


def _conditions(term: Term, bound: _Parameters) -> Iterator[str]:
    condition = _condition(term.condition, bound)
    # A missing value is no match. Only a negation needs that said: anywhere else it would keep SQLite from its indexes.
    yield f"NOT COALESCE({condition}, 0)" if term.negated else condition
    match term:
        case Term(OneOf(field="state", values=states), negated=False) if not TERMINAL_STATES.intersection(states):
            # The effective state has no index; that it is none of a finished run does.
            yield f"id IN (SELECT id FROM main.runs WHERE {_UNFINISHED})"  # noqa: S608 -- ours
        case _:
            pass


def _condition(condition: Phrase | OneOf | Within, bound: _Parameters) -> str:
    match condition:
        case Phrase(phrase, is_prefix):
            match = bound.add(_matched(condition))
            hits = f"SELECT rowid FROM words_index WHERE words_index MATCH {match}"  # noqa: S608 -- a placeholder
            indexed = f"id IN (SELECT run_id FROM indexed WHERE number IN ({hits}))"  # noqa: S608 -- ours
            if bound.indexed_since is None:
                return indexed
            since = bound.add(bound.indexed_since)
            read = f"has_phrase(text, error, calls, {bound.add(phrase)}, {int(is_prefix)})"
            return f"({indexed} OR (arrived_at <= {since} AND {read}))"
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
