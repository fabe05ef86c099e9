"""A run as a row of the table `runs`, and back: the only module that knows both.

A new field of `core.runs.Run` needs a column in `Row`, in `sql/standing.sql` and in a migration. Fields and columns of
the same name and type are copied without further code.
"""

import json
from dataclasses import fields
from typing import Any, Final, NamedTuple

from claude_openai.core.events import Usage
from claude_openai.core.messages import ToolCall
from claude_openai.core.runs import Kept, Run, RunState
from claude_openai.jsontools.surrogates import without_surrogates


class Row(NamedTuple):
    """The columns of `runs` and of the view `standing`, in their order."""

    id: str
    answer_id: str
    request_id: str
    principal: str
    client: str
    model: str
    state: str
    arrived_at: float
    began_at: float | None
    first_token_at: float | None
    ended_at: float | None
    place: int
    way: str | None
    profile: str
    finish: str | None
    error_code: str | None
    error: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_creation_tokens: int | None
    cache_read_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None
    text: str
    calls: str
    server: int | None
    kept_items: str | None
    kept_response: str | None


SAVE: Final = f"REPLACE INTO runs VALUES ({', '.join(f':{column}' for column in Row._fields)})"  # noqa: S608 -- names of ours
"""The statement that writes a row, given `Row._asdict()`."""

_CONVERTED: Final = frozenset({"state", "calls"})
"""Fields whose column has the same name and another type."""

_COPIED: Final = tuple(
    field.name for field in fields(Run) if field.name in Row._fields and field.name not in _CONVERTED
)

_USAGE: Final = tuple(field.name for field in fields(Usage))


def row_of(run: Run, server: int | None) -> Row:
    """`run` as a row of the server with the number `server`; None for a run that is not written."""
    columns: dict[str, Any] = {name: getattr(run, name) for name in _COPIED}
    columns |= {name: getattr(run.usage, name) if run.usage else None for name in _USAGE}
    return Row(
        **columns,
        state=run.state.value,
        place=run.queue_position,
        way=run.session_start,
        calls=json.dumps([(call.id, call.name, call.arguments) for call in run.calls], ensure_ascii=False),
        server=server,
        kept_items=run.kept.items if run.kept else None,
        kept_response=run.kept.response if run.kept else None,
    )


def run_of(row: Row) -> Run:
    """The run that `row` holds."""
    copied: dict[str, Any] = {name: getattr(row, name) for name in _COPIED}
    usage = {name: getattr(row, name) or 0 for name in _USAGE}
    kept = None
    if row.kept_items is not None and row.kept_response is not None:
        kept = Kept(row.kept_items, row.kept_response)
    return Run(
        **copied,
        state=RunState(row.state),
        queue_position=row.place,
        session_start=row.way,
        usage=None if row.input_tokens is None or row.output_tokens is None else Usage(**usage),
        calls=tuple(ToolCall(*call) for call in json.loads(row.calls)),
        kept=kept,
    )


def utf8_safe(run: Run) -> Run:
    """`run` with lone surrogates replaced, so that UTF-8 can encode it; the same object if it has none."""
    row = row_of(run, None)
    safe = Row._make(
        without_surrogates(value) if isinstance(value, str) and not value.isascii() else value for value in row
    )
    return run if safe == row else run_of(safe)
