"""Whether a run matches a query, and the order of those that do: for runs in memory."""

from collections.abc import Iterable
from typing import assert_never

from claude_openai.core.runs import Run
from claude_openai.core.search.query import QUANTITIES, TEXT_FIELDS, Comparison, OneOf, Phrase, Query, Term, Within
from claude_openai.core.search.words import has_phrase, searched_text
from claude_openai.text import ascii_lower


def matches(query: Query, run: Run) -> bool:
    """Whether every term of `query` holds for `run`."""
    return all(_holds(term, run) for term in query.terms)


def in_order(query: Query, runs: Iterable[Run]) -> list[Run]:
    """`runs` in the order that `query` asks for. Runs without the value come last, and equal ones latest first."""
    if query.sort == "old":
        return sorted(runs, key=lambda run: (run.arrived_at, run.id))
    latest = sorted(runs, key=lambda run: (run.arrived_at, run.id), reverse=True)
    if query.sort == "new":
        return latest
    value = QUANTITIES[query.sort].of
    return sorted(latest, key=lambda run: (value(run) is not None, value(run) or 0.0), reverse=True)


def is_behind(run: Run, after: Run | None, query: Query) -> bool:
    """Whether `run` comes behind the run `after` in the order of `query`, which is one by time."""
    if after is None:
        return True
    this, other = (run.arrived_at, run.id), (after.arrived_at, after.id)
    return this > other if query.sort == "old" else this < other


def _holds(term: Term, run: Run) -> bool:
    match term.condition:
        case Phrase(phrase, is_prefix):
            found = has_phrase(searched_text(run.text, run.error, run.calls), phrase, is_prefix=is_prefix)
        case OneOf() as condition:
            found = _is_one_of(condition, run)
        case Within(quantity, low, high, low_open, high_open):
            number = QUANTITIES[quantity].of(run)
            found = (
                number is not None
                and (low is None or number > low or (number == low and not low_open))
                and (high is None or number < high or (number == high and not high_open))
            )
        case _:
            assert_never(term.condition)
    return found is not term.negated


def _is_one_of(condition: OneOf, run: Run) -> bool:
    field = TEXT_FIELDS[condition.field]
    found = [value for value in field.of(run) if value is not None]
    if not condition.values:
        return bool(found)
    if field.folds_case:
        found = [ascii_lower(value) for value in found]
    for value in condition.values:
        wanted = ascii_lower(value) if field.folds_case else value
        match condition.comparison:
            case Comparison.EXACT:
                matched = wanted in found
            case Comparison.PREFIX:
                matched = any(each.startswith(wanted) for each in found)
            case Comparison.INSIDE:
                matched = any(wanted in each for each in found)
            case _:
                assert_never(condition.comparison)
        if matched:
            return True
    return False
