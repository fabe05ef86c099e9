"""The queries of `core.ports.Store` over runs and responses in memory; `sqlite/sql/queries` has them in SQL."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any, TypeVar

from claude_openai.core.messages import ToolCall
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Run
from claude_openai.core.search import Query, in_order, is_behind, matches
from claude_openai.jsontools.surrogates import without_surrogates

Record = TypeVar("Record", Run, StoredResponse)


def search(
    runs: Iterable[Run], query: Query, limit: int, principal: str | None = None, after: Run | None = None
) -> tuple[Run, ...]:
    """`core.ports.RunStore.search` among `runs`."""
    wanted = (run for run in runs if _is_of(run, principal) and is_behind(run, after, query) and matches(query, run))
    return tuple(in_order(query, wanted)[: max(limit, 0)])


def find_by_prefix(runs: Iterable[Run], wanted: str, principal: str | None = None) -> tuple[Run, ...]:
    """The runs with an id equal to `wanted`, else those with an id that begins so; two mean that it is not unique."""
    wanted = without_surrogates(wanted)
    candidates = [run for run in runs if any(name.startswith(wanted) for name in run.names) and _is_of(run, principal)]
    exact = [run for run in candidates if wanted in run.names]
    return tuple(sorted(exact or candidates, key=_age, reverse=True)[:2])


def walk_chain(
    find: Callable[[str], StoredResponse | None], response_id: str, principal: str, limit: int
) -> tuple[StoredResponse, ...]:
    """`core.ports.ResponseStore.chain` over `find`, which returns the response with an id, of whatever principal."""
    chain: list[StoredResponse] = []
    wanted: str | None = response_id
    while wanted is not None and len(chain) < limit:
        response = find(without_surrogates(wanted))
        if response is None or response.principal != without_surrogates(principal):
            break
        chain.append(response)
        wanted = response.previous_id
    return tuple(chain)


def utf8_safe(value: Record) -> Record:
    """`value` with lone surrogates replaced, so that UTF-8 can encode it; the same object if it has none."""
    changed: dict[str, Any] = {}
    for field in fields(value):
        text = getattr(value, field.name)
        if isinstance(text, str) and (safe := without_surrogates(text)) != text:
            changed[field.name] = safe
    if isinstance(value, Run):
        calls = tuple(ToolCall(*map(without_surrogates, (call.id, call.name, call.arguments))) for call in value.calls)
        if calls != value.calls:
            changed["calls"] = calls
    return replace(value, **changed) if changed else value


def _is_of(run: Run, principal: str | None) -> bool:
    return principal is None or run.principal == without_surrogates(principal)


def _age(run: Run) -> tuple[float, str]:
    return run.arrived_at, run.id
