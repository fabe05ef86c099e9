"""The search rules of `core.ports.RunStore` for runs in memory. `sqlite/sql/queries` has the same rules in SQL."""

from collections.abc import Iterable

from claude_openai.core.runs import Run, RunState
from claude_openai.jsontools.surrogates import without_surrogates


def latest(
    runs: Iterable[Run], limit: int, state: RunState | None = None, principal: str | None = None
) -> tuple[Run, ...]:
    """The runs that arrived last, latest first."""
    wanted = (run for run in runs if state in {None, run.state} and _is_of(run, principal))
    return tuple(sorted(wanted, key=_age, reverse=True)[: max(limit, 0)])


def find_by_prefix(runs: Iterable[Run], wanted: str, principal: str | None = None) -> tuple[Run, ...]:
    """The runs with an id equal to `wanted`, else those with an id that begins so; two mean that it is not unique."""
    wanted = without_surrogates(wanted)
    candidates = [
        run for run in runs if any(name.startswith(wanted) for name in _names(run)) and _is_of(run, principal)
    ]
    exact = [run for run in candidates if wanted in _names(run)]
    return tuple(sorted(exact or candidates, key=_age, reverse=True)[:2])


def _is_of(run: Run, principal: str | None) -> bool:
    return principal is None or run.principal == without_surrogates(principal)


def _names(run: Run) -> tuple[str, str, str]:
    return run.id, run.answer_id, run.request_id


def _age(run: Run) -> tuple[float, str]:
    return run.arrived_at, run.id
