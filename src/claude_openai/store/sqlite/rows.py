"""A run as a row of the table `runs`, and back: the only module that knows both.

A new field of `core.runs.Run` needs a column in `Row`, in `sql/effective_runs.sql` and in a migration. Fields and
columns of the same name and type are copied without further code.
"""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final, NamedTuple

from claude_openai.core.events import Usage
from claude_openai.core.messages import ToolCall
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Run, RunState


class Row(NamedTuple):
    """The columns of `runs` and of the view `effective_runs`, in their order."""

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
    endpoint: str
    asked_model: str
    reason: str | None


def _upsert(table: str, columns: Sequence[str]) -> str:
    """The statement that inserts a row, given its columns by name, or replaces the row with the same id.

    It is no REPLACE, which deletes the row first: a deleted run takes its response with it.
    """
    values = ", ".join(f":{column}" for column in columns)
    updates = ", ".join(f"{column} = excluded.{column}" for column in columns)
    return f"INSERT INTO {table} VALUES ({values}) ON CONFLICT (id) DO UPDATE SET {updates}"  # noqa: S608 -- names of ours


SAVE: Final = _upsert("runs", Row._fields)
"""The statement that writes a run, given `Row._asdict()`."""

SAVE_RESPONSE: Final = _upsert("responses", [field.name for field in fields(StoredResponse)])
"""The statement that writes a response, given its fields by name; they are the columns of the table, in order."""

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
    )


def run_of(row: Row) -> Run:
    """The run that `row` holds."""
    copied: dict[str, Any] = {name: getattr(row, name) for name in _COPIED}
    usage = {name: getattr(row, name) or 0 for name in _USAGE}
    return Run(
        **copied,
        state=RunState(row.state),
        queue_position=row.place,
        session_start=row.way,
        usage=None if row.input_tokens is None or row.output_tokens is None else Usage(**usage),
        calls=calls_of(row.calls),
    )


def calls_of(column: str) -> tuple[ToolCall, ...]:
    """The calls in the column `calls`."""
    return tuple(ToolCall(*call) for call in json.loads(column))
